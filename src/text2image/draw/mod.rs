//! The DRAW family: alignDRAW, noalignDRAW and skipthoughtDRAW (Mansimov, Parisotto, Ba, Salakhutdinov
//! 2016), and DRAW itself (Gregor, Danihelka, Graves, Rezende, Wierstra 2015).

mod config;
pub mod cpu;
pub mod definition;
mod painter;
mod parameters;
pub mod presets;
mod sizes;
mod training;
mod upsample;

pub use config::{AttentionInput, Conditioning, DrawConfig, Initializer, WindowLimit, WriteMode};
pub use parameters::{Draw, ParameterValues};
