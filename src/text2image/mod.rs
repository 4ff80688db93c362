//! Painters: networks that draw an image from a caption. Each has a folder of its own.

pub mod deconv;
pub mod draw;
pub mod feedforward;
pub mod framed;
pub mod lapgan;
pub mod layered;
pub mod vae;
