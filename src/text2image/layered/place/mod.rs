//! Places, in codes: the canvas is cut into small squares, each drawn as one of a codebook's.
//!
//! Strokes of a few cells leave a place soft, and latents of a few steps cannot say where each blade of grass, star or
//! window lies. Squares of a codebook are as sharp as the pictures that it was fitted to (VQ-VAE, van den Oord,
//! Vinyals & Kavukcuoglu 2017; here by k-means, without an encoder), and which of them stand beside each other is
//! said by an autoregressive prior (PixelCNN, van den Oord et al. 2016) that hears what the place is said to be.

mod bound;
mod codebook;
mod config;
mod drawing;
mod prior;

pub use bound::{PLACE, PLACE_STREAM};
pub use codebook::{Codebook, fit};
pub use config::CodesConfig;
pub use drawing::{Grid, quantiles};
pub use prior::{Prior, Seen};

use burn::module::Module;
use burn::tensor::{Int, Tensor};

use crate::nn::start::Start;

/// Root mean square error of a square's colours up to which a code explains it.
const EXPLAINED: f32 = 0.05;

/// The weights that draw places.
#[derive(Module, Debug)]
pub struct PlaceCodes {
    /// The squares.
    pub codebook: Codebook,
    /// Which of them where.
    pub prior: Prior,
}

/// The codes of pictures, as far as they are known.
pub struct Known {
    /// [picture · row · column].
    pub codes: Tensor<1, Int>,
    /// 1 where the code explains the picture, 0 where something covers the place [picture · row · column].
    pub explained: Tensor<1>,
}

impl PlaceCodes {
    /// Fresh weights; the codebook is black until it is fitted.
    pub fn fresh(config: &CodesConfig, cells: [usize; 2], said: usize, start: &mut Start) -> Self {
        Self { codebook: Codebook::black(config, start), prior: Prior::fresh(config, cells, said, start) }
    }

    /// The nearest codes of pictures [picture, 3, height, width].
    pub fn known(&self, config: &CodesConfig, images: &Tensor<4>) -> Known {
        let (codes, errors) = self.codebook.nearest(config, images);
        let explained = errors.lower_elem(EXPLAINED * EXPLAINED).float();
        Known { codes, explained }
    }
}
