//! Painters: networks that draw an image from a caption. Each has a folder of its own.

pub mod draw;
pub mod framed;
pub mod layered;
