//! `aligndraw export`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use burn::tensor::Device;
use clap::{Args as ClapArgs, ValueEnum};

use super::files::{read_json, read_model, write_model};
use super::index::write_index;
use super::train::{RECORD, Run, VOCABULARY, manifest};
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
            let (manifest, bytes) = read_model(Path::new(""), model)?;
            let weights = manifest.system.visit(Rewrite { bytes: &bytes, precision })?;
            (manifest, weights)
        }
        None => from_run(&args.run, precision)?,
    };
    manifest.name = args.name.unwrap_or(manifest.name);
    manifest.temperature = args.temperature.unwrap_or(manifest.temperature);
    check_temperature(manifest.temperature)?;
    let manifest = write_model(&args.models, manifest, &weights)?;
    write_index(&args.models).context("the model is written, the list of models is not")?;
    say!("{}/{}: {} bytes", args.models.display(), manifest.weights.file, manifest.weights.bytes);
    Ok(())
}

/// Writes a model's weights again in another precision.
struct Rewrite<'a> {
    bytes: &'a [u8],
    precision: Precision,
}

impl SystemVisitor for Rewrite<'_> {
    type Output = crate::error::Result<Vec<u8>>;

    fn visit<M: Trainable>(self, config: &M::Config) -> Self::Output {
        let fresh = M::init(config, 0, &Device::flex());
        encode(&decode(fresh, &parse_safetensors(self.bytes)?)?, self.precision)
    }
}

/// The model of a run's last checkpoint.
fn from_run(run: &Path, precision: Precision) -> Result<(Manifest, Vec<u8>)> {
    let Run { name, options, .. } = read_json(&run.join(RECORD))?;
    let (weights, epochs) = options.config.visit(Restore { options: &options, run, precision })?;
    let vocabulary = match options.data.vocabulary() {
        Some(vocabulary) => vocabulary,
        None => read_json(&run.join(VOCABULARY))?,
    };
    Ok((manifest(&name, &options, vocabulary, epochs, run), weights))
}

/// Reads the weights of a run's last checkpoint.
struct Restore<'a> {
    options: &'a TrainOptions<System>,
    run: &'a Path,
    precision: Precision,
}

impl SystemVisitor for Restore<'_> {
    type Output = crate::error::Result<(Vec<u8>, usize)>;

    fn visit<M: Trainable>(self, config: &M::Config) -> Self::Output {
        let options = self.options.clone().map_config(|_| config.clone());
        let (model, epochs) = restore::<M>(&options, self.run)?;
        Ok((encode(&model, self.precision)?, epochs))
    }
}
