//! Whole training runs of the DRAW family.

use super::{AttentionInput, Conditioning, DrawConfig, Initializer};
use crate::data::augment::Augmentation;
use crate::data::source::DataSet;
use crate::options::{OptimizerKind, Preset, Schedule, StepCurriculum, TrainOptions};
use crate::sentence::skip_thought::SkipThoughtConfig;

/// The run of the paper: its initialisation, RMSProp and schedule (150 epochs of 10 000 samples).
pub fn paper() -> TrainOptions<DrawConfig> {
    TrainOptions {
        preset: "paper".to_owned(),
        data: DataSet::MnistCaptions,
        augmentation: None,
        config: DrawConfig::mnist_captions(),
        started_from: None,
        seed: 1,
        held_out_seed: 1,
        batch_size: 100,
        batches_per_epoch: 100,
        epochs: 150,
        validation_images: 1_000,
        optimizer: OptimizerKind::Rmsprop,
        learning_rate: 1e-3,
        schedule: Schedule::Step { drop_after: 110.0 / 150.0 },
        clip: 10.0,
        average_decay: 0.0,
        temperature: 1.0,
        step_curriculum: None,
        patience: None,
    }
}

/// alignDRAW as the page ships it: the paper's sizes, attention to words, Adam.
pub fn digits() -> TrainOptions<DrawConfig> {
    let config = DrawConfig {
        initializer: Initializer::Scaled,
        attention_input: AttentionInput::Words,
        ..DrawConfig::mnist_captions()
    };
    TrainOptions {
        preset: "aligndraw-digits".to_owned(),
        config,
        optimizer: OptimizerKind::Adam,
        learning_rate: 2e-3,
        schedule: Schedule::Cosine { warmup: 200, constant_until: 0.3 },
        average_decay: 0.995,
        temperature: 0.5,
        step_curriculum: Some(StepCurriculum { num_steps: 16, until: 0.75 }),
        ..paper()
    }
}

/// noalignDRAW: the mean of the encoder's states in the place of attention, else as [`digits`].
pub fn noalign() -> TrainOptions<DrawConfig> {
    let config = DrawConfig { conditioning: Conditioning::Mean, ..digits().config };
    TrainOptions { preset: "noalign".to_owned(), config, ..digits() }
}

/// skipthoughtDRAW: a frozen vector of the sentence in the place of attention, else as [`digits`].
pub fn skipthought() -> TrainOptions<DrawConfig> {
    // The encoder of `train --preset skip-thought`, which --sentences names.
    let encoder = SkipThoughtConfig::small(DrawConfig::mnist_captions().vocabulary_size).encoder;
    let conditioning =
        Conditioning::Sentence { size: encoder.sentence_size, embedding_size: Some(encoder.embedding_size) };
    let config = DrawConfig { conditioning, ..digits().config };
    TrainOptions { preset: "skipthought".to_owned(), config, ..digits() }
}

/// Plain DRAW on binarised MNIST: no caption, the prior N(0, I) at every step (Gregor et al. 2015).
pub fn plain_mnist() -> TrainOptions<DrawConfig> {
    TrainOptions {
        preset: "plain-mnist".to_owned(),
        data: DataSet::BinaryMnist,
        config: DrawConfig { initializer: Initializer::Scaled, ..DrawConfig::plain_mnist() },
        batches_per_epoch: 500,
        epochs: 40,
        optimizer: OptimizerKind::Adam,
        learning_rate: 1e-3,
        schedule: Schedule::Cosine { warmup: 200, constant_until: 0.3 },
        average_decay: 0.999,
        ..paper()
    }
}

/// Colour scenes, 64×64.
pub fn scenes() -> TrainOptions<DrawConfig> {
    TrainOptions {
        preset: "aligndraw-scenes".to_owned(),
        data: DataSet::Scenes,
        config: DrawConfig::scenes(),
        epochs: 170,
        step_curriculum: Some(StepCurriculum { num_steps: 10, until: 0.6 }),
        ..digits()
    }
}

/// The paper's sizes for MS-COCO, its initialisation, RMSProp and schedule, on colour scenes.
pub fn paper_scenes() -> TrainOptions<DrawConfig> {
    TrainOptions {
        preset: "paper-scenes".to_owned(),
        data: DataSet::Scenes,
        config: DrawConfig { vocabulary_size: 256, height: 64, width: 64, ..DrawConfig::coco() },
        schedule: Schedule::Step { drop_after: 11.0 / 18.0 },
        ..paper()
    }
}

/// The model of [`scenes`] on a folder of captioned images.
pub fn folder() -> TrainOptions<DrawConfig> {
    TrainOptions { preset: "folder".to_owned(), data: DataSet::Folder, ..scenes() }
}

/// alignDRAW on a folder of some thousand photos, 32×32 (Flickr8k has 6 000).
pub fn photos() -> TrainOptions<DrawConfig> {
    TrainOptions {
        preset: "photos".to_owned(),
        data: DataSet::Folder,
        augmentation: Some(Augmentation { mirror: true, word_dropout: 0.1, crops: 0 }),
        config: DrawConfig::photos(),
        epochs: 60,
        temperature: 1.0,
        step_curriculum: None,
        patience: Some(12),
        ..digits()
    }
}

/// noalignDRAW, else as [`photos`].
pub fn noalign_photos() -> TrainOptions<DrawConfig> {
    let config = DrawConfig { conditioning: Conditioning::Mean, ..photos().config };
    TrainOptions { preset: "noalign-photos".to_owned(), config, ..photos() }
}

/// skipthoughtDRAW, else as [`photos`].
pub fn skipthought_photos() -> TrainOptions<DrawConfig> {
    TrainOptions {
        preset: "skipthought-photos".to_owned(),
        config: DrawConfig { conditioning: skipthought().config.conditioning, ..photos().config },
        ..photos()
    }
}

/// The run of the paper on MS-COCO: its sizes, initialisation, RMSProp and schedule (18 epochs, a tenth of the rate
/// after 11), on a folder of photos.
pub fn paper_coco() -> TrainOptions<DrawConfig> {
    TrainOptions {
        preset: "paper-coco".to_owned(),
        data: DataSet::Folder,
        config: DrawConfig::coco(),
        schedule: Schedule::Step { drop_after: 11.0 / 18.0 },
        batches_per_epoch: 4_130,
        epochs: 18,
        ..paper()
    }
}

/// A model for tests: seconds on one core, on the real data.
pub fn tiny() -> TrainOptions<DrawConfig> {
    let config =
        DrawConfig { vocabulary_size: 23, height: 60, width: 60, num_steps: 3, ..DrawConfig::tiny() };
    TrainOptions {
        preset: "tiny".to_owned(),
        config,
        batch_size: 8,
        batches_per_epoch: 4,
        epochs: 2,
        validation_images: 8,
        ..paper()
    }
}

/// All of them, as `aligndraw train --preset` lists them.
pub fn all() -> Vec<Preset<DrawConfig>> {
    let preset = |name, about, options| Preset { name, about, options };
    vec![
        preset("aligndraw-digits", "alignDRAW at the paper's sizes, attention to words, Adam", digits()),
        preset("paper", "The paper's sizes, initialisation, RMSProp and schedule", paper()),
        preset("aligndraw-scenes", "alignDRAW on colour scenes, 64×64", scenes()),
        preset("paper-scenes", "The paper's MS-COCO sizes and schedule, on colour scenes", paper_scenes()),
        preset(
            "folder",
            "The model of `aligndraw-scenes` on a folder of captioned images (--data)",
            folder(),
        ),
        preset("photos", "alignDRAW on a folder of some thousand photos, 32×32 (--data)", photos()),
        preset("noalign-photos", "noalignDRAW on a folder of photos (--data)", noalign_photos()),
        preset(
            "skipthought-photos",
            "skipthoughtDRAW on a folder of photos (--data, --sentences)",
            skipthought_photos(),
        ),
        preset("paper-coco", "The paper's run on MS-COCO, on a folder of photos (--data)", paper_coco()),
        preset("noalign", "noalignDRAW: the mean of the encoder's states, no attention", noalign()),
        preset("skipthought", "skipthoughtDRAW: a vector of the sentence (--sentences)", skipthought()),
        preset("plain-mnist", "Plain DRAW on binarised MNIST, without captions", plain_mnist()),
        preset("tiny", "A toy for trying the command out, seconds on one core", tiny()),
    ]
}
