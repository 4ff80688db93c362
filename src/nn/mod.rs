//! Parts that several papers share, in burn tensors: any device, with or without autodiff.

pub mod additive_attention;
pub mod filterbank;
pub mod gaussian;
pub mod lstm;

use burn::tensor::TensorData;

/// The floats of a tensor's data.
pub fn floats(data: TensorData) -> Vec<f32> {
    data.convert::<f32>().try_into_vec::<f32>().expect("a tensor of f32 converts to floats")
}
