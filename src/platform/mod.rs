//! The only place that tells native from wasm.

#[cfg(not(target_family = "wasm"))]
mod native;
#[cfg(target_family = "wasm")]
mod wasm;

#[cfg(not(target_family = "wasm"))]
pub use native::*;
#[cfg(target_family = "wasm")]
pub use wasm::*;

/// Whether there is nothing but the CPU, where a tensor is read without waiting.
pub const CPU_ALONE: bool = cfg!(not(feature = "wgpu"));
