//! Diagonal Gaussians in burn tensors.

use burn::tensor::Tensor;

use crate::kernels::gaussian::MAX_LOG_STD;

/// A diagonal Gaussian for each image, both [batch, latent].
#[derive(Clone, Debug)]
pub struct Gaussian {
    /// μ.
    pub mean: Tensor<2>,
    /// log σ.
    pub log_std: Tensor<2>,
}

impl Gaussian {
    /// Mean, then log standard deviation, side by side in `raw` [batch, 2 · latent].
    pub fn side_by_side(raw: Tensor<2>) -> Self {
        let [_, width] = raw.dims();
        Self { mean: raw.clone().narrow(1, 0, width / 2), log_std: raw.narrow(1, width / 2, width / 2) }
    }

    /// `z = μ + e^{log σ} · noise`, by which gradients reach μ and σ.
    pub fn sample(&self, noise: Tensor<2>) -> Tensor<2> {
        self.mean.clone() + self.bounded_log_std().exp() * noise
    }

    /// KL(self ‖ prior) of each image, nats [batch].
    ///
    /// **Equation** `½ Σ [((μ_q−μ_p)² + e^{2λ_q}) e^{−2λ_p} − 1 − 2λ_q + 2λ_p]`.
    pub fn kl(&self, prior: &Self) -> Tensor<1> {
        let log_q = self.bounded_log_std();
        let distance = self.mean.clone() - prior.mean.clone();
        let spread = distance.square() + (log_q.clone() * 2.0).exp();
        let ratio = spread * (prior.log_std.clone() * -2.0).exp();
        let terms = ratio - 1.0 - log_q * 2.0 + prior.log_std.clone() * 2.0;
        terms.sum_dim(1).squeeze_dim::<1>(1) * 0.5
    }

    fn bounded_log_std(&self) -> Tensor<2> {
        self.log_std.clone().clamp(-MAX_LOG_STD, MAX_LOG_STD)
    }
}
