//! Additive attention over the words of a caption (Bahdanau et al.; alignDRAW, the align function).
//!
//! **Equation** `e_j = v · tanh(U h_j + W h_dec + b)`, `α = softmax(e)`. `U h_j + b` (the keys) does
//! not depend on the step and is computed once per caption. Nor does the projection of each `h_j`
//! into the LSTM's gates: attending mixes the projected words, not the words.

use multiversion::multiversion;

use super::math::{add_scaled, dot, exp, tanh};

/// One step for one image: alignment over the words, and the mixed values added to `out`.
///
/// **Shapes** `keys` [word, align]; `query`, `score` [align]; `values` [word, value];
/// `alignment` [word] out; `activations` [word, align] out, kept for the backward pass;
/// `out` [value], added to.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
pub fn forward(
    keys: &[f32],
    query: &[f32],
    score: &[f32],
    values: &[f32],
    alignment: &mut [f32],
    activations: &mut [f32],
    out: &mut [f32],
) {
    let size = query.len();
    let mut highest = f32::NEG_INFINITY;
    for (j, alignment) in alignment.iter_mut().enumerate() {
        let key = &keys[j * size..][..size];
        let activation = &mut activations[j * size..][..size];
        for k in 0..size {
            activation[k] = tanh(key[k] + query[k]);
        }
        *alignment = dot(activation, score);
        highest = highest.max(*alignment);
    }
    let mut total = 0.0;
    for alignment in alignment.iter_mut() {
        *alignment = exp(*alignment - highest);
        total += *alignment;
    }
    for (j, alignment) in alignment.iter_mut().enumerate() {
        *alignment /= total;
        add_scaled(out, *alignment, &values[j * out.len()..][..out.len()]);
    }
}

/// The backward pass of [`forward`] for one image.
///
/// **Shapes** `d_out` [value]; `d_alignment` [word], what else the loss says of the alignment, or empty;
/// `d_query` [align] overwritten; `d_keys` [word, align], `d_values` [word, value] and `d_score` [align] added
/// to.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
#[allow(clippy::too_many_arguments)]
pub fn backward(
    score: &[f32],
    values: &[f32],
    alignment: &[f32],
    activations: &[f32],
    d_out: &[f32],
    d_alignment: &[f32],
    d_query: &mut [f32],
    d_keys: &mut [f32],
    d_values: &mut [f32],
    d_score: &mut [f32],
) {
    let (size, width) = (score.len(), d_out.len());
    let d_weight = |j: usize| {
        dot(d_out, &values[j * width..][..width]) + d_alignment.get(j).copied().unwrap_or_default()
    };
    let mean: f32 = (0..alignment.len()).map(|j| alignment[j] * d_weight(j)).sum();
    d_query.fill(0.0);
    for (j, &weight) in alignment.iter().enumerate() {
        let d_energy = weight * (d_weight(j) - mean);
        add_scaled(&mut d_values[j * width..][..width], weight, d_out);
        let activation = &activations[j * size..][..size];
        let d_key = &mut d_keys[j * size..][..size];
        for k in 0..size {
            d_score[k] += d_energy * activation[k];
            let d_inner = d_energy * score[k] * (1.0 - activation[k] * activation[k]);
            d_key[k] += d_inner;
            d_query[k] += d_inner;
        }
    }
}
