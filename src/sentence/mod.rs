//! Vectors of whole sentences, learned from captions of the same picture.

pub mod encoder;
pub mod host;
pub mod skip_thought;
