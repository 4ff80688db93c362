//! Captioned images: vocabularies, data sets, batches, and the one source of noise.

pub mod augment;
pub mod batch;
pub mod binary_mnist;
pub mod cider;
#[cfg(native)]
pub mod folder;
pub mod mnist;
pub mod mnist_captions;
pub mod noise;
pub mod paraphrases;
#[cfg(native)]
pub mod scene_pictures;
pub mod scenes;
pub mod sentence;
pub mod source;
pub mod vocabulary;
pub mod words;
