//! Training on burn's engine.
//!
//! The engine (`burn-train`) owns the loop, the optimizer, the schedule, the checkpoints, early
//! stopping, interruption and several devices. What it lacks is here, and why:
//!
//! - A checkpoint of the engine stands at the end of an epoch, so Ctrl-C lets the running epoch (100
//!   updates) finish, is saved by the engine and ends it through its early stopping. A run that is
//!   resumed therefore goes on bit for bit. A second Ctrl-C stops at once, at the last checkpoint.
//! - Its checkpoint files are written in place; `checkpoints` writes and renames.
//! - Its RMSProp is not the paper's (`optimizer`), and it keeps no average of the weights
//!   (`learner`).
//! - On the CPU the gradients come from the fused passes of `text2image::draw::cpu`, one thread
//!   a core; the engine's optimizer takes them as it takes autodiff's.

pub mod checkpoints;
mod curves;
pub mod learner;
pub mod loader;
pub mod optimizer;
pub mod report;
pub mod schedule;
pub mod sentences;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::grad_clipping::GradientClippingConfig;
use burn::module::Module;
use burn::optim::{AdamConfig, ModuleOptimizer};
use burn::tensor::Device;
use burn::train::checkpoint::{Checkpointer, KeepLastNCheckpoints};
use burn::train::metric::store::EventStoreClient;
use burn::train::{
    EarlyStoppingStrategy, ExecutionStrategy, Interrupter, Learner, MetricEarlyStoppingStrategy,
    MultiDeviceOptim, StoppingCondition, SupervisedTraining,
    metric::LossMetric,
    metric::store::{Aggregate, Direction, Split},
};
use serde::{Deserialize, Serialize};

use self::{
    checkpoints::AtomicCheckpointer,
    learner::{Setup, TrainingModel},
    loader::TrainBatch,
    optimizer::PaperRmsProp,
    report::{NatsMetric, Report, Term},
    schedule::{Schedule, ScheduledRate},
};
use crate::checkpoint::as_trained;
use crate::data::source::{DataSet, Source};
use crate::error::{Error, Result};
use crate::text2image::draw::{DrawConfig, ParameterValues};

/// How weights follow gradients.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptimizerKind {
    /// The paper's RMSProp.
    Rmsprop,
    /// Adam, β = 0.9 and 0.999, ε = 1e-8.
    Adam,
}

/// The first part of a run, with fewer steps a drawing.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepCurriculum {
    /// StepBuffer a drawing.
    pub num_steps: usize,
    /// Share of the epochs.
    pub until: f64,
}

/// Everything that decides the numbers of a run; stored beside it and in the manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainOptions {
    /// Name of the preset these options began with.
    pub preset: String,
    /// What is trained on.
    #[serde(default)]
    pub data: DataSet,
    /// Sizes.
    pub config: DrawConfig,
    /// SHA-256 of the weights that the run began with; none: random ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_from: Option<String>,
    /// Seed of weights, samples and noise.
    pub seed: u64,
    /// Seed of the held-out compositions.
    pub bans_seed: u64,
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
    /// The temperature at which the finished model paints.
    #[serde(default = "as_trained")]
    pub temperature: f32,
    /// Fewer steps a drawing for the first part of the run, which makes it faster; none: all of them.
    pub step_curriculum: Option<StepCurriculum>,
    /// Epochs without a better validation bound after which the run ends; none: never.
    pub patience: Option<usize>,
}

impl TrainOptions {
    /// The paper's run: its initialisation, RMSProp and schedule (150 epochs of 10 000 samples).
    pub fn paper() -> Self {
        Self {
            preset: "paper".to_owned(),
            data: DataSet::MnistCaptions,
            config: DrawConfig::mnist_captions(),
            started_from: None,
            seed: 1,
            bans_seed: 1,
            batch_size: 100,
            batches_per_epoch: 100,
            epochs: 150,
            validation_images: 1_000,
            optimizer: OptimizerKind::Rmsprop,
            learning_rate: 1e-3,
            schedule: Schedule::Step { drop_after: 110.0 / 150.0 },
            clip: 10.0,
            average_decay: 0.0,
            temperature: as_trained(),
            step_curriculum: None,
            patience: None,
        }
    }

    /// A model for tests: seconds on one core, on the real data.
    pub fn tiny() -> Self {
        let config =
            DrawConfig { vocabulary_size: 23, height: 60, width: 60, num_steps: 3, ..DrawConfig::tiny() };
        Self {
            preset: "tiny".to_owned(),
            config,
            batch_size: 8,
            batches_per_epoch: 4,
            epochs: 2,
            validation_images: 8,
            ..Self::paper()
        }
    }

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
        if self.clip.is_nan() || self.clip <= 0.0 {
            return Err(Error::Config(format!("the clipping norm is {}, expected above 0", self.clip)));
        }
        if !(0.0..1.0).contains(&self.average_decay) {
            let decay = self.average_decay;
            return Err(Error::Config(format!("the average's decay is {decay}, expected 0 up to 1")));
        }
        Ok(())
    }

    /// StepBuffer of a drawing in an epoch (from 1).
    pub fn steps_at(&self, epoch: usize) -> usize {
        match self.step_curriculum {
            Some(short) if (epoch as f64) <= short.until * self.epochs as f64 => short.num_steps,
            _ => self.config.num_steps,
        }
    }

    fn updates(&self) -> usize {
        self.epochs * self.batches_per_epoch
    }

    fn optimizer(&self) -> ModuleOptimizer {
        let clipping = GradientClippingConfig::Norm(self.clip);
        match self.optimizer {
            OptimizerKind::Rmsprop => ModuleOptimizer::from(PaperRmsProp).with_grad_clipping(clipping.init()),
            OptimizerKind::Adam => AdamConfig::new()
                .with_beta_1(0.9)
                .with_beta_2(0.999)
                .with_epsilon(1e-8)
                .with_grad_clipping(Some(clipping))
                .init(),
        }
    }
}

/// Where a run computes.
#[derive(Clone, Debug)]
pub struct Compute {
    /// The devices; the first leads.
    pub devices: Vec<Device>,
    /// Threads of the fused CPU path; none on GPUs, which take burn's operations.
    pub cpu_threads: Option<usize>,
}

/// What a run begins with.
pub enum Start {
    /// These weights.
    Weights(Box<ParameterValues>),
    /// The last whole checkpoint in its folder.
    Checkpoint,
}

/// What is left of a run.
pub struct Outcome {
    /// The weights to ship: the average, or the weights themselves.
    pub host: ParameterValues,
    /// Epochs that were trained in all.
    pub epochs: usize,
    /// Whether the run was stopped before its last epoch.
    pub stopped: bool,
    /// StepBuffer skipped because their loss was not finite.
    pub skipped: usize,
}

/// The captioned images of a run.
pub struct Data {
    /// What is trained on.
    pub train: Arc<dyn Source>,
    /// What is validated on after each epoch.
    pub validation: Arc<dyn Source>,
}

/// Trains in `folder`. `stop` asks for an end after the running epoch.
///
/// **Errors** [`Error::Config`]; [`Error::Data`] when the folder cannot be written or has nothing to
/// resume; [`Error::Model`] when the loss stays non-finite.
pub fn train(
    options: &TrainOptions,
    start: Start,
    data: Data,
    folder: &Path,
    compute: &Compute,
    stop: Arc<AtomicBool>,
    interrupter: Interrupter,
) -> Result<Outcome> {
    options.check()?;
    let checkpoints = folder.join("checkpoints");
    let (initial, done) = match start {
        Start::Weights(host) => (*host, None),
        Start::Checkpoint => {
            let nothing = || format!("{} holds no whole checkpoint to resume from", checkpoints.display());
            let done = checkpoints::last_complete(&checkpoints).ok_or_else(|| Error::Data(nothing()))?;
            (ParameterValues::zeros(&options.config), Some(done))
        }
    };
    let first_epoch = done.unwrap_or(0) + 1;

    let (seed, size) = (options.seed, options.batch_size);
    let batches = options.batches_per_epoch;
    let valid_batches = options.validation_images.div_ceil(size);
    let train = TrainBatch::training(data.train, seed, size, batches, first_epoch);
    let valid = TrainBatch::validation(data.validation, seed ^ u64::MAX, size, valid_batches);

    let setup = Arc::new(Setup::new(options, first_epoch, compute.cpu_threads, interrupter.clone()));
    let devices: Vec<_> = compute.devices.iter().map(|device| device.clone().autodiff()).collect();
    let main = devices.first().cloned().ok_or_else(|| Error::Device("no device to train on".into()))?;
    let model = TrainingModel::new(setup.clone(), initial, &main);
    let rate = ScheduledRate::new(options.schedule, options.learning_rate, options.updates());
    let learner = Learner::new(model, options.optimizer(), rate);

    let io = |error: std::io::Error| Error::Data(format!("{}: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(io)?;
    let report = Report::new(folder, first_epoch, size).map_err(io)?;
    let strategy = match devices.len() {
        1 => ExecutionStrategy::SingleDevice(main),
        _ => ExecutionStrategy::MultiDevice(devices, MultiDeviceOptim::OptimMainDevice),
    };
    let [models, optimizers, rates] = AtomicCheckpointer::all(&checkpoints);
    let mut engine = SupervisedTraining::new(folder, Arc::new(train), Arc::new(valid))
        .metric_train_numeric(NatsMetric::new(Term::Reconstruction))
        .metric_train_numeric(NatsMetric::new(Term::Kl))
        .metric_train_numeric(LossMetric::new())
        .metric_valid_numeric(NatsMetric::new(Term::Reconstruction))
        .metric_valid_numeric(NatsMetric::new(Term::Kl))
        .metric_valid_numeric(LossMetric::new())
        .with_custom_checkpointers(models, optimizers, rates)
        .with_checkpointing_strategy(KeepLastNCheckpoints::new(2))
        .with_metric_logger(burn::train::logger::InMemoryMetricLogger::default())
        .with_application_logger(None)
        .with_interrupter(interrupter)
        .early_stopping(Stop { asked: stop.clone(), patience: options.patience.map(patience) })
        .with_training_strategy(strategy.into())
        .renderer(Box::new(report))
        .num_epochs(options.epochs);
    if let Some(epoch) = done {
        engine = engine.checkpoint(epoch);
    }
    let result = engine.launch(learner);

    let failures = setup.failures.lock().expect("no thread panicked with the counter").clone();
    if let Some(reason) = failures.fatal {
        return Err(Error::Model(reason));
    }
    if let Some(error) = result.error {
        return Err(Error::Model(format!("training stopped: {error}")));
    }
    let epochs = checkpoints::last_complete(&checkpoints).unwrap_or(0);
    Ok(Outcome {
        host: shipped(options, &result.model),
        epochs,
        stopped: epochs < options.epochs,
        skipped: failures.total,
    })
}

/// The weights to ship of a run's last whole checkpoint, and its epoch.
///
/// **Errors** [`Error::Data`] when there is none or it cannot be read.
pub fn restore(options: &TrainOptions, folder: &Path) -> Result<(ParameterValues, usize)> {
    let checkpoints = folder.join("checkpoints");
    let epoch = checkpoints::last_complete(&checkpoints)
        .ok_or_else(|| Error::Data(format!("{} holds no whole checkpoint", checkpoints.display())))?;
    let [models, _, _] = AtomicCheckpointer::all(&checkpoints);
    let record: burn::store::ModuleRecord = Checkpointer::restore(&models, epoch)
        .map_err(|error| Error::Data(format!("{}: {error}", checkpoints.display())))?;
    let setup = Arc::new(Setup::new(options, epoch, None, Interrupter::new()));
    let model = TrainingModel::new(setup, ParameterValues::zeros(&options.config), &Device::flex())
        .load_record(record);
    Ok((shipped(options, &model), epoch))
}

/// The average of the weights, or the weights themselves.
fn shipped(options: &TrainOptions, model: &TrainingModel) -> ParameterValues {
    let average = options.average_decay > 0.0;
    if average { model.average.to_host() } else { model.model.to_host() }
}

fn patience(epochs: usize) -> MetricEarlyStoppingStrategy {
    MetricEarlyStoppingStrategy::new(
        &LossMetric::new(),
        Aggregate::Mean,
        Direction::Lowest,
        Split::Valid,
        StoppingCondition::NoImprovementSince { n_epochs: epochs },
    )
}

/// Ends the run after an epoch: on request, or when the validation bound stays worse.
#[derive(Clone)]
struct Stop {
    asked: Arc<AtomicBool>,
    patience: Option<MetricEarlyStoppingStrategy>,
}

impl EarlyStoppingStrategy for Stop {
    fn should_stop(&mut self, epoch: usize, store: &EventStoreClient) -> bool {
        let worse = self.patience.as_mut().is_some_and(|patience| patience.should_stop(epoch, store));
        worse || self.asked.load(Ordering::Relaxed)
    }
}
