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
//! - Hand-written passes of a model ([`FusedPasses`](crate::model::FusedPasses)) give the gradients on the
//!   CPU, one thread for each part of the batch; the engine's optimizer takes them as it takes autodiff's.

pub mod checkpoints;
mod curves;
pub mod first_lesson;
pub mod learner;
pub mod loader;
pub mod optimizer;
pub mod report;
pub mod schedule;
pub mod sentences;

use std::io::Write;
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

use self::{
    checkpoints::AtomicCheckpointer,
    first_lesson::FirstLesson,
    learner::{Setup, TrainingModel},
    optimizer::PaperRmsProp,
    report::{Report, TermMetric},
    schedule::ScheduledRate,
};
use crate::data::{batch::TrainBatch, source::Source};
use crate::error::{Error, Result};
use crate::model::Trainable;
use crate::options::{OptimizerKind, TrainOptions};

fn optimizer<C>(options: &TrainOptions<C>) -> ModuleOptimizer {
    let clipping = GradientClippingConfig::Norm(options.clip);
    let adam = |beta| {
        let config = AdamConfig::new().with_beta_1(beta).with_beta_2(0.999).with_epsilon(1e-8);
        config.with_grad_clipping(Some(clipping.clone())).init()
    };
    match options.optimizer {
        OptimizerKind::Rmsprop => ModuleOptimizer::from(PaperRmsProp).with_grad_clipping(clipping.init()),
        OptimizerKind::Adam => adam(0.9),
        OptimizerKind::AdversarialAdam => adam(0.5),
    }
}

/// Where a run computes.
#[derive(Clone, Debug)]
pub struct Compute {
    /// The devices; the first leads.
    pub devices: Vec<Device>,
    /// Threads of a model's fused CPU passes; none: burn's operations and autodiff, as on GPUs.
    pub fused_threads: Option<usize>,
}

/// What a run begins with.
pub enum Start<M> {
    /// These weights.
    Weights(Box<M>),
    /// The last whole checkpoint in its folder.
    Checkpoint,
}

/// What is left of a run.
pub struct Outcome<M> {
    /// The weights to ship: the average, or the weights themselves.
    pub model: M,
    /// Epochs that were trained in all.
    pub epochs: usize,
    /// Whether the run was stopped before its last epoch.
    pub stopped: bool,
    /// Steps skipped because their loss was not finite.
    pub skipped: usize,
}

/// The captioned images of a run.
pub struct Data {
    /// What is trained on.
    pub train: Arc<dyn Source>,
    /// What is validated on after each epoch.
    pub validation: Arc<dyn Source>,
}

/// How a run can be ended from outside.
#[derive(Clone)]
pub struct Signals {
    /// Asks for an end after the running epoch.
    pub stop: Arc<AtomicBool>,
    /// Ends it at once, at the last checkpoint.
    pub interrupter: Interrupter,
}

impl Default for Signals {
    fn default() -> Self {
        Self { stop: Arc::default(), interrupter: Interrupter::new() }
    }
}

/// Trains in `folder`.
///
/// **Errors** [`Error::Config`]; [`Error::Data`] when the folder cannot be written or has nothing to
/// resume; [`Error::Model`] when the loss stays non-finite.
pub fn train<M: Trainable>(
    options: &TrainOptions<M::Config>,
    start: Start<M>,
    data: Data,
    folder: &Path,
    compute: &Compute,
    signals: &Signals,
) -> Result<Outcome<M>> {
    options.check()?;
    let checkpoints = folder.join("checkpoints");
    let devices: Vec<_> = compute.devices.iter().map(|device| device.clone().autodiff()).collect();
    let main = devices.first().cloned().ok_or_else(|| Error::Device("no device to train on".into()))?;
    let (initial, done) = match start {
        Start::Weights(model) => (model.to_device(&compute.devices[0]).train(), None),
        Start::Checkpoint => {
            let done = newest(&checkpoints, "to resume from")?;
            (M::init(&options.config, options.seed, &main), Some(done))
        }
    };
    let first_epoch = done.unwrap_or(0) + 1;
    let first_lesson = FirstLesson::of::<M>(options, data.validation.as_ref()).map(Arc::new);
    let setup = Setup::new(options, compute.fused_threads, signals.interrupter.clone(), first_lesson.clone());
    let setup: Arc<Setup<M>> = Arc::new(setup);
    let model = TrainingModel::new(setup.clone(), initial);
    let rate = ScheduledRate::new(options.schedule, options.learning_rate, options.updates())
        .with_first_lesson(first_lesson.clone());
    let learner = Learner::new(model, optimizer(options), rate);

    let io = |error: std::io::Error| Error::Data(format!("{}: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(io)?;
    for folder in [folder, &checkpoints] {
        checkpoints::remove_parts(folder).map_err(io)?;
    }
    let terms = M::term_names(&options.config);
    let report = Report::new(folder, first_epoch, options.batch_size, &terms)
        .map_err(io)?
        .with_first_lesson(first_lesson.clone());
    let strategy = match devices.len() {
        1 => ExecutionStrategy::SingleDevice(main),
        _ => ExecutionStrategy::MultiDevice(devices, MultiDeviceOptim::OptimMainDevice),
    };
    let engine = engine::<M>(options, data, folder, first_epoch, first_lesson)
        .with_checkpointing_strategy(KeepLastNCheckpoints::new(2))
        .with_interrupter(signals.interrupter.clone())
        .early_stopping(Stop { asked: signals.stop.clone(), patience: options.patience.map(patience) })
        .with_training_strategy(strategy.into())
        .renderer(Box::new(report));
    let engine = match done {
        Some(epoch) => engine.checkpoint(epoch),
        None => engine,
    };
    let result = engine.launch(learner);

    let failures = setup.failures.lock().expect("no thread panicked with the counter").clone();
    if let Some(reason) = failures.fatal {
        return Err(Error::Model(reason));
    }
    if let Some(error) = result.error {
        let kept = match checkpoints::find(&checkpoints).whole {
            Some(epoch) => format!("the checkpoint of epoch {epoch} is whole, --resume goes on from it"),
            None => "there is no checkpoint yet".to_owned(),
        };
        return Err(Error::Model(format!("training stopped: {error}; {kept}")));
    }
    let epochs = checkpoints::find(&checkpoints).whole.unwrap_or(0);
    let stopped = epochs < options.epochs;
    Ok(Outcome { model: result.model.shipped(), epochs, stopped, skipped: failures.total })
}

/// The epoch of the newest whole checkpoint; newer ones that are not whole are named on standard error.
///
/// **Errors** [`Error::Data`] when there is none.
fn newest(checkpoints: &Path, purpose: &str) -> Result<usize> {
    let found = checkpoints::find(checkpoints);
    for path in &found.broken {
        let _ = writeln!(std::io::stderr(), "{} is cut, damaged or missing: passed over", path.display());
    }
    let nothing = || format!("{} holds no whole checkpoint {purpose}", checkpoints.display());
    found.whole.ok_or_else(|| Error::Data(nothing()))
}

/// burn's engine with a run's batches, metrics and checkpoint files.
fn engine<M: Trainable>(
    options: &TrainOptions<M::Config>,
    data: Data,
    folder: &Path,
    first_epoch: usize,
    first_lesson: Option<Arc<FirstLesson>>,
) -> SupervisedTraining<TrainingModel<M>> {
    let (seed, size) = (options.seed, options.batch_size);
    let valid_batches = options.validation_images.div_ceil(size);
    let config = options.config.clone();
    let lesson = move |progress| M::lesson(&config, progress);
    let learned = move || first_lesson.as_ref()?.learned();
    let train = TrainBatch::training(data.train, options, first_epoch, learned, lesson);
    let valid = TrainBatch::validation(data.validation, seed ^ u64::MAX, size, valid_batches);
    let [models, optimizers, rates] = AtomicCheckpointer::all(&folder.join("checkpoints"));
    let engine = SupervisedTraining::new(folder, Arc::new(train), Arc::new(valid));
    let engine = M::term_names(&options.config).into_iter().fold(engine, |engine, term| {
        engine.metric_train_numeric(TermMetric::new(term)).metric_valid_numeric(TermMetric::new(term))
    });
    engine
        .metric_train_numeric(LossMetric::new())
        .metric_valid_numeric(LossMetric::new())
        .with_custom_checkpointers(models, optimizers, rates)
        .with_metric_logger(burn::train::logger::InMemoryMetricLogger::default())
        .with_application_logger(None)
        .num_epochs(options.epochs)
}

/// The weights to ship of a run's last whole checkpoint, and its epoch.
///
/// **Errors** [`Error::Data`] when there is none or it cannot be read.
pub fn restore<M: Trainable>(options: &TrainOptions<M::Config>, folder: &Path) -> Result<(M, usize)> {
    let checkpoints = folder.join("checkpoints");
    let epoch = newest(&checkpoints, "to take the weights from")?;
    let [models, _, _] = AtomicCheckpointer::all(&checkpoints);
    let record: burn::store::ModuleRecord = Checkpointer::restore(&models, epoch)
        .map_err(|error| Error::Data(format!("{}: {error}", checkpoints.display())))?;
    let setup = Arc::new(Setup::new(options, None, Interrupter::new(), None));
    let fresh = M::init(&options.config, options.seed, &Device::flex());
    Ok((TrainingModel::new(setup, fresh).load_record(record).shipped(), epoch))
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
