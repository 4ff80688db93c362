//! `aligndraw export`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use burn::tensor::Device;
use clap::{Args as ClapArgs, ValueEnum};

use super::files::{read_json, read_model, write_model};
use super::index::write_index;
use super::train::{RECORD, Run, SizesOf, VOCABULARY, manifest, with_field};
use crate::checkpoint::{Manifest, Precision, check_temperature, decode, encode, parse_safetensors, towards};
use crate::cli::output::say;
use crate::model::Trainable;
use crate::options::TrainOptions;
use crate::systems::{System, SystemVisitor};
use crate::train::restore;

#[derive(ClapArgs)]
pub struct Args {
    /// Folder of the run
    #[arg(long, default_value = "runs/digits")]
    run: PathBuf,
    /// A model to write again instead of a run: the path of its manifest without .json
    #[arg(long, conflicts_with = "run")]
    from: Option<String>,
    /// Another model of the same sizes and words, to which the weights go a share of the way: between a model and what
    /// it became by more training often lies a better one
    #[arg(long, requires = "from", value_name = "MODEL")]
    towards: Option<String>,
    /// The share of the way, 0 to 1
    #[arg(long, requires = "towards", default_value_t = 0.5)]
    share: f32,
    /// Bits of a weight: 8 halves the download
    #[arg(long, value_enum, default_value = "16")]
    bits: Bits,
    /// Folder of the models
    #[arg(long, default_value = "models")]
    models: PathBuf,
    /// Name of the model (default: digits, or that of the model it is written from)
    #[arg(long)]
    name: Option<String>,
    /// Words that are kept, the most frequent ones: each is a row or more of weights; what is left out is unknown
    #[arg(long)]
    words: Option<usize>,
    /// The temperature at which it paints (default: the run's)
    #[arg(long)]
    temperature: Option<f32>,
}

/// How finely weights are written.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Bits {
    #[value(name = "16")]
    Sixteen,
    #[value(name = "8")]
    Eight,
}

pub fn run(args: Args) -> Result<()> {
    let precision = match args.bits {
        Bits::Sixteen => Precision::Half,
        Bits::Eight => Precision::Byte,
    };
    let (mut manifest, weights) = match &args.from {
        Some(model) => {
            let (mut manifest, bytes) = read_model(Path::new(""), model)?;
            let system = manifest.system.clone();
            let other = args.towards.as_deref().map(|other| other_end(&mut manifest, other, args.share));
            let other = other.transpose()?;
            keep_words(&mut manifest, args.words)?;
            let other = other.as_deref().map(|bytes| (bytes, args.share));
            let rewrite = Rewrite { bytes: &bytes, other, to: &manifest.system, precision };
            let weights = system.visit(rewrite)?;
            (manifest, weights)
        }
        None => from_run(&args.run, args.words, precision)?,
    };
    manifest.name = args.name.unwrap_or(manifest.name);
    manifest.temperature = args.temperature.unwrap_or(manifest.temperature);
    check_temperature(manifest.temperature)?;
    let manifest = write_model(&args.models, manifest, &weights)?;
    write_index(&args.models).context("the model is written, the list of models is not")?;
    say!("{}/{}: {} bytes", args.models.display(), manifest.weights.file, manifest.weights.bytes);
    Ok(())
}

/// The weights of another model to go a share of the way to, which the manifest then tells of.
fn other_end(manifest: &mut Manifest, model: &str, share: f32) -> Result<Vec<u8>> {
    if !(0.0..=1.0).contains(&share) {
        bail!("--share: {share}, expected 0 to 1");
    }
    let (other, bytes) = read_model(Path::new(""), model).context("--towards")?;
    if other.system.name() != manifest.system.name() || other.vocabulary.words != manifest.vocabulary.words {
        bail!(
            "--towards: {model} is of {} with {} words, expected one of {} with the same {} words as --from",
            other.system.name(),
            other.vocabulary.words.len(),
            manifest.system.name(),
            manifest.vocabulary.words.len()
        );
    }
    let record =
        serde_json::json!({ "weights": other.weights.sha256, "share": share, "training": other.training });
    if let Some(training) = manifest.training.as_object_mut() {
        training.insert("towards".to_owned(), record);
    }
    Ok(bytes)
}

/// Leaves the first words of a manifest's vocabulary, and rows for no more.
fn keep_words(manifest: &mut Manifest, words: Option<usize>) -> Result<()> {
    let Some(words) = words else { return Ok(()) };
    let known = manifest.vocabulary.words.len();
    if !(2..=known).contains(&words) {
        bail!("--words: {words}, expected 2 to the {known} words that the model knows");
    }
    manifest.vocabulary.words.truncate(words);
    manifest.vocabulary.check().context("--words: the vocabulary that is left")?;
    manifest.system = with_field(&manifest.system, "vocabulary_size", words.into())?;
    Ok(())
}

/// A model with the sizes of another system of its kind.
fn adapted<M: Trainable>(model: M, from: &M::Config, to: &System) -> crate::error::Result<M> {
    match SizesOf(to).get::<M>() {
        Some(to) => model.adapt(from, &to),
        None => Ok(model),
    }
}

/// Writes a model's weights again: in another precision, for fewer words or on the way to another's.
struct Rewrite<'a> {
    bytes: &'a [u8],
    /// The weights to go a share of the way to.
    other: Option<(&'a [u8], f32)>,
    to: &'a System,
    precision: Precision,
}

impl SystemVisitor for Rewrite<'_> {
    type Output = crate::error::Result<Vec<u8>>;

    fn visit<M: Trainable>(self, config: &M::Config) -> Self::Output {
        let fresh = M::init(config, 0, &Device::flex());
        let mut model = decode(fresh, &parse_safetensors(self.bytes)?)?;
        if let Some((other, share)) = self.other {
            model = towards(model, &parse_safetensors(other)?, share)?;
        }
        encode(&adapted(model, config, self.to)?, self.precision)
    }
}

/// The model of a run's last checkpoint.
fn from_run(run: &Path, words: Option<usize>, precision: Precision) -> Result<(Manifest, Vec<u8>)> {
    let Run { name, options, .. } = read_json(&run.join(RECORD))?;
    let vocabulary = match options.data.vocabulary() {
        Some(vocabulary) => vocabulary,
        None => read_json(&run.join(VOCABULARY))?,
    };
    let mut manifest = manifest(&name, &options, vocabulary, 0, run);
    keep_words(&mut manifest, words)?;
    let restore = Restore { options: &options, run, to: &manifest.system, precision };
    let (weights, epochs) = options.config.visit(restore)?;
    manifest.training["epochs"] = epochs.into();
    Ok((manifest, weights))
}

/// Reads the weights of a run's last checkpoint.
struct Restore<'a> {
    options: &'a TrainOptions<System>,
    run: &'a Path,
    to: &'a System,
    precision: Precision,
}

impl SystemVisitor for Restore<'_> {
    type Output = crate::error::Result<(Vec<u8>, usize)>;

    fn visit<M: Trainable>(self, config: &M::Config) -> Self::Output {
        let options = self.options.clone().map_config(|_| config.clone());
        let (model, epochs) = restore::<M>(&options, self.run)?;
        Ok((encode(&adapted(model, config, self.to)?, self.precision)?, epochs))
    }
}
