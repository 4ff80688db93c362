//! Affine layers on the host, forward and backward.

use crate::kernels::math::add_rows;
use crate::kernels::matmul::{Mat, matmul};
use crate::kernels::steps::fill_rows;

/// An affine layer: `out = x W + b`.
pub fn layer(out: &mut Vec<f32>, x: &[f32], weight: &[f32], bias: &[f32]) {
    let (width, rows) = (bias.len(), x.len() * bias.len() / weight.len());
    out.resize(rows * width, 0.0);
    fill_rows(out, bias);
    let size = weight.len() / width;
    matmul(out, width, true, Mat::new(x, rows, size), Mat::new(weight, size, width));
}

/// The backward pass of [`layer`]: the gradient of x, those of the weights added.
pub fn layer_backward(
    d: &[f32],
    x: &[f32],
    weight: &[f32],
    d_weight: &mut [f32],
    d_bias: &mut [f32],
) -> Vec<f32> {
    let width = d_bias.len();
    let (rows, size) = (d.len() / width, weight.len() / width);
    add_rows(d_bias, d, width);
    let d = Mat::new(d, rows, width);
    matmul(d_weight, width, true, Mat::new(x, rows, size).t(), d);
    let mut d_x = vec![0.0; rows * size];
    matmul(&mut d_x, size, false, d, Mat::new(weight, size, width).t());
    d_x
}

/// Through a tanh with these values.
pub fn tanh_backward(d: &mut [f32], values: &[f32]) {
    d.iter_mut().zip(values).for_each(|(d, value)| *d *= 1.0 - value * value);
}
