//! Any [`Trainable`] as burn's engine trains it.

use std::sync::{Arc, Mutex};

use burn::module::{Module, ModuleDisplay, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::{GradientsParams, ModuleOptimizer, lr_scheduler::module_lr_scheduler::ModuleLearningRate};
use burn::tensor::{Device, ExecutionError, Tensor, TensorData};
use burn::train::metric::{Adaptor, LossInput};
use burn::train::{InferenceStep, Interrupter, ItemLazy, TrainOutput, TrainStep};

use super::first_lesson::FirstLesson;
use crate::data::batch::TrainBatch;
use crate::model::{Config, DIVERSITY, FusedPasses, Terms, Trainable};
use crate::nn::floats;
use crate::options::TrainOptions;

/// Updates in a row without a finite loss and gradient after which a run stops.
const MOST_FAILURES: usize = 5;

/// Diversity below which samples count as all alike, a share of that of true pictures.
const LEAST_DIVERSITY: f64 = 0.1;
/// Validation batches in a row whose samples are all alike after which a run stops.
const MOST_COLLAPSED: usize = 20;

/// What an update needs besides the weights.
pub struct Setup<M: Trainable> {
    /// The run's options.
    pub options: TrainOptions<M::Config>,
    /// The hand-written passes, their memory kept between updates; none: autodiff.
    fused: Option<Mutex<Box<dyn FusedPasses<M>>>>,
    /// Stops the run.
    interrupter: Interrupter,
    /// What went wrong.
    pub failures: Mutex<Failures>,
    /// The first lesson, where it lasts until it is learned.
    first_lesson: Option<Arc<FirstLesson>>,
}

impl<M: Trainable> Setup<M> {
    /// `fused_threads` chooses the hand-written passes, where the model has them.
    pub fn new(
        options: &TrainOptions<M::Config>,
        fused_threads: Option<usize>,
        interrupter: Interrupter,
        first_lesson: Option<Arc<FirstLesson>>,
    ) -> Self {
        let fused = fused_threads.and_then(|threads| M::fused(&options.config, threads));
        let failures = Mutex::new(Failures::default());
        Self { options: options.clone(), fused: fused.map(Mutex::new), interrupter, failures, first_lesson }
    }

    /// Counts an update that was skipped and stops the run after a few in a row.
    fn track_non_finite(&self, item: &TrainBatch, finite: bool) {
        let mut failures = self.failures.lock().expect("no thread panicked with the counter");
        if finite {
            failures.in_a_row = 0;
            return;
        }
        failures.in_a_row += 1;
        failures.total += 1;
        let at = format!("epoch {}, batch {}", item.epoch, item.index);
        eprintln!("the loss or its gradient is not finite at {at}: the update was skipped");
        if failures.in_a_row >= MOST_FAILURES {
            failures.fatal = Some(format!(
                "the loss or its gradient was not finite in {MOST_FAILURES} updates in a row, the last at {at}: \
                 lower --lr or --clip, or resume from an earlier checkpoint"
            ));
            self.interrupter.stop(Some("the loss is not finite"));
        }
    }

    /// Stops the run of a model whose samples have become all alike, where its terms say how diverse they are.
    fn track_diversity(&self, terms: &Terms<f64>) {
        if !terms.names().contains(&DIVERSITY) {
            return;
        }
        let diversity = terms.get(DIVERSITY);
        let mut failures = self.failures.lock().expect("no thread panicked with the counter");
        failures.alike_in_a_row = if diversity < LEAST_DIVERSITY { failures.alike_in_a_row + 1 } else { 0 };
        if failures.alike_in_a_row == MOST_COLLAPSED {
            failures.fatal = Some(format!(
                "the generator has collapsed: its samples of a caption differ {diversity:.3} times as much as true \
                 pictures, less than {LEAST_DIVERSITY} in {MOST_COLLAPSED} validation batches in a row: lower --lr, \
                 or resume from an earlier checkpoint with another rate"
            ));
            self.interrupter.stop(Some("the generator has collapsed"));
        }
    }
}

/// Updates whose loss or gradient was not finite, and samples that are all alike.
#[derive(Clone, Debug, Default)]
pub struct Failures {
    in_a_row: usize,
    alike_in_a_row: usize,
    /// All of the run's.
    pub total: usize,
    /// Why the run was stopped.
    pub fatal: Option<String>,
}

impl<M: Trainable> std::fmt::Debug for Setup<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Setup({:?})", self.options)
    }
}

/// The model in training, and the moving average of its weights, which is what gets shipped.
#[derive(Module, Debug)]
pub struct Averaged<M: Module + ModuleDisplay, S: Clone + Send + Sync + std::fmt::Debug> {
    /// The weights that the optimizer moves.
    pub model: M,
    /// Their exponential moving average.
    pub average: M,
    #[module(skip)]
    setup: S,
}

/// A model in training with its setup: burn's derive wants a type of its own for what is no parameter.
pub type TrainingModel<M> = Averaged<M, Arc<Setup<M>>>;

/// What an update reports.
#[derive(Clone, Debug)]
pub struct StepReport {
    /// The loss's terms, averaged over the batch.
    pub terms: Terms<f64>,
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
        LossInput::new(Tensor::from_floats([self.terms.total() as f32], &Device::flex()))
    }
}

impl<M: Trainable> TrainingModel<M> {
    /// A run's first weights, the average equal to them.
    pub fn new(setup: Arc<Setup<M>>, model: M) -> Self {
        Self { average: model.clone(), model, setup }
    }

    /// The weights to ship: the average, or the weights themselves where none is kept.
    pub fn shipped(self) -> M {
        if self.setup.options.average_decay > 0.0 { self.average } else { self.model }
    }

    /// Terms and gradients of the hand-written passes.
    fn fused_update(
        &self,
        fused: &Mutex<Box<dyn FusedPasses<M>>>,
        config: &M::Config,
        item: &TrainBatch,
    ) -> (Terms<f64>, Option<GradientsParams>) {
        let mut fused = fused.lock().expect("no thread panicked with the fused passes");
        let (terms, mut gradients) = fused.gradients(&self.model, config, item);
        let finite = terms.total().is_finite() && gradients.iter().flatten().all(|x| x.is_finite());
        gradients.reverse();
        let mut register = Register { gradients: GradientsParams::new(), values: gradients };
        if finite {
            self.model.visit(&mut register);
        }
        (terms, finite.then_some(register.gradients))
    }

    /// Terms and gradients by autodiff on the sum of the terms.
    fn autodiff_update(
        &self,
        config: &M::Config,
        item: &TrainBatch,
    ) -> (Terms<f64>, Option<GradientsParams>) {
        let terms = Terms(self.model.terms(config, item).0).map(Tensor::mean);
        let values = Terms(terms.0.iter().map(|(name, term)| (*name, term.clone().inner())).collect());
        let Some(loss) = terms.0.into_iter().map(|(_, term)| term).reduce(|a, b| a + b) else {
            return (read(values), None);
        };
        let gradients = GradientsParams::from_grads(loss.backward(), &self.model);
        let mut magnitude = Magnitude { gradients: &gradients, total: None };
        self.model.visit(&mut magnitude);
        let total = magnitude.total.map_or(0.0, |total| floats(total.into_data())[0]);
        let values = read(values);
        let finite = values.total().is_finite() && total.is_finite();
        (values, finite.then_some(gradients))
    }
}

/// Terms on the host, in one read.
fn read(terms: Terms<Tensor<1>>) -> Terms<f64> {
    let names = terms.names();
    let tensors: Vec<Tensor<1>> = terms.0.into_iter().map(|(_, term)| term).collect();
    let values = if tensors.is_empty() { Vec::new() } else { floats(Tensor::cat(tensors, 0).into_data()) };
    Terms(names.into_iter().zip(values.into_iter().map(f64::from)).collect())
}

/// Registers host gradients, the last parameter's first, as burn's optimizers take them.
struct Register {
    gradients: GradientsParams,
    values: Vec<Vec<f32>>,
}

impl ModuleVisitor for Register {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let values = self.values.pop().expect("a gradient for each parameter");
        let value = parameter.val();
        let gradient = TensorData::new(values, value.dims());
        self.gradients.register(parameter.id, Tensor::<D>::from_data(gradient, &value.device().inner()));
    }
}

/// The sum of all gradients' magnitudes: one number that is finite only if all of them are.
struct Magnitude<'a> {
    gradients: &'a GradientsParams,
    total: Option<Tensor<1>>,
}

impl ModuleVisitor for Magnitude<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(parameter.id) {
            let sum = gradient.abs().sum();
            self.total = Some(match self.total.take() {
                Some(total) => total + sum,
                None => sum,
            });
        }
    }
}

impl<M: Trainable> TrainStep for TrainingModel<M> {
    type Input = TrainBatch;
    type Output = StepReport;

    fn step(&self, item: TrainBatch) -> TrainOutput<StepReport> {
        let options = &self.setup.options;
        let config = options.config.clone().with_num_steps(options.steps_at(item.epoch));
        if let Some(lesson) = &self.setup.first_lesson {
            lesson.in_epoch(item.epoch);
        }
        let (terms, gradients) = match &self.setup.fused {
            Some(fused) => self.fused_update(fused, &config, &item),
            None => self.autodiff_update(&config, &item),
        };
        self.setup.track_non_finite(&item, gradients.is_some());
        let grads = gradients.unwrap_or_default();
        TrainOutput { grads, item: StepReport { terms, batch: item.batch.len() } }
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

impl<M: Trainable> InferenceStep for TrainingModel<M> {
    type Input = TrainBatch;
    type Output = StepReport;

    /// With all the steps of a drawing, whatever the step curriculum: epochs can be compared.
    fn step(&self, item: TrainBatch) -> StepReport {
        let config = &self.setup.options.config;
        if let Some(lesson) = &self.setup.first_lesson
            && item.index == 0
        {
            lesson.examine(&self.average, config);
        }
        let terms = match &self.setup.fused {
            Some(fused) => {
                let mut fused = fused.lock().expect("no thread panicked with the fused passes");
                fused.terms(&self.average, config, &item)
            }
            None => read(self.average.terms(config, &item).map(Tensor::mean)),
        };
        self.setup.track_diversity(&terms);
        StepReport { terms, batch: item.batch.len() }
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
