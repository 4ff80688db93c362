//! The weights of the loop transposed, for the backward pass.

use super::weights::Weights;
use crate::kernels::matmul::{Mat, transpose};

/// What the backward pass multiplies by in every step. The packed product takes rows as they lie in
/// memory several times faster than columns.
pub struct Transposed {
    decoder: Vec<f32>,
    encoder: Vec<f32>,
    generative_latent: Vec<f32>,
    inference_input: Vec<f32>,
    sizes: [usize; 4],
}

impl Transposed {
    /// Transposes them, once for a batch.
    pub fn of(weights: &Weights) -> Self {
        let (config, host) = (&weights.config, &weights.host);
        let sizes = [config.decoder_size, config.encoder_size, config.latent_size, config.glimpse_len()];
        Self {
            decoder: transpose(&weights.decoder, sizes[0]),
            encoder: transpose(&weights.encoder, sizes[1]),
            generative_latent: transpose(&host.generative_latent, sizes[2]),
            inference_input: transpose(&host.inference_input[..sizes[3] * 4 * config.encoder_size], sizes[3]),
            sizes,
        }
    }

    /// Of what reads the generative LSTM's state [width, D].
    pub fn decoder(&self) -> Mat<'_> {
        Mat::of_rows(&self.decoder, self.sizes[0])
    }

    /// Of what reads the inference LSTM's state [width, E].
    pub fn encoder(&self) -> Mat<'_> {
        Mat::of_rows(&self.encoder, self.sizes[1])
    }

    /// Of the latent variables [4D, Z].
    pub fn generative_latent(&self) -> Mat<'_> {
        Mat::of_rows(&self.generative_latent, self.sizes[2])
    }

    /// Of the glimpses [4E, glimpse].
    pub fn inference_input(&self) -> Mat<'_> {
        Mat::of_rows(&self.inference_input, self.sizes[3])
    }
}
