//! Whole training runs of Show, Attend and Tell.

use super::AttendConfig;
use crate::data::source::DataSet;
use crate::options::{OptimizerKind, Preset, Schedule, TrainOptions};

/// Colour scenes described, 64×64. The shipped run began with the judge's convolutions (`--trunk models`).
pub fn scenes() -> TrainOptions<AttendConfig> {
    TrainOptions {
        preset: "describe-scenes".to_owned(),
        data: DataSet::Scenes,
        config: AttendConfig::scenes(),
        started_from: None,
        seed: 1,
        held_out_seed: 1,
        batch_size: 64,
        batches_per_epoch: 50,
        epochs: 60,
        validation_images: 320,
        optimizer: OptimizerKind::Adam,
        learning_rate: 2e-3,
        schedule: Schedule::Cosine { warmup: 100, constant_until: 0.3 },
        clip: 5.0,
        average_decay: 0.99,
        temperature: 1.0,
        step_curriculum: None,
        patience: None,
    }
}

/// All of them, as `aligndraw train --preset` lists them.
pub fn all() -> Vec<Preset<AttendConfig>> {
    vec![Preset {
        name: "describe-scenes",
        about: "Show, Attend and Tell on colour scenes: from pictures to words",
        options: scenes(),
    }]
}
