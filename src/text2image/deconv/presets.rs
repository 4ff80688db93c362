//! Whole training runs of the LSTM with transposed convolutions.

use super::DeconvConfig;
use crate::data::source::DataSet;
use crate::options::{OptimizerKind, Preset, Schedule, TrainOptions};

/// Colour scenes, 64×64.
pub fn scenes() -> TrainOptions<DeconvConfig> {
    TrainOptions {
        preset: "deconv-scenes".to_owned(),
        data: DataSet::Scenes,
        augmentation: None,
        config: DeconvConfig::scenes(),
        started_from: None,
        seed: 1,
        held_out_seed: 1,
        batch_size: 64,
        batches_per_epoch: 100,
        epochs: 60,
        validation_images: 640,
        optimizer: OptimizerKind::Adam,
        learning_rate: 2e-3,
        schedule: Schedule::Cosine { warmup: 100, constant_until: 0.4 },
        clip: 100.0,
        average_decay: 0.0,
        temperature: 1.0,
        step_curriculum: None,
        patience: None,
    }
}

/// [`scenes`] with a prior on the code.
pub fn scenes_prior() -> TrainOptions<DeconvConfig> {
    let config = DeconvConfig { prior: true, ..scenes().config };
    TrainOptions { preset: "deconv-scenes-prior".to_owned(), config, ..scenes() }
}

/// The same on a folder of photos.
pub fn photos() -> TrainOptions<DeconvConfig> {
    TrainOptions { preset: "deconv-photos".to_owned(), data: DataSet::Folder, patience: Some(8), ..scenes() }
}

/// All of them, as `aligndraw train --preset` lists them.
pub fn all() -> Vec<Preset<DeconvConfig>> {
    let preset = |name, about, options| Preset { name, about, options };
    vec![
        preset("deconv-scenes", "LSTM and transposed convolutions (Kwak & Zhang) on colour scenes", scenes()),
        preset("deconv-scenes-prior", "The same with a prior on the sentence's code", scenes_prior()),
        preset("deconv-photos", "The same on a folder of photos (--data), 64×64", photos()),
    ]
}
