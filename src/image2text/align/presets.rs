//! Whole training runs of the alignment.

use super::AlignConfig;
use crate::data::source::DataSet;
use crate::options::{OptimizerKind, Preset, Schedule, TrainOptions};

/// Photos and what is said of them, from features of 7×7 cells.
pub fn photos() -> TrainOptions<AlignConfig> {
    TrainOptions {
        preset: "align-photos".to_owned(),
        data: DataSet::PhotoPairs,
        augmentation: None,
        config: AlignConfig::photos(),
        started_from: None,
        seed: 1,
        held_out_seed: 1,
        batch_size: 100,
        // As many pictures as Flickr8k has to learn from.
        batches_per_epoch: 60,
        epochs: 20,
        validation_images: 1_000,
        optimizer: OptimizerKind::Adam,
        learning_rate: 1e-3,
        schedule: Schedule::Cosine { warmup: 100, constant_until: 0.0 },
        clip: 5.0,
        average_decay: 0.99,
        temperature: 1.0,
        step_curriculum: None,
        patience: None,
    }
}

/// All of them, as `aligndraw train --preset` lists them.
pub fn all() -> Vec<Preset<AlignConfig>> {
    vec![Preset {
        name: "align-photos",
        about: "Words in regions of photos: which sentence belongs to which photo, and which word to which place",
        options: photos(),
    }]
}
