//! Whole training runs of LAPGAN.

use super::LapganConfig;
use crate::data::source::DataSet;
use crate::options::{OptimizerKind, Preset, Schedule, TrainOptions};

/// A folder of photos, 8 → 16 → 32.
pub fn photos() -> TrainOptions<LapganConfig> {
    TrainOptions {
        preset: "lapgan-photos".to_owned(),
        data: DataSet::Folder,
        augmentation: None,
        config: LapganConfig::photos(),
        started_from: None,
        seed: 1,
        held_out_seed: 1,
        batch_size: 32,
        batches_per_epoch: 100,
        epochs: 60,
        validation_images: 320,
        optimizer: OptimizerKind::AdversarialAdam,
        learning_rate: 2e-4,
        schedule: Schedule::Cosine { warmup: 50, constant_until: 0.7 },
        clip: 10.0,
        average_decay: 0.99,
        temperature: 1.0,
        step_curriculum: None,
        patience: None,
    }
}

/// All of them, as `aligndraw train --preset` lists them.
pub fn all() -> Vec<Preset<LapganConfig>> {
    vec![Preset {
        name: "lapgan-photos",
        about: "LAPGAN on a folder of photos (--data), 8 → 16 → 32 pixels; its last level sharpens other painters",
        options: photos(),
    }]
}
