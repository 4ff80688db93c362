//! What stands beside the weights of a model.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::data::source::{DataSet, HeldOut};
use crate::data::vocabulary::Vocabulary;
use crate::error::{Error, Result};
use crate::model::Config;
use crate::systems::System;

/// What stands beside the weights of a model: `models/<name>.json`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Manifest {
    /// The format of the manifest: [`FORMAT`], or 1 for those written before there was a number.
    pub format: u32,
    /// The model's name.
    pub name: String,
    /// The system and its sizes.
    #[serde(flatten)]
    pub system: System,
    /// The temperature at which it paints when none is asked for; 1 is the model as trained.
    pub temperature: f32,
    /// Its words.
    pub vocabulary: Vocabulary,
    /// What it was trained on.
    pub data: DataRecord,
    /// How it was trained.
    pub training: serde_json::Value,
    /// The weights file.
    pub weights: WeightsRecord,
}

/// Refuses a temperature that nothing is painted at.
///
/// **Errors** [`Error::Config`] unless it is 0 to 2.
pub fn check_temperature(temperature: f32) -> Result<()> {
    if (0.0..=2.0).contains(&temperature) {
        return Ok(());
    }
    Err(Error::Config(format!("the temperature is {temperature}, expected 0 to 2")))
}

/// The temperature of the model as it was trained.
pub fn as_trained() -> f32 {
    1.0
}

/// The data set of a model and what was held out of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataRecord {
    /// The data set.
    pub name: DataSet,
    /// The held-out combinations.
    pub bans: HeldOut,
}

/// A weights file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightsRecord {
    /// File name, beside the manifest.
    pub file: String,
    /// SHA-256 of the file, lower-case hexadecimal.
    pub sha256: String,
    /// Length of the file.
    pub bytes: usize,
}

impl WeightsRecord {
    /// The record of these bytes.
    pub fn of(file: String, bytes: &[u8]) -> Self {
        Self { file, sha256: sha256(bytes), bytes: bytes.len() }
    }

    /// Refuses other bytes than those recorded.
    ///
    /// **Errors** [`Error::WrongHash`].
    pub fn verify(&self, bytes: &[u8]) -> Result<()> {
        let found = sha256(bytes);
        if found == self.sha256 {
            return Ok(());
        }
        Err(Error::WrongHash { found, expected: self.sha256.clone() })
    }
}

/// The newest format of manifests; older ones are read.
pub const FORMAT: u32 = 2;

/// A manifest as it stands in a file, before its parts are checked against each other.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    #[serde(default = "first_format")]
    format: u32,
    name: String,
    system: String,
    config: serde_json::Value,
    #[serde(default = "as_trained")]
    temperature: f32,
    vocabulary: Vocabulary,
    data: DataRecord,
    training: serde_json::Value,
    weights: WeightsRecord,
}

fn first_format() -> u32 {
    1
}

impl Manifest {
    /// Parses a manifest and checks it whole: the system's sizes, the temperature, and that everything the
    /// vocabulary names is one of its words.
    ///
    /// **Errors** [`Error::Model`], [`Error::Config`].
    pub fn parse(json: &[u8]) -> Result<Self> {
        let raw: Raw = serde_json::from_slice(json)
            .map_err(|error| Error::Model(format!("the manifest is not valid: {error}")))?;
        if !(1..=FORMAT).contains(&raw.format) {
            let found = raw.format;
            return Err(Error::Model(format!(
                "the manifest has format {found}, expected 1 to {FORMAT}: it was written by a newer version"
            )));
        }
        let system = System::from_manifest(&raw.system, raw.config)?;
        check_temperature(raw.temperature)?;
        let (words, rows) = (raw.vocabulary.words.len(), system.vocabulary_size());
        if words > rows {
            return Err(Error::Model(format!("{words} words, but the model has room for {rows}")));
        }
        if words == 0 && rows > 0 {
            return Err(Error::Model(format!("no words, but the model reads captions of {rows} words")));
        }
        raw.vocabulary.check()?;
        let Raw { format, name, temperature, vocabulary, data, training, weights, .. } = raw;
        Ok(Self { format, name, system, temperature, vocabulary, data, training, weights })
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_byte_is_noticed() {
        let record = WeightsRecord::of("x".into(), b"abc");
        assert!(record.verify(b"abc").is_ok());
        assert!(matches!(record.verify(b"abd"), Err(Error::WrongHash { .. })));
    }
}
