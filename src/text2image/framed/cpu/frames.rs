//! Where the drawn words of a batch go: their frames from the sentences, moved by a latent of their own from the prior or from
//! the posterior.

use super::super::caption::{FRAME_LOG_STD, Sentences, Slots};
use super::layers::{layer, layer_backward, tanh_backward};
use super::posterior::Posterior;
use super::values::FramedValues;
use super::weights::Weights;
use crate::kernels::gaussian;
use crate::kernels::math::{add_scaled, tanh_biased};
use crate::kernels::matmul::{Mat, matmul};
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
    /// Standard normal, of the latents [batch · slot, 2].
    noise: Vec<f32>,
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

    /// Moves the frames by latents from the posterior, which looks at the images [batch, CHW]; `noise` [batch · slot, 2].
    pub fn sample_posterior(&mut self, weights: &Weights, slots: &Slots, images: &[f32], noise: &[f32]) {
        let k = weights.config.max_drawn;
        self.posterior.look(weights, slots, &self.raw, images);
        self.kl = vec![0.0; slots.positions.len()];
        for (at, slot) in self.posterior.slots().enumerate() {
            let prior = &self.log_std[self.rows[slot] * 2..][..2];
            let (moved, kl) = self.posterior.sample(at, prior, &noise[slot * 2..][..2]);
            add_scaled(&mut self.raw[slot * FRAME..][..2], 1.0, &moved);
            self.kl[slot / k] += kl;
        }
        self.noise = noise.to_vec();
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
        let mut d_gaussians = Vec::new();
        for (at, slot) in self.posterior.slots().enumerate() {
            let prior = self.rows[slot] * 2;
            let (noise, d_latent) = (&self.noise[slot * 2..][..2], &d_raw[slot * FRAME..][..2]);
            let of_prior = &self.log_std[prior..][..2];
            let (d, d_prior) = self.posterior.sample_backward(at, scale, of_prior, noise, d_latent);
            d_gaussians.extend(d);
            add_scaled(&mut d_log_std[prior..][..2], 1.0, &d_prior);
        }
        let d_frames = self.posterior.look_backward(weights, images, &d_gaussians, gradients);
        for (slot, d_looked_at) in self.posterior.slots().zip(d_frames.chunks_exact(FRAME)) {
            let d_given = &mut d_given[self.rows[slot] * FRAME..][..FRAME];
            add_scaled(d_given, 1.0, d_looked_at);
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
