//! Variational autoencoders that hear the caption (Kingma & Welling 2014; Sohn et al. 2015): what the paper compares
//! alignDRAW with. One latent vector, one step, no attention.
//!
//! **Equation** `s` = mean of the states of a bidirectional LSTM over the caption; `q(z | x, s)` and `p(z | s)` diagonal
//! Gaussians; `p(x | z, s)` Bernoulli for each colour value, as alignDRAW has it, so that the bounds compare:
//! `E_q [−log p(x | z, s)] + KL(q ‖ p)`. Mean and log standard deviation of the learned prior lie within ±1, by tanh, as
//! alignDRAW's do.
//!
//! The paper's sizes were never published; the presets say ours.

mod config;
mod parameters;
pub mod presets;
mod training;

pub use config::{Body, Prior, VaeConfig};
pub use parameters::Vae;
