//! Pictures in layers: first the place that a caption names, then each thing in a frame of its own.
//!
//! DRAW (Gregor et al. 2015) runs inside the frame of each layer with a state of its own. Its strokes have
//! colours and a cover, and are laid over what lies beneath (Porter & Duff 1984). *Where* a layer lies is
//! decided by a network that reads the sentence with all things as one class, and changed by what the thing and the
//! other of two are; *what* it shows by a network that reads the words of its noun phrase alone. A composition that was
//! never trained on is so made of parts that were. Which words are drawn, how often, and what is said of them follows
//! from a [`Lexicon`].
//!
//! While it is learned, boxes in the pictures tell where things stand (as in Reed et al. 2016, "Learning what and
//! where to draw"), and the network learns where to expect them.

mod boxes;
mod caption;
mod composition;
mod config;
mod drawing;
mod expected;
mod lexicon;
mod painter;
mod parameters;
mod place;
pub mod presets;
mod reading;
mod relations;
mod training;
mod window;

pub use composition::{Composition, Stack};
pub use config::{LayerCurriculum, LayeredConfig};
pub use lexicon::{Layer, Layers, Lexicon};
pub use parameters::Layered;
pub use place::CodesConfig;
pub use reading::{Reading, Row};
