//! Reading and writing the project's files.

use std::path::Path;

use anyhow::{Context, Result};
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::checkpoint::{self, Manifest, WeightsRecord};
use crate::data::mnist::Mnist;
use crate::error::Error;
use crate::eval::classifier::DigitClassifier;
use crate::text2image::align_draw::Host;
use crate::train::checkpoints::write_atomically;

/// Reads MNIST from a folder.
pub fn read_mnist(folder: &Path) -> Result<Mnist> {
    let read = |name: &str| {
        let path = folder.join(name);
        std::fs::read(&path).map_err(|error| Error::Data(format!("{}: {error}", path.display())))
    };
    Mnist::load(read).with_context(|| {
        format!(
            "MNIST is read from {} (see data/mnist/README.md; --data names another folder)",
            folder.display()
        )
    })
}

/// Reads `<folder>/<name>.json` and the weights that it names, and checks their hash.
pub fn read_model(folder: &Path, name: &str) -> Result<(Manifest, Host)> {
    let path = folder.join(format!("{name}.json"));
    let json = std::fs::read(&path).with_context(|| format!("reading the manifest {}", path.display()))?;
    let manifest = Manifest::parse(&json).with_context(|| path.display().to_string())?;
    let weights = path.with_file_name(&manifest.weights.file);
    let bytes =
        std::fs::read(&weights).with_context(|| format!("reading the weights {}", weights.display()))?;
    manifest.weights.verify(&bytes).with_context(|| weights.display().to_string())?;
    let host = checkpoint::decode(&manifest.config, &bytes).with_context(|| weights.display().to_string())?;
    Ok((manifest, host))
}

/// What stands beside the classifier's weights.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassifierManifest {
    /// `classifier`.
    pub name: String,
    /// What it reads.
    pub reads: String,
    /// Share of MNIST's test digits read right.
    pub accuracy_on_mnist_test: f64,
    /// Passes over the training digits.
    pub epochs: usize,
    /// Seed of its training.
    pub seed: u64,
    /// Seconds that it trained.
    pub seconds: f64,
    /// The weights file.
    pub weights: WeightsRecord,
}

/// Reads the digit classifier of a models folder.
pub fn read_classifier(folder: &Path, device: &Device) -> Result<DigitClassifier> {
    let path = folder.join("classifier.json");
    let json = std::fs::read(&path).with_context(|| format!("reading the classifier {}", path.display()))?;
    let manifest: ClassifierManifest =
        serde_json::from_slice(&json).with_context(|| path.display().to_string())?;
    let path = folder.join(&manifest.weights.file);
    let bytes = std::fs::read(&path).with_context(|| format!("reading the weights {}", path.display()))?;
    manifest.weights.verify(&bytes).with_context(|| path.display().to_string())?;
    DigitClassifier::decode(&bytes, device).with_context(|| path.display().to_string())
}

/// Writes a model: weights first, so that a manifest never names weights that are not there.
pub fn write_model(folder: &Path, mut manifest: Manifest, host: &Host) -> Result<Manifest> {
    let bytes = checkpoint::encode(&manifest.config, host)?;
    let file = format!("{}.safetensors", manifest.name);
    let path = folder.join(&file);
    write_atomically(&path, &bytes).with_context(|| format!("writing {}", path.display()))?;
    manifest.weights = WeightsRecord::of(file, &bytes);
    let path = folder.join(format!("{}.json", manifest.name));
    write_json(&path, &manifest)?;
    Ok(manifest)
}

/// Writes a value as indented JSON.
pub fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<()> {
    let json = serde_json::to_string_pretty(value).context("serialising")? + "\n";
    write_atomically(path, json.as_bytes()).with_context(|| format!("writing {}", path.display()))
}
