//! The generator of Deep visual-semantic alignment (Karpathy & Fei-Fei 2015): a plain recurrent network with ReLU that
//! says a sentence, biased by the picture at its first word.
//!
//! Symbols of the paper: `b_v` what the picture adds to the first state; `x_t` embedding of the word before; `h_t`
//! state; `y_t` logits of the words.

mod captioner;
mod config;
mod model;
pub mod presets;

pub use config::{Context, Dropout, RnnConfig};
pub use model::Rnn;
