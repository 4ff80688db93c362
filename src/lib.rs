pub mod data;
pub mod error;
pub mod kernels;
mod platform;
pub mod text2image;
