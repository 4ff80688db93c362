//! Bytes and a manifest <-> a model. No file access: the CLI reads files, the browser fetches.

use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::data::source::{DataSet, HeldOut};
use crate::data::vocabulary::Vocabulary;
use crate::error::{Error, Result};
use crate::text2image::align_draw::{AlignDrawConfig, Host};

/// What stands beside the weights of a model: `models/<name>.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The model's name.
    pub name: String,
    /// The painter: `align-draw`.
    pub system: String,
    /// Sizes.
    pub config: AlignDrawConfig,
    /// The temperature at which it paints when none is asked for; 1 is the model as trained.
    #[serde(default = "as_trained")]
    pub temperature: f32,
    /// What it can hear.
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

impl Manifest {
    /// Parses a manifest and checks its sizes.
    ///
    /// **Errors** [`Error::Model`], [`Error::Config`].
    pub fn parse(json: &[u8]) -> Result<Self> {
        let manifest: Self = serde_json::from_slice(json)
            .map_err(|error| Error::Model(format!("the manifest is not valid: {error}")))?;
        if manifest.system != "align-draw" {
            let system = &manifest.system;
            return Err(Error::Model(format!("\"{system}\" is not a known system, expected \"align-draw\"")));
        }
        manifest.config.check()?;
        check_temperature(manifest.temperature)?;
        let (words, rows) = (manifest.vocabulary.words.len(), manifest.config.vocabulary_size);
        if words > rows {
            return Err(Error::Model(format!("{words} words, but the model hears {rows}")));
        }
        Ok(manifest)
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Writes named tensors as safetensors in half precision, rounded so that bfloat16 holds every value as
/// well: painting keeps its weights so ([`crate::kernels::halves`]).
pub fn to_safetensors<'a>(
    tensors: impl Iterator<Item = (&'a str, Vec<usize>, &'a [f32])>,
) -> Result<Vec<u8>> {
    let halves: Vec<_> = tensors
        .map(|(name, shape, values)| {
            let rounded = |&x: &f32| f16::from_f32(bf16::from_f32(x).to_f32());
            let bytes: Vec<u8> = values.iter().flat_map(|x| rounded(x).to_le_bytes()).collect();
            (name, shape, bytes)
        })
        .collect();
    let views: std::result::Result<Vec<_>, _> = halves
        .iter()
        .map(|(name, shape, bytes)| Ok((*name, TensorView::new(Dtype::F16, shape.clone(), bytes)?)))
        .collect();
    let failed = |error: safetensors::SafeTensorError| Error::Model(error.to_string());
    safetensors::serialize(views.map_err(failed)?, None).map_err(failed)
}

/// Takes one tensor, f16 or f32, as floats.
///
/// **Errors** [`Error::Model`] when it is missing, or of another shape or type.
pub fn take(file: &SafeTensors, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
    let view =
        file.tensor(name).map_err(|_| Error::Model(format!("the weights have no tensor \"{name}\"")))?;
    if view.shape() != shape {
        let found = view.shape();
        return Err(Error::Model(format!("tensor \"{name}\" has shape {found:?}, expected {shape:?}")));
    }
    match view.dtype() {
        Dtype::F16 => {
            let (pairs, _) = view.data().as_chunks::<2>();
            Ok(pairs.iter().map(|&bytes| f16::from_le_bytes(bytes).to_f32()).collect())
        }
        Dtype::F32 => {
            let (quads, _) = view.data().as_chunks::<4>();
            Ok(quads.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect())
        }
        other => Err(Error::Model(format!("tensor \"{name}\" is {other:?}, expected F16 or F32"))),
    }
}

/// Parses a safetensors file.
///
/// **Errors** [`Error::Model`].
pub fn parse_safetensors(bytes: &[u8]) -> Result<SafeTensors<'_>> {
    SafeTensors::deserialize(bytes)
        .map_err(|error| Error::Model(format!("the weights are not a safetensors file: {error}")))
}

/// The weights of alignDRAW as a safetensors file in half precision.
pub fn encode(config: &AlignDrawConfig, host: &Host) -> Result<Vec<u8>> {
    let table = config.parameters();
    let tensors = table.iter().zip(host.vectors());
    to_safetensors(tensors.map(|((name, _, shape), values)| (*name, shape.clone(), values.as_slice())))
}

/// The weights of alignDRAW from a safetensors file.
///
/// **Errors** [`Error::Model`], naming the tensor that is missing or of another shape.
pub fn decode(config: &AlignDrawConfig, bytes: &[u8]) -> Result<Host> {
    let file = parse_safetensors(bytes)?;
    Host::from_named(config, |name, shape| take(&file, name, shape))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_round_trip_in_half_precision() {
        let config = AlignDrawConfig::tiny();
        let host = Host::init(&config, 9);
        let back = decode(&config, &encode(&config, &host).expect("encodes")).expect("decodes");
        for (a, b) in host.vectors().into_iter().zip(back.vectors()) {
            assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() <= a.abs() * 4e-3 + 1e-7));
        }
    }

    #[test]
    fn a_tensor_of_another_shape_is_named() {
        let config = AlignDrawConfig::tiny();
        let bytes = encode(&config, &Host::zeros(&config)).expect("encodes");
        let other = AlignDrawConfig { latent_size: 5, ..config };
        let error = decode(&other, &bytes).expect_err("shapes differ").to_string();
        assert!(error.contains("posterior_mean") && error.contains("[6, 5]"), "{error}");
        assert!(decode(&other, &bytes[..100]).is_err());
    }

    #[test]
    fn a_changed_byte_is_noticed() {
        let record = WeightsRecord::of("x".into(), b"abc");
        assert!(record.verify(b"abc").is_ok());
        assert!(matches!(record.verify(b"abd"), Err(Error::WrongHash { .. })));
    }
}
