//! Cross entropy under a softmax, forward and backward.

use multiversion::multiversion;

use super::math::exp;

/// Turns logits into probabilities, in place; returns `−log p` of the target, nats.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
pub fn cross_entropy(logits: &mut [f32], target: usize) -> f32 {
    let mut highest = [f32::NEG_INFINITY; 16];
    for chunk in logits.chunks(16) {
        for (highest, &logit) in highest.iter_mut().zip(chunk) {
            *highest = highest.max(logit);
        }
    }
    let highest = highest.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let wanted = logits[target] - highest;
    let mut lanes = [0.0f32; 16];
    for chunk in logits.chunks_mut(16) {
        for (lane, logit) in lanes.iter_mut().zip(chunk) {
            *logit = exp(*logit - highest);
            *lane += *logit;
        }
    }
    let total: f32 = lanes.iter().sum();
    let inverse = total.recip();
    logits.iter_mut().for_each(|p| *p *= inverse);
    total.ln() - wanted
}

/// The gradient of `weight · −log p(target)`, from probabilities to logits, in place.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
pub fn cross_entropy_backward(probabilities: &mut [f32], target: usize, weight: f32) {
    probabilities.iter_mut().for_each(|p| *p *= weight);
    probabilities[target] -= weight;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Logits 0 and ln 3, many times below: p = 1/4 and 3/4.
    #[test]
    fn two_classes_by_hand() {
        let mut logits = vec![-1e4; 37];
        (logits[3], logits[20]) = (0.0, 3.0f32.ln());
        let nats = cross_entropy(&mut logits, 3);
        assert!((nats - 4.0f32.ln()).abs() < 1e-6, "{nats}");
        assert!((logits[3] - 0.25).abs() < 1e-6 && (logits[20] - 0.75).abs() < 1e-6);
        cross_entropy_backward(&mut logits, 3, 2.0);
        assert!((logits[3] + 1.5).abs() < 1e-6 && (logits[20] - 1.5).abs() < 1e-6);
    }
}
