//! Whole training runs of the generator.

use super::RnnConfig;
use crate::data::source::DataSet;
use crate::options::{OptimizerKind, Preset, Schedule, TrainOptions};

/// Photos described, from averages of features; nine passes over the 30 000 captions of Flickr8k.
pub fn photos() -> TrainOptions<RnnConfig> {
    TrainOptions {
        preset: "describe-photos-rnn".to_owned(),
        data: DataSet::Photos,
        augmentation: None,
        config: RnnConfig::photos(),
        started_from: None,
        seed: 1,
        held_out_seed: 1,
        batch_size: 160,
        // A checkpoint each quarter of a pass.
        batches_per_epoch: 47,
        epochs: 36,
        validation_images: 1_280,
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

/// Regions of photos described, from the average of a region's features; the sentences of photos are cut by a ranker.
pub fn regions() -> TrainOptions<RnnConfig> {
    TrainOptions {
        preset: "describe-regions".to_owned(),
        data: DataSet::Snippets,
        config: RnnConfig::regions(),
        ..photos()
    }
}

/// All of them, as `aligndraw train --preset` lists them.
pub fn all() -> Vec<Preset<RnnConfig>> {
    vec![
        Preset {
            name: "describe-photos-rnn",
            about: "DeepVS' generator on a folder of photos: a plain recurrent network, without attention",
            options: photos(),
        },
        Preset {
            name: "describe-regions",
            about: "DeepVS' generator on regions of photos, whose words the model align-photos finds",
            options: regions(),
        },
    ]
}
