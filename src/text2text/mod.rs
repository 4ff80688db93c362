//! From sentences to sentences: one caption of a picture into another.

pub mod encoder_decoder;
