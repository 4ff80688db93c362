//! The backward pass: gradients of the batch's mean loss.

use super::forward::Pass;
use super::weights::{Weights, add_weight_gradient, product, product_transposed};
use super::{Sizes, drop};
use crate::kernels::math::{add_rows, add_scaled, dot};
use crate::kernels::softmax::cross_entropy_backward;
use crate::kernels::{attention, lstm};

/// Gradients of what the steps made; rows are [step, caption].
struct Cotangents {
    /// Of the states after each step, from the words [rows, H].
    hidden: Vec<f32>,
    /// Of the embeddings heard [rows, E].
    embedded: Vec<f32>,
    /// Of the contexts [rows, A].
    context: Vec<f32>,
    /// Of the gates before their functions [rows, 4H].
    gates: Vec<f32>,
    /// Of the queries [rows, align].
    query: Vec<f32>,
    /// Of β before its function [rows].
    gate: Vec<f32>,
    /// Of the keys [caption · cell, align].
    keys: Vec<f32>,
    /// Of the annotations [caption · cell, A].
    annotations: Vec<f32>,
    /// Of the coverage with respect to every alignment of a caption [caption, cell].
    alignment: Vec<f32>,
    /// Of state and cell before the step that comes next [caption, H].
    state: Vec<f32>,
    cell: Vec<f32>,
}

impl Pass {
    /// Gradients of the mean of the terms' sum.
    pub fn backward(mut self, weights: &Weights) -> Weights {
        let mut gradients = weights.zeros_like();
        let Sizes { batch, cells, annotation, align, hidden, .. } = self.sizes;
        let rows = self.sizes.rows();
        let weight = 2.0 * self.coverage / batch as f32;
        let zeros = |len: usize| vec![0.0f32; len];
        let mut d = Cotangents {
            hidden: zeros(rows * hidden),
            embedded: Vec::new(),
            context: zeros(rows * annotation),
            gates: zeros(rows * 4 * hidden),
            query: zeros(rows * align),
            gate: zeros(rows),
            keys: zeros(batch * cells * align),
            annotations: zeros(batch * cells * annotation),
            alignment: self.total.iter().map(|total| weight * (total - 1.0)).collect(),
            state: zeros(batch * hidden),
            cell: zeros(batch * hidden),
        };
        self.unspeak(weights, &mut gradients, &mut d);
        (0..self.sizes.steps).rev().for_each(|step| self.step_back(weights, step, &mut gradients, &mut d));
        self.unhear(weights, &mut gradients, &mut d);
        self.look_back(weights, &mut gradients, d);
        gradients
    }

    /// From the words' loss to states, contexts and embeddings.
    fn unspeak(&mut self, weights: &Weights, gradients: &mut Weights, d: &mut Cotangents) {
        let Sizes { batch, embedding, words, .. } = self.sizes;
        let rows = self.sizes.rows();
        for (row, &target) in self.probabilities.chunks_exact_mut(words).zip(&self.said.targets) {
            cross_entropy_backward(row, target, 1.0 / batch as f32);
        }
        let logits = &self.probabilities;
        add_rows(&mut gradients.word_bias, logits, words);
        add_weight_gradient(&mut gradients.embedding, logits, rows, &self.below_kept);
        let mut below = vec![0.0; rows * embedding];
        product(&mut below, rows, logits, &weights.embedding);
        drop(&mut below, self.dropped.below.as_ref());
        below.iter_mut().zip(&self.below).for_each(|(d, y)| *d *= 1.0 - y * y);
        gradients.output.add_gradients(&self.kept, rows, &below);
        add_weight_gradient(&mut gradients.context_output, &self.context, rows, &below);
        product_transposed(&mut d.hidden, rows, &below, &weights.output.weight);
        drop(&mut d.hidden, self.dropped.hidden.as_ref());
        product_transposed(&mut d.context, rows, &below, &weights.context_output);
        d.embedded = below;
    }

    /// Through one step of the LSTM and its attention.
    fn step_back(&self, weights: &Weights, step: usize, gradients: &mut Weights, d: &mut Cotangents) {
        let Sizes { batch, cells, annotation, align, hidden, .. } = self.sizes;
        let rows = step * batch..(step + 1) * batch;
        let of = |size: usize| rows.start * size..rows.end * size;
        let d_hidden = &mut d.hidden[of(hidden)];
        d_hidden.iter_mut().zip(&d.state).for_each(|(d, carried)| *d += carried);
        let d_gates = &mut d.gates[of(4 * hidden)];
        lstm::backward(
            hidden,
            &self.gates[of(4 * hidden)],
            &self.cells[of(hidden)],
            &self.cells[(step + 1) * batch * hidden..][..batch * hidden],
            d_hidden,
            &mut d.cell,
            d_gates,
            4 * hidden,
        );
        d.state.fill(0.0);
        product_transposed(&mut d.state, batch, d_gates, &weights.recurrent);
        product_transposed(&mut d.context[of(annotation)], batch, d_gates, &weights.context_gates);
        let mut d_mixed = vec![0.0; annotation];
        for caption in 0..batch {
            let row = rows.start + caption;
            let d_context = &d.context[row * annotation..][..annotation];
            let gate = self.gate[row];
            let d_gate = dot(d_context, &self.mixed[row * annotation..][..annotation]) * gate * (1.0 - gate);
            d.gate[row] = d_gate;
            add_scaled(&mut d.state[caption * hidden..][..hidden], d_gate, &weights.gate.weight);
            d_mixed.iter_mut().zip(d_context).for_each(|(mixed, context)| *mixed = gate * context);
            attention::backward(
                &weights.score,
                &self.annotations[caption * cells * annotation..][..cells * annotation],
                &self.alignment[row * cells..][..cells],
                &self.activations[row * cells * align..][..cells * align],
                &d_mixed,
                &d.alignment[caption * cells..][..cells],
                &mut d.query[row * align..][..align],
                &mut d.keys[caption * cells * align..][..cells * align],
                &mut d.annotations[caption * cells * annotation..][..cells * annotation],
                &mut gradients.score,
            );
        }
        product_transposed(&mut d.state, batch, &d.query[of(align)], &weights.query);
    }

    /// The weights of the steps, each as one product over all of them, and the embeddings.
    fn unhear(&self, weights: &Weights, gradients: &mut Weights, d: &mut Cotangents) {
        let Sizes { batch, embedding, hidden, .. } = self.sizes;
        let rows = self.sizes.rows();
        let before = &self.hidden[..rows * hidden];
        add_weight_gradient(&mut gradients.recurrent, before, rows, &d.gates);
        add_weight_gradient(&mut gradients.context_gates, &self.context, rows, &d.gates);
        add_weight_gradient(&mut gradients.query, before, rows, &d.query);
        gradients.gate.add_gradients(before, rows, &d.gate);
        gradients.word_gates.add_gradients(&self.embedded, rows, &d.gates);
        product_transposed(&mut d.embedded, rows, &d.gates, &weights.word_gates.weight);
        drop(&mut d.embedded, self.dropped.embedded.as_ref());
        let heard = d.embedded.chunks_exact(embedding).skip(batch);
        for (row, &id) in heard.zip(&self.said.before) {
            add_scaled(&mut gradients.embedding[id * embedding..][..embedding], 1.0, row);
        }
    }

    /// From the first state, keys and annotations to the layer on the features.
    fn look_back(&self, weights: &Weights, gradients: &mut Weights, d: Cotangents) {
        let Sizes { batch, cells, annotation, hidden, .. } = self.sizes;
        let Cotangents { keys, mut annotations, state, cell, .. } = d;
        let mut first = Vec::with_capacity(2 * state.len());
        for (state, cell) in state.chunks_exact(hidden).zip(cell.chunks_exact(hidden)) {
            first.extend(state.iter().chain(cell));
        }
        first.iter_mut().zip(&self.first).for_each(|(d, y)| *d *= 1.0 - y * y);
        gradients.initial.add_gradients(&self.mean, batch, &first);
        let mut mean = vec![0.0; batch * annotation];
        product_transposed(&mut mean, batch, &first, &weights.initial.weight);
        gradients.key.add_gradients(&self.annotations, batch * cells, &keys);
        product_transposed(&mut annotations, batch * cells, &keys, &weights.key.weight);
        let share = 1.0 / cells as f32;
        for (row, d) in annotations.chunks_exact_mut(annotation).enumerate() {
            add_scaled(d, share, &mean[row / cells * annotation..][..annotation]);
        }
        annotations.iter_mut().zip(&self.annotations).for_each(|(d, &y)| {
            if y <= 0.0 {
                *d = 0.0;
            }
        });
        gradients.annotation.add_gradients(&self.features, batch * cells, &annotations);
    }
}
