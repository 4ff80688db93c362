//! Attention that is taught where things stand (Liu et al. 2017, *Attention Correctness in Neural Image Captioning*).

use burn::tensor::{Device, Tensor, TensorData};

use super::AttendConfig;
use crate::data::batch::{NamedBox, TrainBatch};

/// The cells inside the boxes of what the words of a batch name.
pub struct Grounding {
    /// Of each step 1 for a cell inside and 0 for one outside [caption, cell], and which captions have a box
    /// [caption, 1]; none where no caption has one.
    steps: Vec<Option<[Tensor<2>; 2]>>,
    weight: f32,
    /// −Σ_t log Σ_i α_ti over the cells inside, so far [batch].
    nats: Tensor<1>,
}

impl Grounding {
    /// Of a batch whose captions are said in so many steps; none where it has no weight.
    pub fn of(config: &AttendConfig, item: &TrainBatch, steps: usize, device: &Device) -> Option<Self> {
        if config.grounding == 0.0 {
            return None;
        }
        let (batch, cells) = (item.batch.len(), config.cells());
        let mut inside = vec![vec![0.0f32; batch * cells]; steps];
        for named in item.batch.boxes.iter() {
            let row = &mut inside[named.word][named.image * cells..][..cells];
            mark(row, named, config.grid());
        }
        let steps = inside.into_iter().map(|inside| {
            let known: Vec<f32> =
                inside.chunks(cells).map(|row| row.iter().copied().fold(0.0, f32::max)).collect();
            let tensor = |values, width| Tensor::from_data(TensorData::new(values, [batch, width]), device);
            known.contains(&1.0).then(|| [tensor(inside, cells), tensor(known, 1)])
        });
        Some(Self { steps: steps.collect(), weight: config.grounding, nats: Tensor::zeros([batch], device) })
    }

    /// Counts what lies inside.
    pub fn count(&mut self, step: usize, alignment: &Tensor<2>) {
        if let Some([inside, known]) = &self.steps[step] {
            let share = (alignment.clone() * inside.clone()).sum_dim(1) + 1e-9;
            self.nats = self.nats.clone() - (share.log() * known.clone()).squeeze_dim::<1>(1);
        }
    }

    /// Counts what lies inside, and keeps the alignment there, so that a word is said by what it names: before the first
    /// of two nouns the attention can but halve, and a mean of two things tells nothing of where the named one is.
    pub fn keep(&mut self, step: usize, alignment: &Tensor<2>) -> Option<Tensor<2>> {
        self.count(step, alignment);
        let [inside, known] = self.steps[step].as_ref()?;
        let kept = alignment.clone() * inside.clone() + 1e-9;
        let share = kept.clone().sum_dim(1);
        let others = alignment.clone() * (known.clone() * -1.0 + 1.0);
        Some(kept / share * known.clone() + others)
    }

    /// The term of each caption.
    pub fn term(self) -> Tensor<1> {
        self.nats * self.weight
    }
}

/// Marks the cells whose middle is inside a box; those of a box that holds no middle stay as they are.
fn mark(cells: &mut [f32], named: &NamedBox, [_, columns]: [usize; 2]) {
    let rows = cells.len() / columns;
    let [left, top, right, bottom] = named.edges;
    for (at, cell) in cells.iter_mut().enumerate() {
        let middle = |at: usize, count: usize| (at as f32 + 0.5) / count as f32;
        let (y, x) = (middle(at / columns, rows), middle(at % columns, columns));
        if (left..right).contains(&x) && (top..bottom).contains(&y) {
            *cell = 1.0;
        }
    }
}
