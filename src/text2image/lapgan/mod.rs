//! LAPGAN (Denton et al. 2015) that hears the caption, what the paper sharpens with and compares itself with: an
//! adversarial generator draws the smallest picture, and one for each doubling adds what a doubled picture lacks.
//!
//! **Equation** pyramid of a picture: `I_k` = I averaged over 2^k × 2^k pixels; `u` = a picture doubled bilinearly,
//! `l_k = u(I_{k+1})`. Smallest: `I' = G(noise, s)`, a network of three layers. Others: with one map of noise and one of
//! the sentence, `m = ReLU(s W + b)`,
//! `r = conv5(ReLU conv7(ReLU conv7(noise, m, l)))`, `I' = l + r`. Discriminators see `(I', m')`: convolutions of 5×5
//! without padding, the second in steps of 2, then a layer; on the smallest pictures three layers.
//! Training shows each generator the true `l`; painting goes from the smallest picture up.
//!
//! **Loss** discriminators: `−log D(true, s) − ½ log(1 − D(drawn, s)) − ½ log(1 − D(true, another's s))` (Goodfellow et
//! al. 2014; the last part Reed et al. 2016, so that words are heard); generators, non-saturating: `−log D(drawn, s)`.
//! Stabilisers beside the recipe of 2015: Adam, true pictures called true by 0.9 (Salimans et al. 2016), leaky
//! rectifiers and dropout in the discriminators, clipped gradients, averaged weights, and on the smallest pictures noise on
//! what is judged (Sønderby et al. 2017) and a mode-seeking term (Mao et al. 2019): without those two the smallest
//! pictures came to ignore their noise within 300 updates.
//!
//! **One sum for two players** A discriminator is trained on pictures whose gradient is cut, and a generator through a
//! copy of the discriminator whose weights take no gradient. No parameter then has a gradient of both parts, and an
//! optimiser that keeps its state tensor by tensor, Adam say, moves each player as one of its own would: simultaneous
//! steps, one of either. The caption's encoder learns with the discriminators; generators hear it as it is.
//!
//! The sentence vector is the mean of that encoder's states (a bidirectional LSTM), not a skip-thought vector: it is to be
//! had where a caption is painted.

mod config;
mod networks;
mod parameters;
pub mod presets;
mod training;

pub use config::LapganConfig;
pub use parameters::Lapgan;
