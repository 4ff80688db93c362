//! The DRAW family: alignDRAW (Mansimov, Parisotto, Ba, Salakhutdinov 2016) and its relatives.

mod config;
pub mod cpu;
pub mod definition;
mod painter;
mod parameters;
pub mod presets;
mod training;
mod upsample;

pub use config::{AttentionInput, DrawConfig, Initializer, WindowLimit, WriteMode};
pub use parameters::{Draw, ParameterValues};
