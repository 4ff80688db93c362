//! Softmax: cross entropy under it, forward and backward, and drawing from it.

use multiversion::multiversion;

use super::math::exp;

/// The highest of some numbers.
#[inline(always)]
fn highest(of: &[f32]) -> f32 {
    let mut highest = [f32::NEG_INFINITY; 16];
    for chunk in of.chunks(16) {
        for (highest, &value) in highest.iter_mut().zip(chunk) {
            *highest = highest.max(value);
        }
    }
    highest.iter().copied().fold(f32::NEG_INFINITY, f32::max)
}

/// Turns logits into probabilities, in place; returns `−log p` of the target, nats.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
pub fn cross_entropy(logits: &mut [f32], target: usize) -> f32 {
    let highest = highest(logits);
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

/// The class at which the probabilities of all up to it pass `chance`, 0 to 1, of their sum; classes less probable than
/// `least` of the most probable one are left out. The logits are overwritten.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
pub fn draw(logits: &mut [f32], least: f32, chance: f32) -> usize {
    let highest = highest(logits);
    let mut lanes = [0.0f32; 16];
    for chunk in logits.chunks_mut(16) {
        for (lane, logit) in lanes.iter_mut().zip(chunk) {
            let share = exp(*logit - highest);
            *logit = if share >= least { share } else { 0.0 };
            *lane += *logit;
        }
    }
    let wanted = chance * lanes.iter().sum::<f32>();
    let mut up_to = 0.0;
    let passed = logits.iter().position(|share| {
        up_to += share;
        up_to > wanted
    });
    passed.unwrap_or(logits.len().saturating_sub(1))
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

    /// The same, and a class of a hundredth that is left out or not.
    #[test]
    fn classes_are_drawn_by_where_the_chance_falls() {
        let mut logits = vec![-1e4; 37];
        (logits[3], logits[20], logits[30]) = (0.0, 3.0f32.ln(), 0.03f32.ln());
        let drawn = |least: f32, chance: f32| draw(&mut logits.clone(), least, chance);
        assert_eq!([0.0, 0.24, 0.26, 0.999].map(|chance| drawn(0.1, chance)), [3, 3, 20, 20]);
        assert_eq!([0.24, 0.26, 0.98, 0.999].map(|chance| drawn(0.0, chance)), [3, 20, 20, 30]);
        assert_eq!(drawn(0.0, 1.0), 36, "nothing passes all");
    }
}
