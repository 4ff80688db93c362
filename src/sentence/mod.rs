//! Vectors of whole sentences, learned from captions of the same picture.

pub mod skip_thought;
pub mod source;
