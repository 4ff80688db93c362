//! A learned order in the fused passes: [`WordAttention`](super::super::order::WordAttention) on the host.

use super::super::{Order, Slots};
use super::frames::Frames;
use super::values::FramedValues;
use super::weights::Weights;
use crate::kernels::lstm;
use crate::kernels::math::{add_rows, add_scaled, dot, tanh_biased};
use crate::kernels::matmul::{Mat, matmul};
use crate::kernels::steps::{StepBuffer, fill_rows};

/// Where a learned order stands, and how it came there.
#[derive(Default)]
pub struct Query {
    /// Words of each picture that it chooses from.
    slots: usize,
    /// Keys of the words [batch · slot, A].
    keys: Vec<f32>,
    /// States of the words [batch · slot, 2L].
    states: Vec<f32>,
    /// Steps that each word has [batch · slot].
    shares: Vec<f32>,
    /// Query states after each step [step + 1, batch, A].
    hidden: StepBuffer,
    /// Query cells after each step [step + 1, batch, A].
    cell: StepBuffer,
    /// Gate activations of the query's LSTM [step, batch, 4A].
    gates: StepBuffer,
    /// `tanh(U h_j + b + W q)` [step, batch, slot · A].
    inner: StepBuffer,
    /// Softmax of the energies [step, batch, slot]; 0 for words that have had their share.
    soft: StepBuffer,
    /// What was attended to [step, batch, 2L].
    attended: StepBuffer,
}

impl Query {
    /// A query that has seen nothing; none where the sentence gives the order.
    pub fn of(weights: &Weights, frames: &Frames, slots: &Slots) -> Option<Self> {
        if weights.config.order == Order::Sentence {
            return None;
        }
        let (config, values) = (&weights.config, &weights.values);
        let (size, width, k) = (config.attention_size, 2 * config.word_size, config.max_drawn);
        let of_slot = |row: &usize| frames.states[row * width..][..width].iter().copied();
        let states: Vec<f32> = frames.rows.iter().flat_map(of_slot).collect();
        let mut keys = vec![0.0; frames.rows.len() * size];
        fill_rows(&mut keys, &values.attention_key_bias);
        let key = Mat::new(&values.attention_key, width, size);
        matmul(&mut keys, size, true, Mat::new(&states, frames.rows.len(), width), key);
        let shares = slots.shares(config.num_steps, k);
        let mut query = Self { slots: k, keys, states, shares, ..Self::default() };
        let (batch, steps) = (slots.positions.len(), config.num_steps);
        query.hidden.resize(steps + 1, batch * size);
        query.cell.resize(steps + 1, batch * size);
        query.gates.resize(steps, batch * 4 * size);
        query.inner.resize(steps, batch * k * size);
        query.soft.resize(steps, batch * k);
        query.attended.resize(steps, batch * width);
        Some(query)
    }

    /// The word of step `t` of each picture [batch]: the highest energy, the first of equal ones, of those that have not
    /// had their share; `drawn` [step, batch] are the words before. `noise` [batch, step, slot] is added to the energies.
    pub fn choose(
        &mut self,
        weights: &Weights,
        drawn: &[usize],
        noise: Option<&[f32]>,
        t: usize,
    ) -> Vec<usize> {
        let (values, size, k) = (&weights.values, weights.config.attention_size, self.slots);
        let (batch, steps) = (self.shares.len() / k, weights.config.num_steps);
        let mut queries = vec![0.0; batch * size];
        let weight = Mat::new(&values.attention_query, size, size);
        matmul(&mut queries, size, false, Mat::new(self.hidden.at(t), batch, size), weight);
        let mut words = Vec::with_capacity(batch);
        for b in 0..batch {
            let energies = self.soft.row_mut(t, b, k);
            for (slot, energy) in energies.iter_mut().enumerate() {
                let at = b * k + slot;
                let inner = &mut self.inner.at_mut(t)[at * size..][..size];
                inner.copy_from_slice(&self.keys[at * size..][..size]);
                tanh_biased(inner, &queries[b * size..][..size]);
                let had = drawn.iter().skip(b).step_by(batch).filter(|word| **word == slot).count();
                let more = noise.map_or(0.0, |noise| noise[(b * steps + t) * k + slot]);
                let free = self.shares[at] > had as f32;
                *energy = if free { dot(inner, &values.attention_score) + more } else { f32::NEG_INFINITY };
            }
            let best = (1..k).fold(0, |best, slot| if energies[slot] > energies[best] { slot } else { best });
            let most = energies[best];
            energies.iter_mut().for_each(|energy| *energy = (*energy - most).exp());
            let sum: f32 = energies.iter().sum();
            energies.iter_mut().for_each(|energy| *energy /= sum);
            words.push(best);
        }
        self.advance(weights, &words, t);
        words
    }

    /// The query hears the words that were chosen.
    fn advance(&mut self, weights: &Weights, words: &[usize], t: usize) {
        let (values, size, batch) = (&weights.values, weights.config.attention_size, words.len());
        let width = 2 * weights.config.word_size;
        for (b, slot) in words.iter().enumerate() {
            let state = &self.states[(b * self.slots + slot) * width..][..width];
            self.attended.row_mut(t, b, width).copy_from_slice(state);
        }
        let (of_states, of_query) = values.attention_input.split_at(width * 4 * size);
        let gates = self.gates.at_mut(t);
        let attended = Mat::new(self.attended.at(t), batch, width);
        matmul(gates, 4 * size, false, attended, Mat::new(of_states, width, 4 * size));
        let before = Mat::new(self.hidden.at(t), batch, size);
        matmul(gates, 4 * size, true, before, Mat::new(of_query, size, 4 * size));
        let (cell_before, cell) = self.cell.pair(t);
        lstm::forward(gates, &values.attention_input_bias, cell_before, cell, self.hidden.at_mut(t + 1));
    }

    /// Goes on from where picture `picture` of another, of `pictures`, stood after `step` steps.
    pub fn branch(&mut self, from: &Self, picture: usize, pictures: usize, step: usize) {
        self.hidden.take(step, &from.hidden, picture, pictures);
        self.cell.take(step, &from.cell, picture, pictures);
    }
}

/// The backward pass of a learned order, step by step from the last.
pub struct QueryBackward {
    /// Of the query states after the step [batch, A].
    hidden: Vec<f32>,
    /// Of its cells [batch, A].
    cell: Vec<f32>,
    /// Of the keys [batch · slot, A].
    keys: Vec<f32>,
    /// Of the words' states [batch · slot, 2L].
    states: Vec<f32>,
}

impl QueryBackward {
    /// After the last step, where no gradient has come from yet.
    pub fn new(query: &Query) -> Self {
        let batch = query.shares.len() / query.slots;
        let size = query.keys.len() / query.shares.len();
        Self {
            hidden: vec![0.0; batch * size],
            cell: vec![0.0; batch * size],
            keys: vec![0.0; query.keys.len()],
            states: vec![0.0; query.states.len()],
        }
    }

    /// Step `t`, which drew `words` [batch], from the gradient of its alignment [batch, slot]: as that of a softmax
    /// (straight-through Gumbel softmax, Jang et al. 2017).
    pub fn step(
        &mut self,
        weights: &Weights,
        query: &Query,
        words: &[usize],
        d_alignment: &mut [f32],
        t: usize,
        gradients: &mut FramedValues,
    ) {
        let (values, size, batch, k) =
            (&weights.values, weights.config.attention_size, words.len(), query.slots);
        let width = 2 * weights.config.word_size;
        let mut d_gates = vec![0.0; batch * 4 * size];
        let (before, after) = (query.cell.at(t), query.cell.at(t + 1));
        let (gates, d_cell) = (query.gates.at(t), &mut self.cell);
        lstm::backward(size, gates, before, after, &self.hidden, d_cell, &mut d_gates, 4 * size);
        add_rows(&mut gradients.attention_input_bias, &d_gates, 4 * size);
        let d_gates = Mat::new(&d_gates, batch, 4 * size);
        let (of_states, of_query) = values.attention_input.split_at(width * 4 * size);
        let (d_of_states, d_of_query) = gradients.attention_input.split_at_mut(width * 4 * size);
        let hidden = Mat::new(query.hidden.at(t), batch, size);
        matmul(d_of_states, 4 * size, true, Mat::new(query.attended.at(t), batch, width).t(), d_gates);
        matmul(d_of_query, 4 * size, true, hidden.t(), d_gates);
        matmul(&mut self.hidden, size, false, d_gates, Mat::new(of_query, size, 4 * size).t());
        let mut d_attended = vec![0.0; batch * width];
        matmul(&mut d_attended, width, false, d_gates, Mat::new(of_states, width, 4 * size).t());

        let mut d_queries = vec![0.0; batch * size];
        for (b, drawn) in words.iter().enumerate() {
            let d_attended = &d_attended[b * width..][..width];
            add_scaled(&mut self.states[(b * k + drawn) * width..][..width], 1.0, d_attended);
            let d_alignment = &mut d_alignment[b * k..][..k];
            for (slot, d) in d_alignment.iter_mut().enumerate() {
                *d += dot(d_attended, &query.states[(b * k + slot) * width..][..width]);
            }
            let soft = query.soft.row(t, b, k);
            let mean = dot(soft, d_alignment);
            for slot in 0..k {
                let d_energy = soft[slot] * (d_alignment[slot] - mean);
                let inner = &query.inner.at(t)[(b * k + slot) * size..][..size];
                let d_key = &mut self.keys[(b * k + slot) * size..][..size];
                add_scaled(&mut gradients.attention_score, d_energy, inner);
                for (at, inner) in inner.iter().enumerate() {
                    let d = d_energy * values.attention_score[at] * (1.0 - inner * inner);
                    d_key[at] += d;
                    d_queries[b * size + at] += d;
                }
            }
        }
        let d_queries = Mat::new(&d_queries, batch, size);
        matmul(&mut gradients.attention_query, size, true, hidden.t(), d_queries);
        let weight = Mat::new(&values.attention_query, size, size);
        matmul(&mut self.hidden, size, true, d_queries, weight.t());
    }

    /// The gradients of the states of the sentences' words [sentence · word, 2L], those of the keys' weights added.
    pub fn finish(
        mut self,
        weights: &Weights,
        query: &Query,
        frames: &Frames,
        gradients: &mut FramedValues,
    ) -> Vec<f32> {
        let (size, width) = (weights.config.attention_size, 2 * weights.config.word_size);
        let rows = query.shares.len();
        add_rows(&mut gradients.attention_key_bias, &self.keys, size);
        let d_keys = Mat::new(&self.keys, rows, size);
        matmul(&mut gradients.attention_key, size, true, Mat::new(&query.states, rows, width).t(), d_keys);
        let key = Mat::new(&weights.values.attention_key, width, size);
        matmul(&mut self.states, width, true, d_keys, key.t());
        let mut d_states = vec![0.0; frames.states.len()];
        for (row, d) in frames.rows.iter().zip(self.states.chunks_exact(width)) {
            add_scaled(&mut d_states[row * width..][..width], 1.0, d);
        }
        d_states
    }
}
