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

/// Which classes are too improbable to be drawn.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// Those less probable than this share of the most probable one; 0: none.
    pub least: f32,
    /// Of the others those less probable than 4, 16, … times as much, as long as what is left has this share of their
    /// sum: nearly the nucleus of Holtzman et al. (2020), without sorting.
    pub nucleus: f32,
}

impl Cut {
    /// Draws all classes.
    pub const NONE: Self = Self { least: 0.0, nucleus: 1.0 };

    /// What the least share is raised to.
    pub fn raised(&self) -> impl Iterator<Item = f32> + use<> {
        let first = (self.least > 0.0 && self.nucleus < 1.0).then_some(4.0 * self.least);
        std::iter::successors(first, |least| Some(4.0 * least)).take_while(|least| *least < 1.0)
    }
}

/// The sum of the shares that are not below the least.
#[inline(always)]
fn sum_from(shares: &[f32], least: f32) -> f32 {
    let mut lanes = [0.0f32; 16];
    for chunk in shares.chunks(16) {
        for (lane, &share) in lanes.iter_mut().zip(chunk) {
            *lane += if share >= least { share } else { 0.0 };
        }
    }
    lanes.iter().sum()
}

/// The class at which the probabilities of all up to it pass `chance`, 0 to 1, of their sum, without those that are cut.
/// The logits are overwritten.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
pub fn draw(logits: &mut [f32], cut: Cut, chance: f32) -> usize {
    let highest = highest(logits);
    logits.iter_mut().for_each(|logit| *logit = exp(*logit - highest));
    let all = sum_from(logits, cut.least);
    let (mut least, mut total) = (cut.least, all);
    for next in cut.raised() {
        let left = sum_from(logits, next);
        if left < cut.nucleus * all {
            break;
        }
        (least, total) = (next, left);
    }
    let wanted = chance * total;
    let mut up_to = 0.0;
    let passed = logits.iter().position(|&share| {
        up_to += if share >= least { share } else { 0.0 };
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
        let drawn = |cut: Cut, chance: f32| draw(&mut logits.clone(), cut, chance);
        let least = |least: f32| Cut { least, nucleus: 1.0 };
        assert_eq!([0.0, 0.24, 0.26, 0.999].map(|chance| drawn(least(0.1), chance)), [3, 3, 20, 20]);
        assert_eq!([0.24, 0.26, 0.98, 0.999].map(|chance| drawn(Cut::NONE, chance)), [3, 20, 20, 30]);
        assert_eq!(drawn(Cut::NONE, 1.0), 36, "nothing passes all");
    }

    /// Shares 1, 1/3 and 1/100 of the most probable: the last is 0.7 % of all, the last two 26 %.
    #[test]
    fn what_the_nucleus_does_not_need_is_left_out() {
        let mut logits = vec![-1e4; 37];
        (logits[3], logits[20], logits[30]) = ((1.0f32 / 3.0).ln(), 0.0, 0.01f32.ln());
        let last = |least: f32, nucleus: f32| draw(&mut logits.clone(), Cut { least, nucleus }, 0.9999);
        assert_eq!([last(0.005, 0.999), last(0.005, 0.99), last(0.005, 0.5)], [30, 20, 20]);
        let first = |nucleus: f32| draw(&mut logits.clone(), Cut { least: 0.1, nucleus }, 0.0);
        assert_eq!([first(0.9), first(0.5)], [3, 20]);
    }
}
