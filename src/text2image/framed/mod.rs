//! DRAW inside frames: *what* to draw and *where to place it* apart.
//!
//! Each drawn word of a caption (a digit, say) gets a frame on the canvas, computed from the caption with
//! all drawn words read as one class; DRAW then runs inside that frame, one word a step in equal shares of the
//! steps, with a state of its own that knows the word and not the sentence. A composition that
//! was never trained on is so made of a place and a thing that both were. The frame has a latent of its own:
//! position varies in the data and follows from the caption only in part. `drawing.rs` is the definition, `cpu/` the same in
//! fused passes.

mod caption;
mod config;
pub mod cpu;
mod drawing;
mod order;
mod painter;
mod parameters;
pub mod presets;
mod training;
mod window;

pub use caption::Slots;
pub use config::{FrameCurriculum, FramedConfig};
pub use order::Order;
pub use parameters::Framed;
pub use training::BoundNoise;
