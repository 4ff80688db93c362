//! `aligndraw train`.

mod args;
pub mod command;
mod compute;
mod sentences;
mod vectors;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Context, Result, bail};
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::files::{read_json, read_judge_weights, read_model, write_json, write_model};
use super::open::{Opened, Reading, open};
use crate::checkpoint::{
    DataRecord, FORMAT, Manifest, NamedTensor, Precision, WeightsRecord, decode, encode, float_tensors,
    parse_safetensors, take, with_values,
};
use crate::cli::output::{self, note, say};
use crate::data::augment::Augmented;
use crate::data::folder::UNKNOWN;
use crate::data::source::DataSet;
use crate::data::vocabulary::Vocabulary;
use crate::error::Error;
use crate::model::{Config, Trainable};
use crate::options::TrainOptions;
use crate::sentence::encoder::EncoderConfig;
use crate::systems::{System, SystemVisitor};
use crate::train::report::read_log;
use crate::train::{Compute, Data, Signals, Start, train};

pub use args::{Args, with_field};
use sentences::SentenceManifest;
use vectors::WordVectors;

/// The words of a run, in its folder.
pub const VOCABULARY: &str = "vocabulary.json";
/// What of the data was passed over and why, in a run's folder.
const SKIPPED: &str = "skipped.txt";
/// What a run is made of, in its folder.
pub const RECORD: &str = "run.json";

/// What a run is made of.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Name of the finished model.
    pub name: String,
    /// Folder of the data, as it was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<PathBuf>,
    /// The options.
    pub options: TrainOptions<System>,
}

/// The manifest of a model of a run; the weights' record is filled in when they are written.
pub fn manifest(
    name: &str,
    options: &TrainOptions<System>,
    vocabulary: Vocabulary,
    epochs: usize,
    run: &Path,
) -> Manifest {
    // Seconds of training, summed over the sessions of the run: each begins again at zero.
    let lines = read_log(&run.join("log.jsonl"));
    let sessions = lines.windows(2).filter(|pair| pair[1].seconds < pair[0].seconds);
    let earlier: f64 = sessions.map(|pair| pair[0].seconds).sum();
    let seconds = earlier + lines.last().map_or(0.0, |line| line.seconds);
    Manifest {
        format: FORMAT,
        name: name.to_owned(),
        system: options.config.clone(),
        temperature: options.temperature,
        vocabulary,
        data: DataRecord { name: options.data, bans: options.data.held_out(options.held_out_seed) },
        training: serde_json::json!({ "options": options, "epochs": epochs, "seconds": seconds.round() }),
        weights: WeightsRecord { file: String::new(), sha256: String::new(), bytes: 0 },
    }
}

/// Trains, then writes the model beside the checkpoints.
pub fn run(args: Args) -> Result<()> {
    if let Some(data) = sentences::data_of(args.preset.as_deref()) {
        return sentences::run(&args, data);
    }
    let name = args.name.clone().or(args.preset.clone()).unwrap_or_else(|| "digits".to_owned());
    let out = args.out.clone().unwrap_or_else(|| Path::new("runs").join(&name));
    let record = out.join(RECORD);
    let mut run = if args.resume { resumed(&args, &record)? } else { begun(&args, name, &out)? };
    let options = &mut run.options;
    let cache = out.join("pixels.bin");
    let side = options.config.image_size().width;
    let from = args.from.as_deref().map(|model| read_model(Path::new("."), model)).transpose()?;
    let sentences = args.sentences.as_deref().map(SentenceManifest::read).transpose()?;
    let owned = match args.resume {
        true => Some(read_json::<Vocabulary>(&out.join(VOCABULARY))?),
        false => words_of(options.data, from.as_ref(), sentences.as_ref())?,
    };
    let reading = Reading {
        folder: run.data.as_deref(),
        held_out_seed: options.held_out_seed,
        side,
        cache: Some(&cache),
        vocabulary: owned,
        models: &args.models,
        crops: options.augmentation.map_or(0, |augmentation| augmentation.crops),
    };
    let Opened { data, vocabulary, skipped, .. } = open(options.data, reading)?;
    options.config.fit_data(vocabulary.words.len(), None);
    let data = augmented(data, options, &vocabulary);
    options.check()?;
    let compute = compute::compute(&args)?;
    if let Some((manifest, _)) = &from {
        options.started_from = Some(manifest.weights.sha256.clone());
    }
    let trunk = args.trunk.as_deref().map(read_judge_weights).transpose()?;
    if let Some((record, _)) = &trunk {
        run.options.started_from = Some(record.sha256.clone());
    }
    let sentences = sentence_encoder(&args, sentences, &mut run.options.config, &vocabulary)?;
    let vectors = args.word_vectors.as_deref().map(WordVectors::read).transpose()?;
    let signals = catch_interrupts()?;
    let trained = Training {
        run: &run,
        vocabulary: &vocabulary,
        skipped: &skipped,
        resume: args.resume,
        from: from.as_ref(),
        trunk: trunk.as_ref().map(|(_, weights)| weights.as_slice()),
        vectors: vectors.as_ref(),
        sentences: sentences.as_deref(),
        data,
        folder: &out,
        compute: &compute,
        signals: &signals,
    };
    let trained = run.options.config.visit(trained)?;
    finish(&run, &out, vocabulary, &trained)
}

/// The words of the sentence vectors that a new run hears, else of the model that it begins with, where its data have no
/// words of their own: rows of weights belong to words. None: the run finds its words in the data.
fn words_of(
    data: DataSet,
    from: Option<&(Manifest, Vec<u8>)>,
    sentences: Option<&(SentenceManifest, Vec<u8>)>,
) -> Result<Option<Vocabulary>> {
    let heard = sentences.map(|(manifest, _)| ("--sentences", &manifest.name, &manifest.vocabulary));
    let known = || from.map(|(manifest, _)| ("--from", &manifest.name, &manifest.vocabulary));
    let Some((flag, name, words)) = heard.or_else(known).filter(|_| data.vocabulary().is_none()) else {
        return Ok(None);
    };
    if words.words.first().is_none_or(|word| word != UNKNOWN) {
        bail!(
            "{flag}: {name} knows the words of its own data set alone, none stands for words that it does not know"
        );
    }
    Ok(Some(words.clone()))
}

/// The weights of the encoder of sentences that `--sentences` names, whose sizes the model then has.
fn sentence_encoder(
    args: &Args,
    sentences: Option<(SentenceManifest, Vec<u8>)>,
    config: &mut System,
    vocabulary: &Vocabulary,
) -> Result<Option<Vec<u8>>> {
    let hears = matches!(config, System::Draw(config) if config.sentence_size().is_some());
    let Some((manifest, weights)) = sentences else {
        if hears && !args.resume {
            bail!(
                "the model hears sentence vectors: --sentences names those of `train --preset skip-thought`"
            );
        }
        return Ok(None);
    };
    if !hears {
        bail!("--sentences is for models that hear sentence vectors: --preset skipthought");
    }
    if manifest.vocabulary.words != vocabulary.words {
        bail!("--sentences: {} knows other words than the captions of the run", manifest.name);
    }
    let EncoderConfig { sentence_size, embedding_size, .. } = manifest.encoder;
    let sizes =
        serde_json::json!({ "sentence": { "size": sentence_size, "embedding_size": embedding_size } });
    *config = with_field(config, "conditioning", sizes)?;
    *config = with_field(config, "vocabulary_size", manifest.encoder.vocabulary_size.into())?;
    config.check()?;
    Ok(Some(weights))
}

/// Data as it is learned from.
fn augmented(data: Data, options: &TrainOptions<System>, vocabulary: &Vocabulary) -> Data {
    let Some(augmentation) = options.augmentation else { return data };
    let image = options.config.image_size();
    let train = Arc::new(Augmented::new(data.train, augmentation, image, vocabulary));
    Data { train, validation: data.validation }
}

/// A new run.
fn begun(args: &Args, name: String, out: &Path) -> Result<Run> {
    if out.join(RECORD).exists() {
        bail!("{} holds a run already: add --resume, or name another folder with --out", out.display());
    }
    Ok(Run { name, data: args.data.clone(), options: args.options()? })
}

/// A run that goes on, with what may be changed of it.
fn resumed(args: &Args, record: &Path) -> Result<Run> {
    args.check_resumed()?;
    let mut run: Run = read_json(record)
        .with_context(|| format!("--resume needs the record of a run, {}", record.display()))?;
    args.change_resumed(&mut run.options);
    if let Some(data) = &args.data {
        if run.data.as_ref() != Some(data) {
            note!("the data is read from {} now", data.display());
        }
        run.data = Some(data.clone());
    }
    Ok(run)
}

/// Ctrl-C ends the run after its epoch, a second one at once.
fn catch_interrupts() -> Result<Signals> {
    let signals = Signals::default();
    let Signals { stop, interrupter } = signals.clone();
    ctrlc::set_handler(move || {
        if stop.swap(true, Ordering::Relaxed) {
            interrupter.stop(Some("interrupted twice"));
        } else {
            note!("finishing the epoch, then saving; Ctrl-C again stops at once, at the last checkpoint");
        }
    })
    .context("catching Ctrl-C")?;
    Ok(signals)
}

/// What is left of a run, whatever its system.
struct Trained {
    weights: Vec<u8>,
    epochs: usize,
    stopped: bool,
    skipped: usize,
}

/// A run to train.
struct Training<'a> {
    run: &'a Run,
    vocabulary: &'a Vocabulary,
    skipped: &'a [String],
    resume: bool,
    from: Option<&'a (Manifest, Vec<u8>)>,
    trunk: Option<&'a [u8]>,
    vectors: Option<&'a WordVectors>,
    sentences: Option<&'a [u8]>,
    data: Data,
    folder: &'a Path,
    compute: &'a Compute,
    signals: &'a Signals,
}

/// Asks for the sizes of a model type.
pub struct SizesOf<'a>(pub &'a System);

impl SystemVisitor for Training<'_> {
    type Output = Result<Trained>;

    fn visit<M: Trainable>(self, config: &M::Config) -> Self::Output {
        let options = self.run.options.clone().map_config(|_| config.clone());
        let device = Device::flex();
        let start = match self.resume {
            true => Start::Checkpoint,
            false => Start::Weights(Box::new(self.begun::<M>(config, options.seed, &device)?)),
        };
        // Not before everything that can be refused was.
        write_json(&self.folder.join(VOCABULARY), self.vocabulary)?;
        write_json(&self.folder.join(RECORD), self.run)?;
        if !self.skipped.is_empty() {
            let lines = self.skipped.join("\n") + "\n";
            output::write(&self.folder.join(SKIPPED), lines.as_bytes())?;
        }
        let outcome = train(&options, start, self.data, self.folder, self.compute, self.signals)?;
        Ok(Trained {
            weights: encode(&outcome.model, Precision::Half)?,
            epochs: outcome.epochs,
            stopped: outcome.stopped,
            skipped: outcome.skipped,
        })
    }
}

impl Training<'_> {
    /// The weights that a new run begins with.
    fn begun<M: Trainable>(&self, config: &M::Config, seed: u64, device: &Device) -> Result<M> {
        let mut model = match self.from {
            None => M::init(config, seed, device),
            Some((manifest, weights)) => {
                let other = || Error::Config(format!("--from: {} is another system", manifest.name));
                let from = SizesOf(&manifest.system).get::<M>().ok_or_else(other)?;
                let model = decode(M::init(&from, 0, device), &parse_safetensors(weights)?)?;
                model.adapt(&from, config)?
            }
        };
        if let Some(weights) = self.trunk {
            model = with_trunk(model, weights)?;
        }
        if let Some(vectors) = self.vectors {
            model = vectors.begin(model, self.vocabulary)?;
        }
        if let Some(weights) = self.sentences {
            model = sentences::with_sentences(model, weights)?;
        }
        Ok(model.fitted(config, &*self.data.train, seed))
    }
}

/// A model with the judge's convolutions: its `trunk.0` is the judge's `conv1`.
fn with_trunk<M: Trainable>(model: M, weights: &[u8]) -> Result<M, Error> {
    let file = parse_safetensors(weights)?;
    let mut own: Vec<NamedTensor> = float_tensors(&model);
    own.reverse();
    let mut taken = 0;
    let model = with_values(model, |name, shape| {
        let own = own.pop().map(|tensor| tensor.values).unwrap_or_default();
        let place = name.strip_prefix("trunk.").and_then(|rest| rest.split_once('.'));
        let Some((layer, what)) = place else { return Ok(own) };
        let layer: usize = layer.parse().map_or(0, |layer: usize| layer + 1);
        taken += 1;
        take(&file, &format!("conv{layer}.{what}"), shape)
    })?;
    if taken == 0 {
        return Err(Error::Config("--trunk: the model has no convolutions of its own".to_owned()));
    }
    Ok(model)
}

impl SizesOf<'_> {
    /// The sizes, when the system's model is `M`.
    pub fn get<M: Trainable>(&self) -> Option<M::Config> {
        struct Cast<M>(std::marker::PhantomData<M>);
        impl<M: Trainable> SystemVisitor for Cast<M> {
            type Output = Option<M::Config>;

            fn visit<N: Trainable>(self, config: &N::Config) -> Self::Output {
                (config as &dyn std::any::Any).downcast_ref::<M::Config>().cloned()
            }
        }
        self.0.visit(Cast::<M>(std::marker::PhantomData))
    }
}

/// Writes the finished model and says how the run ended.
fn finish(run: &Run, out: &Path, vocabulary: Vocabulary, trained: &Trained) -> Result<()> {
    if trained.skipped > 0 {
        note!("{} updates were skipped: their loss or gradient was not finite", trained.skipped);
    }
    if trained.stopped {
        let (done, all) = (trained.epochs, run.options.epochs);
        note!("stopped after epoch {done} of {all}: go on with `--resume --out {}`", out.display());
    }
    let manifest = manifest(&run.name, &run.options, vocabulary, trained.epochs, out);
    let manifest = write_model(out, manifest, &trained.weights)?;
    say!(
        "{}/{}: {} bytes, after {} epochs",
        out.display(),
        manifest.weights.file,
        manifest.weights.bytes,
        trained.epochs
    );
    Ok(())
}
