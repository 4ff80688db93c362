//! What a recurrence keeps of its steps.

use std::ops::Range;

use super::matmul::{Mat, matmul};

/// A value for each step and image, `[step, batch, len]`.
#[derive(Default)]
pub struct StepBuffer {
    data: Vec<f32>,
    len: usize,
    /// Steps that there is room for; a step beyond takes the room of the first, and so on.
    room: usize,
}

impl StepBuffer {
    /// Room for `room` steps of `len` floats each, those of a whole batch.
    pub fn resize(&mut self, room: usize, len: usize) {
        (self.len, self.room) = (len, room);
        self.data.resize(room * len, 0.0);
    }

    fn range(&self, step: usize) -> Range<usize> {
        let start = step % self.room * self.len;
        start..start + self.len
    }

    /// The batch at a step.
    pub fn at(&self, step: usize) -> &[f32] {
        &self.data[self.range(step)]
    }

    /// The batch at a step, to write.
    pub fn at_mut(&mut self, step: usize) -> &mut [f32] {
        let range = self.range(step);
        &mut self.data[range]
    }

    /// Row `row` of the batch at a step, of rows of `len`; where there is room for one row, that one.
    pub fn row(&self, step: usize, row: usize, len: usize) -> &[f32] {
        let at = row * len % self.len;
        &self.at(step)[at..][..len]
    }

    /// The same, to write.
    pub fn row_mut(&mut self, step: usize, row: usize, len: usize) -> &mut [f32] {
        let at = row * len % self.len;
        &mut self.at_mut(step)[at..][..len]
    }

    /// A row as it stood at a step, to make of it that of the next.
    pub fn carried(&mut self, step: usize, row: usize, len: usize) -> &mut [f32] {
        let [before, after] = [step, step + 1].map(|step| self.range(step).start + row * len);
        if before != after {
            self.data.copy_within(before..before + len, after);
        }
        &mut self.data[after..][..len]
    }

    /// The batch at a step to read and at the next one to write.
    pub fn pair(&mut self, step: usize) -> (&[f32], &mut [f32]) {
        let (before, after) = (self.range(step), self.range(step + 1));
        let (first, second) = self.data.split_at_mut(before.start.max(after.start));
        if before.start < after.start {
            (&first[before], &mut second[..self.len])
        } else {
            (&second[..self.len], &mut first[after])
        }
    }

    /// Takes row `row` of `from`, batch `rows`, at a step.
    pub fn take(&mut self, step: usize, from: &Self, row: usize, rows: usize) {
        let len = from.len / rows;
        self.at_mut(step).copy_from_slice(&from.at(step)[row * len..][..len]);
    }

    /// Adds to a weight's gradient [size, width], from the rows of `size` of the first steps, all at once, and the
    /// gradients of their products [step, batch, width].
    pub fn weight_gradient(
        &self,
        steps: usize,
        size: usize,
        d_products: &[f32],
        width: usize,
        out: &mut [f32],
    ) {
        let states = &self.data[..steps * self.len];
        let rows = states.len() / size;
        matmul(out, width, true, Mat::new(states, rows, size).t(), Mat::new(d_products, rows, width));
    }
}

/// Zeros, as many.
pub fn reset(buffer: &mut Vec<f32>, len: usize) {
    buffer.clear();
    buffer.resize(len, 0.0);
}

/// Repeats `row` over a batch.
pub fn fill_rows(batch: &mut [f32], row: &[f32]) {
    for out in batch.chunks_exact_mut(row.len()) {
        out.copy_from_slice(row);
    }
}
