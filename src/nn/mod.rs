//! Parts that several papers share, in burn tensors: any device, with or without autodiff.

pub mod additive_attention;
pub mod efficientnet;
pub mod filterbank;
pub mod gaussian;
pub mod gru;
pub mod lstm;

use burn::tensor::{Tensor, TensorData};

/// The floats of a tensor's data.
pub fn floats(data: TensorData) -> Vec<f32> {
    data.convert::<f32>().try_into_vec::<f32>().expect("a tensor of f32 converts to floats")
}

/// `ln(1 + e^x)` without overflow.
pub fn softplus<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    x.clone().clamp_min(0.0) + (x.abs().neg().exp() + 1.0).log()
}
