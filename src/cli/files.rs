//! Reading and writing the project's files.

use std::path::Path;

use anyhow::{Context, Result};
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use crate::checkpoint::{Manifest, WeightsRecord};
use crate::cli::output;
use crate::data::mnist::Mnist;
use crate::error::Error;
use crate::eval::classifier::DigitClassifier;
use crate::eval::judge::SceneJudge;
use crate::eval::scene_fidelity::Factors;
use crate::eval::share::Share;
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
pub fn read_model(folder: &Path, name: &str) -> Result<(Manifest, Vec<u8>)> {
    let path = folder.join(format!("{name}.json"));
    let json = std::fs::read(&path).with_context(|| format!("reading the manifest {}", path.display()))?;
    let manifest = Manifest::parse(&json).with_context(|| path.display().to_string())?;
    let bytes = read_weights(path.parent().unwrap_or(folder), &manifest.weights)?;
    Ok((manifest, bytes))
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
    let manifest: ClassifierManifest = read_json(&folder.join("classifier.json"))?;
    let bytes = read_weights(folder, &manifest.weights)?;
    DigitClassifier::decode(&bytes, device).with_context(|| manifest.weights.file.clone())
}

/// Name of the judge of colour scenes.
pub const JUDGE: &str = "judge";
/// Name of the hardened one, which may recognise nothing.
pub const HARDENED: &str = "hardened-judge";

/// What stands beside a judge's weights.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JudgeManifest {
    /// [`JUDGE`] or [`HARDENED`].
    pub name: String,
    /// What it reads.
    pub reads: String,
    /// Test renders of which each factor is read right.
    pub accuracy_on_test_renders: Factors,
    /// Of a hardened one: spoiled pictures in which it recognises nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused_of_spoiled: Option<Share>,
    /// Times 10 000 renders, of its last run.
    pub epochs: usize,
    /// Seed of its last run.
    pub seed: u64,
    /// Seconds of its last run from beginning to end, pauses of the machine included.
    pub seconds: f64,
    /// The weights file.
    pub weights: WeightsRecord,
}

/// Reads a judge of colour scenes of a models folder.
pub fn read_judge(folder: &Path, name: &str, device: &Device) -> Result<(JudgeManifest, SceneJudge)> {
    let manifest: JudgeManifest = read_json(&folder.join(format!("{name}.json")))?;
    let bytes = read_weights(folder, &manifest.weights)?;
    let judge = SceneJudge::decode(&bytes, device).with_context(|| manifest.weights.file.clone())?;
    Ok((manifest, judge))
}

/// Reads the weights file of the judge of a models folder.
pub fn read_judge_weights(folder: &Path) -> Result<(WeightsRecord, Vec<u8>)> {
    let manifest: JudgeManifest = read_json(&folder.join(format!("{JUDGE}.json")))?;
    let bytes = read_weights(folder, &manifest.weights)?;
    Ok((manifest.weights, bytes))
}

/// Reads a value from JSON.
pub fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T> {
    let json = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
    serde_json::from_slice(&json).with_context(|| path.display().to_string())
}

/// Reads a weights file and checks its hash.
pub fn read_weights(folder: &Path, record: &WeightsRecord) -> Result<Vec<u8>> {
    let path = folder.join(&record.file);
    let bytes = std::fs::read(&path).with_context(|| format!("reading the weights {}", path.display()))?;
    record.verify(&bytes).with_context(|| path.display().to_string())?;
    Ok(bytes)
}

/// Writes a model: weights first, so that a manifest never names weights that are not there.
pub fn write_model(folder: &Path, mut manifest: Manifest, weights: &[u8]) -> Result<Manifest> {
    let file = format!("{}.safetensors", manifest.name);
    let path = folder.join(&file);
    write_atomically(&path, weights).with_context(|| format!("writing {}", path.display()))?;
    manifest.weights = WeightsRecord::of(file, weights);
    let path = folder.join(format!("{}.json", manifest.name));
    write_json(&path, &manifest)?;
    Ok(manifest)
}

/// Writes a value as indented JSON.
pub fn write_json(path: &Path, value: &impl serde::Serialize) -> Result<()> {
    output::write(path, json(value)?.as_bytes())
}

/// A value as indented JSON, with a line's end.
pub fn json(value: &impl serde::Serialize) -> Result<String> {
    Ok(serde_json::to_string_pretty(value).context("serialising")? + "\n")
}
