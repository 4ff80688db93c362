//! Where the drawn words of a batch go: their frames from the sentences, moved by a latent of their own from the prior or from
//! the posterior.

use super::super::caption::{FRAME_LOG_STD, Sentences, Slots};
use super::super::drawing::POSTERIOR_LOG_STD;
use super::super::window::{glimpse_backward, glimpse_window};
use super::values::FramedValues;
use super::weights::Weights;
use crate::kernels::gaussian;
use crate::kernels::math::{add_rows, add_scaled, tanh_biased};
use crate::kernels::matmul::{Mat, matmul};
use crate::kernels::steps::fill_rows;
use crate::kernels::word_lstm::{DirectionGradients, DirectionWeights, WordLstm};
use crate::model::CaptionIds;

/// Numbers of a raw frame: x, y, size.
pub const FRAME: usize = 3;

/// The frames of a batch, and what the backward pass needs of how they came to be.
#[derive(Default)]
pub struct Frames {
    /// Raw frames with their latents [batch, slot, 3]; unused slots hold nothing.
    pub raw: Vec<f32>,
    /// KL of the latents' posteriors from their priors [batch], nats.
    pub kl: Vec<f64>,
    /// States of the words of the sentences [sentence · word, 2L].
    pub states: Vec<f32>,
    /// Which of them each slot is [batch · slot].
    pub rows: Vec<usize>,
    ids: Vec<usize>,
    words: usize,
    directions: [WordLstm; 2],
    /// Of every word of the sentences: hidden layer [row, F], raw frame [row, 3], log standard deviation of the
    /// latent's prior [row, 2].
    hidden: Vec<f32>,
    given: Vec<f32>,
    log_std: Vec<f32>,
    posterior: Posterior,
}

/// The posterior of the latents of the slots that are used.
#[derive(Default)]
struct Posterior {
    /// Which slots these are, of batch · slot.
    slots: Vec<usize>,
    /// The frames that are looked at [used, 3].
    frames: Vec<f32>,
    /// Filter banks of the glimpses [used, bank].
    banks: Vec<f32>,
    /// `F_y` times the planes [used, channel · G · width].
    rows: Vec<f32>,
    /// Glimpses [used, CG²].
    glimpses: Vec<f32>,
    /// Hidden layer [used, F].
    hidden: Vec<f32>,
    /// Mean, then log standard deviation [used, 4].
    raw: Vec<f32>,
    /// Standard normal [used, 2].
    noise: Vec<f32>,
}

/// An affine layer: `out = x W + b`.
fn layer(out: &mut Vec<f32>, x: &[f32], weight: &[f32], bias: &[f32]) {
    let (width, rows) = (bias.len(), x.len() * bias.len() / weight.len());
    out.resize(rows * width, 0.0);
    fill_rows(out, bias);
    let size = weight.len() / width;
    matmul(out, width, true, Mat::new(x, rows, size), Mat::new(weight, size, width));
}

/// The backward pass of [`layer`]: the gradient of x, those of the weights added.
fn layer_backward(
    d: &[f32],
    x: &[f32],
    weight: &[f32],
    d_weight: &mut [f32],
    d_bias: &mut [f32],
) -> Vec<f32> {
    let width = d_bias.len();
    let (rows, size) = (d.len() / width, weight.len() / width);
    add_rows(d_bias, d, width);
    let d = Mat::new(d, rows, width);
    matmul(d_weight, width, true, Mat::new(x, rows, size).t(), d);
    let mut d_x = vec![0.0; rows * size];
    matmul(&mut d_x, size, false, d, Mat::new(weight, size, width).t());
    d_x
}

/// Through a tanh with these values.
fn tanh_backward(d: &mut [f32], values: &[f32]) {
    d.iter_mut().zip(values).for_each(|(d, value)| *d *= 1.0 - value * value);
}

impl Frames {
    /// Reads the sentences: a frame and its prior for every word.
    pub fn encode(&mut self, weights: &Weights, captions: &CaptionIds, slots: &Slots) {
        let (config, values) = (&weights.config, &weights.values);
        let Sentences { ids, words, rows } = Sentences::of(config, captions, slots);
        self.states.resize(ids.len() * 2 * config.word_size, 0.0);
        let zeros = vec![0.0; config.word_size];
        let both = self.directions.iter_mut().zip(direction_weights(weights, &zeros));
        for ((direction, weights), backward) in both.zip([false, true]) {
            direction.read(weights, backward, &ids, words, &mut self.states);
        }
        (self.ids, self.words, self.rows) = (ids, words, rows);
        self.hidden.clear();
        self.hidden.resize(self.ids.len() * config.frame_size, 0.0);
        let width = 2 * config.word_size;
        let states = Mat::new(&self.states, self.ids.len(), width);
        let weight = Mat::new(&values.frame_hidden, width, config.frame_size);
        matmul(&mut self.hidden, config.frame_size, false, states, weight);
        for hidden in self.hidden.chunks_exact_mut(config.frame_size) {
            tanh_biased(hidden, &values.frame_hidden_bias);
        }
        layer(&mut self.given, &self.hidden, &values.frame, &values.frame_bias);
        layer(&mut self.log_std, &self.states, &values.frame_prior, &values.frame_prior_bias);
        self.log_std.iter_mut().for_each(|log_std| *log_std += FRAME_LOG_STD);
        self.raw = self.rows.iter().flat_map(|row| &self.given[row * FRAME..][..FRAME]).copied().collect();
    }

    /// Moves the frames by latents from the prior; `noise` [batch · slot, 2].
    pub fn sample_prior(&mut self, noise: &[f32]) {
        for (slot, row) in self.rows.iter().enumerate() {
            let frame = &mut self.raw[slot * FRAME..][..2];
            let given = &self.given[row * FRAME..][..2];
            gaussian::sample(frame, given, &self.log_std[row * 2..][..2], &noise[slot * 2..][..2]);
        }
    }

    /// Moves the frames by `jitter` [batch · slot, 2] where there is one, then by latents from the posterior, which looks
    /// at the images [batch, CHW]; `noise` [batch · slot, 2].
    pub fn sample_posterior(
        &mut self,
        weights: &Weights,
        slots: &Slots,
        images: &[f32],
        jitter: Option<&[f32]>,
        noise: &[f32],
    ) {
        let (config, values) = (&weights.config, &weights.values);
        let k = config.max_drawn;
        if let Some(jitter) = jitter {
            for (frame, jitter) in self.raw.chunks_exact_mut(FRAME).zip(jitter.chunks_exact(2)) {
                add_scaled(&mut frame[..2], 1.0, jitter);
            }
        }
        let used = |(b, drawn): (usize, &Vec<usize>)| (b * k)..(b * k + drawn.len());
        let Posterior { slots: used_slots, frames, banks, rows, glimpses, hidden, raw, noise: kept } =
            &mut self.posterior;
        *used_slots = slots.positions.iter().enumerate().flat_map(used).collect();
        let of = |from: &[f32], len: usize| -> Vec<f32> {
            used_slots.iter().flat_map(|slot| &from[slot * len..][..len]).copied().collect()
        };
        (*frames, *kept) = (of(&self.raw, FRAME), of(noise, 2));
        let geometry = config.geometry(config.frame_read_size);
        let (bank_len, rows_len) =
            (geometry.bank_len(), config.channels * config.frame_read_size * config.width);
        let (image_len, glimpse_len) = (images.len() / slots.positions.len(), config.frame_glimpse_len());
        banks.resize(used_slots.len() * bank_len, 0.0);
        rows.resize(used_slots.len() * rows_len, 0.0);
        glimpses.resize(used_slots.len() * glimpse_len, 0.0);
        for (at, slot) in used_slots.iter().enumerate() {
            let window = glimpse_window(config, &frames[at * FRAME..][..FRAME]);
            let banks = &mut banks[at * bank_len..][..bank_len];
            geometry.fill(&window, banks);
            let planes =
                images[slot / k * image_len..][..image_len].chunks_exact(config.height * config.width);
            let rows = &mut rows[at * rows_len..][..rows_len];
            geometry.read(&window, banks, planes, rows, &mut glimpses[at * glimpse_len..][..glimpse_len]);
        }
        layer(hidden, glimpses, &values.frame_posterior_hidden, &values.frame_posterior_hidden_bias);
        hidden.iter_mut().for_each(|x| *x = crate::kernels::math::tanh(*x));
        layer(raw, hidden, &values.frame_posterior, &values.frame_posterior_bias);
        self.kl = vec![0.0; slots.positions.len()];
        for (at, slot) in used_slots.iter().enumerate() {
            let (mean, log_std) = raw[at * 4..][..4].split_at_mut(2);
            log_std.iter_mut().for_each(|log_std| *log_std += POSTERIOR_LOG_STD);
            let prior = &self.log_std[self.rows[*slot] * 2..][..2];
            self.kl[slot / k] += gaussian::kl(mean, log_std, &[0.0; 2], prior);
            let mut moved = [0.0; 2];
            gaussian::sample(&mut moved, mean, log_std, &kept[at * 2..][..2]);
            add_scaled(&mut self.raw[slot * FRAME..][..2], 1.0, &moved);
        }
    }

    /// Adds the gradients of the weights, from those of the frames [batch, slot, 3] and of `scale` times the KL; `d_states`
    /// [sentence · word, 2L] is what reaches the words' states from elsewhere.
    pub fn backward(
        &self,
        weights: &Weights,
        images: &[f32],
        scale: f32,
        d_raw: &[f32],
        mut d_states: Vec<f32>,
        gradients: &mut FramedValues,
    ) {
        let values = &weights.values;
        let (mut d_given, mut d_log_std) = (vec![0.0; self.given.len()], vec![0.0; self.log_std.len()]);
        self.posterior_backward(weights, images, scale, d_raw, [&mut d_given, &mut d_log_std], gradients);
        let FramedValues { frame, frame_bias, frame_hidden, frame_hidden_bias, .. } = gradients;
        let mut d_hidden = layer_backward(&d_given, &self.hidden, &values.frame, frame, frame_bias);
        tanh_backward(&mut d_hidden, &self.hidden);
        let from_hidden =
            layer_backward(&d_hidden, &self.states, &values.frame_hidden, frame_hidden, frame_hidden_bias);
        let FramedValues { frame_prior, frame_prior_bias, .. } = gradients;
        let from_prior =
            layer_backward(&d_log_std, &self.states, &values.frame_prior, frame_prior, frame_prior_bias);
        add_scaled(&mut d_states, 1.0, &from_hidden);
        add_scaled(&mut d_states, 1.0, &from_prior);
        self.read_backward(weights, &d_states, gradients);
    }

    /// Through the posterior, to the frames that the sentences give and to the latents' priors.
    fn posterior_backward(
        &self,
        weights: &Weights,
        images: &[f32],
        scale: f32,
        d_raw: &[f32],
        [d_given, d_log_std]: [&mut [f32]; 2],
        gradients: &mut FramedValues,
    ) {
        let (config, values, posterior) = (&weights.config, &weights.values, &self.posterior);
        let mut d_of = vec![0.0; posterior.raw.len()];
        for (at, slot) in posterior.slots.iter().enumerate() {
            let (mean, log_std) = posterior.raw[at * 4..][..4].split_at(2);
            let (d_mean, d_std) = d_of[at * 4..][..4].split_at_mut(2);
            let prior = self.rows[*slot] * 2;
            let (mut unused, mut d_prior) = ([0.0; 2], [0.0; 2]);
            gaussian::backward(
                scale,
                mean,
                log_std,
                &[0.0; 2],
                &self.log_std[prior..][..2],
                &posterior.noise[at * 2..][..2],
                &d_raw[slot * FRAME..][..2],
                d_mean,
                d_std,
                &mut unused,
                &mut d_prior,
            );
            add_scaled(&mut d_log_std[prior..][..2], 1.0, &d_prior);
        }
        let FramedValues { frame_posterior, frame_posterior_bias, .. } = gradients;
        let mut d_hidden = layer_backward(
            &d_of,
            &posterior.hidden,
            &values.frame_posterior,
            frame_posterior,
            frame_posterior_bias,
        );
        tanh_backward(&mut d_hidden, &posterior.hidden);
        let FramedValues { frame_posterior_hidden, frame_posterior_hidden_bias, .. } = gradients;
        let d_glimpses = layer_backward(
            &d_hidden,
            &posterior.glimpses,
            &values.frame_posterior_hidden,
            frame_posterior_hidden,
            frame_posterior_hidden_bias,
        );
        let (geometry, k) = (config.geometry(config.frame_read_size), config.max_drawn);
        let (bank_len, plane) = (geometry.bank_len(), config.height * config.width);
        let (cells, rows_len) = (geometry.size * geometry.size, geometry.size * config.width);
        let mut d_banks = vec![0.0; bank_len];
        for (at, slot) in posterior.slots.iter().enumerate() {
            let frame = &posterior.frames[at * FRAME..][..FRAME];
            let window = glimpse_window(config, frame);
            let banks = &posterior.banks[at * bank_len..][..bank_len];
            d_banks.fill(0.0);
            for channel in 0..config.channels {
                let image = &images[(slot / k * config.channels + channel) * plane..][..plane];
                let at = at * config.channels + channel;
                let rows = &posterior.rows[at * rows_len..][..rows_len];
                let d = &d_glimpses[at * cells..][..cells];
                geometry.banks_backward(&window, banks, image, rows, d, &mut d_banks);
            }
            let d_given = &mut d_given[self.rows[*slot] * FRAME..][..FRAME];
            glimpse_backward(config, frame, &geometry.fill_backward(&window, banks, &d_banks), d_given);
            add_scaled(d_given, 1.0, &d_raw[slot * FRAME..][..FRAME]);
        }
    }

    /// Back through the words of the sentences, from the gradients of their states.
    fn read_backward(&self, weights: &Weights, d_states: &[f32], gradients: &mut FramedValues) {
        let (config, values) = (&weights.config, &weights.values);
        let (v, size, l) = (config.vocabulary_size, config.embedding_size, 4 * config.word_size);
        let zeros = vec![0.0; config.word_size];
        let [of_forward, of_backward] = direction_weights(weights, &zeros);
        let FramedValues {
            word_embedding,
            caption_forward_input,
            caption_forward_recurrent,
            caption_forward_bias,
            caption_backward_input,
            caption_backward_recurrent,
            caption_backward_bias,
            ..
        } = gradients;
        let [forward, backward] = &self.directions;
        for (direction, weights, input, d_input, recurrent, bias) in [
            (
                forward,
                of_forward,
                &values.caption_forward_input,
                caption_forward_input,
                caption_forward_recurrent,
                caption_forward_bias,
            ),
            (
                backward,
                of_backward,
                &values.caption_backward_input,
                caption_backward_input,
                caption_backward_recurrent,
                caption_backward_bias,
            ),
        ] {
            let (mut d_gates, mut unused) = (vec![0.0; v * l], vec![0.0; config.word_size]);
            let d = DirectionGradients { input: &mut d_gates, recurrent, bias, initial: &mut unused };
            direction.read_backward(weights, &self.ids, d_states, d);
            let d_gates = Mat::new(&d_gates, v, l);
            matmul(word_embedding, size, true, d_gates, Mat::new(input, size, l).t());
            matmul(d_input, l, true, Mat::new(&values.word_embedding, v, size).t(), d_gates);
        }
    }
}

/// The weights of the direction from left to right, then from right to left.
fn direction_weights<'a>(weights: &'a Weights, initial: &'a [f32]) -> [DirectionWeights<'a>; 2] {
    let values = &weights.values;
    [
        DirectionWeights {
            input: &weights.word_gates[0],
            recurrent: &values.caption_forward_recurrent,
            bias: &values.caption_forward_bias,
            initial,
        },
        DirectionWeights {
            input: &weights.word_gates[1],
            recurrent: &values.caption_backward_recurrent,
            bias: &values.caption_backward_bias,
            initial,
        },
    ]
}
