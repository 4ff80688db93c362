//! Whole training runs of the embedding.

use super::EmbedConfig;
use crate::data::source::DataSet;
use crate::options::{OptimizerKind, Preset, Schedule, TrainOptions};

/// Photos and what is said of them, from averages of features.
pub fn photos() -> TrainOptions<EmbedConfig> {
    TrainOptions {
        preset: "embed-photos".to_owned(),
        data: DataSet::PhotoPairs,
        augmentation: None,
        config: EmbedConfig::photos(),
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
        schedule: Schedule::Cosine { warmup: 100, constant_until: 0.3 },
        clip: 5.0,
        average_decay: 0.99,
        temperature: 1.0,
        step_curriculum: None,
        patience: None,
    }
}

/// All of them, as `aligndraw train --preset` lists them.
pub fn all() -> Vec<Preset<EmbedConfig>> {
    vec![Preset {
        name: "embed-photos",
        about: "Photos and sentences in one space: which sentence belongs to which photo",
        options: photos(),
    }]
}
