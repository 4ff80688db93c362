//! `aligndraw train-classifier`.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use burn::tensor::Device;
use clap::Args as ClapArgs;

use super::files::{ClassifierManifest, read_mnist, write_json};
use crate::checkpoint::WeightsRecord;
use crate::cli::output::say;
use crate::eval::classifier::train;
use crate::train::checkpoints::write_atomically;

/// Accuracy on MNIST's test set below which a classifier may not judge.
const LEAST_ACCURACY: f64 = 0.99;

#[derive(ClapArgs)]
pub struct Args {
    /// Folder of the models
    #[arg(long, default_value = "models")]
    models: PathBuf,
    /// Passes over MNIST's training digits
    #[arg(long, default_value_t = 8)]
    epochs: usize,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder of the MNIST files
    #[arg(long, default_value = "data/mnist")]
    data: PathBuf,
}

pub fn run(args: Args) -> Result<()> {
    let mnist = read_mnist(&args.data)?;
    let begun = Instant::now();
    let scratch = std::env::temp_dir().join(format!("aligndraw-classifier-{}", std::process::id()));
    let classifier = train(mnist.train, mnist.validation, args.epochs, args.seed, &scratch)?;
    let _ = std::fs::remove_dir_all(&scratch);
    let bytes = classifier.encode()?;
    // What is judged by is what is shipped: the weights after rounding to half precision.
    let device = Device::flex();
    let rounded = crate::eval::classifier::DigitClassifier::decode(&bytes, &device)?;
    let accuracy = rounded.accuracy(&mnist.test, &device);
    say!("{:.2} % of MNIST's test digits read right", 100.0 * accuracy);
    if accuracy < LEAST_ACCURACY {
        bail!(
            "a judge must read {:.0} %: train for more --epochs; nothing was written",
            100.0 * LEAST_ACCURACY
        );
    }
    let file = "classifier.safetensors".to_owned();
    let path = args.models.join(&file);
    write_atomically(&path, &bytes).with_context(|| format!("writing {}", path.display()))?;
    let manifest = ClassifierManifest {
        name: "classifier".to_owned(),
        reads: "MNIST digits, 28×28 pixels in 0–1".to_owned(),
        accuracy_on_mnist_test: accuracy,
        epochs: args.epochs,
        seed: args.seed,
        seconds: begun.elapsed().as_secs_f64().round(),
        weights: WeightsRecord::of(file, &bytes),
    };
    write_json(&args.models.join("classifier.json"), &manifest)
}
