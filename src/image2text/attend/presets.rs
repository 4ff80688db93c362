//! Whole training runs of Show, Attend and Tell.

use super::{AttendConfig, Attention, Dropout};
use crate::data::source::DataSet;
use crate::options::{OptimizerKind, Preset, Schedule, TrainOptions};

/// Colour scenes described, 64×64, the attention taught where things stand. The shipped run began with the judge's
/// convolutions (`--trunk models`).
pub fn scenes() -> TrainOptions<AttendConfig> {
    let config = AttendConfig {
        attention: Attention::Hard,
        grounding: 1.0,
        focus: 16.0,
        as_said_from: 0.6,
        dropout: Dropout { hidden: 0.2, words: 0.0 },
        ..AttendConfig::scenes()
    };
    TrainOptions {
        preset: "describe-scenes".to_owned(),
        data: DataSet::Scenes,
        augmentation: None,
        config,
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

/// Photos described, from features of 7×7 cells; nine passes over the 30 000 captions of Flickr8k.
pub fn photos() -> TrainOptions<AttendConfig> {
    TrainOptions {
        preset: "describe-photos".to_owned(),
        data: DataSet::Photos,
        config: AttendConfig::photos(),
        batch_size: 160,
        // A checkpoint each quarter of a pass.
        batches_per_epoch: 47,
        epochs: 36,
        validation_images: 1_280,
        learning_rate: 8e-4,
        schedule: Schedule::Cosine { warmup: 100, constant_until: 0.0 },
        ..scenes()
    }
}

/// Show and Tell: the same photos, of which the average of all cells is seen once, before the first word; embeddings
/// are as wide as the LSTM, as the authors' are.
pub fn tell_photos() -> TrainOptions<AttendConfig> {
    let sizes = AttendConfig::photos();
    let config = AttendConfig {
        attention: Attention::None,
        coverage: 0.0,
        embedding_size: sizes.hidden_size,
        ..sizes
    };
    TrainOptions { preset: "tell-photos".to_owned(), config, ..photos() }
}

/// All of them, as `aligndraw train --preset` lists them.
pub fn all() -> Vec<Preset<AttendConfig>> {
    vec![
        Preset {
            name: "describe-scenes",
            about: "Show, Attend and Tell on colour scenes: from pictures to words",
            options: scenes(),
        },
        Preset {
            name: "describe-photos",
            about: "Show, Attend and Tell on a folder of photos: from pictures to words",
            options: photos(),
        },
        Preset {
            name: "tell-photos",
            about: "Show and Tell on a folder of photos: without attention",
            options: tell_photos(),
        },
    ]
}
