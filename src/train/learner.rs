//! alignDRAW as burn's engine trains it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::{GradientsParams, ModuleOptimizer, lr_scheduler::module_lr_scheduler::ModuleLearningRate};
use burn::tensor::{Device, ExecutionError, Tensor, TensorData};
use burn::train::metric::{Adaptor, LossInput};
use burn::train::{InferenceStep, Interrupter, ItemLazy, TrainOutput, TrainStep};

use super::{TrainOptions, loader::TrainBatch};
use crate::data::noise::Noise;
use crate::text2image::draw::cpu::{Losses, Shard, Weights, loss_and_gradients, losses};
use crate::text2image::draw::definition::CaptionInput;
use crate::text2image::draw::{Draw, DrawConfig, GradientVisitor, ParameterValues, floats};

/// StepBuffer in a row without a finite loss after which a run stops.
const MOST_FAILURES: usize = 5;

/// What a training step needs besides the weights.
pub struct Setup {
    /// The run's options.
    pub options: TrainOptions,
    /// StepBuffer of a drawing in the running epoch.
    pub steps: AtomicUsize,
    /// The fused CPU path, its memory kept between steps; none on a GPU.
    pub shards: Option<Mutex<Vec<Shard>>>,
    /// Stops the run.
    pub interrupter: Interrupter,
    /// StepBuffer whose loss was not finite.
    pub failures: Mutex<Failures>,
}

impl Setup {
    /// For a run that begins at an epoch; `cpu_threads` chooses the fused CPU path.
    pub fn new(
        options: &TrainOptions,
        epoch: usize,
        cpu_threads: Option<usize>,
        interrupter: Interrupter,
    ) -> Self {
        let shards = |threads: usize| Mutex::new((0..threads.max(1)).map(|_| Shard::default()).collect());
        Self {
            options: options.clone(),
            steps: AtomicUsize::new(options.steps_at(epoch)),
            shards: cpu_threads.map(shards),
            interrupter,
            failures: Mutex::new(Failures::default()),
        }
    }
}

/// StepBuffer whose loss was not finite.
#[derive(Clone, Debug, Default)]
pub struct Failures {
    in_a_row: usize,
    /// All of the run's.
    pub total: usize,
    /// Why the run was stopped.
    pub fatal: Option<String>,
}

impl std::fmt::Debug for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Setup({:?})", self.options)
    }
}

/// The model in training, and the moving average of its weights, which is what gets shipped.
#[derive(Module, Debug)]
pub struct TrainingModel {
    /// The weights that the optimizer moves.
    pub model: Draw,
    /// Their exponential moving average.
    pub average: Draw,
    #[module(skip)]
    setup: Arc<Setup>,
}

/// What a step reports: the terms of the bound, nats per image.
#[derive(Clone, Copy, Debug)]
pub struct StepReport {
    /// The terms.
    pub losses: Losses,
    /// Images in the batch.
    pub batch: usize,
}

impl ItemLazy for StepReport {
    fn sync(self) -> Result<Self, ExecutionError> {
        Ok(self)
    }
}

impl Adaptor<LossInput> for StepReport {
    fn adapt(&self) -> LossInput {
        LossInput::new(Tensor::from_floats([self.losses.total() as f32], &Device::flex()))
    }
}

impl TrainingModel {
    /// Fresh weights, the average equal to them.
    pub fn new(setup: Arc<Setup>, host: ParameterValues, device: &Device) -> Self {
        let make = |host| Draw::from_host(&setup.options.config, host, device);
        Self { model: make(host.clone()), average: make(host), setup }
    }

    /// The sizes, with the running epoch's steps.
    fn config(&self) -> DrawConfig {
        DrawConfig {
            num_steps: self.setup.steps.load(Ordering::Relaxed),
            ..self.setup.options.config.clone()
        }
    }

    fn weights(&self, model: &Draw) -> Weights {
        Weights::new(&self.config(), model.to_host())
    }

    /// The bound's terms as tensors, for autodiff and for GPUs.
    fn bound(&self, model: &Draw, item: &TrainBatch) -> (Tensor<1>, Tensor<1>) {
        let config = &self.config();
        let device = model.initial_canvas.val().device();
        let batch = item.batch.len();
        let captions = CaptionInput::of(config, item.batch.captions(), &device);
        let shape = [batch, config.channels, config.height, config.width];
        let images = Tensor::from_data(TensorData::new(item.batch.images.to_vec(), shape), &device);
        let (steps, latent) = (config.num_steps, config.latent_size);
        let noise: Vec<f32> = (0..batch)
            .flat_map(|b| Noise::stream(item.noise_seed, b as u64).normals(steps * latent))
            .collect();
        let noise = Tensor::from_data(TensorData::new(noise, [batch, steps, latent]), &device);
        model.bound(config, captions, images, noise)
    }

    /// Reports a step without a finite loss and stops the run after a few in a row.
    fn judge(&self, item: &TrainBatch, finite: bool) {
        let mut failures = self.setup.failures.lock().expect("no thread panicked with the counter");
        if finite {
            failures.in_a_row = 0;
            return;
        }
        failures.in_a_row += 1;
        failures.total += 1;
        let at = format!("epoch {}, batch {}", item.epoch, item.index);
        eprintln!("the loss is not finite at {at}: the step was skipped");
        if failures.in_a_row >= MOST_FAILURES {
            failures.fatal = Some(format!(
                "the loss was not finite in {MOST_FAILURES} steps in a row, the last at {at}: \
                 lower --lr or --clip, or resume from an earlier checkpoint"
            ));
            self.setup.interrupter.stop(Some("the loss is not finite"));
        }
    }
}

/// Registers host gradients as burn's optimizers take them.
struct Register<'a> {
    gradients: GradientsParams,
    device: &'a Device,
}

impl GradientVisitor for Register<'_> {
    fn visit<const D: usize>(&mut self, parameter: &Param<Tensor<D>>, gradient: TensorData) {
        self.gradients.register(parameter.id, Tensor::<D>::from_data(gradient, self.device));
    }
}

impl TrainStep for TrainingModel {
    type Input = TrainBatch;
    type Output = StepReport;

    fn step(&self, item: TrainBatch) -> TrainOutput<StepReport> {
        let batch = item.batch.len();
        self.setup.steps.store(self.setup.options.steps_at(item.epoch), Ordering::Relaxed);
        let (losses, grads) = match &self.setup.shards {
            Some(shards) => {
                let mut shards = shards.lock().expect("no thread panicked with the shards");
                let weights = self.weights(&self.model);
                let (losses, gradients) =
                    loss_and_gradients(&weights, &item.batch, item.noise_seed, &mut shards);
                let finite = losses.total().is_finite() && gradients.is_finite();
                self.judge(&item, finite);
                let device = self.model.initial_canvas.val().device().inner();
                let mut register = Register { gradients: GradientsParams::new(), device: &device };
                if finite {
                    self.model.for_each_gradient(&self.setup.options.config, gradients, &mut register);
                }
                (losses, register.gradients)
            }
            None => {
                let (reconstruction, kl) = self.bound(&self.model, &item);
                let (reconstruction, kl) = (reconstruction.mean(), kl.mean());
                let loss = reconstruction.clone() + kl.clone();
                let read = |value: Tensor<1>| f64::from(floats(value.into_data())[0]);
                let losses = Losses { reconstruction: read(reconstruction), kl: read(kl) };
                let finite = losses.total().is_finite();
                self.judge(&item, finite);
                let grads = if finite {
                    GradientsParams::from_grads(loss.backward(), &self.model)
                } else {
                    GradientsParams::new()
                };
                (losses, grads)
            }
        };
        TrainOutput { grads, item: StepReport { losses, batch } }
    }

    fn optimize(
        self,
        optimizer: &mut ModuleOptimizer,
        rate: ModuleLearningRate,
        grads: GradientsParams,
    ) -> Self {
        let model = optimizer.step(rate, self.model, grads);
        let mut follow = Follow { values: Values::default(), decay: self.setup.options.average_decay };
        model.visit(&mut follow.values);
        follow.values.0.reverse();
        Self { average: self.average.map(&mut follow), model, setup: self.setup }
    }
}

impl InferenceStep for TrainingModel {
    type Input = TrainBatch;
    type Output = StepReport;

    fn step(&self, item: TrainBatch) -> StepReport {
        let batch = item.batch.len();
        let losses = match &self.setup.shards {
            Some(shards) => {
                let mut shards = shards.lock().expect("no thread panicked with the shards");
                losses(&self.weights(&self.average), &item.batch, item.noise_seed, &mut shards)
            }
            None => {
                let (reconstruction, kl) = self.bound(&self.average, &item);
                let read = |value: Tensor<1>| f64::from(floats(value.mean().into_data())[0]);
                Losses { reconstruction: read(reconstruction), kl: read(kl) }
            }
        };
        StepReport { losses, batch }
    }
}

/// The current values of a module in visiting order, flattened.
#[derive(Default)]
struct Values(Vec<Tensor<1>>);

impl ModuleVisitor for Values {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let value = parameter.val().inner();
        let len = value.shape().num_elements();
        self.0.push(value.reshape([len]));
    }
}

/// `average ← decay · average + (1 − decay) · value` for each parameter.
struct Follow {
    values: Values,
    decay: f64,
}

impl ModuleMapper for Follow {
    fn map_float<const D: usize>(&mut self, parameter: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let value = self.values.0.pop().expect("the average has the model's parameters");
        let (id, average, mapper): (ParamId, _, _) = parameter.consume();
        let shape = average.shape();
        let average = average.inner();
        let moved = average.clone() + (value.reshape(shape) - average) * (1.0 - self.decay);
        Param::from_mapped_value(id, Tensor::from_inner(moved), mapper)
    }
}
