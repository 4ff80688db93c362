//! Vectorisable elementary functions on `f32`.
//!
//! The standard library calls into libm one number at a time; a fifth of a training step went
//! there. These are straight-line polynomials without branches, so that the compiler turns a loop
//! over a slice into SIMD on every target (AVX-512, AVX2, wasm simd128).

use multiversion::multiversion;

/// `e^x`, relative error below 2e-7 on [-87, 88]; saturates outside instead of overflowing.
///
/// Cody–Waite range reduction and the minimax polynomial of Cephes `expf`.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    const LOG2_E: f32 = std::f32::consts::LOG2_E;
    const LN2_HIGH: f32 = 0.693_359_4;
    const LN2_LOW: f32 = -2.121_944_4e-4;
    // 1.5 · 2²³, beside which a float has no fraction: adding it rounds, and leaves the whole number in the low bits. A
    // conversion, which saturates, would be done one lane after the other.
    const WHOLE: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let rounded = x * LOG2_E + WHOLE;
    let n = rounded - WHOLE;
    let r = x - n * LN2_HIGH - n * LN2_LOW;
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_199_9e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_5e-1;
    let p = p * r + 5.0e-1;
    let p = p * r * r + r + 1.0;
    // 2ⁿ: n lies in [-126, 127] after the clamp. Of NaN, which `clamp` keeps, p is NaN, whatever this is.
    let scale = f32::from_bits(rounded.to_bits().wrapping_add(127) << 23);
    p * scale
}

/// The logistic function `1 / (1 + e^-x)`.
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// The hyperbolic tangent, absolute error below 2e-7.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    1.0 - 2.0 / (exp(2.0 * x) + 1.0)
}

/// Softplus `ln(1 + e^x)`, exact for large |x|.
#[inline(always)]
pub fn softplus(x: f32) -> f32 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// `out = sigmoid(x)` elementwise.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
pub fn sigmoid_into(out: &mut [f32], x: &[f32]) {
    for (out, &x) in out.iter_mut().zip(x) {
        *out = sigmoid(x);
    }
}

/// `x ← tanh(x + bias)` elementwise.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
pub fn tanh_biased(values: &mut [f32], bias: &[f32]) {
    for (value, bias) in values.iter_mut().zip(bias) {
        *value = tanh(*value + bias);
    }
}

/// The dot product in sixteen independent lanes, so that it vectorises.
#[inline(always)]
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 16];
    let (a_blocks, a_rest) = a.as_chunks::<16>();
    let (b_blocks, b_rest) = b.as_chunks::<16>();
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for lane in 0..16 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    lanes.iter().sum::<f32>() + rest
}

/// `out += scale · x` elementwise.
#[inline(always)]
pub fn add_scaled(out: &mut [f32], scale: f32, x: &[f32]) {
    for (out, &x) in out.iter_mut().zip(x) {
        *out += scale * x;
    }
}

/// Adds the rows of `x` (`[rows, out.len()]`, consecutive rows `stride` apart) into `out`: the
/// gradient of a bias.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
pub fn add_rows(out: &mut [f32], x: &[f32], stride: usize) {
    for row in x.chunks(stride) {
        add_scaled(out, 1.0, &row[..out.len()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_sigmoid_tanh_agree_with_libm() {
        for step in -8_000..8_000 {
            let x = step as f32 * 0.01;
            let exact = f64::from(x).exp();
            assert!((f64::from(exp(x)) / exact - 1.0).abs() < 2e-7, "exp({x})");
            let sigmoid_exact = 1.0 / (1.0 + (-f64::from(x)).exp());
            assert!((f64::from(sigmoid(x)) - sigmoid_exact).abs() < 2e-7, "sigmoid({x})");
            assert!((f64::from(tanh(x)) - f64::from(x).tanh()).abs() < 3e-7, "tanh({x})");
        }
    }

    #[test]
    fn exp_saturates_and_keeps_nan() {
        assert!(exp(1e9).is_finite() && exp(-1e9) >= 0.0);
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn dot_counts_the_rest() {
        let a: Vec<f32> = (0..37).map(|i| i as f32).collect();
        let expected: f32 = a.iter().map(|x| x * x).sum();
        assert_eq!(dot(&a, &a), expected);
    }
}
