//! What a drawing remembers of every step: enough to show it, to go on from any step, and to run
//! the backward pass.

use super::super::config::Writing;
use super::weights::Weights;

/// Which half of the model runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Latents come from the prior: painting.
    Prior,
    /// Latents come from the posterior, which sees the image: training and the bound.
    Posterior,
}

/// A value for each step and image, `[step, batch, len]`.
#[derive(Default)]
pub struct Steps {
    data: Vec<f32>,
    len: usize,
}

impl Steps {
    fn resize(&mut self, steps: usize, len: usize) {
        self.len = len;
        self.data.resize(steps * len, 0.0);
    }

    /// The batch at a step.
    pub fn at(&self, step: usize) -> &[f32] {
        &self.data[step * self.len..(step + 1) * self.len]
    }

    /// The batch at a step, to write.
    pub fn at_mut(&mut self, step: usize) -> &mut [f32] {
        &mut self.data[step * self.len..(step + 1) * self.len]
    }

    /// The batch at a step to read and at the next one to write.
    pub fn pair(&mut self, step: usize) -> (&[f32], &mut [f32]) {
        let (before, after) = self.data.split_at_mut((step + 1) * self.len);
        (&before[step * self.len..], &mut after[..self.len])
    }

    /// Takes row `row` of `from`, batch `rows`, at a step.
    fn take(&mut self, step: usize, from: &Self, row: usize, rows: usize) {
        let len = from.len / rows;
        self.at_mut(step).copy_from_slice(&from.at(step)[row * len..][..len]);
    }

    /// All steps from the first, as one slice.
    pub fn first(&self, steps: usize) -> &[f32] {
        &self.data[..steps * self.len]
    }
}

/// The record of a batch of drawings. Values "after step t" stand at index t, the initial ones at
/// 0; values "of step t" (1-based in the paper) at t − 1.
#[derive(Default)]
pub struct Tape {
    /// Images in the batch.
    pub batch: usize,
    /// Steps that there is room for.
    pub num_steps: usize,
    /// Canvas logits after each step [step + 1, batch, CHW].
    pub canvas: Steps,
    /// Images σ(canvas) after each step [step + 1, batch, CHW].
    pub image: Steps,
    /// Decoder states after each step [step + 1, batch, D].
    pub decoder_hidden: Steps,
    /// Decoder cells after each step [step + 1, batch, D].
    pub decoder_cell: Steps,
    /// The decoder state's products after each step [step + 1, batch, width].
    pub products: Steps,
    /// Prior, after tanh, for the next step [step + 1, batch, 2Z].
    pub prior: Steps,
    /// Alignment of each step [step, batch, word].
    pub alignment: Steps,
    /// tanh of the alignment [step, batch, word · align].
    pub activations: Steps,
    /// Gate activations of the generative LSTM [step, batch, 4D].
    pub generative_gates: Steps,
    /// Latents [step, batch, Z].
    pub latent: Steps,
    /// Noise [step, batch, Z].
    pub noise: Steps,
    /// Raw write windows [step, batch, 5].
    pub write_raw: Steps,
    /// Write filter banks [step, batch, bank].
    pub write_banks: Steps,
    /// Patches [step, batch, planes · N²].
    pub patch: Steps,
    /// What a covering write leaves of the canvas beneath, [step, batch, height · width]; else empty.
    pub kept: Steps,

    /// Encoder states after each step [step + 1, batch, E].
    pub encoder_hidden: Steps,
    /// Encoder cells after each step [step + 1, batch, E].
    pub encoder_cell: Steps,
    /// The encoder state's products after each step [step + 1, batch, width].
    pub encoder_products: Steps,
    /// Gate activations of the inference LSTM [step, batch, 4E].
    pub inference_gates: Steps,
    /// Posterior means [step, batch, Z].
    pub posterior_mean: Steps,
    /// Posterior log standard deviations [step, batch, Z].
    pub posterior_log_std: Steps,
    /// Raw read windows [step, batch, 5].
    pub read_raw: Steps,
    /// Read filter banks [step, batch, bank].
    pub read_banks: Steps,
    /// Glimpses with intensity [step, batch, 2CN²].
    pub glimpse: Steps,
    /// `F_y · image` and `F_y · canvas image` of the read, [step, batch, 2C · N · width].
    pub read_rows: Steps,
    /// KL of each step and image, nats [step, batch].
    pub kl: Vec<f64>,
}

impl Tape {
    /// Makes room and writes the learned initial states; what a mode does not need stays empty.
    pub fn begin(&mut self, weights: &Weights, mode: Mode, batch: usize, words: usize, num_steps: usize) {
        let c = &weights.config;
        self.batch = batch;
        self.num_steps = num_steps;
        let after = |steps: &mut Steps, len: usize| steps.resize(num_steps + 1, batch * len);
        after(&mut self.canvas, c.image_len());
        after(&mut self.image, c.image_len());
        after(&mut self.decoder_hidden, c.decoder_size);
        after(&mut self.decoder_cell, c.decoder_size);
        after(&mut self.products, weights.decoder_layout.width);
        after(&mut self.prior, 2 * c.latent_size);
        let of = |steps: &mut Steps, len: usize| steps.resize(num_steps, batch * len);
        of(&mut self.alignment, words);
        of(&mut self.activations, words * c.align_size);
        of(&mut self.generative_gates, 4 * c.decoder_size);
        of(&mut self.latent, c.latent_size);
        of(&mut self.noise, c.latent_size);
        of(&mut self.write_raw, 5);
        of(&mut self.write_banks, c.write_geometry(0).bank_len());
        of(&mut self.patch, c.patch_len());
        let covered = if c.writing == Writing::Cover { c.height * c.width } else { 0 };
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
        of(&mut self.posterior_log_std, c.latent_size);
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
        let take = |to: &mut Steps, steps: &Steps| to.take(step, steps, picture, from.batch);
        take(&mut self.canvas, &from.canvas);
        take(&mut self.image, &from.image);
        take(&mut self.decoder_hidden, &from.decoder_hidden);
        take(&mut self.decoder_cell, &from.decoder_cell);
        take(&mut self.products, &from.products);
        take(&mut self.prior, &from.prior);
    }
}

/// Repeats `row` over a batch.
pub fn fill_rows(batch: &mut [f32], row: &[f32]) {
    for out in batch.chunks_exact_mut(row.len()) {
        out.copy_from_slice(row);
    }
}
