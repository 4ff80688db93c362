//! Captioned images: vocabularies, data sets, batches, and the one source of noise.

pub mod batch;
pub mod mnist;
pub mod mnist_captions;
pub mod noise;
pub mod vocabulary;
