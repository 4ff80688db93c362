//! LSTM and transposed convolutions (Kwak & Zhang, Visual Imagination from Texts): the last state of an LSTM over the
//! caption's word vectors is the picture's code, which transposed convolutions with batch norm turn into pixels.
//!
//! **Equation** `h_j = LSTM(U w_j, h_{j−1})`, `h_0 = 0`, `z = h_n`; maps of 4×4 from an affine layer, then doubled until
//! they have the canvas's size (four times for 64×64), their number halved each time; batch norm and ReLU between,
//! a sigmoid at the end; the squared error is minimised.
//!
//! **Variant** `prior`: their text speaks of a prior on z that their equations do not have. Here
//! `z ~ N(h_n, σ_p²(h_n))`, with a posterior `N(h_n + μ(x), σ_q²(x))` that convolutions read from the picture, and their
//! KL beside the error, which is then the negative logarithm of a Gaussian of deviation `deviation` but for a constant.
//!
//! Kwak & Zhang give no widths, kernels or rates; the presets say ours. Batch norm is by the batch in training and by
//! running statistics elsewhere, which are saved with the weights.

mod config;
mod parameters;
pub mod presets;
mod training;

pub use config::DeconvConfig;
pub use parameters::Deconv;
