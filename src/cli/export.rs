//! `aligndraw export`.

use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::{Args as ClapArgs, ValueEnum};

use super::files::{read_json, read_model, write_model};
use super::train::{VOCABULARY, manifest};
use crate::checkpoint::{Manifest, Precision, check_temperature};
use crate::text2image::draw::ParameterValues;
use crate::train::{TrainOptions, restore};

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
    let (mut manifest, host) = match &args.from {
        Some(model) => read_model(Path::new(""), model)?,
        None => from_run(&args)?,
    };
    manifest.name = args.name.unwrap_or(manifest.name);
    manifest.temperature = args.temperature.unwrap_or(manifest.temperature);
    check_temperature(manifest.temperature)?;
    let precision = match args.bits {
        Bits::Sixteen => Precision::Half,
        Bits::Eight => Precision::Byte,
    };
    let manifest = write_model(&args.models, manifest, &host, precision)?;
    println!("{}/{}: {} bytes", args.models.display(), manifest.weights.file, manifest.weights.bytes);
    Ok(())
}

/// The model of a run's last checkpoint.
fn from_run(args: &Args) -> Result<(Manifest, ParameterValues)> {
    let options: TrainOptions = read_json(&args.run.join("run.json"))?;
    let (host, epochs) = restore(&options, &args.run)?;
    let vocabulary = match options.data.vocabulary() {
        Some(vocabulary) => vocabulary,
        None => read_json(&args.run.join(VOCABULARY))?,
    };
    Ok((manifest("digits", &options, vocabulary, epochs, &args.run), host))
}
