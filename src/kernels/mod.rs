//! The arithmetic of the CPU path: loops over `f32` slices, forward and backward, that compile to
//! SIMD natively and in the browser.
//!
//! burn's own operations on the CPU run one elementwise pass after another through libm; these do
//! the same sums in a few fused passes (the README's table has the ratio). Everything here is
//! checked against burn's autodiff and against an independent float64 reference.

pub mod attention;
pub mod bf16_matrix;
pub mod columns;
pub mod cross_entropy;
pub mod gaussian;
pub mod gru;
pub mod lstm;
pub mod math;
pub mod matmul;
pub mod softmax;
pub mod steps;
pub mod window;
pub mod word_lstm;
