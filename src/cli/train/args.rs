//! The flags of `aligndraw train`, turned into the options of a run.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::builder::PossibleValue;
use clap::{Args as ClapArgs, ValueEnum};

use super::compute::DeviceName;
use super::sentences;
use crate::data::augment::Augmentation;
use crate::model::{Config, ImageSize};
use crate::options::{OptimizerKind, Schedule, TrainOptions};
use crate::systems::{self, System};
use crate::train::sentences::SentenceTraining;

/// Share of a run until which convolutions that were taken over stay as they are.
const TRUNK_FROZEN: f64 = 0.75;

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Optimizer {
    /// The paper's
    Rmsprop,
    Adam,
    /// Adam with β₁ = 0.5, for LAPGAN
    AdversarialAdam,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ScheduleName {
    /// Constant, a tenth after 110/150 of the run
    Step,
    /// Warm-up, constant, half a cosine
    Cosine,
}

/// Whether a model's fused CPU passes are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    On,
    Off,
}

/// A field of the model's sizes with a JSON value.
#[derive(Clone, Debug)]
struct Setting {
    field: String,
    value: serde_json::Value,
}

#[derive(ClapArgs)]
pub struct Args {
    /// Folder of the run: checkpoints, log.jsonl, curves.png and the finished model (default: runs/<name>)
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// What to start from; the other flags change it (default: digits)
    #[arg(long, value_parser = Presets)]
    pub preset: Option<String>,
    /// Go on from the last checkpoint in --out, with the options it was started with
    #[arg(long)]
    pub resume: bool,
    /// Begin with the weights of a model, the path of its manifest without .json, not with random ones;
    /// its patches may be coarser
    #[arg(long, conflicts_with = "resume")]
    pub from: Option<String>,
    /// Begin the convolutions of a captioner with those of the judge in this models folder, not with random ones,
    /// and leave them so for three quarters of the run: learns in fewer pictures; the judge was trained on all
    /// combinations, the held-out ones among them
    #[arg(long, value_name = "MODELS", conflicts_with_all = ["resume", "from"])]
    pub trunk: Option<PathBuf>,
    /// Begin the words' embeddings with vectors of a file, a word and its numbers a line (GloVe's format;
    /// scripts/vectors.mjs writes one), where the file has the word
    #[arg(long, value_name = "FILE", conflicts_with_all = ["resume", "from"])]
    pub word_vectors: Option<PathBuf>,
    /// The sentence vectors that skipthoughtDRAW hears: a model of --preset skip-thought, the path of its manifest
    /// without .json
    #[arg(long, value_name = "MODEL", conflicts_with = "resume")]
    pub sentences: Option<String>,
    /// Epochs in all
    #[arg(long)]
    epochs: Option<usize>,
    /// Images per batch
    #[arg(long)]
    batch: Option<usize>,
    /// Batches per epoch
    #[arg(long)]
    batches: Option<usize>,
    /// Steps of a drawing
    #[arg(long)]
    steps: Option<usize>,
    /// Limits on the write window: STEP:SHARE, from that step on a share of the canvas' longer side; several
    /// with commas, 6:0.5,12:0.33
    #[arg(long, value_name = "STEP:SHARE", value_delimiter = ',', value_parser = window_limit, alias = "detail")]
    window_limits: Option<Vec<serde_json::Value>>,
    /// Any size of the model by its name in the manifest, in JSON: --set decoder_size=256
    #[arg(long, value_name = "FIELD=JSON", value_parser = setting)]
    set: Vec<Setting>,
    /// Learn from mirror images too, "left" and "right" exchanged in their captions
    #[arg(long, value_enum)]
    mirror: Option<Switch>,
    /// Share of the words that are read as unknown while learning, 0 up to 1
    #[arg(long, value_name = "SHARE")]
    word_dropout: Option<f32>,
    /// Learn from so many random parts of each photo, too, every second one mirrored: captioners of photos
    #[arg(long, value_name = "CROPS", value_parser = clap::value_parser!(u8).range(..=20))]
    crops: Option<u8>,
    /// First learning rate
    #[arg(long)]
    lr: Option<f64>,
    #[arg(long, value_enum)]
    optimizer: Option<Optimizer>,
    #[arg(long, value_enum)]
    schedule: Option<ScheduleName>,
    /// Largest L2 norm of each tensor's gradient
    #[arg(long)]
    clip: Option<f32>,
    /// Decay of the average of the weights that is shipped (0: the weights themselves)
    #[arg(long)]
    average: Option<f64>,
    /// Stop after so many epochs without a better validation loss
    #[arg(long)]
    patience: Option<usize>,
    /// Seed of weights, samples and noise
    #[arg(long)]
    pub seed: Option<u64>,
    /// Seed of the compositions that are held out
    #[arg(long, alias = "bans-seed")]
    pub held_out_seed: Option<u64>,
    /// Where to compute
    #[arg(long, value_enum, default_value = "cpu")]
    pub device: DeviceName,
    /// Indices of the GPUs to train on together
    #[arg(long, value_delimiter = ',', default_value = "0")]
    pub devices: Vec<usize>,
    /// Threads on the CPU (default: one per core)
    #[arg(long)]
    pub threads: Option<usize>,
    /// The hand-written passes of the CPU, for models that have them; off: burn's autodiff
    #[arg(long, value_enum, default_value = "on")]
    pub fused: Switch,
    /// Folder of the data: of MNIST (default: data/mnist), or of captioned images (images/ and
    /// captions.jsonl, MS-COCO's JSON or Karpathy's dataset_*.json)
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Side of the square that the images of a folder are cut to, pixels
    #[arg(long, value_parser = clap::value_parser!(u32).range(8..=512))]
    side: Option<u32>,
    /// Folder of the models: captioners of photos look with its eyes
    #[arg(long, default_value = "models")]
    pub models: PathBuf,
    /// Name of the finished model (default: the preset's)
    #[arg(long)]
    pub name: Option<String>,
}

/// Reads the names of the presets of all systems.
#[derive(Clone)]
struct Presets;

impl clap::builder::TypedValueParser for Presets {
    type Value = String;

    fn parse_ref(
        &self,
        command: &clap::Command,
        argument: Option<&clap::Arg>,
        value: &std::ffi::OsStr,
    ) -> std::result::Result<String, clap::Error> {
        let names = clap::builder::PossibleValuesParser::new(values());
        clap::builder::TypedValueParser::parse_ref(&names, command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(values().into_iter()))
    }
}

fn values() -> Vec<PossibleValue> {
    let presets = systems::presets().into_iter().map(|preset| (preset.name, preset.about));
    let sentences = sentences::PRESETS.into_iter().map(|(name, about, _)| (name, about));
    presets.chain(sentences).map(|(name, about)| PossibleValue::new(name).help(about)).collect()
}

/// STEP:SHARE.
fn window_limit(text: &str) -> std::result::Result<serde_json::Value, String> {
    let read = text.split_once(':').and_then(|(after, limit)| {
        let (after, limit): (usize, f32) = (after.trim().parse().ok()?, limit.trim().parse().ok()?);
        Some(serde_json::json!({ "after": after, "limit": limit }))
    });
    read.ok_or_else(|| "expected a step and a share of the canvas, like 6:0.5".to_owned())
}

/// FIELD=JSON.
fn setting(text: &str) -> std::result::Result<Setting, String> {
    let (field, value) =
        text.split_once('=').ok_or("expected a field and its value, like decoder_size=256")?;
    let value = serde_json::from_str(value).map_err(|error| format!("{value} is not JSON: {error}"))?;
    Ok(Setting { field: field.trim().to_owned(), value })
}

/// A system with one field of its sizes changed.
pub fn with_field(system: &System, field: &str, value: serde_json::Value) -> Result<System> {
    let mut tagged = serde_json::to_value(system)?;
    let config = tagged.get_mut("config").and_then(|config| config.as_object_mut());
    config.context("a system has sizes")?.insert(field.to_owned(), value.clone());
    let changed: System = serde_json::from_value(tagged)
        .with_context(|| format!("the sizes of {} with {field}", system.name()))?;
    // What old records say and nothing reads any more is no choice to make.
    let kept = &serde_json::to_value(&changed)?["config"][field];
    let given = value.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    let unread: Vec<&str> =
        given.map(|(name, _)| name.as_str()).filter(|name| kept[name].is_null()).collect();
    if !unread.is_empty() {
        bail!("{field} has no {}", unread.join(", "));
    }
    Ok(changed)
}

impl Args {
    /// The options of a new run.
    pub fn options(&self) -> Result<TrainOptions<System>> {
        let name = self.preset.as_deref().unwrap_or("digits");
        let preset = systems::presets().into_iter().find(|preset| preset.name == name);
        let mut options = preset.with_context(|| format!("there is no preset {name}"))?.options;
        let set = |to: &mut usize, from: Option<usize>| *to = from.unwrap_or(*to);
        set(&mut options.batch_size, self.batch);
        set(&mut options.batches_per_epoch, self.batches);
        self.change_sizes(&mut options)?;
        self.change_resumed(&mut options);
        self.change_augmentation(&mut options);
        options.clip = self.clip.unwrap_or(options.clip);
        options.average_decay = self.average.unwrap_or(options.average_decay);
        options.seed = self.seed.unwrap_or(options.seed);
        options.held_out_seed = self.held_out_seed.unwrap_or(options.held_out_seed);
        match self.optimizer {
            Some(Optimizer::Rmsprop) => options.optimizer = OptimizerKind::Rmsprop,
            Some(Optimizer::Adam) => options.optimizer = OptimizerKind::Adam,
            Some(Optimizer::AdversarialAdam) => options.optimizer = OptimizerKind::AdversarialAdam,
            None => {}
        }
        match self.schedule {
            Some(ScheduleName::Step) => options.schedule = Schedule::Step { drop_after: 110.0 / 150.0 },
            Some(ScheduleName::Cosine) => {
                options.schedule = Schedule::Cosine { warmup: 200, constant_until: 0.3 };
            }
            None => {}
        }
        Ok(options)
    }

    fn change_augmentation(&self, options: &mut TrainOptions<System>) {
        let mut changed = options.augmentation.unwrap_or_default();
        changed.mirror = self.mirror.map_or(changed.mirror, |mirror| mirror == Switch::On);
        changed.word_dropout = self.word_dropout.unwrap_or(changed.word_dropout);
        changed.crops = self.crops.map_or(changed.crops, usize::from);
        options.augmentation = Some(changed).filter(|changed| *changed != Augmentation::default());
    }

    fn change_sizes(&self, options: &mut TrainOptions<System>) -> Result<()> {
        if let Some(side) = self.side {
            let ImageSize { channels, .. } = options.config.image_size();
            let size = ImageSize { channels, height: side as usize, width: side as usize };
            options.config.fit_data(0, Some(size));
        }
        if let Some(steps) = self.steps {
            options.config = options.config.clone().with_num_steps(steps);
            options.step_curriculum = None;
        }
        if let Some(limits) = &self.window_limits {
            options.config = with_field(&options.config, "window_limits", limits.clone().into())?;
        }
        if self.trunk.is_some() {
            options.config = with_field(&options.config, "trunk_frozen_until", TRUNK_FROZEN.into())?;
        }
        for Setting { field, value } in &self.set {
            options.config = with_field(&options.config, field, value.clone())?;
        }
        Ok(())
    }

    /// Changes what may be changed of a run that is resumed.
    pub fn change_resumed(&self, options: &mut TrainOptions<System>) {
        options.epochs = self.epochs.unwrap_or(options.epochs);
        options.learning_rate = self.lr.unwrap_or(options.learning_rate);
        options.patience = self.patience.or(options.patience);
    }

    /// The run of sentence vectors that the flags ask for, in epochs of so many updates; its captions may be those of a
    /// folder.
    pub fn sentence_training(
        &self,
        preset: SentenceTraining,
        epoch: usize,
        from_folder: bool,
    ) -> Result<SentenceTraining> {
        let others = [
            ("--resume", self.resume),
            ("--from", self.from.is_some()),
            ("--trunk", self.trunk.is_some()),
            ("--word-vectors", self.word_vectors.is_some()),
            ("--sentences", self.sentences.is_some()),
            ("--patience", self.patience.is_some()),
            ("--data", self.data.is_some() && !from_folder),
        ];
        let fixed = self.fixed().into_iter().chain(others).filter(|(flag, _)| {
            !["--preset", "--batch", "--seed", "--held-out-seed", "--name"].contains(flag)
        });
        let given: Vec<&str> = fixed.filter(|(_, given)| *given).map(|(flag, _)| flag).collect();
        if !given.is_empty() {
            bail!(
                "{} cannot be given for sentence vectors (--epochs, --batch, --lr, --seed, --held-out-seed, --name \
                 and --out can)",
                given.join(", ")
            );
        }
        Ok(SentenceTraining {
            updates: self.epochs.map_or(preset.updates, |epochs| epochs * epoch),
            batch_size: self.batch.unwrap_or(preset.batch_size),
            learning_rate: self.lr.unwrap_or(preset.learning_rate),
            seed: self.seed.unwrap_or(preset.seed),
            ..preset
        })
    }

    /// The flags that change what a run is made of, and whether each was given.
    fn fixed(&self) -> Vec<(&'static str, bool)> {
        vec![
            ("--preset", self.preset.is_some()),
            ("--batch", self.batch.is_some()),
            ("--batches", self.batches.is_some()),
            ("--steps", self.steps.is_some()),
            ("--mirror", self.mirror.is_some()),
            ("--word-dropout", self.word_dropout.is_some()),
            ("--crops", self.crops.is_some()),
            ("--window-limits", self.window_limits.is_some()),
            ("--set", !self.set.is_empty()),
            ("--optimizer", self.optimizer.is_some()),
            ("--schedule", self.schedule.is_some()),
            ("--clip", self.clip.is_some()),
            ("--average", self.average.is_some()),
            ("--seed", self.seed.is_some()),
            ("--held-out-seed", self.held_out_seed.is_some()),
            ("--side", self.side.is_some()),
            ("--name", self.name.is_some()),
        ]
    }

    /// Refuses flags that would change what a run is made of.
    pub fn check_resumed(&self) -> Result<()> {
        let given = self.fixed();
        let fixed: Vec<&str> = given.iter().filter(|(_, given)| *given).map(|(flag, _)| *flag).collect();
        if fixed.is_empty() {
            return Ok(());
        }
        bail!(
            "{} cannot be changed when a run is resumed: it owns what it was made of (--epochs, --lr, --patience, \
             --device, --devices, --threads and --fused can)",
            fixed.join(", ")
        );
    }
}
