//! The forward pass, which keeps what the backward pass needs.

use super::super::training::{Masks, Said};
use super::super::{AttendConfig, Picture};
use super::weights::{Weights, product};
use super::{Dropped, Sizes, drop};
use crate::data::batch::TrainBatch;
use crate::kernels::math::{dot, sigmoid, tanh};
use crate::kernels::matmul::transpose;
use crate::kernels::softmax::cross_entropy;
use crate::kernels::{attention, lstm};
use crate::model::Terms;

/// Everything of a batch; rows of all steps are [step, caption].
pub struct Pass {
    pub sizes: Sizes,
    pub dropped: Dropped,
    pub said: Said,
    /// λ.
    pub coverage: f32,
    /// Scaled features [caption · cell, feature].
    pub features: Vec<f32>,
    /// [caption · cell, A].
    pub annotations: Vec<f32>,
    /// [caption · cell, align].
    pub keys: Vec<f32>,
    /// Mean annotations [caption, A].
    pub mean: Vec<f32>,
    /// First state and cell [caption, 2H].
    pub first: Vec<f32>,
    /// What is heard before each step [rows, E].
    pub embedded: Vec<f32>,
    /// Activations of the gates [rows, 4H].
    pub gates: Vec<f32>,
    /// States before step 0, 1, … and after the last [(steps + 1) · captions, H].
    pub hidden: Vec<f32>,
    /// Cells, as the states.
    pub cells: Vec<f32>,
    /// α [rows, cell].
    pub alignment: Vec<f32>,
    /// tanh of keys and query [rows, cell, align].
    pub activations: Vec<f32>,
    /// ẑ [rows, A].
    pub mixed: Vec<f32>,
    /// β [rows].
    pub gate: Vec<f32>,
    /// β ẑ [rows, A].
    pub context: Vec<f32>,
    /// States after each step, some dropped [rows, H].
    pub kept: Vec<f32>,
    /// The layer below the words [rows, E], and the same with some dropped.
    pub below: Vec<f32>,
    pub below_kept: Vec<f32>,
    /// Probabilities of all words [rows, V + 1].
    pub probabilities: Vec<f32>,
    /// `Σ_t α_t` [caption, cell].
    pub total: Vec<f32>,
    /// `−Σ log p` of all captions, nats.
    pub nats: f64,
}

/// Planar features [caption, feature, cell] to [caption · cell, feature], scaled.
fn by_cell(planar: &[f32], sizes: &Sizes, scale: f32) -> Vec<f32> {
    let mut all = Vec::with_capacity(planar.len());
    for picture in planar.chunks_exact(sizes.features * sizes.cells) {
        all.extend(transpose(picture, sizes.features));
    }
    all.iter_mut().for_each(|value| *value *= scale);
    all
}

impl Pass {
    /// Says the captions of a batch, each word after the true ones before it.
    pub fn run(weights: &Weights, config: &AttendConfig, item: &TrainBatch) -> Self {
        let said = Said::of(&item.batch.ids, item.batch.len(), item.batch.words, config.vocabulary_size);
        let sizes = Sizes::of(config, &said);
        let dropped = Dropped::draw(&mut Masks::of(item), config, &sizes);
        let scale = match config.picture {
            Picture::Features { scale, .. } => scale,
            Picture::Pixels { .. } => 1.0,
        };
        let (rows, h) = (sizes.rows(), sizes.hidden);
        let mut pass = Self {
            features: by_cell(&item.batch.images, &sizes, scale),
            annotations: Vec::new(),
            keys: Vec::new(),
            mean: vec![0.0; sizes.batch * sizes.annotation],
            first: Vec::new(),
            embedded: vec![0.0; rows * sizes.embedding],
            gates: Vec::new(),
            hidden: vec![0.0; (rows + sizes.batch) * h],
            cells: vec![0.0; (rows + sizes.batch) * h],
            alignment: vec![0.0; rows * sizes.cells],
            activations: vec![0.0; rows * sizes.cells * sizes.align],
            mixed: vec![0.0; rows * sizes.annotation],
            gate: vec![0.0; rows],
            context: vec![0.0; rows * sizes.annotation],
            kept: Vec::new(),
            below: Vec::new(),
            below_kept: Vec::new(),
            probabilities: Vec::new(),
            total: vec![0.0; sizes.batch * sizes.cells],
            nats: 0.0,
            coverage: config.coverage,
            sizes,
            dropped,
            said,
        };
        pass.look(weights);
        pass.hear(weights);
        (0..sizes.steps).for_each(|step| pass.step(weights, step));
        pass.speak(weights);
        pass
    }

    /// The batch's mean terms.
    pub fn terms(&self) -> Terms<f64> {
        let batch = self.sizes.batch as f64;
        let missed: f64 = self.total.iter().map(|total| f64::from(1.0 - total).powi(2)).sum();
        let coverage = f64::from(self.coverage) * missed / batch;
        Terms(vec![("words", self.nats / batch), ("coverage", coverage)])
    }

    /// Annotations, keys, and the state before the first word.
    fn look(&mut self, weights: &Weights) {
        let Sizes { batch, cells, annotation, hidden, .. } = self.sizes;
        self.annotations = weights.annotation.apply(&self.features, batch * cells);
        self.annotations.iter_mut().for_each(|value| *value = value.max(0.0));
        self.keys = weights.key.apply(&self.annotations, batch * cells);
        let share = 1.0 / cells as f32;
        for (mean, picture) in
            self.mean.chunks_exact_mut(annotation).zip(self.annotations.chunks_exact(cells * annotation))
        {
            for cell in picture.chunks_exact(annotation) {
                mean.iter_mut().zip(cell).for_each(|(mean, value)| *mean += share * value);
            }
        }
        self.first = weights.initial.apply(&self.mean, batch);
        self.first.iter_mut().for_each(|value| *value = tanh(*value));
        for (caption, both) in self.first.chunks_exact(2 * hidden).enumerate() {
            self.hidden[caption * hidden..][..hidden].copy_from_slice(&both[..hidden]);
            self.cells[caption * hidden..][..hidden].copy_from_slice(&both[hidden..]);
        }
    }

    /// Embeddings of the words before each step, and what they give to the gates.
    fn hear(&mut self, weights: &Weights) {
        let Sizes { batch, embedding, hidden, .. } = self.sizes;
        let heard = self.embedded.chunks_exact_mut(embedding).skip(batch);
        for (row, &id) in heard.zip(&self.said.before) {
            row.copy_from_slice(&weights.embedding[id * embedding..][..embedding]);
        }
        drop(&mut self.embedded, self.dropped.embedded.as_ref());
        // The bias is added by the kernel of the step.
        self.gates = vec![0.0; self.sizes.rows() * 4 * hidden];
        product(&mut self.gates, self.sizes.rows(), &self.embedded, &weights.word_gates.weight);
    }

    /// One word: where it is looked for, and the state after it.
    fn step(&mut self, weights: &Weights, step: usize) {
        let Sizes { batch, cells, annotation, align, hidden, .. } = self.sizes;
        let (before, rest) = self.hidden[step * batch * hidden..].split_at_mut(batch * hidden);
        let after = &mut rest[..batch * hidden];
        let mut query = vec![0.0; batch * align];
        product(&mut query, batch, before, &weights.query);
        for caption in 0..batch {
            let row = step * batch + caption;
            let mixed = &mut self.mixed[row * annotation..][..annotation];
            attention::forward(
                &self.keys[caption * cells * align..][..cells * align],
                &query[caption * align..][..align],
                &weights.score,
                &self.annotations[caption * cells * annotation..][..cells * annotation],
                &mut self.alignment[row * cells..][..cells],
                &mut self.activations[row * cells * align..][..cells * align],
                mixed,
            );
            let alignment = &self.alignment[row * cells..][..cells];
            let total = &mut self.total[caption * cells..][..cells];
            total.iter_mut().zip(alignment).for_each(|(total, share)| *total += share);
            let gate = sigmoid(
                dot(&before[caption * hidden..][..hidden], &weights.gate.weight) + weights.gate.bias[0],
            );
            self.gate[row] = gate;
            let context = &mut self.context[row * annotation..][..annotation];
            context.iter_mut().zip(mixed).for_each(|(context, value)| *context = gate * *value);
        }
        let gates = &mut self.gates[step * batch * 4 * hidden..][..batch * 4 * hidden];
        product(gates, batch, before, &weights.recurrent);
        let context = &self.context[step * batch * annotation..][..batch * annotation];
        product(gates, batch, context, &weights.context_gates);
        let (cell_before, rest) = self.cells[step * batch * hidden..].split_at_mut(batch * hidden);
        lstm::forward(gates, &weights.word_gates.bias, cell_before, &mut rest[..batch * hidden], after);
    }

    /// The words' probabilities at all steps.
    fn speak(&mut self, weights: &Weights) {
        let Sizes { batch, hidden, words, .. } = self.sizes;
        let rows = self.sizes.rows();
        self.kept = self.hidden[batch * hidden..].to_vec();
        drop(&mut self.kept, self.dropped.hidden.as_ref());
        self.below = weights.output.apply(&self.kept, rows);
        product(&mut self.below, rows, &self.context, &weights.context_output);
        for (below, word) in self.below.iter_mut().zip(&self.embedded) {
            *below = tanh(*below + word);
        }
        self.below_kept = self.below.clone();
        drop(&mut self.below_kept, self.dropped.below.as_ref());
        self.probabilities = weights.word_bias.repeat(rows);
        super::weights::product_transposed(
            &mut self.probabilities,
            rows,
            &self.below_kept,
            &weights.embedding,
        );
        for (logits, &target) in self.probabilities.chunks_exact_mut(words).zip(&self.said.targets) {
            self.nats += f64::from(cross_entropy(logits, target));
        }
    }
}
