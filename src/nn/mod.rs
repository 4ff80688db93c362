//! Parts that several papers share, in burn tensors: any device, with or without autodiff.

pub mod additive_attention;
pub mod caption_encoder;
pub mod convolution;
pub mod efficientnet;
pub mod filterbank;
pub mod gaussian;
pub mod gru;
pub mod layer;
pub mod lstm;
pub mod matching;
pub mod packed;
pub mod standardize;
pub mod start;

use burn::module::Param;
use burn::tensor::{Device, Int, Tensor, TensorData};

/// The floats of a tensor's data.
pub fn floats(data: TensorData) -> Vec<f32> {
    data.convert::<f32>().try_into_vec::<f32>().expect("a tensor of f32 converts to floats")
}

/// `ln(1 + e^x)` without overflow.
pub fn softplus<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    x.clone().clamp_min(0.0) + (x.abs().neg().exp() + 1.0).log()
}

/// `x W + b`.
pub fn affine(x: &Tensor<2>, weight: &Param<Tensor<2>>, bias: &Param<Tensor<1>>) -> Tensor<2> {
    x.clone().matmul(weight.val()) + bias.val().unsqueeze()
}

/// Ids on a device.
pub fn indices(values: Vec<usize>, device: &Device) -> Tensor<1, Int> {
    let len = values.len();
    let values: Vec<i64> = values.into_iter().map(|value| value as i64).collect();
    Tensor::from_data(TensorData::new(values, [len]), device)
}

/// Host numbers on a device.
pub fn on_device<const D: usize>(values: Vec<f32>, shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), device)
}
