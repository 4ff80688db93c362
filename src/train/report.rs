//! What a run says while it goes: a progress bar, a log as JSON lines, a picture of the curves.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use burn::tensor::TensorReadError;
use burn::train::logger::{EvaluationProgressLogger, TrainingProgressLogger};
use burn::train::metric::state::{FormatOptions, NumericMetricState};
use burn::train::metric::{
    Adaptor, Metric, MetricAttributes, MetricDefinition, MetricId, MetricMetadata, MetricName, Numeric,
    NumericAttributes, NumericEntry, SerializedEntry,
};
use burn::train::renderer::{
    EvaluationName, MetricState, MetricsRenderer, MetricsRendererEvaluation, MetricsRendererTraining,
};
use indicatif::{ProgressBar, ProgressStyle};
use serde::{Deserialize, Serialize};

use super::learner::StepReport;
use crate::text2image::draw::cpu::Losses;

/// One of the bound's terms as a metric of burn's engine, nats per image.
#[derive(Clone)]
pub struct NatsMetric {
    name: Arc<String>,
    term: Term,
    state: NumericMetricState,
}

/// Which term.
#[derive(Clone, Copy, Debug)]
pub enum Term {
    /// Cross entropy of the image.
    Reconstruction,
    /// KL of the posterior.
    Kl,
}

impl NatsMetric {
    /// The metric of a term.
    pub fn new(term: Term) -> Self {
        let name = match term {
            Term::Reconstruction => "Reconstruction",
            Term::Kl => "KL",
        };
        Self { name: Arc::new(name.to_owned()), term, state: NumericMetricState::default() }
    }
}

/// A step's terms, for [`NatsMetric`].
pub struct NatsInput {
    losses: Losses,
    batch: usize,
}

impl Adaptor<NatsInput> for StepReport {
    fn adapt(&self) -> NatsInput {
        NatsInput { losses: self.losses, batch: self.batch }
    }
}

impl Metric for NatsMetric {
    type Input = NatsInput;

    fn update(&mut self, item: &NatsInput, _: &MetricMetadata) -> Result<SerializedEntry, TensorReadError> {
        let value = match self.term {
            Term::Reconstruction => item.losses.reconstruction,
            Term::Kl => item.losses.kl,
        };
        self.state.update(value, item.batch);
        Ok(self.state.compute_update(FormatOptions::new(self.name()).precision(2)))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(self.state.compute_final(FormatOptions::new(self.name()).precision(2)))
    }

    fn clear(&mut self) {
        self.state.reset();
    }

    fn name(&self) -> MetricName {
        self.name.clone()
    }

    fn attributes(&self) -> MetricAttributes {
        NumericAttributes { unit: Some("nats".to_owned()), higher_is_better: false }.into()
    }
}

impl Numeric for NatsMetric {
    fn value(&self) -> Option<NumericEntry> {
        Some(self.state.current_value())
    }

    fn running_value(&self) -> Option<NumericEntry> {
        Some(self.state.running_value())
    }

    fn final_value(&self) -> NumericEntry {
        self.state.final_value()
    }
}

/// One line of `log.jsonl`: an epoch. Nats per image; the validation terms are the average weights'.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct EpochLine {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Updates since the start of the run.
    pub updates: usize,
    /// Reconstruction over the epoch's batches.
    pub train_reconstruction: f64,
    /// KL over the epoch's batches.
    pub train_kl: f64,
    /// Reconstruction on validation digits.
    pub valid_reconstruction: f64,
    /// KL on validation digits.
    pub valid_kl: f64,
    /// Images trained on a second, the epoch's mean.
    pub images_per_second: f64,
    /// Seconds since this process began to train.
    pub seconds: f64,
}

#[derive(Default)]
struct Mean {
    sum: f64,
    count: usize,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
    }

    fn take(&mut self) -> f64 {
        let mean = self.sum / self.count.max(1) as f64;
        *self = Self::default();
        mean
    }
}

/// Renders burn's training events.
pub struct Report {
    folder: PathBuf,
    log: File,
    bar: ProgressBar,
    batch_size: usize,
    line: EpochLine,
    means: [Mean; 4],
    last: Losses,
    begun: Instant,
    split_begun: Instant,
    training: bool,
    terms: Vec<(MetricId, Term)>,
    epochs: (usize, usize),
    updates_per_epoch: usize,
}

impl Report {
    /// Appends to `log.jsonl` in `folder`, keeping the lines before `first_epoch`.
    ///
    /// **Errors** those of the file system.
    pub fn new(folder: &Path, first_epoch: usize, batch_size: usize) -> std::io::Result<Self> {
        let path = folder.join("log.jsonl");
        let kept: String = read_log(&path)
            .into_iter()
            .filter(|line| line.epoch < first_epoch)
            .map(|line| serde_json::to_string(&line).expect("numbers serialise") + "\n")
            .collect();
        super::checkpoints::write_atomically(&path, kept.as_bytes())?;
        let style = "{elapsed_precise} {wide_bar} {pos}/{len} updates  {msg}  {eta} left";
        let style = ProgressStyle::with_template(style).expect("the template is valid");
        let log = File::options().append(true).open(&path)?;
        let now = Instant::now();
        Ok(Self {
            folder: folder.to_path_buf(),
            log,
            bar: ProgressBar::new(0).with_style(style),
            batch_size,
            line: EpochLine::default(),
            means: Default::default(),
            last: Losses::default(),
            begun: now,
            split_begun: now,
            training: true,
            terms: Vec::new(),
            epochs: (first_epoch, first_epoch),
            updates_per_epoch: 0,
        })
    }

    /// Adds a metric's value to the means of a split (0: training, 2: validation).
    fn note(&mut self, state: MetricState, split: usize) {
        let MetricState::Numeric(entry, Some(value)) = state else { return };
        let Some((_, term)) = self.terms.iter().find(|(id, _)| *id == entry.metric_id) else { return };
        let value = value.current();
        match term {
            Term::Reconstruction => {
                self.means[split].add(value);
                self.last.reconstruction = value;
            }
            Term::Kl => {
                self.means[split + 1].add(value);
                self.last.kl = value;
            }
        }
    }
}

impl MetricsRendererTraining for Report {
    fn update_train(&mut self, state: MetricState) {
        self.note(state, 0);
    }

    fn update_valid(&mut self, state: MetricState) {
        self.note(state, 2);
    }
}

impl TrainingProgressLogger for Report {
    fn start(&mut self, epochs: usize, first_epoch: usize, _: Option<usize>, _: Option<&str>) {
        self.line.epoch = first_epoch;
        self.epochs = (first_epoch, epochs);
        self.begun = Instant::now();
    }

    fn update_epoch(&mut self, epoch: usize) {
        let means: Vec<f64> = self.means.iter_mut().map(Mean::take).collect();
        self.line = EpochLine {
            epoch,
            updates: epoch * self.updates_per_epoch,
            train_reconstruction: means[0],
            train_kl: means[1],
            valid_reconstruction: means[2],
            valid_kl: means[3],
            seconds: self.begun.elapsed().as_secs_f64(),
            ..self.line
        };
        let line = serde_json::to_string(&self.line).expect("numbers serialise");
        let bound = -(means[2] + means[3]);
        self.bar.println(format!(
            "epoch {epoch}: bound {bound:.2} nats on validation (reconstruction {:.2}, KL {:.2}), \
             {:.0} images/s",
            means[2], means[3], self.line.images_per_second
        ));
        if let Err(error) = writeln!(self.log, "{line}").and_then(|()| self.log.flush()) {
            self.bar.println(format!("log.jsonl: {error}"));
        }
        let curves = self.folder.join("curves.png");
        if let Err(error) = super::curves::draw(&read_log(&self.folder.join("log.jsonl")), &curves) {
            self.bar.println(format!("curves.png: {error}"));
        }
    }

    fn start_split(&mut self, split: &str, items: usize) {
        self.training = split.eq_ignore_ascii_case("train");
        self.split_begun = Instant::now();
        if self.training {
            self.updates_per_epoch = items / self.batch_size;
            let (first, last) = self.epochs;
            self.bar.set_length(((last + 1 - first) * self.updates_per_epoch) as u64);
        }
    }

    fn update_split(&mut self, images: usize) {
        if !self.training {
            return;
        }
        let rate = images as f64 / self.split_begun.elapsed().as_secs_f64();
        self.line.images_per_second = rate;
        let Losses { reconstruction, kl } = self.last;
        let loss = reconstruction + kl;
        self.bar.set_message(format!("loss {loss:.1}  bound {:.1} nats  {rate:.0} images/s", -loss));
        self.bar.inc(1);
    }

    fn end_split(&mut self) {}

    fn end(&mut self) {
        self.bar.finish_and_clear();
    }

    fn log_event_training(&mut self, event: String) {
        self.bar.println(event);
    }
}

impl MetricsRenderer for Report {
    fn manual_close(&mut self) {}

    fn register_metric(&mut self, definition: MetricDefinition) {
        let term = match definition.name.as_str() {
            "Reconstruction" => Term::Reconstruction,
            "KL" => Term::Kl,
            _ => return,
        };
        self.terms.push((definition.metric_id, term));
    }
}

/// Evaluation has its own command; the engine's renderers must still answer for it.
macro_rules! unevaluated {
    ($($renderer:ty),+) => {$(
        impl EvaluationProgressLogger for $renderer {
            fn start_global_progress(&mut self, _: usize) {}
            fn start_test(&mut self, _: &str, _: usize) {}
            fn update_test_progress(&mut self, _: usize) {}
            fn end_test(&mut self) {}
            fn end_global_progress(&mut self) {}
            fn log_event_evaluation(&mut self, _: String) {}
        }

        impl MetricsRendererEvaluation for $renderer {
            fn update_test(&mut self, _: EvaluationName, _: MetricState) {}
        }
    )+};
}

/// The lines of a log; none when it is not there.
pub fn read_log(path: &Path) -> Vec<EpochLine> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

/// A progress bar alone, for short trainings.
pub struct Bar(ProgressBar);

impl Default for Bar {
    fn default() -> Self {
        let style = ProgressStyle::with_template("{wide_bar} {pos}/{len}  {msg}  {eta} left");
        Self(ProgressBar::new(0).with_style(style.expect("the template is valid")))
    }
}

impl MetricsRendererTraining for Bar {
    fn update_train(&mut self, state: MetricState) {
        self.update_valid(state);
    }

    fn update_valid(&mut self, state: MetricState) {
        if let MetricState::Numeric(_, Some(value)) = state {
            self.0.set_message(format!("loss {:.4}", value.current()));
        }
    }
}

impl TrainingProgressLogger for Bar {
    fn start(&mut self, _: usize, _: usize, _: Option<usize>, _: Option<&str>) {}

    fn update_epoch(&mut self, epoch: usize) {
        let line = format!("epoch {epoch}: {}", self.0.message());
        if self.0.is_hidden() { println!("{line}") } else { self.0.println(line) }
    }

    fn start_split(&mut self, _: &str, items: usize) {
        self.0.reset();
        self.0.set_length(items as u64);
    }

    fn update_split(&mut self, items: usize) {
        self.0.set_position(items as u64);
    }

    fn end_split(&mut self) {}

    fn end(&mut self) {
        self.0.finish_and_clear();
    }

    fn log_event_training(&mut self, _: String) {}
}

impl MetricsRenderer for Bar {
    fn manual_close(&mut self) {}
    fn register_metric(&mut self, _: MetricDefinition) {}
}

unevaluated!(Report, Bar);
