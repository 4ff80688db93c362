//! Measures: the bound in nats, and whether a picture shows what its caption says.

pub mod bound;
pub mod classifier;
pub mod fidelity;
