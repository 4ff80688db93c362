//! `aligndraw export`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use burn::tensor::Device;
use clap::{Args as ClapArgs, ValueEnum};

use super::files::{read_json, read_model, write_model};
use super::index::write_index;
use super::train::{RECORD, Run, SizesOf, VOCABULARY, manifest, with_field};
use crate::checkpoint::{Manifest, Precision, check_temperature, decode, encode, parse_safetensors};
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
            keep_words(&mut manifest, args.words)?;
            let weights = system.visit(Rewrite { bytes: &bytes, to: &manifest.system, precision })?;
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

/// Writes a model's weights again, in another precision or for fewer words.
struct Rewrite<'a> {
    bytes: &'a [u8],
    to: &'a System,
    precision: Precision,
}

impl SystemVisitor for Rewrite<'_> {
    type Output = crate::error::Result<Vec<u8>>;

    fn visit<M: Trainable>(self, config: &M::Config) -> Self::Output {
        let fresh = M::init(config, 0, &Device::flex());
        let model = decode(fresh, &parse_safetensors(self.bytes)?)?;
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
