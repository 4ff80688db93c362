//! The training of a judge on burn's engine.

use std::path::Path;
use std::sync::Arc;

use burn::optim::AdamConfig;
use burn::tensor::{Device, ExecutionError, Tensor};
use burn::train::metric::{Adaptor, LossInput, LossMetric};
use burn::train::{
    ExecutionStrategy, InferenceStep, ItemLazy, Learner, LearnerModel, SupervisedTraining, TrainStep,
};

use crate::error::{Error, Result};
use crate::options::Schedule;
use crate::train::loader::Batches;
use crate::train::schedule::ScheduledRate;

/// The loss of a batch [1].
pub struct Loss(pub Tensor<1>);

impl ItemLazy for Loss {
    fn sync(self) -> std::result::Result<Self, ExecutionError> {
        Ok(self)
    }
}

impl Adaptor<LossInput> for Loss {
    fn adapt(&self) -> LossInput {
        LossInput::new(self.0.clone())
    }
}

/// Trains a judge with Adam, at a constant rate, then down a cosine; prints the engine's progress.
///
/// **Errors** [`Error::Model`] when the engine stops on an error.
pub fn fit<M, B>(
    fresh: M,
    (train, valid): (Batches<B>, Batches<B>),
    epochs: usize,
    learning_rate: f64,
    device: Device,
    folder: &Path,
) -> Result<M>
where
    M: LearnerModel + TrainStep<Input = B, Output = Loss> + InferenceStep<Input = B, Output = Loss>,
    B: Send + 'static,
{
    let schedule = Schedule::Cosine { warmup: 100, constant_until: 0.3 };
    let rate = ScheduledRate::new(schedule, learning_rate, train.an_epoch() * epochs);
    let learner = Learner::new(fresh, AdamConfig::new().init(), rate);
    let result = SupervisedTraining::new(folder, Arc::new(train), Arc::new(valid))
        .metric_train_numeric(LossMetric::new())
        .metric_valid_numeric(LossMetric::new())
        .with_metric_logger(burn::train::logger::InMemoryMetricLogger::default())
        .with_application_logger(None)
        .renderer(Box::new(crate::train::report::Bar::default()))
        .with_training_strategy(ExecutionStrategy::SingleDevice(device).into())
        .num_epochs(epochs)
        .launch(learner);
    match result.error {
        Some(error) => Err(Error::Model(format!("training the judge stopped: {error}"))),
        None => Ok(result.model),
    }
}
