//! `aligndraw train --preset skip-thought`: sentence vectors, which skipthoughtDRAW hears.

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::args::Args;
use crate::checkpoint::{
    NamedTensor, Precision, WeightsRecord, encode, float_tensors, parse_safetensors, take, with_values,
};
use crate::cli::files::{read_json, read_weights, write_json};
use crate::cli::open::read_said;
use crate::cli::output::{note, say};
use crate::data::noise::Noise;
use crate::data::paraphrases::Paraphrases;
use crate::data::source::{DataSet, HeldOut};
use crate::data::vocabulary::Vocabulary;
use crate::error::Error;
use crate::eval::retrieval::Retrieval;
use crate::model::Trainable;
use crate::sentence::encoder::EncoderConfig;
use crate::train::checkpoints::write_atomically;
use crate::train::sentences::{SentenceTraining, vectors};

/// The presets: a name, what is said of it, whose captions it learns from.
pub const PRESETS: [(&str, &str, DataSet); 3] = [
    ("skip-thought", "Sentence vectors of the digits' captions, for --sentences", DataSet::MnistCaptions),
    ("skip-thought-scenes", "Sentence vectors of the scenes' captions, for --sentences", DataSet::Scenes),
    (
        "skip-thought-photos",
        "Sentence vectors of the captions of a folder (--data), for --sentences",
        DataSet::Paraphrases,
    ),
];

/// Updates that count as an epoch.
const EPOCH: usize = 100;
/// Scenes whose captions are learned from and measured with.
const SCENES: usize = 4_000;
/// Share of the pictures whose captions are held back to measure with.
const HELD_BACK: f32 = 0.1;
/// Captions that are asked for in the table, at most: every one is compared with every other.
const ASKED: usize = 2_000;

/// What stands beside the weights of an encoder of sentences.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SentenceManifest {
    /// `skip-thought`, unless it was given another.
    pub name: String,
    /// Sizes.
    pub encoder: EncoderConfig,
    /// Its words.
    pub vocabulary: Vocabulary,
    /// Whose captions it learned from.
    pub data: DataSet,
    /// What was held out.
    pub held_out: HeldOut,
    /// Its training.
    pub training: serde_json::Value,
    /// How well its vectors find the other captions of a picture that was held back.
    pub retrieval: serde_json::Value,
    /// The weights file.
    pub weights: WeightsRecord,
}

impl SentenceManifest {
    /// Reads `<model>.json` and its weights.
    pub fn read(model: &str) -> Result<(Self, Vec<u8>)> {
        let path = format!("{model}.json");
        let manifest: Self = read_json(Path::new(&path))
            .context("--sentences names a model of `aligndraw train --preset skip-thought`, without .json")?;
        manifest.encoder.check()?;
        let folder = Path::new(&path).parent().unwrap_or(Path::new(""));
        let weights = read_weights(folder, &manifest.weights)?;
        Ok((manifest, weights))
    }
}

/// Whose captions a preset of sentence vectors learns from; none for any other preset.
pub fn data_of(preset: Option<&str>) -> Option<DataSet> {
    PRESETS.iter().find(|(name, ..)| Some(*name) == preset).map(|(.., data)| *data)
}

/// A model with the encoder of sentences of a file.
pub fn with_sentences<M: Trainable>(model: M, weights: &[u8]) -> Result<M, Error> {
    let file = parse_safetensors(weights)?;
    let mut own: Vec<NamedTensor> = float_tensors(&model);
    own.reverse();
    with_values(model, |name, shape| {
        let own = own.pop().map(|tensor| tensor.values).unwrap_or_default();
        name.strip_prefix("sentences.").map_or(Ok(own), |name| take(&file, name, shape))
    })
}

/// What is learned from and what is measured on, and the words of both. Those of a folder are parted as its pictures are.
fn captions(
    args: &Args,
    data: DataSet,
    held_out: &HeldOut,
) -> Result<(Paraphrases, Paraphrases, Vocabulary)> {
    let all = match held_out {
        HeldOut::Digits(bans) => Paraphrases::of_digits(bans),
        HeldOut::Scenes(bans) => Paraphrases::of_scenes(SCENES, bans, &mut Noise::new(1)),
        HeldOut::Nothing => {
            let said = read_said(args.data.as_deref(), None)?;
            return Ok((said.train, said.test, said.vocabulary));
        }
    };
    let vocabulary = data.vocabulary().context("the words are known")?;
    let (train, test) = all.split(HELD_BACK, args.seed.unwrap_or(1));
    Ok((train, test, vocabulary))
}

/// Retrieval among captions that were held back, beside that of bags of words.
fn retrieval(part: &Paraphrases, vectors: &[f32]) -> serde_json::Value {
    let percent = |found: Retrieval| serde_json::json!({ "first": found.first.percent(), "first_ten": found.first_ten.percent() });
    let (found, bags) = (Retrieval::of(part, vectors), Retrieval::of_bags_of_words(part));
    serde_json::json!({
        "captions": part.captions.len(),
        "percent": percent(found),
        "bags_of_words_percent": percent(bags),
    })
}

/// Trains an encoder of sentences and writes it.
pub fn run(args: &Args, data: DataSet) -> Result<()> {
    let name = args.name.clone().or(args.preset.clone()).unwrap_or_else(|| "skip-thought".to_owned());
    let out = args.out.clone().unwrap_or_else(|| Path::new("runs").join(&name));
    let held_out = data.held_out(args.held_out_seed.unwrap_or(1));
    let (train, test, vocabulary) = captions(args, data, &held_out)?;
    let from_folder = held_out == HeldOut::Nothing;
    let run = args.sentence_training(SentenceTraining::small(vocabulary.words.len()), EPOCH, from_folder)?;
    let test = test.first(ASKED);
    let began = Instant::now();
    let mut sum = 0.0;
    let encoder = run.run(&train, |update, nats| {
        sum += nats;
        if (update + 1).is_multiple_of(EPOCH) {
            note!("{} of {} updates: {:.2} nats a caption", update + 1, run.updates, sum / EPOCH as f64);
            sum = 0.0;
        }
    })?;
    let retrieval = retrieval(&test, &vectors(&encoder, &test));
    let weights = encode(&encoder, Precision::Half)?;
    let file = format!("{name}.safetensors");
    let path = out.join(&file);
    write_atomically(&path, &weights).with_context(|| format!("writing {}", path.display()))?;
    let manifest = SentenceManifest {
        encoder: run.config.encoder,
        vocabulary,
        data,
        held_out,
        training: serde_json::json!({
            "decoder_size": run.config.decoder_size, "updates": run.updates, "batch_size": run.batch_size,
            "learning_rate": run.learning_rate, "own_caption": run.own_caption, "seed": run.seed,
            "captions": train.captions.len(), "seconds": began.elapsed().as_secs(),
        }),
        retrieval,
        weights: WeightsRecord::of(file, &weights),
        name,
    };
    write_json(&out.join(format!("{}.json", manifest.name)), &manifest)?;
    let shown = |key: &str, which: &str| manifest.retrieval[key][which].as_f64().unwrap_or_default();
    say!("Another caption of the same picture, among {} that were held back:", test.captions.len());
    for (what, key) in [("sentence vectors", "percent"), ("bags of words", "bags_of_words_percent")] {
        say!("{what}: R@1 {:.1} %, R@10 {:.1} %", shown(key, "first"), shown(key, "first_ten"));
    }
    say!("{}: {} bytes", path.display(), manifest.weights.bytes);
    Ok(())
}
