//! The GRU encoder-decoder (Cho et al. 2014), and with additive attention (Bahdanau, Cho & Bengio 2015), at its own job: a
//! sentence is read word by word and said in other words.
//!
//! Symbols of the papers: `e(x)` embedding of a word; `h_j` state of the encoder after word j, N of them; `c` summary of
//! the sentence; `s_i` (`h'` in the first paper) state of the decoder after word i; `α_ij` alignment, how much word j is
//! attended to for word i; `c_i` context.

mod cell;
mod config;
mod model;
mod paraphraser;
pub mod presets;
mod training;

pub use config::{Dropout, EncoderDecoderConfig};
pub use model::EncoderDecoder;
