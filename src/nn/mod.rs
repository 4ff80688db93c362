//! Parts that several papers share, in burn tensors: any device, with or without autodiff.

pub mod additive_attention;
pub mod filterbank;
pub mod gaussian;
pub mod gru;
pub mod lstm;
