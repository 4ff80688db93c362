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

    /// `log [prior(z) / self(z)]` of each image at `z = μ + e^{log σ} · noise`, nats [batch]; on average −KL.
    ///
    /// **Equation** `Σ [½ (noise² − (z−μ_p)² e^{−2λ_p}) + λ_q − λ_p]`.
    pub fn log_ratio(&self, prior: &Self, noise: &Tensor<2>) -> Tensor<1> {
        let distance = self.sample(noise.clone()) - prior.mean.clone();
        let far = distance.square() * (prior.log_std.clone() * -2.0).exp();
        let terms = (noise.clone().square() - far) * 0.5 + self.bounded_log_std() - prior.log_std.clone();
        terms.sum_dim(1).squeeze_dim::<1>(1)
    }

    fn bounded_log_std(&self) -> Tensor<2> {
        self.log_std.clone().clamp(-MAX_LOG_STD, MAX_LOG_STD)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::data::noise::Noise;
    use crate::nn::{floats, on_device};

    #[test]
    fn the_log_ratio_is_that_of_the_densities_and_on_average_minus_the_kl() {
        const SAMPLES: usize = 20_000;
        let device = Device::flex();
        let all = |values: [f32; 2]| on_device(values.repeat(SAMPLES), [SAMPLES, 2], &device);
        let posterior = Gaussian { mean: all([0.3, -1.0]), log_std: all([-0.5, 0.2]) };
        let prior = Gaussian { mean: all([0.0, -0.4]), log_std: all([0.1, 0.3]) };
        let noise = on_device(Noise::new(3).normals(2 * SAMPLES), [SAMPLES, 2], &device);
        let found = floats(posterior.log_ratio(&prior, &noise).into_data());
        let mean = found.iter().map(|&nats| f64::from(nats)).sum::<f64>() / SAMPLES as f64;
        let kl = f64::from(floats(posterior.kl(&prior).into_data())[0]);
        assert!((mean + kl).abs() < 0.02, "{mean}, but the KL is {kl}");
        let z = floats(posterior.sample(noise).into_data());
        let log_density =
            |z: f64, mean: f64, log_std: f64| -0.5 * ((z - mean) / log_std.exp()).powi(2) - log_std;
        let at = |i: usize| f64::from(z[i]);
        let expected = log_density(at(0), 0.0, 0.1) + log_density(at(1), -0.4, 0.3)
            - log_density(at(0), 0.3, -0.5)
            - log_density(at(1), -1.0, 0.2);
        assert!((f64::from(found[0]) - expected).abs() < 1e-4, "{} is not {expected}", found[0]);
    }
}
