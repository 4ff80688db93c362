//! Additive attention (Bahdanau et al. 2015; alignDRAW, the align function).

use burn::tensor::{Tensor, activation::softmax};

/// How much each word is looked at.
///
/// **Equation** `e_j = v · tanh(k_j + q)`, `α = softmax(e)`, with the keys `k_j = U h_j + b`.
///
/// **Shapes** `keys` [batch, word, align], `query` [batch, align], `score` [align]; returns the
/// alignment [batch, word].
pub fn align(keys: Tensor<3>, query: Tensor<2>, score: Tensor<1>) -> Tensor<2> {
    let inner = (keys + query.unsqueeze_dim(1)).tanh();
    let energy = inner * score.reshape([1, 1, -1]);
    softmax(energy.sum_dim(2).squeeze_dim(2), 1)
}

/// The values weighted by the alignment.
///
/// **Shapes** `alignment` [batch, word], `values` [batch, word, value]; returns [batch, value].
pub fn attend(alignment: Tensor<2>, values: Tensor<3>) -> Tensor<2> {
    (values * alignment.unsqueeze_dim(2)).sum_dim(1).squeeze_dim(1)
}
