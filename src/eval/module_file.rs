//! A burn module as a safetensors file in half precision.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Tensor, TensorData};

use crate::checkpoint::{Precision, parse_safetensors, take, to_safetensors};
use crate::error::Result;
use crate::text2image::draw::floats;

/// Shapes and values of a module's tensors in visiting order.
#[derive(Default)]
struct Values(Vec<(Vec<usize>, Vec<f32>)>);

impl ModuleVisitor for Values {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let value = parameter.val();
        self.0.push((value.dims().to_vec(), floats(value.into_data())));
    }
}

struct Fill(Vec<Vec<f32>>);

impl ModuleMapper for Fill {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let values = self.0.pop().expect("a vector for each tensor");
        parameter.map(|old| {
            let new = Tensor::from_data(TensorData::new(values, old.dims()), &old.device());
            if old.is_require_grad() { new.require_grad() } else { new }
        })
    }
}

/// The weights of a module; `names` are those of its tensors in visiting order.
///
/// **Errors** [`crate::error::Error::Model`].
pub fn encode<M: Module>(module: &M, names: &[&str]) -> Result<Vec<u8>> {
    let mut values = Values::default();
    module.visit(&mut values);
    let tensors = names.iter().zip(&values.0);
    let tensors = tensors.map(|(name, (shape, values))| (*name, shape.clone(), values.as_slice()));
    to_safetensors(tensors, Precision::Half)
}

/// `fresh` with the weights of a file.
///
/// **Errors** [`crate::error::Error::Model`], naming the tensor that is missing or of another shape.
pub fn decode<M: Module>(fresh: M, names: &[&str], bytes: &[u8]) -> Result<M> {
    let mut shapes = Values::default();
    fresh.visit(&mut shapes);
    let file = parse_safetensors(bytes)?;
    let values: Result<Vec<_>> =
        names.iter().zip(&shapes.0).map(|(name, (shape, _))| take(&file, name, shape)).collect();
    let mut values = values?;
    values.reverse();
    Ok(fresh.map(&mut Fill(values)))
}
