//! Measures: the bound in nats, whether a picture shows what its caption says, and where words are
//! looked at.

pub mod appearance;
pub mod bleu;
pub mod bound;
pub mod classifier;
pub mod fidelity;
mod fit;
pub mod frechet;
pub mod judge;
pub mod ranking;
pub mod regression;
pub mod retrieval;
pub mod scene_description;
pub mod scene_fidelity;
pub mod share;
pub mod sharpened;
pub mod ssim;
