//! What a drawing remembers of every step: enough to show it, to go on from any step, and to run
//! the backward pass.

use super::super::config::{Conditioning, WriteMode};
use super::weights::Weights;
use crate::kernels::steps::{StepBuffer, fill_rows};

/// Which half of the model runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Latents come from the prior: painting.
    Prior,
    /// Latents come from the posterior, which sees the image: training.
    Posterior,
    /// The same for the bound alone: what no later step needs is overwritten, so that a batch's memory stays in
    /// the processor's cache.
    Bound,
}

/// The record of a batch of drawings. Values "after step t" stand at index t, the initial ones at
/// 0; values "of step t" (1-based in the paper) at t − 1. In [`Mode::Bound`] only noise, latents and their
/// distributions are kept of all steps.
#[derive(Default)]
pub struct Tape {
    /// Images in the batch.
    pub batch: usize,
    /// Steps of a drawing.
    pub num_steps: usize,
    /// Canvas logits after each step [step + 1, batch, CHW].
    pub canvas: StepBuffer,
    /// Images σ(canvas) after each step [step + 1, batch, CHW].
    pub image: StepBuffer,
    /// Decoder states after each step [step + 1, batch, D].
    pub decoder_hidden: StepBuffer,
    /// Decoder cells after each step [step + 1, batch, D].
    pub decoder_cell: StepBuffer,
    /// The decoder state's products after each step [step + 1, batch, width].
    pub products: StepBuffer,
    /// Prior, after tanh, for the next step [step + 1, batch, 2Z]; zeros where it is N(0, I).
    pub prior: StepBuffer,
    /// Alignment of each step [step, batch, word]; empty without attention.
    pub alignment: StepBuffer,
    /// tanh of the alignment [step, batch, word · align].
    pub activations: StepBuffer,
    /// Gate activations of the generative LSTM [step, batch, 4D].
    pub generative_gates: StepBuffer,
    /// Latents [step, batch, Z].
    pub latent: StepBuffer,
    /// Noise [step, batch, Z].
    pub noise: StepBuffer,
    /// Raw write windows [step, batch, 5].
    pub write_raw: StepBuffer,
    /// Write filter banks [step, batch, bank].
    pub write_banks: StepBuffer,
    /// Patches [step, batch, planes · N²].
    pub patch: StepBuffer,
    /// Transmittance: the share of the canvas beneath that a composited write keeps, [step, batch, height · width]; else empty.
    pub kept: StepBuffer,

    /// Encoder states after each step [step + 1, batch, E].
    pub encoder_hidden: StepBuffer,
    /// Encoder cells after each step [step + 1, batch, E].
    pub encoder_cell: StepBuffer,
    /// The encoder state's products after each step [step + 1, batch, width].
    pub encoder_products: StepBuffer,
    /// Gate activations of the inference LSTM [step, batch, 4E].
    pub inference_gates: StepBuffer,
    /// Posterior means [step, batch, Z].
    pub posterior_mean: StepBuffer,
    /// Posterior log standard deviations [step, batch, Z].
    pub posterior_log_std: StepBuffer,
    /// Raw read windows [step, batch, 5].
    pub read_raw: StepBuffer,
    /// Read filter banks [step, batch, bank].
    pub read_banks: StepBuffer,
    /// Glimpses with intensity [step, batch, 2CN²].
    pub glimpse: StepBuffer,
    /// `F_y · image`, then `F_y · canvas image` of the read, [step, batch, 2C · N · width].
    pub read_rows: StepBuffer,
    /// KL of each step and image, nats [step, batch].
    pub kl: Vec<f64>,
}

impl Tape {
    /// Makes room and writes the learned initial states; what a mode does not need stays empty.
    pub fn begin(&mut self, weights: &Weights, mode: Mode, batch: usize, words: usize, num_steps: usize) {
        let c = &weights.config;
        self.batch = batch;
        self.num_steps = num_steps;
        let all = |steps: &mut StepBuffer, len: usize| steps.resize(num_steps + 1, batch * len);
        all(&mut self.prior, 2 * c.latent_size);
        all(&mut self.latent, c.latent_size);
        all(&mut self.noise, c.latent_size);
        let (last, of_step) = if mode == Mode::Bound { (2, 1) } else { (num_steps + 1, num_steps) };
        let after = |steps: &mut StepBuffer, len: usize| steps.resize(last, batch * len);
        if mode == Mode::Bound {
            // Canvases are changed in place, each shown to the next step alone.
            self.canvas.resize(1, batch * c.image_len());
            self.image.resize(1, c.image_len());
        } else {
            after(&mut self.canvas, c.image_len());
            after(&mut self.image, c.image_len());
        }
        after(&mut self.decoder_hidden, c.decoder_size);
        after(&mut self.decoder_cell, c.decoder_size);
        after(&mut self.products, weights.decoder_layout.width);
        let of = |steps: &mut StepBuffer, len: usize| steps.resize(of_step, batch * len);
        let words = if c.conditioning == Conditioning::Attention { words } else { 0 };
        of(&mut self.alignment, words);
        of(&mut self.activations, words * c.align_size);
        of(&mut self.generative_gates, 4 * c.decoder_size);
        of(&mut self.write_raw, 5);
        of(&mut self.write_banks, c.write_geometry(0).bank_len());
        of(&mut self.patch, c.patch_len());
        let covered = if c.write_mode == WriteMode::Composite { c.height * c.width } else { 0 };
        of(&mut self.kept, covered);
        fill_rows(self.canvas.at_mut(0), &weights.host.initial_canvas);
        fill_rows(self.decoder_hidden.at_mut(0), &weights.host.generative_initial_hidden);
        self.decoder_cell.at_mut(0).fill(0.0);
        if mode == Mode::Prior {
            return;
        }
        after(&mut self.encoder_hidden, c.encoder_size);
        after(&mut self.encoder_cell, c.encoder_size);
        after(&mut self.encoder_products, weights.encoder_layout.width);
        of(&mut self.inference_gates, 4 * c.encoder_size);
        of(&mut self.posterior_mean, c.latent_size);
        all(&mut self.posterior_log_std, c.latent_size);
        of(&mut self.read_raw, 5);
        of(&mut self.read_banks, c.read_geometry().bank_len());
        of(&mut self.glimpse, c.glimpse_len());
        of(&mut self.read_rows, 2 * c.channels * c.read_size * c.width);
        self.kl.clear();
        self.kl.resize(num_steps * batch, 0.0);
        fill_rows(self.encoder_hidden.at_mut(0), &weights.host.inference_initial_hidden);
        self.encoder_cell.at_mut(0).fill(0.0);
    }
}

impl Tape {
    /// Goes on from where picture `picture` of another tape stood after `step` steps of painting.
    pub fn branch(&mut self, from: &Self, picture: usize, step: usize) {
        let take = |to: &mut StepBuffer, steps: &StepBuffer| to.take(step, steps, picture, from.batch);
        take(&mut self.canvas, &from.canvas);
        take(&mut self.image, &from.image);
        take(&mut self.decoder_hidden, &from.decoder_hidden);
        take(&mut self.decoder_cell, &from.decoder_cell);
        take(&mut self.products, &from.products);
        take(&mut self.prior, &from.prior);
    }
}
