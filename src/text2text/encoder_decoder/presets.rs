//! Whole training runs of the encoder-decoder.

use super::EncoderDecoderConfig;
use crate::data::source::DataSet;
use crate::options::{OptimizerKind, Preset, Schedule, TrainOptions};

/// Captions of a folder of photos, one in the words of another of the same photo, with attention.
pub fn photos() -> TrainOptions<EncoderDecoderConfig> {
    TrainOptions {
        preset: "paraphrase-photos".to_owned(),
        data: DataSet::Paraphrases,
        augmentation: None,
        config: EncoderDecoderConfig::captions(),
        started_from: None,
        seed: 1,
        held_out_seed: 1,
        batch_size: 64,
        batches_per_epoch: 100,
        epochs: 12,
        validation_images: 640,
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

/// The same without attention: the decoder is told the summary of the sentence.
pub fn photos_plain() -> TrainOptions<EncoderDecoderConfig> {
    let config = EncoderDecoderConfig { attention: false, ..EncoderDecoderConfig::captions() };
    TrainOptions { preset: "paraphrase-photos-plain".to_owned(), config, ..photos() }
}

/// Captions of colour scenes, with attention.
pub fn scenes() -> TrainOptions<EncoderDecoderConfig> {
    let sizes = EncoderDecoderConfig::captions();
    let config = EncoderDecoderConfig { embedding_size: 64, hidden_size: 128, align_size: 64, ..sizes };
    TrainOptions {
        preset: "paraphrase-scenes".to_owned(),
        data: DataSet::SceneParaphrases,
        config,
        ..photos()
    }
}

/// All of them, as `aligndraw train --preset` lists them.
pub fn all() -> Vec<Preset<EncoderDecoderConfig>> {
    vec![
        Preset {
            name: "paraphrase-photos",
            about: "GRU encoder-decoder with attention: one caption of a photo in the words of another",
            options: photos(),
        },
        Preset {
            name: "paraphrase-photos-plain",
            about: "the same without attention",
            options: photos_plain(),
        },
        Preset {
            name: "paraphrase-scenes",
            about: "GRU encoder-decoder with attention on the captions of colour scenes",
            options: scenes(),
        },
    ]
}
