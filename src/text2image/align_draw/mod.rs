//! alignDRAW (Mansimov, Parisotto, Ba, Salakhutdinov 2016).

mod config;
pub mod cpu;
mod parameters;

pub use config::{AlignDrawConfig, Initializer};
pub use parameters::{AlignDraw, GradientVisitor, Host, floats};
