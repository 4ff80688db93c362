//! `aligndraw export`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args as ClapArgs;

use super::files::{read_json, write_model};
use super::train::{VOCABULARY, manifest};
use crate::checkpoint::check_temperature;
use crate::train::{TrainOptions, restore};

#[derive(ClapArgs)]
pub struct Args {
    /// Folder of the run
    #[arg(long, default_value = "runs/digits")]
    run: PathBuf,
    /// Folder of the models
    #[arg(long, default_value = "models")]
    models: PathBuf,
    /// Name of the model
    #[arg(long, default_value = "digits")]
    name: String,
    /// The temperature at which it paints (default: the run's)
    #[arg(long)]
    temperature: Option<f32>,
}

pub fn run(args: Args) -> Result<()> {
    let mut options: TrainOptions = read_json(&args.run.join("run.json"))?;
    options.temperature = args.temperature.unwrap_or(options.temperature);
    check_temperature(options.temperature)?;
    let (host, epochs) = restore(&options, &args.run)?;
    let vocabulary = match options.data.vocabulary() {
        Some(vocabulary) => vocabulary,
        None => read_json(&args.run.join(VOCABULARY))?,
    };
    let manifest = manifest(&args.name, &options, vocabulary, epochs, &args.run);
    let manifest = write_model(&args.models, manifest, &host)?;
    let (folder, file, bytes) = (args.models.display(), &manifest.weights.file, manifest.weights.bytes);
    println!("{folder}/{file}: {bytes} bytes, after {epochs} epochs");
    Ok(())
}
