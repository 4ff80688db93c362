//! The captions on the CPU: the bidirectional encoder, and what each step derives from it, or from a
//! sentence vector.

use super::super::{config::Conditioning, parameters::ParameterValues};
use super::weights::Weights;
use crate::data::batch::Captions;
use crate::kernels::{
    math::{add_rows, add_scaled},
    matmul::{Mat, matmul},
    word_lstm::{DirectionGradients, DirectionWeights, WordLstm},
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
    /// Both directions' states.
    directions: [WordLstm; 2],
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

/// The weights of the direction from left to right, then from right to left.
fn direction_weights(host: &ParameterValues) -> [DirectionWeights<'_>; 2] {
    let initial = &host.caption_initial_hidden;
    [
        DirectionWeights {
            input: &host.caption_forward_input,
            recurrent: &host.caption_forward_recurrent,
            bias: &host.caption_forward_bias,
            initial,
        },
        DirectionWeights {
            input: &host.caption_backward_input,
            recurrent: &host.caption_backward_recurrent,
            bias: &host.caption_backward_bias,
            initial,
        },
    ]
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
        self.ids.clear();
        self.ids.extend_from_slice(ids);
        self.states.resize(self.batch * self.words * 2 * weights.config.word_size, 0.0);
        let both = self.directions.iter_mut().zip(direction_weights(&weights.host));
        for ((direction, weights), backward) in both.zip([false, true]) {
            direction.read(weights, backward, ids, self.words, &mut self.states);
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
        let initial = &mut gradients.caption_initial_hidden;
        let [forward, backward] = &self.directions;
        let [of_forward, of_backward] = direction_weights(&weights.host);
        let d_forward = DirectionGradients {
            input: &mut gradients.caption_forward_input,
            recurrent: &mut gradients.caption_forward_recurrent,
            bias: &mut gradients.caption_forward_bias,
            initial,
        };
        forward.read_backward(of_forward, &self.ids, d_states, d_forward);
        let d_backward = DirectionGradients {
            input: &mut gradients.caption_backward_input,
            recurrent: &mut gradients.caption_backward_recurrent,
            bias: &mut gradients.caption_backward_bias,
            initial,
        };
        backward.read_backward(of_backward, &self.ids, d_states, d_backward);
    }
}
