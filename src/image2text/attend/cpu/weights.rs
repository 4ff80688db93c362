//! Weights on the host, and their gradients, in the order in which the module visits them.

use burn::module::Param;
use burn::nn::Linear;
use burn::tensor::Tensor;

use super::super::Attend;
use crate::kernels::math::add_rows;
use crate::kernels::matmul::{Mat, matmul};
use crate::nn::floats;

/// A matrix [input, output] and a bias [output].
pub struct Affine {
    pub weight: Vec<f32>,
    pub bias: Vec<f32>,
}

impl Affine {
    fn of(layer: &Linear) -> Self {
        let bias = layer.bias.as_ref().map(values).unwrap_or_default();
        Self { weight: values(&layer.weight), bias }
    }

    fn zeros_like(&self) -> Self {
        Self { weight: vec![0.0; self.weight.len()], bias: vec![0.0; self.bias.len()] }
    }

    /// `x W + b` of [rows, input].
    pub fn apply(&self, x: &[f32], rows: usize) -> Vec<f32> {
        let mut out: Vec<f32> = self.bias.repeat(rows);
        product(&mut out, rows, x, &self.weight);
        out
    }

    /// Adds the gradients of `x W + b` for `d` [rows, output].
    pub fn add_gradients(&mut self, x: &[f32], rows: usize, d: &[f32]) {
        add_weight_gradient(&mut self.weight, x, rows, d);
        add_rows(&mut self.bias, d, d.len() / rows);
    }
}

fn values<const D: usize>(parameter: &Param<Tensor<D>>) -> Vec<f32> {
    floats(parameter.val().into_data())
}

/// `out += x W`: `x` [rows, input], `w` [input, output].
pub fn product(out: &mut [f32], rows: usize, x: &[f32], w: &[f32]) {
    let (input, output) = (x.len() / rows, out.len() / rows);
    matmul(out, output, true, Mat::new(x, rows, input), Mat::new(w, input, output));
}

/// `out += d Wᵀ`: `d` [rows, output], `w` [input, output].
pub fn product_transposed(out: &mut [f32], rows: usize, d: &[f32], w: &[f32]) {
    let (input, output) = (out.len() / rows, d.len() / rows);
    matmul(out, input, true, Mat::new(d, rows, output), Mat::new(w, input, output).t());
}

/// `dW += xᵀ d`: `x` [rows, input], `d` [rows, output].
pub fn add_weight_gradient(out: &mut [f32], x: &[f32], rows: usize, d: &[f32]) {
    let (input, output) = (x.len() / rows, d.len() / rows);
    matmul(out, output, true, Mat::new(x, rows, input).t(), Mat::new(d, rows, output));
}

/// The weights of a captioner with soft attention on features, or their gradients.
pub struct Weights {
    pub annotation: Affine,
    pub key: Affine,
    pub query: Vec<f32>,
    pub score: Vec<f32>,
    pub gate: Affine,
    pub context_gates: Vec<f32>,
    pub context_output: Vec<f32>,
    pub initial: Affine,
    pub embedding: Vec<f32>,
    pub word_gates: Affine,
    pub recurrent: Vec<f32>,
    pub output: Affine,
    pub word_bias: Vec<f32>,
}

impl Weights {
    /// Those of a model that [`super::AttendPasses::of`] takes.
    pub fn of(model: &Attend) -> Self {
        let attention = model.attention.as_ref().expect("soft attention");
        Self {
            annotation: Affine::of(model.annotation.as_ref().expect("a layer on features")),
            key: Affine::of(&attention.key),
            query: values(&attention.query),
            score: values(&attention.score),
            gate: Affine::of(&attention.gate),
            context_gates: values(&attention.context_gates),
            context_output: values(&attention.context_output),
            initial: Affine::of(&attention.initial),
            embedding: values(&model.embedding),
            word_gates: Affine::of(&model.word_gates),
            recurrent: values(&model.recurrent),
            output: Affine::of(&model.output),
            word_bias: values(&model.word_bias),
        }
    }

    /// Gradients to be added to.
    pub fn zeros_like(&self) -> Self {
        let zeros = |values: &[f32]| vec![0.0; values.len()];
        Self {
            annotation: self.annotation.zeros_like(),
            key: self.key.zeros_like(),
            query: zeros(&self.query),
            score: zeros(&self.score),
            gate: self.gate.zeros_like(),
            context_gates: zeros(&self.context_gates),
            context_output: zeros(&self.context_output),
            initial: self.initial.zeros_like(),
            embedding: zeros(&self.embedding),
            word_gates: self.word_gates.zeros_like(),
            recurrent: zeros(&self.recurrent),
            output: self.output.zeros_like(),
            word_bias: zeros(&self.word_bias),
        }
    }

    /// The values of each tensor, in the order in which the module visits them.
    pub fn into_values(self) -> Vec<Vec<f32>> {
        let both = |layer: Affine| [layer.weight, layer.bias];
        let mut all = Vec::new();
        all.extend(both(self.annotation));
        all.extend(both(self.key));
        all.extend([self.query, self.score]);
        all.extend(both(self.gate));
        all.extend([self.context_gates, self.context_output]);
        all.extend(both(self.initial));
        all.push(self.embedding);
        all.extend(both(self.word_gates));
        all.push(self.recurrent);
        all.extend(both(self.output));
        all.push(self.word_bias);
        all
    }
}
