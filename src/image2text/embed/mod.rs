//! A visual-semantic embedding (Kiros, Salakhutdinov & Zemel 2014): sentences and pictures as vectors of length 1 in
//! one space, a sentence near to the pictures that it is true of.

mod config;
mod model;
pub mod presets;
mod ranker;

pub use config::{Dropout, EmbedConfig};
pub use model::Embed;
