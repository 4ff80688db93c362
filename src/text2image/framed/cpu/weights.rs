//! The weights as the fused passes multiply them: everything that one state is multiplied with side by side.

use super::super::FramedConfig;
use super::values::FramedValues;
use crate::kernels::columns::{Columns, copy_columns, layout, take_columns};
use crate::kernels::matmul::{Mat, matmul, transpose};
use crate::kernels::window::RAW;

/// What the decoder state is multiplied with [D, width].
#[derive(Clone, Copy, Debug)]
pub struct DecoderLayout {
    /// Gates of the inference LSTM, for the word's next step.
    pub inference: Columns,
    /// Raw read window, for the word's next step.
    pub read: Columns,
    /// Gates of the generative LSTM, for the word's next step.
    pub generative: Columns,
    /// Prior of the word's next step.
    pub prior: Columns,
    /// Raw write window of this step.
    pub write: Columns,
    /// Patch of this step.
    pub patch: Columns,
    /// First column that painting needs: the ones before serve the posterior alone.
    pub painting: usize,
    /// All columns.
    pub width: usize,
}

/// What the encoder state is multiplied with [E, width].
#[derive(Clone, Copy, Debug)]
pub struct EncoderLayout {
    /// Gates of the inference LSTM, for the word's next step.
    pub recurrent: Columns,
    /// Posterior: mean, then twice the log standard deviation.
    pub posterior: Columns,
    /// All columns.
    pub width: usize,
}

/// The weights, packed.
#[derive(Clone, Debug)]
pub struct Weights {
    /// The sizes.
    pub config: FramedConfig,
    /// The tensors by name.
    pub values: FramedValues,
    /// Columns of [`Self::decoder`].
    pub decoder_layout: DecoderLayout,
    /// Columns of [`Self::encoder`].
    pub encoder_layout: EncoderLayout,
    /// The decoder state's products [D, width].
    pub decoder: Vec<f32>,
    /// The encoder state's products [E, width].
    pub encoder: Vec<f32>,
    /// Word → gates of the caption's LSTMs, from left to right and from right to left, each [V, 4L].
    pub word_gates: [Vec<f32>; 2],
}

impl Weights {
    /// Packs the tensors.
    pub fn new(config: &FramedConfig, values: FramedValues) -> Self {
        let (e, d, z) = (config.encoder_size, config.decoder_size, config.latent_size);
        let ([inference, read, generative, prior, write, patch], width) =
            layout([4 * e, RAW, 4 * d, 2 * z, RAW, config.patch_len()]);
        let painting = generative.start;
        let decoder_layout =
            DecoderLayout { inference, read, generative, prior, write, patch, painting, width };
        let ([recurrent, posterior], width) = layout([4 * e, 2 * z]);
        let encoder_layout = EncoderLayout { recurrent, posterior, width };
        let mut decoder = vec![0.0; d * decoder_layout.width];
        for (columns, matrix) in [
            (inference, &values.inference_input[config.of_decoder().start * 4 * e..]),
            (read, &values.read_window),
            (generative, &values.generative_input[z * 4 * d..]),
            (prior, &values.prior),
            (write, &values.write_window),
            (patch, &values.write_patch),
        ] {
            copy_columns(&mut decoder, decoder_layout.width, columns, matrix);
        }
        let mut encoder = vec![0.0; e * encoder_layout.width];
        let of_encoder = &values.inference_input[config.of_decoder().end * 4 * e..];
        copy_columns(&mut encoder, encoder_layout.width, recurrent, of_encoder);
        copy_columns(&mut encoder, encoder_layout.width, posterior, &values.posterior);
        let word_gates = [&values.caption_forward_input, &values.caption_backward_input].map(|input| {
            let (v, l) = (config.vocabulary_size, 4 * config.word_size);
            let mut gates = vec![0.0; v * l];
            let embedding = Mat::new(&values.word_embedding, v, config.embedding_size);
            matmul(&mut gates, l, false, embedding, Mat::new(input, config.embedding_size, l));
            gates
        });
        Self { config: config.clone(), values, decoder_layout, encoder_layout, decoder, encoder, word_gates }
    }

    /// Writes the gradients of the packed matrices into those of the tensors.
    pub fn unpack(&self, d_decoder: &[f32], d_encoder: &[f32], gradients: &mut FramedValues) {
        let (decoder, encoder, config) = (&self.decoder_layout, &self.encoder_layout, &self.config);
        let (e, d) = (config.encoder_size, config.decoder_size);
        let of_decoder = config.of_decoder();
        let input = &mut gradients.inference_input[of_decoder.start * 4 * e..];
        let (of_decoder, of_encoder) = input.split_at_mut(of_decoder.len() * 4 * e);
        for (columns, matrix) in [
            (decoder.inference, of_decoder),
            (decoder.read, &mut gradients.read_window),
            (decoder.generative, &mut gradients.generative_input[config.latent_size * 4 * d..]),
            (decoder.prior, &mut gradients.prior),
            (decoder.write, &mut gradients.write_window),
            (decoder.patch, &mut gradients.write_patch),
        ] {
            take_columns(d_decoder, decoder.width, columns, matrix);
        }
        take_columns(d_encoder, encoder.width, encoder.recurrent, of_encoder);
        take_columns(d_encoder, encoder.width, encoder.posterior, &mut gradients.posterior);
    }
}

impl FramedConfig {
    /// The rows of the inference LSTM's input that the decoder state is multiplied with: after those of the glimpse,
    /// before those of the encoder's own state.
    pub(super) fn of_decoder(&self) -> std::ops::Range<usize> {
        self.glimpse_len()..self.glimpse_len() + self.decoder_size
    }
}

/// What the backward pass multiplies by in every step, transposed once for a batch: the packed product takes rows as they
/// lie in memory several times faster than columns.
pub struct Transposed {
    decoder: Vec<f32>,
    encoder: Vec<f32>,
    latent: Vec<f32>,
    glimpse: Vec<f32>,
    sizes: [usize; 4],
}

impl Transposed {
    /// Transposes them.
    pub fn of(weights: &Weights) -> Self {
        let (config, values) = (&weights.config, &weights.values);
        let (e, d, z) = (config.encoder_size, config.decoder_size, config.latent_size);
        let glimpse = config.glimpse_len();
        Self {
            decoder: transpose(&weights.decoder, d),
            encoder: transpose(&weights.encoder, e),
            latent: transpose(&values.generative_input[..z * 4 * d], z),
            glimpse: transpose(&values.inference_input[..glimpse * 4 * e], glimpse),
            sizes: [d, e, z, glimpse],
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

    /// Of the latents [4D, Z].
    pub fn latent(&self) -> Mat<'_> {
        Mat::of_rows(&self.latent, self.sizes[2])
    }

    /// Of the glimpses [4E, glimpse].
    pub fn glimpse(&self) -> Mat<'_> {
        Mat::of_rows(&self.glimpse, self.sizes[3])
    }
}
