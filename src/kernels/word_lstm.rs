//! One direction of a bidirectional LSTM over the words of captions, and its backward pass.

use super::lstm;
use super::math::add_rows;
use super::matmul::{Mat, matmul};
use super::steps::fill_rows;

/// Weights of a direction; L units.
#[derive(Clone, Copy)]
pub struct DirectionWeights<'a> {
    /// Word → gates [V, 4L].
    pub input: &'a [f32],
    /// State → gates [L, 4L].
    pub recurrent: &'a [f32],
    /// Gate bias [4L].
    pub bias: &'a [f32],
    /// Initial hidden state [L].
    pub initial: &'a [f32],
}

/// Gradients of the same.
pub struct DirectionGradients<'a> {
    /// Of [`DirectionWeights::input`].
    pub input: &'a mut [f32],
    /// Of [`DirectionWeights::recurrent`].
    pub recurrent: &'a mut [f32],
    /// Of [`DirectionWeights::bias`].
    pub bias: &'a mut [f32],
    /// Of [`DirectionWeights::initial`].
    pub initial: &'a mut [f32],
}

/// A direction's states, by reading step (not by word).
#[derive(Default)]
pub struct WordLstm {
    /// Whether it reads from right to left.
    backward: bool,
    batch: usize,
    words: usize,
    /// Gate activations [word, batch, 4L].
    gates: Vec<f32>,
    /// Cells [word + 1, batch, L]; the first are zeros.
    cells: Vec<f32>,
    /// Hidden states [word + 1, batch, L]; the first are the initial state.
    hidden: Vec<f32>,
}

impl WordLstm {
    /// The word that is read at a step.
    fn word_at(&self, step: usize) -> usize {
        if self.backward { self.words - 1 - step } else { step }
    }

    /// Where a row's state stands in [batch, word, 2L]: that of the direction from right to left is the second half.
    fn place(&self, row: usize, step: usize, size: usize) -> usize {
        (row * self.words + self.word_at(step)) * 2 * size + usize::from(self.backward) * size
    }

    /// Reads word ids [batch, word], each below the vocabulary's size, and writes its half of the states [batch, word, 2L].
    pub fn read(
        &mut self,
        weights: DirectionWeights,
        backward: bool,
        ids: &[usize],
        words: usize,
        states: &mut [f32],
    ) {
        let (size, batch) = (weights.initial.len(), ids.len() / words);
        (self.backward, self.batch, self.words) = (backward, batch, words);
        self.gates.resize(words * batch * 4 * size, 0.0);
        self.cells.resize((words + 1) * batch * size, 0.0);
        self.hidden.resize((words + 1) * batch * size, 0.0);
        fill_rows(&mut self.hidden[..batch * size], weights.initial);
        self.cells[..batch * size].fill(0.0);
        for step in 0..words {
            let word = self.word_at(step);
            let gates = &mut self.gates[step * batch * 4 * size..][..batch * 4 * size];
            for (row, gates) in gates.chunks_exact_mut(4 * size).enumerate() {
                let id = ids[row * words + word];
                gates.copy_from_slice(&weights.input[id * 4 * size..][..4 * size]);
            }
            let (before, after) = self.hidden.split_at_mut((step + 1) * batch * size);
            let before = Mat::new(&before[step * batch * size..], batch, size);
            matmul(gates, 4 * size, true, before, Mat::new(weights.recurrent, size, 4 * size));
            let (cells_before, cells) = self.cells.split_at_mut((step + 1) * batch * size);
            let hidden = &mut after[..batch * size];
            let cells_before = &cells_before[step * batch * size..];
            lstm::forward(gates, weights.bias, cells_before, &mut cells[..batch * size], hidden);
            for row in 0..batch {
                let at = self.place(row, step, size);
                states[at..at + size]
                    .copy_from_slice(&self.hidden[((step + 1) * batch + row) * size..][..size]);
            }
        }
    }

    /// Adds the gradients of the weights, from those of the states [batch, word, 2L].
    pub fn read_backward(
        &self,
        weights: DirectionWeights,
        ids: &[usize],
        d_states: &[f32],
        gradients: DirectionGradients,
    ) {
        let (size, batch, words) = (weights.initial.len(), self.batch, self.words);
        let mut d_gates = vec![0.0; words * batch * 4 * size];
        let mut d_cell = vec![0.0; batch * size];
        let mut d_hidden = vec![0.0; batch * size];
        for step in (0..words).rev() {
            for (row, d_hidden) in d_hidden.chunks_exact_mut(size).enumerate() {
                let at = self.place(row, step, size);
                for (d_hidden, d_state) in d_hidden.iter_mut().zip(&d_states[at..at + size]) {
                    *d_hidden += d_state;
                }
            }
            let d_gates = &mut d_gates[step * batch * 4 * size..][..batch * 4 * size];
            lstm::backward(
                size,
                &self.gates[step * batch * 4 * size..][..batch * 4 * size],
                &self.cells[step * batch * size..][..batch * size],
                &self.cells[(step + 1) * batch * size..][..batch * size],
                &d_hidden,
                &mut d_cell,
                d_gates,
                4 * size,
            );
            let d_gates = Mat::new(d_gates, batch, 4 * size);
            matmul(&mut d_hidden, size, false, d_gates, Mat::new(weights.recurrent, size, 4 * size).t());
        }
        add_rows(gradients.initial, &d_hidden, size);
        add_rows(gradients.bias, &d_gates, 4 * size);
        let before = Mat::new(&self.hidden, words * batch, size);
        let d_gates_mat = Mat::new(&d_gates, words * batch, 4 * size);
        matmul(gradients.recurrent, 4 * size, true, before.t(), d_gates_mat);
        for step in 0..words {
            let word = self.word_at(step);
            for row in 0..batch {
                let id = ids[row * words + word];
                let d_gates = &d_gates[(step * batch + row) * 4 * size..][..4 * size];
                add_rows(&mut gradients.input[id * 4 * size..][..4 * size], d_gates, 4 * size);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was read before, of fewer captions, leaves nothing in the states of those that follow.
    #[test]
    fn memory_kept_between_batches_changes_nothing() {
        let (size, vocabulary) = (2, 3);
        let values = |len: usize| (0..len).map(|at| (at as f32 * 0.7).sin()).collect::<Vec<_>>();
        let (input, recurrent) = (values(vocabulary * 4 * size), values(4 * size * size));
        let (bias, initial) = (values(4 * size), values(size));
        let weights =
            DirectionWeights { input: &input, recurrent: &recurrent, bias: &bias, initial: &initial };
        let ids = [0, 1, 2, 1, 2, 0];
        let read = |lstm: &mut WordLstm, ids: &[usize]| {
            let mut states = vec![0.0; ids.len() * 2 * size];
            lstm.read(weights, false, ids, 2, &mut states);
            states
        };
        let mut kept = WordLstm::default();
        read(&mut kept, &ids[..2]);
        assert_eq!(read(&mut kept, &ids), read(&mut WordLstm::default(), &ids));
    }
}
