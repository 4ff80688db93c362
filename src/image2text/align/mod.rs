//! Deep visual-semantic alignment (Karpathy & Fei-Fei 2015): each word of a sentence finds a region of the picture,
//! and a sentence belongs to the picture whose regions suit its words.
//!
//! Symbols of the paper: `v_i` vector of region i; `s_t` vector of word t, in the light of the words around it;
//! `S_kl` score of sentence l for picture k.

mod config;
mod definition;
mod parameters;
pub mod presets;
mod ranker;
pub mod smoothing;
mod training;

pub use config::AlignConfig;
pub use parameters::Align;
