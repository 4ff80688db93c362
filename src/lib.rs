//! alignDRAW and the systems around it: drawing from words, trained natively, drawn in the browser.
//!
//! ```text
//! data: captions -> word ids, images         kernels, nn: the arithmetic, fused and in burn tensors
//!                  |                                      |
//!                  v                                      v
//! text2image/<system>: sizes -> parameters -> definition (any device) | cpu (fused) -> painter
//!                  |  the promises of model.rs; systems.rs is the registry
//!                  v
//! checkpoint: bytes + manifest <-> any module     paint: the one drawing loop, a frame for each step
//!                                                 describe: the one captioning loop, for paraphrase too; rank: scores
//!                  |                                      |
//!                  v                                      v
//! train, eval: generic, on burn's engine      cli: the binary    web: the browser
//! ```
//!
//! Symbols of the paper: `c_t` canvas, `x̂_t` error image, `r_t` glimpse, `h_enc` encoder hidden,
//! `h_dec` decoder hidden, `Q` posterior, `P` prior, `z_t` latent, `α_t` alignment, `F_X`, `F_Y` the
//! filter banks, `T` num_steps.

pub mod checkpoint;
#[cfg(native)]
pub mod cli;
pub mod data;
#[cfg(looks)]
pub mod describe;
pub mod error;
#[cfg(native)]
pub mod eval;
pub mod eyes;
#[cfg(native)]
pub mod font;
pub mod image2text;
pub mod kernels;
pub mod model;
pub mod nn;
pub mod options;
#[cfg(paints)]
pub mod paint;
#[cfg(looks)]
pub mod paraphrase;
mod platform;
#[cfg(native)]
pub mod plot;
#[cfg(looks)]
pub mod rank;
pub mod sentence;
pub mod systems;
pub mod text2image;
pub mod text2text;
#[cfg(native)]
pub mod train;
#[cfg(target_family = "wasm")]
pub mod web;
#[cfg(all(target_family = "wasm", feature = "webgpu"))]
mod web_gpu;
