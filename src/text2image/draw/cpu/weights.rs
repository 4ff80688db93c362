//! The weights as the CPU path multiplies them: everything that one vector is multiplied with stands
//! side by side in one matrix, so that a step is four products instead of twelve.

use super::super::config::DrawConfig;
use super::super::parameters::ParameterValues;
use crate::kernels::{
    bf16_matrix::Bf16Matrix,
    columns::{Columns, copy_columns, layout, take_columns},
    matmul::Mat,
    window::RAW,
};

/// What the decoder state is multiplied with: `[D, width]`.
#[derive(Clone, Copy, Debug)]
pub struct DecoderLayout {
    /// Gates of the inference LSTM (its input half), for the next step.
    pub inference: Columns,
    /// Query of the alignment, for the next step; none without attention.
    pub query: Columns,
    /// Gates of the generative LSTM, for the next step.
    pub generative: Columns,
    /// Raw read window, for the next step.
    pub read: Columns,
    /// Prior of the next step; none where it is N(0, I).
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

/// What the encoder state is multiplied with: `[E, width]`.
#[derive(Clone, Copy, Debug)]
pub struct EncoderLayout {
    /// Gates of the inference LSTM, for the next step.
    pub recurrent: Columns,
    /// Posterior mean.
    pub mean: Columns,
    /// Twice the posterior's log standard deviation.
    pub log_std: Columns,
    /// All columns.
    pub width: usize,
}

/// The model's weights, packed.
#[derive(Clone, Debug)]
pub struct Weights {
    /// The sizes.
    pub config: DrawConfig,
    /// The tensors by name; after [`Weights::for_painting`] without those that are packed or unused.
    pub host: ParameterValues,
    /// Columns of [`Self::decoder`].
    pub decoder_layout: DecoderLayout,
    /// Columns of [`Self::encoder`].
    pub encoder_layout: EncoderLayout,
    /// The decoder state's products [D, width].
    pub decoder: Vec<f32>,
    /// The encoder state's products [E, width].
    pub encoder: Vec<f32>,
    /// What painting multiplies with at every step, in half the bytes; none in training.
    pub painting: Option<PaintingWeights>,
}

/// The weights that every step of painting reads, as bfloat16.
#[derive(Clone, Debug)]
pub struct PaintingWeights {
    /// The painting columns of [`Weights::decoder`].
    pub decoder: Bf16Matrix,
    /// Latent → gates of the generative LSTM.
    pub latent: Bf16Matrix,
}

impl Weights {
    /// Packs the tensors.
    pub fn new(config: &DrawConfig, host: ParameterValues) -> Self {
        let (e, d, z) = (config.encoder_size, config.decoder_size, config.latent_size);
        let ([inference, read, query, generative, prior, write, patch], width) = layout([
            4 * e,
            RAW,
            config.alignment_size(),
            4 * d,
            2 * config.prior_size(),
            RAW,
            config.patch_len(),
        ]);
        let painting = query.start;
        let decoder_layout =
            DecoderLayout { inference, query, generative, read, prior, write, patch, painting, width };
        let ([recurrent, mean, log_std], width) = layout([4 * e, z, z]);
        let encoder_layout = EncoderLayout { recurrent, mean, log_std, width };

        let mut weights = Self {
            config: config.clone(),
            decoder: vec![0.0; d * decoder_layout.width],
            encoder: vec![0.0; e * encoder_layout.width],
            host,
            decoder_layout,
            encoder_layout,
            painting: None,
        };
        let Self { host, decoder, encoder, .. } = &mut weights;
        let glimpse = config.glimpse_len() * 4 * e;
        for (columns, matrix) in decoder_parts(&decoder_layout, host, glimpse) {
            copy_columns(decoder, decoder_layout.width, columns, matrix);
        }
        for (columns, matrix) in encoder_parts(&encoder_layout, host) {
            copy_columns(encoder, encoder_layout.width, columns, matrix);
        }
        weights
    }

    /// Packs the tensors for painting a few pictures at a time: what every step multiplies with as
    /// bfloat16, where that loses nothing, and then nothing that only training needs.
    pub fn for_painting(config: &DrawConfig, host: ParameterValues) -> Self {
        let mut weights = Self::new(config, host);
        let layout = &weights.decoder_layout;
        let painting = layout.width - layout.painting;
        let columns = &weights.decoder[layout.painting..];
        let decoder = Bf16Matrix::new(Mat::strided(columns, config.decoder_size, painting, layout.width));
        let latent = &weights.host.generative_latent;
        let latent = Bf16Matrix::new(Mat::new(latent, config.latent_size, 4 * config.decoder_size));
        let (Some(decoder), Some(latent)) = (decoder, latent) else { return weights };
        weights.painting = Some(PaintingWeights { decoder, latent });
        let Self { host, decoder, encoder, .. } = &mut weights;
        let packed = [
            decoder,
            encoder,
            &mut host.generative_latent,
            &mut host.generative_recurrent,
            &mut host.align_query,
            &mut host.prior,
            &mut host.write_window,
            &mut host.write_patch,
            &mut host.read_window,
            &mut host.inference_input,
            &mut host.inference_recurrent,
            &mut host.posterior_mean,
            &mut host.posterior_log_std,
        ];
        packed.into_iter().for_each(|tensor| *tensor = Vec::new());
        weights
    }

    /// Undoes the packing for gradients: writes the packed matrices' gradients into `host`.
    pub fn unpack(&self, d_decoder: &[f32], d_encoder: &[f32], host: &mut ParameterValues) {
        let (decoder, encoder) = (&self.decoder_layout, &self.encoder_layout);
        let glimpse = self.config.glimpse_len() * 4 * self.config.encoder_size;
        let ParameterValues {
            inference_input,
            inference_recurrent,
            align_query,
            generative_recurrent,
            read_window,
            prior,
            write_window,
            write_patch,
            posterior_mean,
            posterior_log_std,
            ..
        } = host;
        let parts: [(Columns, &mut [f32]); 7] = [
            (decoder.inference, &mut inference_input[glimpse..]),
            (decoder.query, align_query),
            (decoder.generative, generative_recurrent),
            (decoder.read, read_window),
            (decoder.prior, prior),
            (decoder.write, write_window),
            (decoder.patch, write_patch),
        ];
        for (columns, matrix) in parts {
            take_columns(d_decoder, decoder.width, columns, matrix);
        }
        let parts: [(Columns, &mut [f32]); 3] = [
            (encoder.recurrent, inference_recurrent),
            (encoder.mean, posterior_mean),
            (encoder.log_std, posterior_log_std),
        ];
        for (columns, matrix) in parts {
            take_columns(d_encoder, encoder.width, columns, matrix);
        }
    }
}

fn decoder_parts<'a>(
    layout: &DecoderLayout,
    host: &'a ParameterValues,
    glimpse: usize,
) -> [(Columns, &'a [f32]); 7] {
    [
        (layout.inference, &host.inference_input[glimpse..]),
        (layout.query, &host.align_query),
        (layout.generative, &host.generative_recurrent),
        (layout.read, &host.read_window),
        (layout.prior, &host.prior),
        (layout.write, &host.write_window),
        (layout.patch, &host.write_patch),
    ]
}

fn encoder_parts<'a>(layout: &EncoderLayout, host: &'a ParameterValues) -> [(Columns, &'a [f32]); 3] {
    [
        (layout.recurrent, &host.inference_recurrent),
        (layout.mean, &host.posterior_mean),
        (layout.log_std, &host.posterior_log_std),
    ]
}
