//! Bytes and a manifest <-> a model. No file access: the CLI reads files, the browser fetches.

use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::data::source::{DataSet, HeldOut};
use crate::data::vocabulary::Vocabulary;
use crate::error::{Error, Result};
use crate::text2image::draw::{DrawConfig, ParameterValues};

/// What stands beside the weights of a model: `models/<name>.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The model's name.
    pub name: String,
    /// The painter: `align-draw`.
    pub system: String,
    /// Sizes.
    pub config: DrawConfig,
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

/// How finely weights are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// f16, rounded so that bfloat16 holds every value as well: painting keeps its weights so
    /// ([`crate::kernels::bf16_matrix`]).
    #[default]
    Half,
    /// Matrices as whole numbers −127 to 127, each [`BLOCK`] of them with a step of its own, an f16 in the
    /// tensor `<name>.step`; the rest as [`Precision::Half`].
    Byte,
}

/// Consecutive weights that share a step.
const BLOCK: usize = 64;

/// A tensor as it stands in a file.
type Stored = (String, Dtype, Vec<usize>, Vec<u8>);

fn stored_halves(name: &str, shape: Vec<usize>, values: impl Iterator<Item = f32>) -> Stored {
    let rounded = |x: f32| f16::from_f32(bf16::from_f32(x).to_f32());
    (name.to_owned(), Dtype::F16, shape, values.flat_map(|x| rounded(x).to_le_bytes()).collect())
}

/// A matrix as bytes, and their steps.
fn stored_bytes(name: &str, shape: Vec<usize>, values: &[f32]) -> [Stored; 2] {
    let largest = |block: &[f32]| block.iter().fold(0.0f32, |most, x| most.max(x.abs()));
    let steps: Vec<f16> = values.chunks(BLOCK).map(|block| f16::from_f32(largest(block) / 127.0)).collect();
    let whole = |(block, step): (&[f32], &f16)| -> Vec<u8> {
        // A block too faint for f16 is zero.
        let fineness = if step.to_f32() > 0.0 { step.to_f32().recip() } else { 0.0 };
        block.iter().map(|x| ((x * fineness).round().clamp(-127.0, 127.0) as i8).cast_unsigned()).collect()
    };
    let bytes = values.chunks(BLOCK).zip(&steps).flat_map(whole).collect();
    let step_bytes = steps.iter().flat_map(|step| step.to_le_bytes()).collect();
    [
        (name.to_owned(), Dtype::I8, shape, bytes),
        (format!("{name}.step"), Dtype::F16, vec![steps.len()], step_bytes),
    ]
}

/// Writes named tensors as safetensors.
pub fn to_safetensors<'a>(
    tensors: impl Iterator<Item = (&'a str, Vec<usize>, &'a [f32])>,
    precision: Precision,
) -> Result<Vec<u8>> {
    let mut stored = Vec::new();
    for (name, shape, values) in tensors {
        if precision == Precision::Byte && shape.len() == 2 {
            stored.extend(stored_bytes(name, shape, values));
        } else {
            stored.push(stored_halves(name, shape, values.iter().copied()));
        }
    }
    let views: std::result::Result<Vec<_>, _> = stored
        .iter()
        .map(|(name, dtype, shape, bytes)| {
            Ok((name.as_str(), TensorView::new(*dtype, shape.clone(), bytes)?))
        })
        .collect();
    let failed = |error: safetensors::SafeTensorError| Error::Model(error.to_string());
    safetensors::serialize(views.map_err(failed)?, None).map_err(failed)
}

/// Takes one tensor, f16, f32 or bytes with their steps, as floats.
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
        Dtype::I8 => {
            let bytes = view.data();
            let steps = take(file, &format!("{name}.step"), &[bytes.len().div_ceil(BLOCK)])?;
            // Rounded to bfloat16, so that painting keeps them in half the memory.
            let value = |byte: &u8, step: f32| bf16::from_f32(f32::from(byte.cast_signed()) * step).to_f32();
            let blocks = bytes.chunks(BLOCK).zip(steps);
            Ok(blocks.flat_map(|(block, step)| block.iter().map(move |byte| value(byte, step))).collect())
        }
        Dtype::F32 => {
            let (quads, _) = view.data().as_chunks::<4>();
            Ok(quads.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect())
        }
        other => Err(Error::Model(format!("tensor \"{name}\" is {other:?}, expected F16, F32 or I8"))),
    }
}

/// Parses a safetensors file.
///
/// **Errors** [`Error::Model`].
pub fn parse_safetensors(bytes: &[u8]) -> Result<SafeTensors<'_>> {
    SafeTensors::deserialize(bytes)
        .map_err(|error| Error::Model(format!("the weights are not a safetensors file: {error}")))
}

/// The weights of alignDRAW as a safetensors file.
pub fn encode(config: &DrawConfig, host: &ParameterValues, precision: Precision) -> Result<Vec<u8>> {
    let table = config.parameters();
    let tensors = table.iter().zip(host.vectors());
    let tensors = tensors.map(|((name, _, shape), values)| (*name, shape.clone(), values.as_slice()));
    to_safetensors(tensors, precision)
}

/// The weights of alignDRAW from a safetensors file.
///
/// **Errors** [`Error::Model`], naming the tensor that is missing or of another shape.
pub fn decode(config: &DrawConfig, bytes: &[u8]) -> Result<ParameterValues> {
    let file = parse_safetensors(bytes)?;
    ParameterValues::from_named(config, |name, shape| take(&file, name, shape))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back(precision: Precision) -> (ParameterValues, ParameterValues) {
        let config = DrawConfig::tiny();
        let host = ParameterValues::init(&config, 9);
        let bytes = encode(&config, &host, precision).expect("encodes");
        (host, decode(&config, &bytes).expect("decodes"))
    }

    #[test]
    fn weights_round_trip_in_half_precision() {
        let (host, back) = there_and_back(Precision::Half);
        for (a, b) in host.vectors().into_iter().zip(back.vectors()) {
            assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() <= a.abs() * 4e-3 + 1e-7));
        }
    }

    /// Off by half a step at most, which is the 127th part of a block's largest, and by the rounding to
    /// bfloat16; and every value is one that bfloat16 holds.
    #[test]
    fn weights_round_trip_in_bytes() {
        let (host, back) = there_and_back(Precision::Byte);
        for (a, b) in host.vectors().into_iter().zip(back.vectors()) {
            for (a, b) in a.chunks(BLOCK).zip(b.chunks(BLOCK)) {
                let largest = a.iter().fold(0.0f32, |most, x| most.max(x.abs()));
                assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() <= largest * (0.51 / 127.0 + 4e-3)));
                assert!(b.iter().all(|b| b.to_bits() & 0xffff == 0));
            }
        }
    }

    #[test]
    fn a_tensor_of_another_shape_is_named() {
        let config = DrawConfig::tiny();
        let bytes = encode(&config, &ParameterValues::zeros(&config), Precision::Byte).expect("encodes");
        let other = DrawConfig { latent_size: 5, ..config };
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
