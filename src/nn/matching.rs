//! How well sentences match pictures, and the ranking loss that teaches it.

use burn::tensor::{Tensor, TensorData};

/// Scores of sentences for pictures.
///
/// **Equation** `S_kl = Σ_{t ∈ l} max_{i ∈ k} v_i · s_t` (Karpathy & Fei-Fei 2015, eq. 8). Where pictures and
/// sentences have a vector each, it is their product.
///
/// **Shapes** `regions` [picture, region, size]; `words` [word, size]; `owners` the sentence of each word; returns
/// [picture, sentence].
pub fn scores(regions: Tensor<3>, words: Tensor<2>, owners: &[usize], sentences: usize) -> Tensor<2> {
    let [pictures, each, size] = regions.dims();
    let [count, _] = words.dims();
    let mut belongs = vec![0.0f32; count * sentences];
    owners.iter().enumerate().for_each(|(word, owner)| belongs[word * sentences + owner] = 1.0);
    let belongs = Tensor::<2>::from_data(TensorData::new(belongs, [count, sentences]), &words.device());
    let products = regions.reshape([pictures * each, size]).matmul(words.transpose());
    let best = match each {
        1 => products,
        _ => products.reshape([pictures, each, count]).max_dim(1).squeeze_dim::<2>(1),
    };
    best.matmul(belongs)
}

/// The ranking loss of each picture [picture], of scores [picture, sentence] whose diagonal is right.
///
/// **Equation** `Σ_{l ≠ k} max(0, S_kl − S_kk + m) + Σ_{l ≠ k} max(0, S_lk − S_kk + m)` (eq. 9); l = k would add the
/// constant 2 m.
pub fn ranking_loss(scores: Tensor<2>, margin: f32) -> Tensor<1> {
    let [pictures, sentences] = scores.dims();
    assert_eq!(pictures, sentences, "each picture has one sentence");
    let others = Tensor::eye(pictures, &scores.device()) * -1.0 + 1.0;
    let right = (scores.clone() * (others.clone() * -1.0 + 1.0)).sum_dim(1);
    let wrong_sentences = (scores.clone() - right.clone() + margin).clamp_min(0.0) * others.clone();
    let wrong_pictures = (scores - right.transpose() + margin).clamp_min(0.0) * others;
    wrong_sentences.sum_dim(1).squeeze_dim::<1>(1) + wrong_pictures.sum_dim(0).squeeze_dim::<1>(0)
}

/// Vectors [vector, size] at length 1.
pub fn unit(vectors: Tensor<2>) -> Tensor<2> {
    // The root of nothing has no slope.
    let length = (vectors.clone().square().sum_dim(1) + 1e-12).sqrt();
    vectors / length
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::nn::floats;

    /// Two pictures of two regions, two sentences of two words and one:
    ///
    /// v_11 = (1, 0), v_12 = (0, 2); v_21 = (−1, 1), v_22 = (0.5, 0.5); s_1 = (1, 1), (2, −1); s_2 = (0, 3).
    /// Products with the first picture: 1, 2 → 2; 2, −2 → 2; 0, 6 → 6. With the second: 0, 1 → 1; −3, 0.5 → 0.5;
    /// 3, 1.5 → 3.
    #[test]
    fn scores_by_hand() {
        let device = Device::flex();
        let regions =
            Tensor::<3>::from_floats([[[1.0, 0.0], [0.0, 2.0]], [[-1.0, 1.0], [0.5, 0.5]]], &device);
        let words = Tensor::<2>::from_floats([[1.0, 1.0], [0.0, 3.0], [2.0, -1.0]], &device);
        let found = floats(scores(regions, words, &[0, 1, 0], 2).into_data());
        assert_eq!(found, [4.0, 6.0, 1.5, 3.0]);
    }

    /// S = ((2, 1.5, 0), (0.5, 1, 3), (0, 0, 4)), margin 1.
    ///
    /// Rows: 1.5 − 2 + 1 = 0.5, 0 − 2 + 1 < 0; 0.5 − 1 + 1 = 0.5, 3 − 1 + 1 = 3; 0 − 4 + 1 < 0 twice.
    /// Columns: 0.5 − 2 + 1 < 0, 0 − 2 + 1 < 0; 1.5 − 1 + 1 = 1.5, 0 − 1 + 1 = 0; 0 − 4 + 1 < 0, 3 − 4 + 1 = 0.
    #[test]
    fn losses_by_hand() {
        let scores =
            Tensor::from_floats([[2.0, 1.5, 0.0], [0.5, 1.0, 3.0], [0.0, 0.0, 4.0]], &Device::flex());
        assert_eq!(floats(ranking_loss(scores, 1.0).into_data()), [0.5, 5.0, 0.0]);
    }

    #[test]
    fn vectors_get_length_1_and_nothing_stays_nothing() {
        let found = unit(Tensor::from_floats([[3.0, 4.0], [0.0, 0.0]], &Device::flex()));
        assert_eq!(floats(found.into_data()), [0.6, 0.8, 0.0, 0.0]);
    }
}
