//! Whole training runs of the variational autoencoders.

use super::VaeConfig;
use crate::data::source::DataSet;
use crate::options::{OptimizerKind, Preset, Schedule, TrainOptions};

/// The fully connected one on a folder of photos at 32×32.
pub fn photos() -> TrainOptions<VaeConfig> {
    TrainOptions {
        preset: "vae-photos".to_owned(),
        data: DataSet::Folder,
        augmentation: None,
        config: VaeConfig::dense(),
        started_from: None,
        seed: 1,
        held_out_seed: 1,
        batch_size: 100,
        batches_per_epoch: 100,
        epochs: 60,
        validation_images: 1_000,
        optimizer: OptimizerKind::Adam,
        learning_rate: 1e-3,
        schedule: Schedule::Cosine { warmup: 100, constant_until: 0.5 },
        clip: 10.0,
        average_decay: 0.99,
        temperature: 1.0,
        step_curriculum: None,
        patience: Some(8),
    }
}

/// The convolutional one on a folder of photos at 32×32.
pub fn convolutional_photos() -> TrainOptions<VaeConfig> {
    let config = VaeConfig::convolutional();
    TrainOptions { preset: "conv-vae-photos".to_owned(), config, epochs: 30, ..photos() }
}

/// All of them, as `aligndraw train --preset` lists them.
pub fn all() -> Vec<Preset<VaeConfig>> {
    let preset = |name, about, options| Preset { name, about, options };
    vec![
        preset(
            "vae-photos",
            "A fully connected variational autoencoder on a folder of photos (--data), 32×32",
            photos(),
        ),
        preset(
            "conv-vae-photos",
            "A convolutional variational autoencoder on a folder of photos (--data), 32×32",
            convolutional_photos(),
        ),
    ]
}
