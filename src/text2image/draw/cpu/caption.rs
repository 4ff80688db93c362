//! The captions on the CPU: the bidirectional encoder, and what each step derives from it, or from a
//! sentence vector.

use super::super::{config::Conditioning, parameters::ParameterValues};
use super::weights::Weights;
use crate::data::batch::Captions;
use crate::kernels::{
    lstm,
    math::{add_rows, add_scaled},
    matmul::{Mat, matmul},
};

/// The encoded captions of a batch: equal numbers of words.
#[derive(Default)]
pub struct Caption {
    /// Captions.
    pub batch: usize,
    /// Words in each.
    pub words: usize,
    /// Word ids [batch, word].
    ids: Vec<usize>,
    /// Both directions' saved LSTM states.
    directions: [Direction; 2],
    /// Sentence vectors [batch, sentence].
    sentences: Vec<f32>,
    /// Word states h_j = [forward ; backward], [batch, word, 2L].
    pub states: Vec<f32>,
    /// Keys of the alignment `U h_j + b`, [batch, word, align].
    pub keys: Vec<f32>,
    /// What is attended to or averaged, projected into the generative LSTM's gates, [batch, word, 4D].
    pub values: Vec<f32>,
    /// What every step hears without attention, projected into the generative LSTM's gates, [batch, 4D].
    pub context: Vec<f32>,
}

/// One direction, by reading step (not by word).
#[derive(Default)]
struct Direction {
    /// Gate activations [word, batch, 4L].
    gates: Vec<f32>,
    /// Cells [word + 1, batch, L]; the first are zeros.
    cells: Vec<f32>,
    /// Hidden states [word + 1, batch, L]; the first are the learned initial state.
    hidden: Vec<f32>,
}

/// Input, recurrent and bias of one direction.
fn direction_weights(host: &ParameterValues, backward: bool) -> [&[f32]; 3] {
    if backward {
        [&host.caption_backward_input, &host.caption_backward_recurrent, &host.caption_backward_bias]
    } else {
        [&host.caption_forward_input, &host.caption_forward_recurrent, &host.caption_forward_bias]
    }
}

/// The word that a direction reads at a step.
fn word_at(step: usize, words: usize, backward: bool) -> usize {
    if backward { words - 1 - step } else { step }
}

impl Caption {
    /// Encodes captions in the form that the model hears: word ids, each below the vocabulary's size, or
    /// sentence vectors, or nothing.
    pub fn encode(&mut self, weights: &Weights, captions: Captions) {
        (self.batch, self.words) = (captions.size, captions.words);
        match weights.config.conditioning {
            Conditioning::Attention => {
                self.read(weights, captions.ids);
                self.project_keys(weights);
                self.project_values(weights);
            }
            Conditioning::Mean => {
                self.read(weights, captions.ids);
                self.project_values(weights);
                self.average(4 * weights.config.decoder_size);
            }
            Conditioning::Sentence { size, .. } => {
                let gates = 4 * weights.config.decoder_size;
                self.sentences.clear();
                self.sentences.extend_from_slice(captions.sentences);
                self.context.resize(self.batch * gates, 0.0);
                let projection = Mat::new(&weights.host.generative_caption, size, gates);
                let sentences = Mat::new(&self.sentences, self.batch, size);
                matmul(&mut self.context, gates, false, sentences, projection);
            }
            Conditioning::None => {}
        }
    }

    /// The context of each caption: the mean of its values.
    fn average(&mut self, gates: usize) {
        self.context.clear();
        self.context.resize(self.batch * gates, 0.0);
        let share = 1.0 / self.words as f32;
        let captions = self.values.chunks_exact(self.words * gates);
        for (context, values) in self.context.chunks_exact_mut(gates).zip(captions) {
            values.chunks_exact(gates).for_each(|value| add_scaled(context, share, value));
        }
    }

    /// Runs the encoder over the words in both directions.
    fn read(&mut self, weights: &Weights, ids: &[usize]) {
        let (config, host) = (&weights.config, &weights.host);
        let (size, batch, words) = (config.word_size, self.batch, self.words);
        self.ids.clear();
        self.ids.extend_from_slice(ids);
        self.states.resize(batch * words * 2 * size, 0.0);
        for (d, direction) in self.directions.iter_mut().enumerate() {
            let [input, recurrent, bias] = direction_weights(host, d == 1);
            direction.gates.resize(words * batch * 4 * size, 0.0);
            direction.cells.resize((words + 1) * batch * size, 0.0);
            direction.hidden.resize((words + 1) * batch * size, 0.0);
            for row in direction.hidden[..batch * size].chunks_exact_mut(size) {
                row.copy_from_slice(&host.caption_initial_hidden);
            }
            for step in 0..words {
                let word = word_at(step, words, d == 1);
                let gates = &mut direction.gates[step * batch * 4 * size..][..batch * 4 * size];
                for (row, gates) in gates.chunks_exact_mut(4 * size).enumerate() {
                    let id = ids[row * words + word];
                    gates.copy_from_slice(&input[id * 4 * size..][..4 * size]);
                }
                let (before, after) = direction.hidden.split_at_mut((step + 1) * batch * size);
                let hidden_before = &before[step * batch * size..];
                matmul(
                    gates,
                    4 * size,
                    true,
                    Mat::new(hidden_before, batch, size),
                    Mat::new(recurrent, size, 4 * size),
                );
                let (cells_before, cells) = direction.cells.split_at_mut((step + 1) * batch * size);
                let hidden = &mut after[..batch * size];
                lstm::forward(
                    gates,
                    bias,
                    &cells_before[step * batch * size..],
                    &mut cells[..batch * size],
                    hidden,
                );
                for (row, hidden) in hidden.chunks_exact(size).enumerate() {
                    let at = (row * words + word) * 2 * size + d * size;
                    self.states[at..at + size].copy_from_slice(hidden);
                }
            }
        }
    }

    /// The keys: what every step's alignment needs of the words and no step changes.
    fn project_keys(&mut self, weights: &Weights) {
        let (config, host) = (&weights.config, &weights.host);
        let (rows, width) = (self.batch * self.words, 2 * config.word_size);
        let align = config.align_size;
        self.keys.resize(rows * align, 0.0);
        let states = Mat::new(&self.states, rows, width);
        for key in self.keys.chunks_exact_mut(align) {
            key.copy_from_slice(&host.align_bias);
        }
        matmul(&mut self.keys, align, true, states, Mat::new(&host.align_key, width, align));
    }

    /// The values: what is attended to or averaged, projected.
    fn project_values(&mut self, weights: &Weights) {
        let (config, host) = (&weights.config, &weights.host);
        let (rows, width) = (self.batch * self.words, 2 * config.word_size);
        let gates = 4 * config.decoder_size;
        self.values.resize(rows * gates, 0.0);
        let states = Mat::new(&self.states, rows, width);
        let (words, features) = config.attended_rows();
        let (of_words, of_states) = host.generative_caption.split_at(words * gates);
        if words > 0 {
            for (value, id) in self.values.chunks_exact_mut(gates).zip(&self.ids) {
                value.copy_from_slice(&of_words[id * gates..][..gates]);
            }
        }
        if features > 0 {
            matmul(&mut self.values, gates, words > 0, states, Mat::new(of_states, width, gates));
        }
    }

    /// Backward pass without attention, from the gradients of the generative gates
    /// [step, batch, 4D] to those of the weights (added to `gradients`).
    pub fn context_backward(&self, weights: &Weights, d_gates: &[f32], gradients: &mut ParameterValues) {
        let config = &weights.config;
        if config.conditioning == Conditioning::None {
            return;
        }
        let gates = 4 * config.decoder_size;
        let mut d_context = vec![0.0; self.batch * gates];
        add_rows(&mut d_context, d_gates, self.batch * gates);
        if let Some(size) = config.sentence_size() {
            let sentences = Mat::new(&self.sentences, self.batch, size);
            let d_context = Mat::new(&d_context, self.batch, gates);
            return matmul(&mut gradients.generative_caption, gates, true, sentences.t(), d_context);
        }
        let share = 1.0 / self.words as f32;
        let shared = d_context.chunks_exact(gates).flat_map(|d| std::iter::repeat_n(d, self.words));
        let d_values: Vec<f32> = shared.flatten().map(|d| share * d).collect();
        let mut d_states = vec![0.0; self.states.len()];
        self.values_backward(weights, &d_values, &mut d_states, gradients);
        self.read_backward(weights, &d_states, gradients);
    }

    /// Backward pass of attention, from the gradients of keys and values to those of the weights (added
    /// to `gradients`).
    pub fn backward(
        &self,
        weights: &Weights,
        d_keys: &[f32],
        d_values: &[f32],
        gradients: &mut ParameterValues,
    ) {
        let (config, host) = (&weights.config, &weights.host);
        let (rows, width, align) = (self.batch * self.words, 2 * config.word_size, config.align_size);
        let states = Mat::new(&self.states, rows, width);
        let d_keys_mat = Mat::new(d_keys, rows, align);
        add_rows(&mut gradients.align_bias, d_keys, align);
        matmul(&mut gradients.align_key, align, true, states.t(), d_keys_mat);
        let mut d_states = vec![0.0; rows * width];
        matmul(&mut d_states, width, false, d_keys_mat, Mat::new(&host.align_key, width, align).t());
        self.values_backward(weights, d_values, &mut d_states, gradients);
        self.read_backward(weights, &d_states, gradients);
    }

    /// From the values' gradients to those of their projection and of the word states (added to
    /// `d_states`).
    fn values_backward(
        &self,
        weights: &Weights,
        d_values: &[f32],
        d_states: &mut [f32],
        gradients: &mut ParameterValues,
    ) {
        let (config, host) = (&weights.config, &weights.host);
        let (rows, width) = (self.batch * self.words, 2 * config.word_size);
        let gate_width = 4 * config.decoder_size;
        let states = Mat::new(&self.states, rows, width);
        let d_values_mat = Mat::new(d_values, rows, gate_width);
        let (attended_words, features) = config.attended_rows();
        let at = attended_words * gate_width;
        let (d_of_words, d_of_states) = gradients.generative_caption.split_at_mut(at);
        if attended_words > 0 {
            for (d_value, id) in d_values.chunks_exact(gate_width).zip(&self.ids) {
                add_rows(&mut d_of_words[id * gate_width..][..gate_width], d_value, gate_width);
            }
        }
        if features > 0 {
            matmul(d_of_states, gate_width, true, states.t(), d_values_mat);
            let of_states = Mat::new(&host.generative_caption[at..], width, gate_width);
            matmul(d_states, width, true, d_values_mat, of_states.t());
        }
    }

    /// Back through the encoder, from the word states' gradients.
    fn read_backward(&self, weights: &Weights, d_states: &[f32], gradients: &mut ParameterValues) {
        let (config, host) = (&weights.config, &weights.host);
        let (size, batch, words) = (config.word_size, self.batch, self.words);
        let width = 2 * size;
        let mut d_gates = vec![0.0; words * batch * 4 * size];
        for (d, direction) in self.directions.iter().enumerate() {
            let [_, recurrent, _] = direction_weights(host, d == 1);
            let mut d_cell = vec![0.0; batch * size];
            let mut d_hidden = vec![0.0; batch * size];
            for step in (0..words).rev() {
                let word = word_at(step, words, d == 1);
                for (row, d_hidden) in d_hidden.chunks_exact_mut(size).enumerate() {
                    let at = (row * words + word) * width + d * size;
                    for (d_hidden, d_state) in d_hidden.iter_mut().zip(&d_states[at..at + size]) {
                        *d_hidden += d_state;
                    }
                }
                let d_gates = &mut d_gates[step * batch * 4 * size..][..batch * 4 * size];
                lstm::backward(
                    size,
                    &direction.gates[step * batch * 4 * size..][..batch * 4 * size],
                    &direction.cells[step * batch * size..][..batch * size],
                    &direction.cells[(step + 1) * batch * size..][..batch * size],
                    &d_hidden,
                    &mut d_cell,
                    d_gates,
                    4 * size,
                );
                matmul(
                    &mut d_hidden,
                    size,
                    false,
                    Mat::new(d_gates, batch, 4 * size),
                    Mat::new(recurrent, size, 4 * size).t(),
                );
            }
            let (d_input, d_recurrent, d_bias) = if d == 1 {
                (
                    &mut gradients.caption_backward_input,
                    &mut gradients.caption_backward_recurrent,
                    &mut gradients.caption_backward_bias,
                )
            } else {
                (
                    &mut gradients.caption_forward_input,
                    &mut gradients.caption_forward_recurrent,
                    &mut gradients.caption_forward_bias,
                )
            };
            add_rows(&mut gradients.caption_initial_hidden, &d_hidden, size);
            add_rows(d_bias, &d_gates, 4 * size);
            matmul(
                d_recurrent,
                4 * size,
                true,
                Mat::new(&direction.hidden, words * batch, size).t(),
                Mat::new(&d_gates, words * batch, 4 * size),
            );
            for step in 0..words {
                let word = word_at(step, words, d == 1);
                for row in 0..batch {
                    let id = self.ids[row * words + word];
                    let d_gates = &d_gates[(step * batch + row) * 4 * size..][..4 * size];
                    add_rows(&mut d_input[id * 4 * size..][..4 * size], d_gates, 4 * size);
                }
            }
        }
    }
}
