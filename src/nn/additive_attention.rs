//! Additive attention (Bahdanau et al. 2015; alignDRAW, the align function).

use burn::tensor::{Int, Tensor, activation::softmax};

/// How much each word is looked at.
///
/// **Equation** `e_j = v · tanh(k_j + q)`, `α = softmax(e)`, with the keys `k_j = U h_j + b`.
///
/// **Shapes** `keys` [batch, word, align], `query` [batch, align], `score` [align]; returns the
/// alignment [batch, word].
pub fn align(keys: Tensor<3>, query: Tensor<2>, score: Tensor<1>) -> Tensor<2> {
    softmax(energies(keys, query, score), 1)
}

/// What [`align`] is the softmax of, e [batch, word]: where words are not to be looked at, it is added to first.
pub fn energies(keys: Tensor<3>, query: Tensor<2>, score: Tensor<1>) -> Tensor<2> {
    let inner = (keys + query.unsqueeze_dim(1)).tanh();
    let energy = inner * score.reshape([1, 1, -1]);
    energy.sum_dim(2).squeeze_dim(2)
}

/// The values weighted by the alignment.
///
/// **Shapes** `alignment` [batch, word], `values` [batch, word, value]; returns [batch, value].
pub fn attend(alignment: Tensor<2>, values: Tensor<3>) -> Tensor<2> {
    (values * alignment.unsqueeze_dim(2)).sum_dim(1).squeeze_dim(1)
}

/// Bound of keys and queries in [`ExponentialKeys`]: the product of two exponentials stays within f32.
const MOST: f32 = 20.0;

/// Keys for the alignment of many queries with the same keys: as [`align`], without a hyperbolic tangent for
/// each key and query, which is most of the time of an attention over many cells on the CPU.
///
/// **Equation** `tanh(k + q) = 1 − 2 / (e^{2k} e^{2q} + 1)`, and the sum of the scores' 1s does not change a
/// softmax: `α = softmax_j(−2 Σ_i v_i / (e^{2 k_ji} e^{2 q_i} + 1))`.
///
/// **Deviations** Keys and queries are bounded to ±20, where tanh is ±1 in f32.
#[derive(Clone, Debug)]
pub struct ExponentialKeys(Tensor<3>);

impl ExponentialKeys {
    /// Of keys [batch, cell, align].
    pub fn new(keys: Tensor<3>) -> Self {
        Self((keys.clamp(-MOST, MOST) * 2.0).exp())
    }

    /// Those of some rows of the batch, in this order.
    pub fn select(&self, rows: &Tensor<1, Int>) -> Self {
        Self(self.0.clone().select(0, rows.clone()))
    }

    /// The alignment [batch, cell] with queries [batch, align]; `score` [align].
    pub fn align(&self, query: Tensor<2>, score: Tensor<1>) -> Tensor<2> {
        softmax(self.energies(query, score), 1)
    }

    /// What the alignment is the softmax of [batch, cell]: where cells are none, it is added to first.
    pub fn energies(&self, query: Tensor<2>, score: Tensor<1>) -> Tensor<2> {
        let [batch, cells, size] = self.0.dims();
        let query = (query.clamp(-MOST, MOST) * 2.0).exp().unsqueeze_dim::<3>(1);
        let inner = (self.0.clone() * query + 1.0).recip().reshape([batch * cells, size]);
        inner.matmul((score * -2.0).reshape([size, 1])).reshape([batch, cells])
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Distribution};

    use super::*;
    use crate::nn::floats;

    #[test]
    fn exponential_keys_align_as_hyperbolic_tangents_do() {
        let device = Device::flex();
        let normal = Distribution::Normal(0.0, 3.0);
        let keys = Tensor::<3>::random([3, 5, 7], normal, &device);
        let (query, score) =
            (Tensor::<2>::random([3, 7], normal, &device), Tensor::random([7], normal, &device));
        // Far out too, where every exponential would overflow.
        let far = Tensor::cat(vec![keys.clone() * 100.0, keys], 1);
        let expected = floats(align(far.clone(), query.clone(), score.clone()).into_data());
        let found = floats(ExponentialKeys::new(far).align(query, score).into_data());
        for (expected, found) in expected.iter().zip(&found) {
            assert!((expected - found).abs() < 1e-5, "{expected} {found}");
        }
    }
}
