//! Tensors <-> safetensors: any burn module by the names of its fields, in half precision or in bytes.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};
use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use crate::error::{Error, Result};
use crate::model::TakeTensor;
use crate::nn::floats;

/// How finely weights are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// f16, rounded so that bfloat16 holds every value as well: painting keeps its weights so
    /// ([`crate::kernels::bf16_matrix`]).
    #[default]
    Half,
    /// Matrices and kernels as whole numbers −127 to 127, each [`BLOCK`] of them with a scale of its own, an f16 in the
    /// tensor `<name>.step`; the rest as [`Precision::Half`].
    Byte,
}

/// Consecutive weights that share a scale.
const BLOCK: usize = 64;

/// A tensor as it stands in a file.
type Stored = (String, Dtype, Vec<usize>, Vec<u8>);

fn stored_halves(name: &str, shape: Vec<usize>, values: impl Iterator<Item = f32>) -> Stored {
    let rounded = |x: f32| f16::from_f32(bf16::from_f32(x).to_f32());
    (name.to_owned(), Dtype::F16, shape, values.flat_map(|x| rounded(x).to_le_bytes()).collect())
}

/// A matrix as bytes, and their scales.
fn stored_bytes(name: &str, shape: Vec<usize>, values: &[f32]) -> [Stored; 2] {
    let largest = |block: &[f32]| block.iter().fold(0.0f32, |most, x| most.max(x.abs()));
    let scales: Vec<f16> = values.chunks(BLOCK).map(|block| f16::from_f32(largest(block) / 127.0)).collect();
    let whole = |(block, scale): (&[f32], &f16)| -> Vec<u8> {
        // A block too faint for f16 is zero.
        let inverse = if scale.to_f32() > 0.0 { scale.to_f32().recip() } else { 0.0 };
        block.iter().map(|x| ((x * inverse).round().clamp(-127.0, 127.0) as i8).cast_unsigned()).collect()
    };
    let bytes = values.chunks(BLOCK).zip(&scales).flat_map(whole).collect();
    let scale_bytes = scales.iter().flat_map(|scale| scale.to_le_bytes()).collect();
    [
        (name.to_owned(), Dtype::I8, shape, bytes),
        (format!("{name}.step"), Dtype::F16, vec![scales.len()], scale_bytes),
    ]
}

/// Writes named tensors as safetensors.
pub fn to_safetensors<'a>(
    tensors: impl Iterator<Item = (&'a str, Vec<usize>, &'a [f32])>,
    precision: Precision,
) -> Result<Vec<u8>> {
    let mut stored = Vec::new();
    for (name, shape, values) in tensors {
        if precision == Precision::Byte && shape.len() >= 2 {
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

/// Takes one tensor, f16, f32 or bytes with their scales, as floats.
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
            let scales = take(file, &format!("{name}.step"), &[bytes.len().div_ceil(BLOCK)])?;
            // Rounded to bfloat16, so that painting keeps them in half the memory.
            let value =
                |byte: &u8, scale: f32| bf16::from_f32(f32::from(byte.cast_signed()) * scale).to_f32();
            let blocks = bytes.chunks(BLOCK).zip(scales);
            Ok(blocks.flat_map(|(block, scale)| block.iter().map(move |byte| value(byte, scale))).collect())
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

/// A tensor of a module on the host.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedTensor {
    /// The fields that lead to it, joined by dots: `conv1.weight`.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its values, row-major.
    pub values: Vec<f32>,
}

/// Follows the names of the fields while a module is visited.
#[derive(Default)]
struct Path(Vec<String>);

impl Path {
    fn name(&self) -> String {
        self.0.join(".")
    }
}

#[derive(Default)]
struct Collect {
    path: Path,
    tensors: Vec<NamedTensor>,
}

impl ModuleVisitor for Collect {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.0.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.0.pop();
    }

    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let value = parameter.val();
        let (name, shape) = (self.path.name(), value.dims().to_vec());
        self.tensors.push(NamedTensor { name, shape, values: floats(value.into_data()) });
    }
}

/// The float tensors of a module in visiting order; only for devices that can be read at once (not WebGPU
/// in a browser).
pub fn float_tensors(module: &impl Module) -> Vec<NamedTensor> {
    let mut collect = Collect::default();
    module.visit(&mut collect);
    collect.tensors
}

/// Replaces the tensors of a module, in visiting order. One type, whoever asks: every model's `map` is compiled once
/// for each type of mapper.
struct Replace<'a> {
    path: Path,
    values: &'a mut TakeTensor<'a>,
    failed: Option<Error>,
}

impl ModuleMapper for Replace<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.0.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.0.pop();
    }

    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        if self.failed.is_some() {
            return parameter;
        }
        let shape = parameter.val().dims();
        match (self.values)(&self.path.name(), &shape) {
            Ok(values) => parameter.map(|old| {
                let new = Tensor::from_data(TensorData::new(values, shape), &old.device());
                if old.is_require_grad() { new.require_grad() } else { new }
            }),
            Err(error) => {
                self.failed = Some(error);
                parameter
            }
        }
    }
}

/// A module with other values: `values` gives those of a name and shape.
///
/// **Errors** the first that `values` returns.
pub fn with_values<M: Module>(
    module: M,
    mut values: impl FnMut(&str, &[usize]) -> Result<Vec<f32>>,
) -> Result<M> {
    let mut replace = Replace { path: Path::default(), values: &mut values, failed: None };
    let module = module.map(&mut replace);
    replace.failed.map_or(Ok(module), Err)
}

/// The weights of a module as a safetensors file; its tensors are named by the module's fields.
///
/// **Errors** [`Error::Model`].
pub fn encode(module: &impl Module, precision: Precision) -> Result<Vec<u8>> {
    let tensors = float_tensors(module);
    to_safetensors(tensors.iter().map(|t| (t.name.as_str(), t.shape.clone(), t.values.as_slice())), precision)
}

/// `fresh` with the weights of a file.
///
/// **Errors** [`Error::Model`], naming the tensor that is missing or of another shape.
pub fn decode<M: Module>(fresh: M, file: &SafeTensors) -> Result<M> {
    with_values(fresh, |name, shape| take(file, name, shape))
}

/// A module whose weights went a share of the way, 0 to 1, to those of a file (Wortsman et al. 2022, "Robust fine-tuning
/// of zero-shot models").
///
/// **Errors** as [`decode`].
pub fn towards<M: Module>(module: M, file: &SafeTensors, share: f32) -> Result<M> {
    let mut own = float_tensors(&module).into_iter();
    with_values(module, |name, shape| {
        let other = take(file, name, shape)?;
        let own = own.next().map_or_else(Vec::new, |tensor| tensor.values);
        Ok(own.iter().zip(other).map(|(own, other)| own + share * (other - own)).collect())
    })
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::model::Trainable;
    use crate::text2image::draw::{Draw, DrawConfig};

    fn fresh(config: &DrawConfig, seed: u64) -> Draw {
        Draw::init(config, seed, &Device::flex())
    }

    fn decoded(config: &DrawConfig, bytes: &[u8]) -> Result<Draw> {
        decode(fresh(config, 0), &parse_safetensors(bytes)?)
    }

    /// The values of each tensor, written and read.
    fn there_and_back(precision: Precision) -> Vec<(Vec<f32>, Vec<f32>)> {
        let config = DrawConfig::tiny();
        let module = fresh(&config, 9);
        let bytes = encode(&module, precision).expect("encodes");
        let back = float_tensors(&decoded(&config, &bytes).expect("decodes"));
        let pairs = float_tensors(&module).into_iter().zip(back);
        pairs.map(|(a, b)| (a.values, b.values)).collect()
    }

    #[test]
    fn weights_round_trip_in_half_precision() {
        for (a, b) in there_and_back(Precision::Half) {
            assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() <= a.abs() * 4e-3 + 1e-7));
        }
    }

    /// Off by half a scale at most, which is the 127th part of a block's largest, and by the rounding to
    /// bfloat16; and every value is one that bfloat16 holds.
    #[test]
    fn weights_round_trip_in_bytes() {
        for (a, b) in there_and_back(Precision::Byte) {
            for (a, b) in a.chunks(BLOCK).zip(b.chunks(BLOCK)) {
                let largest = a.iter().fold(0.0f32, |most, x| most.max(x.abs()));
                assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() <= largest * (0.51 / 127.0 + 4e-3)));
                assert!(b.iter().all(|b| b.to_bits() & 0xffff == 0));
            }
        }
    }

    #[test]
    fn weights_go_a_share_of_the_way() {
        let config = DrawConfig::tiny();
        let (from, to) = (fresh(&config, 1), fresh(&config, 2));
        let bytes = encode(&to, Precision::Half).expect("encodes");
        let moved = towards(from.clone(), &parse_safetensors(&bytes).expect("parses"), 0.25).expect("moves");
        let of = |module: &Draw| float_tensors(module);
        for ((from, to), moved) in of(&from).into_iter().zip(of(&to)).zip(of(&moved)) {
            let pairs = from.values.iter().zip(to.values).zip(moved.values);
            pairs.for_each(|((from, to), moved)| {
                assert!((0.75 * from + 0.25 * to - moved).abs() < 1e-3 * (1.0 + to.abs()));
            });
        }
        let other =
            encode(&fresh(&DrawConfig { latent_size: 5, ..config }, 2), Precision::Half).expect("encodes");
        assert!(towards(from, &parse_safetensors(&other).expect("parses"), 0.25).is_err());
    }

    #[test]
    fn a_tensor_of_another_shape_is_named() {
        let config = DrawConfig::tiny();
        let bytes = encode(&fresh(&config, 1), Precision::Byte).expect("encodes");
        let other = DrawConfig { latent_size: 5, ..config };
        let error = decoded(&other, &bytes).expect_err("shapes differ").to_string();
        assert!(error.contains("posterior_mean") && error.contains("[6, 5]"), "{error}");
        assert!(decoded(&other, &bytes[..100]).is_err());
    }
}
