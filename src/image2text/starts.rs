//! How the weights of rankers begin.

use burn::module::Param;
use burn::nn::Linear;
use burn::tensor::{Device, Tensor, TensorData};

use crate::data::noise::Noise;
use crate::nn::gru::{uniform_matrix, zero_bias};

/// A layer, uniform in ±1/√fan-in, with a bias of zeros.
pub fn linear(from: usize, to: usize, noise: &mut Noise, device: &Device) -> Linear {
    Linear { weight: uniform_matrix(from, to, noise, device), bias: Some(zero_bias(to, device)) }
}

/// Largest value of a fresh embedding.
const EMBEDDING: f32 = 0.1;

/// Embeddings of words, uniform in ±0.1 (Kiros, Salakhutdinov & Zemel's code): what is learned soon outweighs what was
/// drawn, so that rare words are not known by their random vectors.
pub fn embedding(words: usize, size: usize, noise: &mut Noise, device: &Device) -> Param<Tensor<2>> {
    let values: Vec<f32> = (0..words * size).map(|_| EMBEDDING * (2.0 * noise.uniform() - 1.0)).collect();
    Param::from_data(TensorData::new(values, [words, size]), device)
}
