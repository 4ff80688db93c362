//! Whole training runs of the framed painter.

use super::FramedConfig;
use crate::data::mnist_captions;
use crate::data::source::DataSet;
use crate::options::{OptimizerKind, Preset, Schedule, TrainOptions};

/// Digits with captions: which words are drawn follows from the data set, whose first group of words that
/// stand for one another is the digits.
pub fn digits() -> TrainOptions<FramedConfig> {
    let vocabulary = mnist_captions::vocabulary();
    let digits = vocabulary.alternatives.first().map_or(&[][..], Vec::as_slice);
    let mut drawn: Vec<usize> = digits.iter().filter_map(|word| vocabulary.id(word)).collect();
    drawn.sort_unstable();
    drawn.dedup();
    TrainOptions {
        preset: "digits".to_owned(),
        data: DataSet::MnistCaptions,
        augmentation: None,
        config: FramedConfig::digits(drawn),
        started_from: None,
        seed: 1,
        held_out_seed: 1,
        batch_size: 64,
        batches_per_epoch: 100,
        epochs: 200,
        validation_images: 320,
        optimizer: OptimizerKind::Adam,
        learning_rate: 2e-3,
        schedule: Schedule::Cosine { warmup: 100, constant_until: 0.4 },
        clip: 10.0,
        average_decay: 0.99,
        temperature: 0.7,
        step_curriculum: None,
        patience: None,
    }
}

/// All of them, as `aligndraw train --preset` lists them.
pub fn all() -> Vec<Preset<FramedConfig>> {
    let held_out_wordings =
        TrainOptions { preset: "digit-wordings".to_owned(), data: DataSet::MnistWordings, ..digits() };
    vec![
        Preset {
            name: "digits",
            about: "Digits inside frames that the caption gives them: held-out compositions come out right",
            options: digits(),
        },
        Preset {
            name: "digit-wordings",
            about: "The same, with compositions held out of single sentence templates, as in the paper",
            options: held_out_wordings,
        },
    ]
}
