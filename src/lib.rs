pub mod checkpoint;
#[cfg(not(target_family = "wasm"))]
pub mod cli;
pub mod data;
pub mod error;
#[cfg(not(target_family = "wasm"))]
pub mod eval;
#[cfg(not(target_family = "wasm"))]
pub mod font;
pub mod kernels;
pub mod nn;
pub mod paint;
mod platform;
pub mod text2image;
#[cfg(not(target_family = "wasm"))]
pub mod train;
