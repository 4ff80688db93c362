//! alignDRAW (Mansimov, Parisotto, Ba, Salakhutdinov 2016).

mod config;
pub mod cpu;
pub mod definition;
mod parameters;
mod upsample;

pub use config::{AttentionInput, DrawConfig, Initializer, WindowLimit, WriteMode};
pub use parameters::{Draw, GradientVisitor, ParameterValues, floats};
