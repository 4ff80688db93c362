//! The arithmetic of the CPU path: loops over `f32` slices, forward and backward, that compile to
//! SIMD natively and in the browser.
//!
//! burn's own operations on the CPU run one elementwise pass after another through libm; these do
//! the same sums in a few fused passes (the README's table has the ratio). Everything here is
//! checked against burn's autodiff and against an independent float64 reference.

pub mod attention;
pub mod gaussian;
pub mod lstm;
pub mod math;
pub mod matmul;
pub mod window;

#[cfg(test)]
mod tests {
    /// Central difference of `f` at `x[i]`.
    pub fn derivative(x: &mut [f32], i: usize, step: f32, f: impl Fn(&[f32]) -> f64) -> f64 {
        let at = x[i];
        x[i] = at + step;
        let above = f(x);
        x[i] = at - step;
        let below = f(x);
        x[i] = at;
        (above - below) / (2.0 * f64::from(step))
    }
}
