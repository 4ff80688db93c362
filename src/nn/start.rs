//! How weights begin.

use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};

use crate::data::noise::Noise;

/// Standard deviation of the initial weights of what must start near nothing.
pub const FAINT: f32 = 0.01;

/// Draws initial values.
pub struct Start<'a> {
    noise: Noise,
    device: &'a Device,
}

impl<'a> Start<'a> {
    /// Values for a seed.
    pub fn new(seed: u64, device: &'a Device) -> Self {
        Self { noise: Noise::new(seed), device }
    }

    /// These values.
    pub fn tensor<const D: usize>(&self, values: Vec<f32>, shape: [usize; D]) -> Param<Tensor<D>> {
        Param::from_data(TensorData::new(values, shape), self.device)
    }

    /// Uniform in ±bound.
    pub fn uniform<const D: usize>(&mut self, shape: [usize; D], bound: f32) -> Param<Tensor<D>> {
        let values =
            (0..shape.iter().product()).map(|_| bound * (2.0 * self.noise.uniform() - 1.0)).collect();
        self.tensor(values, shape)
    }

    /// N(0, std²).
    pub fn normal<const D: usize>(&mut self, shape: [usize; D], std: f32) -> Param<Tensor<D>> {
        let values = (0..shape.iter().product()).map(|_| std * self.noise.normal()).collect();
        self.tensor(values, shape)
    }

    /// One value everywhere.
    pub fn constant<const D: usize>(&self, shape: [usize; D], value: f32) -> Param<Tensor<D>> {
        self.tensor(vec![value; shape.iter().product()], shape)
    }

    /// A weight and its bias, uniform in ±1/√fan-in.
    pub fn layer(&mut self, inputs: usize, outputs: usize) -> (Param<Tensor<2>>, Param<Tensor<1>>) {
        let bound = 1.0 / (inputs as f32).sqrt();
        (self.uniform([inputs, outputs], bound), self.uniform([outputs], bound))
    }

    /// A weight near 0 and a bias of 0.
    pub fn faint(&mut self, inputs: usize, outputs: usize) -> (Param<Tensor<2>>, Param<Tensor<1>>) {
        (self.normal([inputs, outputs], FAINT), self.constant([outputs], 0.0))
    }
}
