//! A product with a bias.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::affine;
use super::start::Start;

/// `x W + b`.
#[derive(Module, Debug)]
pub struct Layer {
    /// [in, out].
    weight: Param<Tensor<2>>,
    /// [out].
    bias: Param<Tensor<1>>,
}

impl Layer {
    /// Uniform in ±1/√fan-in.
    pub fn fresh(from: usize, to: usize, start: &mut Start) -> Self {
        let (weight, bias) = start.layer(from, to);
        Self { weight, bias }
    }

    /// As He et al. 2015 (uniform): rectified numbers keep their size from layer to layer.
    pub fn rectified(from: usize, to: usize, start: &mut Start) -> Self {
        let weight = start.uniform([from, to], (6.0 / from as f32).sqrt());
        Self { weight, bias: start.constant([to], 0.0) }
    }

    /// Near 0.
    pub fn faint(from: usize, to: usize, start: &mut Start) -> Self {
        let (weight, bias) = start.faint(from, to);
        Self { weight, bias }
    }

    /// [row, in] → [row, out].
    pub fn forward(&self, x: &Tensor<2>) -> Tensor<2> {
        affine(x, &self.weight, &self.bias)
    }
}
