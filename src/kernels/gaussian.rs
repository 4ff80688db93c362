//! Diagonal Gaussians: the posterior's sample, its KL divergence from the prior, the gradients.

use multiversion::multiversion;

use super::math::exp;

/// Bound of every log standard deviation, so that no exponential overflows. Far outside the range
/// of a trained model (the prior's lies in (-1, 1)).
pub const MAX_LOG_STD: f32 = 8.0;

/// Samples `latent = mean + e^log_std · noise`, over slices of equal length.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
pub fn sample(latent: &mut [f32], mean: &[f32], log_std: &[f32], noise: &[f32]) {
    for (k, latent) in latent.iter_mut().enumerate() {
        let log_std = log_std[k].clamp(-MAX_LOG_STD, MAX_LOG_STD);
        *latent = mean[k] + exp(log_std) * noise[k];
    }
}

/// KL(q ‖ p) of diagonal Gaussians, in nats, summed over the slice.
///
/// **Equation** `½ Σ [((μ_q−μ_p)² + e^{2λ_q}) e^{−2λ_p} − 1 − 2λ_q + 2λ_p]`, λ the log standard
/// deviation (alignDRAW, the KL term of the lower bound).
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
pub fn kl(mean_q: &[f32], log_std_q: &[f32], mean_p: &[f32], log_std_p: &[f32]) -> f64 {
    let mut total = 0.0f32;
    for k in 0..mean_q.len() {
        let log_q = log_std_q[k].clamp(-MAX_LOG_STD, MAX_LOG_STD);
        let distance = mean_q[k] - mean_p[k];
        let ratio = (distance * distance + exp(2.0 * log_q)) * exp(-2.0 * log_std_p[k]);
        total += ratio - 1.0 - 2.0 * log_q + 2.0 * log_std_p[k];
    }
    0.5 * f64::from(total)
}

/// `−log N(x; μ, σ²)` of values of one deviation, nats, summed over the slice:
/// `Σ ½ ((x − μ)/σ)² + log σ + ½ log 2π`.
pub fn surprise(values: &[f32], means: &[f32], deviation: f32) -> f64 {
    let squares: f64 = values.iter().zip(means).map(|(x, mean)| f64::from(x - mean).powi(2)).sum();
    let deviation = f64::from(deviation);
    0.5 * squares / (deviation * deviation) + values.len() as f64 * surprise_of_mean(deviation)
}

/// `−log N(μ; μ, σ²)`, nats.
pub fn surprise_of_mean(deviation: f64) -> f64 {
    deviation.ln() + 0.5 * std::f64::consts::TAU.ln()
}

/// `log p(z) − log q(z)` of a sample `z` of the posterior q that was made from `noise`, in nats, summed
/// over the slice: a step's part of an importance weight.
///
/// **Equation** `Σ [½ ε² + λ_q − ½ ((z − μ_p) e^{−λ_p})² − λ_p]`, λ the log standard deviation.
pub fn log_ratio(latent: &[f32], noise: &[f32], log_std_q: &[f32], mean_p: &[f32], log_std_p: &[f32]) -> f64 {
    let mut total = 0.0;
    for k in 0..latent.len() {
        let log_q = f64::from(log_std_q[k].clamp(-MAX_LOG_STD, MAX_LOG_STD));
        let log_p = f64::from(log_std_p[k]);
        let distance = f64::from(latent[k] - mean_p[k]) * (-log_p).exp();
        let noise = f64::from(noise[k]);
        total += 0.5 * noise * noise + log_q - 0.5 * distance * distance - log_p;
    }
    total
}

/// Gradients of one step's sample and KL, over slices of equal length.
///
/// In: `d_latent`, the gradient that reaches the sample; `scale`, the weight of the KL in the loss.
/// Out: the gradients of the posterior's mean and log standard deviation (`d_mean_q`,
/// `d_log_std_q`) and of the prior's (`d_mean_p`, `d_log_std_p`).
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
#[allow(clippy::too_many_arguments)]
pub fn backward(
    scale: f32,
    mean_q: &[f32],
    log_std_q: &[f32],
    mean_p: &[f32],
    log_std_p: &[f32],
    noise: &[f32],
    d_latent: &[f32],
    d_mean_q: &mut [f32],
    d_log_std_q: &mut [f32],
    d_mean_p: &mut [f32],
    d_log_std_p: &mut [f32],
) {
    for k in 0..d_latent.len() {
        let log_q = log_std_q[k].clamp(-MAX_LOG_STD, MAX_LOG_STD);
        let inside = if log_q == log_std_q[k] { 1.0 } else { 0.0 };
        let std_q = exp(log_q);
        let precision_p = exp(-2.0 * log_std_p[k]);
        let distance = mean_q[k] - mean_p[k];
        let pull = scale * distance * precision_p;
        d_mean_q[k] = d_latent[k] + pull;
        d_mean_p[k] = -pull;
        let spread = std_q * std_q * precision_p;
        d_log_std_q[k] = inside * (d_latent[k] * noise[k] * std_q + scale * (spread - 1.0));
        d_log_std_p[k] = scale * (1.0 - distance * distance * precision_p - spread);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand: z = 0.3 + e^{−0.2}·0.5 = 0.709365; ½·0.25 − 0.2 − ½ (0.609365 e^{−0.05})² − 0.05. And its
    /// mean over samples is the negative KL.
    #[test]
    fn the_log_ratio_of_a_sample_and_its_mean() {
        let latent = 0.3 + (-0.2f32).exp() * 0.5;
        let value = log_ratio(&[latent], &[0.5], &[-0.2], &[0.1], &[0.05]);
        assert!((value + 0.292_994_9).abs() < 1e-6, "{value}");
        let noise = crate::data::noise::Noise::new(1).normals(200_000);
        let (mut latents, count) = (vec![0.0; noise.len()], noise.len());
        sample(&mut latents, &vec![0.3; count], &vec![-0.2; count], &noise);
        let log_p = (vec![0.1; count], vec![0.05; count]);
        let mean = log_ratio(&latents, &noise, &vec![-0.2; count], &log_p.0, &log_p.1) / count as f64;
        let expected = -kl(&[0.3], &[-0.2], &[0.1], &[0.05]);
        assert!((mean - expected).abs() < 0.003, "{mean}, expected {expected}");
    }

    /// By hand: ½ (0.2/0.1)² + ½ (0.1/0.1)² + 2 (ln 0.1 + ½ ln 2π) = 2.5 − 4.605170 + 1.837877.
    #[test]
    fn the_surprise_of_two_values() {
        let value = surprise(&[0.5, 0.4], &[0.3, 0.5], 0.1);
        assert!((value + 0.267_293).abs() < 1e-5, "{value}");
    }

    #[test]
    fn kl_test_vector_and_kl_of_itself() {
        // The reference value of the specification (§1.5).
        let value = kl(&[0.3], &[-0.2], &[0.1], &[0.05]);
        assert!((value - 0.071_362_078_2).abs() < 1e-7, "{value}");
        assert!(kl(&[0.7, -0.1], &[0.4, -0.9], &[0.7, -0.1], &[0.4, -0.9]).abs() < 1e-6);
    }
}
