//! What a drawing remembers of every step: enough to show it, to go on from any step, and to run the backward pass.

use super::super::Slots;
use super::weights::Weights;
use crate::kernels::steps::{StepBuffer, fill_rows};
use crate::kernels::window::RAW;

/// Raw numbers of a step's window: a frame's, then a stroke's.
pub const WINDOW: usize = super::frames::FRAME + RAW;

/// The record of a batch of drawings. Values "after step t" stand at index t, the initial ones at 0; values "of step t"
/// (1-based in the paper) at t − 1. A word's state at a step is that after the last step that drew it, [`Self::before`].
#[derive(Default)]
pub struct Tape {
    /// Images in the batch.
    pub batch: usize,
    /// Steps of a drawing.
    pub num_steps: usize,
    /// The words that each draws.
    pub slots: Slots,
    /// Ids of these words [batch, slot].
    pub ids: Vec<usize>,
    /// Which of them each step draws [step, batch].
    pub drawn: Vec<usize>,
    /// After which step that word's state stands, 0 for the initial one [step, batch].
    pub before: Vec<usize>,
    /// Canvas logits after each step [step + 1, batch, CHW].
    pub canvas: StepBuffer,
    /// Images σ(canvas) after each step [step + 1, batch, CHW].
    pub image: StepBuffer,
    /// Decoder states after each step [step + 1, batch, D].
    pub decoder_hidden: StepBuffer,
    /// Decoder cells after each step [step + 1, batch, D].
    pub decoder_cell: StepBuffer,
    /// Decoder cells that a step goes on from [step, batch, D].
    pub decoder_cell_before: StepBuffer,
    /// The decoder state's products after each step [step + 1, batch, width].
    pub products: StepBuffer,
    /// Prior of each step, after tanh [step, batch, 2Z].
    pub prior: StepBuffer,
    /// Gate activations of the generative LSTM [step, batch, 4D].
    pub generative_gates: StepBuffer,
    /// Latents [step, batch, Z].
    pub latent: StepBuffer,
    /// Noise [step, batch, Z].
    pub noise: StepBuffer,
    /// Raw write windows [step, batch, 3 + 5].
    pub write_raw: StepBuffer,
    /// Write filter banks [step, batch, bank].
    pub write_banks: StepBuffer,
    /// Patches [step, batch, CN²].
    pub patch: StepBuffer,

    /// Encoder states after each step [step + 1, batch, E].
    pub encoder_hidden: StepBuffer,
    /// Encoder cells after each step [step + 1, batch, E].
    pub encoder_cell: StepBuffer,
    /// Encoder cells that a step goes on from [step, batch, E].
    pub encoder_cell_before: StepBuffer,
    /// The encoder state's products after each step [step + 1, batch, width].
    pub encoder_products: StepBuffer,
    /// Gate activations of the inference LSTM [step, batch, 4E].
    pub inference_gates: StepBuffer,
    /// Posterior mean, then its log standard deviation [step, batch, 2Z].
    pub posterior: StepBuffer,
    /// Raw read windows [step, batch, 3 + 5].
    pub read_raw: StepBuffer,
    /// Read filter banks [step, batch, bank].
    pub read_banks: StepBuffer,
    /// Glimpses with intensity [step, batch, 2CN²].
    pub glimpse: StepBuffer,
    /// `F_y · image`, then `F_y · canvas image` of the read [step, batch, 2C · N · width].
    pub read_rows: StepBuffer,
    /// KL of each image, all steps together, nats [batch].
    pub kl: Vec<f64>,
}

impl Tape {
    /// Makes room and writes the learned initial states; what painting does not need stays empty.
    pub fn begin(&mut self, weights: &Weights, slots: &Slots, ids: Vec<usize>, paints: bool) {
        let (c, values) = (&weights.config, &weights.values);
        let (batch, steps) = (slots.positions.len(), c.num_steps);
        (self.batch, self.num_steps, self.slots, self.ids) = (batch, steps, slots.clone(), ids);
        self.drawn.clear();
        self.before.clear();
        let len = c.channels * c.height * c.width;
        let after = |buffer: &mut StepBuffer, len: usize| buffer.resize(steps + 1, batch * len);
        let of = |buffer: &mut StepBuffer, len: usize| buffer.resize(steps, batch * len);
        after(&mut self.canvas, len);
        after(&mut self.image, len);
        after(&mut self.decoder_hidden, c.decoder_size);
        after(&mut self.decoder_cell, c.decoder_size);
        after(&mut self.products, weights.decoder_layout.width);
        of(&mut self.decoder_cell_before, c.decoder_size);
        of(&mut self.prior, 2 * c.latent_size);
        of(&mut self.generative_gates, 4 * c.decoder_size);
        of(&mut self.latent, c.latent_size);
        of(&mut self.noise, c.latent_size);
        of(&mut self.write_raw, WINDOW);
        of(&mut self.write_banks, c.geometry(c.write_size).bank_len());
        of(&mut self.patch, c.patch_len());
        fill_rows(self.canvas.at_mut(0), &values.initial_canvas);
        fill_rows(self.decoder_hidden.at_mut(0), &values.generative_initial_hidden);
        self.decoder_cell.at_mut(0).fill(0.0);
        if paints {
            return;
        }
        after(&mut self.encoder_hidden, c.encoder_size);
        after(&mut self.encoder_cell, c.encoder_size);
        after(&mut self.encoder_products, weights.encoder_layout.width);
        of(&mut self.encoder_cell_before, c.encoder_size);
        of(&mut self.inference_gates, 4 * c.encoder_size);
        of(&mut self.posterior, 2 * c.latent_size);
        of(&mut self.read_raw, WINDOW);
        of(&mut self.read_banks, c.geometry(c.read_size).bank_len());
        of(&mut self.glimpse, c.glimpse_len());
        of(&mut self.read_rows, 2 * c.channels * c.read_size * c.width);
        self.kl.clear();
        self.kl.resize(batch, 0.0);
        fill_rows(self.encoder_hidden.at_mut(0), &values.inference_initial_hidden);
        self.encoder_cell.at_mut(0).fill(0.0);
    }

    /// Writes noise [batch, step, Z] where the steps look for it.
    pub fn take_noise(&mut self, noise: &[f32]) {
        let z = noise.len() / (self.batch * self.num_steps);
        for (at, noise) in noise.chunks_exact(z).enumerate() {
            let (b, t) = (at / self.num_steps, at % self.num_steps);
            self.noise.at_mut(t)[b * z..][..z].copy_from_slice(noise);
        }
    }

    /// Notes which word each picture draws in the next step [batch], and where its state stands.
    pub fn draw_words(&mut self, words: Vec<usize>) {
        let t = self.drawn.len() / self.batch;
        let before: Vec<usize> = (0..self.batch).map(|b| self.state(t, b, words[b])).collect();
        self.before.extend(before);
        self.drawn.extend(words);
    }

    /// After which step the state of a word of picture `b` stands before step `t`; 0 for the initial one.
    pub fn state(&self, t: usize, b: usize, slot: usize) -> usize {
        let last = (0..t).rev().find(|step| self.drawn[step * self.batch + b] == slot);
        last.map_or(0, |step| step + 1)
    }

    /// Of picture `b` at step `t`: the word's place among batch · slot, its id, and after which step its state stands.
    pub fn word(&self, t: usize, b: usize) -> (usize, usize, usize) {
        let at = t * self.batch + b;
        let slot = b * (self.ids.len() / self.batch) + self.drawn[at];
        (slot, self.ids[slot], self.before[at])
    }

    /// Goes on from where picture `picture` of another tape stood after `step` steps of painting.
    pub fn branch(&mut self, from: &Self, picture: usize, step: usize) {
        let take = |to: &mut StepBuffer, of: &StepBuffer| {
            (0..=step).for_each(|at| to.take(at, of, picture, from.batch));
        };
        take(&mut self.canvas, &from.canvas);
        take(&mut self.image, &from.image);
        take(&mut self.decoder_hidden, &from.decoder_hidden);
        take(&mut self.decoder_cell, &from.decoder_cell);
        take(&mut self.products, &from.products);
        let of = |all: &[usize]| all.iter().skip(picture).step_by(from.batch).take(step).copied().collect();
        (self.drawn, self.before) = (of(&from.drawn), of(&from.before));
    }
}
