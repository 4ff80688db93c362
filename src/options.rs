//! What every training run has, whatever it trains. Presets stand beside each model's sizes.

use serde::{Deserialize, Serialize};

use crate::data::augment::Augmentation;
use crate::data::source::DataSet;
use crate::error::{Error, Result};
use crate::model::Config;

/// The options of a whole run under a name.
#[derive(Clone, Debug)]
pub struct Preset<C> {
    /// As `--preset` names it.
    pub name: &'static str,
    /// One line of help.
    pub about: &'static str,
    /// The run.
    pub options: TrainOptions<C>,
}

/// How the learning rate changes during a run.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// The paper's: constant, and a tenth of it after `drop_after` of the run (110 of 150 epochs).
    Step {
        /// Share of the run before the drop.
        drop_after: f64,
    },
    /// Linear warm-up over the first updates, constant up to `constant_until` of the run, then half a
    /// cosine down to a fiftieth.
    Cosine {
        /// Updates of warm-up.
        warmup: usize,
        /// Share of the run before the cosine.
        constant_until: f64,
    },
}

/// The learning rate that a cosine ends with, as a share of the first.
const COSINE_END: f64 = 0.02;

impl Schedule {
    /// The factor on the learning rate at an update (0-based) of a run of `total` updates.
    pub fn factor(&self, update: usize, total: usize) -> f64 {
        let done = update as f64 / total.max(1) as f64;
        match *self {
            Self::Step { drop_after } => {
                if done < drop_after {
                    1.0
                } else {
                    0.1
                }
            }
            Self::Cosine { warmup, constant_until } => {
                let ramp = ((update + 1) as f64 / warmup.max(1) as f64).min(1.0);
                let phase = ((done - constant_until) / (1.0 - constant_until)).clamp(0.0, 1.0);
                let wave = 0.5 * (1.0 + (std::f64::consts::PI * phase).cos());
                ramp * (COSINE_END + (1.0 - COSINE_END) * wave)
            }
        }
    }
}

/// How weights follow gradients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerKind {
    /// The paper's RMSProp.
    Rmsprop,
    /// Adam, β = 0.9 and 0.999, ε = 1e-8.
    Adam,
    /// Adam, β = 0.5 and 0.999, ε = 1e-8: for two networks that are each other's loss, of which the gradients of
    /// long ago tell little (Radford, Metz & Chintala 2016).
    AdversarialAdam,
}

/// The first part of a run, with fewer steps a drawing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepCurriculum {
    /// Steps a drawing.
    pub num_steps: usize,
    /// Share of the epochs.
    pub until: f64,
}

/// Everything that decides the numbers of a run; stored beside it and in the manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainOptions<C> {
    /// Name of the preset these options began with.
    pub preset: String,
    /// What is trained on.
    #[serde(default)]
    pub data: DataSet,
    /// How what is learned from differs from what was recorded; none: not at all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub augmentation: Option<Augmentation>,
    /// Sizes.
    pub config: C,
    /// SHA-256 of the weights that the run began with; none: random ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_from: Option<String>,
    /// Seed of weights, samples and noise.
    pub seed: u64,
    /// Seed of the held-out compositions.
    #[serde(alias = "bans_seed")]
    pub held_out_seed: u64,
    /// Images a batch.
    pub batch_size: usize,
    /// Batches an epoch; every epoch is freshly generated.
    pub batches_per_epoch: usize,
    /// Epochs.
    pub epochs: usize,
    /// Images of the validation after each epoch.
    pub validation_images: usize,
    /// How weights follow gradients.
    pub optimizer: OptimizerKind,
    /// First learning rate.
    pub learning_rate: f64,
    /// How it changes.
    pub schedule: Schedule,
    /// Largest L2 norm of each tensor's gradient.
    pub clip: f32,
    /// Decay of the average of the weights that is shipped; 0 ships the weights themselves.
    pub average_decay: f64,
    /// The temperature at which the finished model paints; 1 is the model as trained.
    #[serde(default = "one")]
    pub temperature: f32,
    /// Fewer steps a drawing for the first part of the run, which makes it faster; none: all of them.
    #[serde(alias = "short_drawings")]
    pub step_curriculum: Option<StepCurriculum>,
    /// Epochs without a better validation bound after which the run ends; none: never.
    pub patience: Option<usize>,
}

impl<C: Config> TrainOptions<C> {
    /// Refuses options that no run can have.
    ///
    /// **Errors** [`Error::Config`].
    pub fn check(&self) -> Result<()> {
        self.config.check()?;
        let counts = [
            ("batch size", self.batch_size),
            ("batches per epoch", self.batches_per_epoch),
            ("epochs", self.epochs),
        ];
        for (name, count) in counts {
            if count == 0 {
                return Err(Error::Config(format!("{name} is 0, expected 1 or more")));
            }
        }
        if !(self.learning_rate > 0.0 && self.learning_rate <= 1.0) {
            let rate = self.learning_rate;
            return Err(Error::Config(format!("the learning rate is {rate}, expected above 0, at most 1")));
        }
        let dropout = self.augmentation.map_or(0.0, |augmentation| augmentation.word_dropout);
        if !(0.0..1.0).contains(&dropout) {
            return Err(Error::Config(format!("the words' dropout is {dropout}, expected 0 up to 1")));
        }
        if self.augmentation.is_some_and(|augmentation| augmentation.crops > 0)
            && !matches!(self.data, DataSet::Photos | DataSet::PhotoPairs)
        {
            let what = "crops are learned from by captioners and rankers of photos alone";
            return Err(Error::Config(what.to_owned()));
        }
        if self.clip.is_nan() || self.clip <= 0.0 {
            return Err(Error::Config(format!("the clipping norm is {}, expected above 0", self.clip)));
        }
        if !(0.0..1.0).contains(&self.average_decay) {
            let decay = self.average_decay;
            return Err(Error::Config(format!("the average's decay is {decay}, expected 0 up to 1")));
        }
        Ok(())
    }

    /// Steps of a drawing in an epoch (from 1).
    pub fn steps_at(&self, epoch: usize) -> usize {
        match self.step_curriculum {
            Some(short) if (epoch as f64) <= short.until * self.epochs as f64 => short.num_steps,
            _ => self.config.num_steps(),
        }
    }

    /// Updates of the whole run.
    pub fn updates(&self) -> usize {
        self.epochs * self.batches_per_epoch
    }

    /// The same options for another kind of sizes.
    pub fn map_config<D>(self, map: impl FnOnce(C) -> D) -> TrainOptions<D> {
        TrainOptions {
            preset: self.preset,
            data: self.data,
            augmentation: self.augmentation,
            config: map(self.config),
            started_from: self.started_from,
            seed: self.seed,
            held_out_seed: self.held_out_seed,
            batch_size: self.batch_size,
            batches_per_epoch: self.batches_per_epoch,
            epochs: self.epochs,
            validation_images: self.validation_images,
            optimizer: self.optimizer,
            learning_rate: self.learning_rate,
            schedule: self.schedule,
            clip: self.clip,
            average_decay: self.average_decay,
            temperature: self.temperature,
            step_curriculum: self.step_curriculum,
            patience: self.patience,
        }
    }
}

fn one() -> f32 {
    1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_schedule_drops_once() {
        let schedule = Schedule::Step { drop_after: 110.0 / 150.0 };
        assert_eq!(schedule.factor(10_999, 15_000), 1.0);
        assert_eq!(schedule.factor(11_000, 15_000), 0.1);
    }

    #[test]
    fn the_cosine_warms_up_and_ends_low() {
        let schedule = Schedule::Cosine { warmup: 10, constant_until: 0.5 };
        assert!((schedule.factor(0, 100) - 0.1).abs() < 1e-12);
        assert_eq!(schedule.factor(40, 100), 1.0);
        assert!(schedule.factor(99, 100) < 0.03);
    }
}
