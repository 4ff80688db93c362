//! What a model makes of a picture that it looks at.

use burn::tensor::Tensor;

use crate::nn::softplus;

/// Pictures as a model draws them from what it recognised in them.
pub struct Reconstructions {
    /// Means of the colour values, logits [picture, channel, height, width].
    pub logits: Tensor<4>,
    /// KL of the posterior from the prior [picture], nats.
    pub kl: Tensor<1>,
}

impl Reconstructions {
    /// The bound's terms, nats per image [picture]: the cross entropy of the true pictures, from logits c:
    /// `softplus(c) − x·c`, and the KL.
    pub fn terms(self, images: Tensor<4>) -> [Tensor<1>; 2] {
        let nats = (softplus(self.logits.clone()) - images * self.logits).flatten::<2>(1, 3);
        [nats.sum_dim(1).squeeze_dim::<1>(1), self.kl]
    }
}
