//! Soft attention on features by hand-written passes: the sums of `training`, forward and backward, in a few
//! passes over the values. Held to autodiff by a test.

mod backward;
mod forward;
mod weights;

use super::training::{Masks, Said};
use super::{Attend, AttendConfig, Attention, Picture};
use crate::data::batch::TrainBatch;
use crate::model::{FusedPasses, Terms};

use weights::Weights;

/// The passes, for the configurations that they are written for.
pub struct AttendPasses(());

impl AttendPasses {
    /// For soft attention on features with tied embeddings, without positions, that learns captions alone; none for the others.
    pub fn of(config: &AttendConfig) -> Option<Self> {
        let features = matches!(config.picture, Picture::Features { .. });
        let soft = config.attention == Attention::Soft;
        let plain = config.tied && !config.positions && config.grounding == 0.0 && config.self_critical == 0;
        (features && soft && plain).then_some(Self(()))
    }
}

impl FusedPasses<Attend> for AttendPasses {
    fn gradients(
        &mut self,
        model: &Attend,
        config: &AttendConfig,
        item: &TrainBatch,
    ) -> (Terms<f64>, Vec<Vec<f32>>) {
        let weights = Weights::of(model);
        let pass = forward::Pass::run(&weights, config, item);
        let terms = pass.terms();
        (terms, pass.backward(&weights).into_values())
    }

    fn terms(&mut self, model: &Attend, config: &AttendConfig, item: &TrainBatch) -> Terms<f64> {
        forward::Pass::run(&Weights::of(model), config, item).terms()
    }
}

/// Sizes of a batch.
#[derive(Clone, Copy, Debug)]
struct Sizes {
    /// Captions (B).
    batch: usize,
    /// Words of each and its end (S).
    steps: usize,
    /// L.
    cells: usize,
    /// Features of a cell.
    features: usize,
    /// A.
    annotation: usize,
    align: usize,
    /// E.
    embedding: usize,
    /// H.
    hidden: usize,
    /// V + 1.
    words: usize,
}

impl Sizes {
    fn of(config: &AttendConfig, said: &Said) -> Self {
        Self {
            batch: said.batch,
            steps: said.steps,
            cells: config.cells(),
            features: match config.picture {
                Picture::Features { channels, .. } => channels,
                Picture::Pixels { .. } => unreachable!("AttendPasses::of takes features alone"),
            },
            annotation: config.annotation_size(),
            align: config.align_size,
            embedding: config.embedding_size,
            hidden: config.hidden_size,
            words: config.vocabulary_size + 1,
        }
    }

    /// Rows of all steps.
    fn rows(&self) -> usize {
        self.steps * self.batch
    }
}

/// Masks of dropout as `training` draws them; none where nothing is dropped.
struct Dropped {
    embedded: Option<Vec<f32>>,
    hidden: Option<Vec<f32>>,
    below: Option<Vec<f32>>,
}

impl Dropped {
    fn draw(masks: &mut Masks, config: &AttendConfig, sizes: &Sizes) -> Self {
        let (rows, e, h) = (sizes.rows(), sizes.embedding, sizes.hidden);
        Self {
            embedded: masks.mask(rows * e, config.dropout.words),
            hidden: masks.mask(rows * h, config.dropout.hidden),
            below: masks.mask(rows * e, config.dropout.words),
        }
    }
}

/// Multiplies by a mask, where there is one.
fn drop(values: &mut [f32], mask: Option<&Vec<f32>>) {
    if let Some(mask) = mask {
        values.iter_mut().zip(mask).for_each(|(value, kept)| *value *= kept);
    }
}
