//! Show, Attend and Tell (Xu et al. 2015), and Show and Tell (Vinyals et al. 2015) as the same model without
//! attention: an LSTM that says a sentence, and before every word looks at some cells of the picture.
//!
//! Symbols of the paper: `a_i` annotations, one a cell (L of them); `α_t` alignment, how much each cell is
//! attended to for word t; `ẑ_t` context; `β_t` gate of the context; `E y` embedding of a word.

mod captioner;
mod config;
mod cpu;
mod definition;
mod grounding;
mod parameters;
mod picture;
pub mod presets;
mod self_critical;
mod training;

pub use config::{AttendConfig, Attention, Dropout};
pub use parameters::Attend;
pub use picture::{Convolution, Picture};
