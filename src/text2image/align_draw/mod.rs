//! alignDRAW (Mansimov, Parisotto, Ba, Salakhutdinov 2016).

mod config;
pub mod cpu;
pub mod definition;
mod grow;
mod parameters;

pub use config::{AlignDrawConfig, Attended, Detail, Initializer, Writing};
pub use parameters::{AlignDraw, GradientVisitor, Host, floats};
