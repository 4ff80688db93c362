//! The pointwise half of an LSTM step; the products with the weights are the caller's.
//!
//! **Equation** `c' = σ(f)·c + σ(i)·tanh(g)`, `h' = σ(o)·tanh(c')`, gates in the order i, f, g, o,
//! no peepholes.

use multiversion::multiversion;

use super::math::{sigmoid, tanh};

/// One step over a batch.
///
/// **Shapes** `gates` [batch, 4·hidden]: pre-activations in, activations out (kept for the backward
/// pass); `bias` [4·hidden]; `cell_before`, `cell`, `hidden` [batch, hidden].
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
pub fn forward(gates: &mut [f32], bias: &[f32], cell_before: &[f32], cell: &mut [f32], hidden: &mut [f32]) {
    let size = bias.len() / 4;
    let (bias_i, rest) = bias.split_at(size);
    let (bias_f, rest) = rest.split_at(size);
    let (bias_g, bias_o) = rest.split_at(size);
    for (row, gates) in gates.chunks_exact_mut(4 * size).enumerate() {
        let (i, rest) = gates.split_at_mut(size);
        let (f, rest) = rest.split_at_mut(size);
        let (g, o) = rest.split_at_mut(size);
        let before = &cell_before[row * size..][..size];
        let cell = &mut cell[row * size..][..size];
        let hidden = &mut hidden[row * size..][..size];
        for k in 0..size {
            i[k] = sigmoid(i[k] + bias_i[k]);
            f[k] = sigmoid(f[k] + bias_f[k]);
            g[k] = tanh(g[k] + bias_g[k]);
            o[k] = sigmoid(o[k] + bias_o[k]);
            cell[k] = f[k] * before[k] + i[k] * g[k];
            hidden[k] = o[k] * tanh(cell[k]);
        }
    }
}

/// The backward pass of [`forward`].
///
/// **Shapes** `gates` the saved activations; `d_hidden` [batch, hidden]; `d_cell` [batch, hidden]:
/// gradient of the cell after the step in, before the step out; `d_gates` [batch, 4·hidden] out,
/// rows `d_stride` apart.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
#[allow(clippy::too_many_arguments)]
pub fn backward(
    size: usize,
    gates: &[f32],
    cell_before: &[f32],
    cell: &[f32],
    d_hidden: &[f32],
    d_cell: &mut [f32],
    d_gates: &mut [f32],
    d_stride: usize,
) {
    for (row, gates) in gates.chunks_exact(4 * size).enumerate() {
        let (i, rest) = gates.split_at(size);
        let (f, rest) = rest.split_at(size);
        let (g, o) = rest.split_at(size);
        let (d_i, rest) = d_gates[row * d_stride..][..4 * size].split_at_mut(size);
        let (d_f, rest) = rest.split_at_mut(size);
        let (d_g, d_o) = rest.split_at_mut(size);
        let before = &cell_before[row * size..][..size];
        let cell = &cell[row * size..][..size];
        let d_hidden = &d_hidden[row * size..][..size];
        let d_cell = &mut d_cell[row * size..][..size];
        for k in 0..size {
            let squashed = tanh(cell[k]);
            let d_c = d_cell[k] + d_hidden[k] * o[k] * (1.0 - squashed * squashed);
            d_i[k] = d_c * g[k] * i[k] * (1.0 - i[k]);
            d_f[k] = d_c * before[k] * f[k] * (1.0 - f[k]);
            d_g[k] = d_c * i[k] * (1.0 - g[k] * g[k]);
            d_o[k] = d_hidden[k] * squashed * o[k] * (1.0 - o[k]);
            d_cell[k] = d_c * f[k];
        }
    }
}
