//! Captioned images: vocabularies, data sets, batches, and the one source of noise.

pub mod batch;
#[cfg(not(target_family = "wasm"))]
pub mod mnist;
#[cfg(not(target_family = "wasm"))]
pub mod mnist_captions;
pub mod noise;
pub mod vocabulary;
