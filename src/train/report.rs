//! What a run says while it goes: a progress bar, a log as JSON lines, a picture of the curves.

use std::collections::BTreeMap;
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
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::{Deserialize, Serialize};

use super::first_lesson::FirstLesson;
use super::learner::StepReport;
use crate::platform::quiet;

/// A term of the loss as a metric of burn's engine.
#[derive(Clone)]
pub struct TermMetric {
    term: Arc<String>,
    state: NumericMetricState,
}

impl TermMetric {
    /// The metric of a term.
    pub fn new(term: &str) -> Self {
        Self { term: Arc::new(term.to_owned()), state: NumericMetricState::default() }
    }
}

impl Adaptor<StepReport> for StepReport {
    fn adapt(&self) -> StepReport {
        self.clone()
    }
}

impl Metric for TermMetric {
    type Input = StepReport;

    fn update(&mut self, item: &StepReport, _: &MetricMetadata) -> Result<SerializedEntry, TensorReadError> {
        self.state.update(item.terms.get(&self.term), item.batch);
        Ok(self.state.compute_update(FormatOptions::new(self.name()).precision(2)))
    }

    fn compute(&mut self) -> Result<SerializedEntry, TensorReadError> {
        Ok(self.state.compute_final(FormatOptions::new(self.name()).precision(2)))
    }

    fn clear(&mut self) {
        self.state.reset();
    }

    fn name(&self) -> MetricName {
        self.term.clone()
    }

    fn attributes(&self) -> MetricAttributes {
        NumericAttributes { unit: None, higher_is_better: false }.into()
    }
}

impl Numeric for TermMetric {
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

/// One line of `log.jsonl`: an epoch. Terms of the loss are averaged over images; the validation's are
/// those of the average weights.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct EpochLine {
    /// Epoch, from 1.
    pub epoch: usize,
    /// Updates since the start of the run.
    pub updates: usize,
    /// `train_<term>` over the epoch's batches, `valid_<term>` on the validation.
    #[serde(flatten)]
    pub terms: BTreeMap<String, f64>,
    /// Share of the first lesson's pictures that are told apart by their captions, where it lasts until that is learned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_lesson: Option<f64>,
    /// Images trained on a second, the epoch's mean.
    pub images_per_second: f64,
    /// Seconds since this process began to train.
    pub seconds: f64,
}

impl EpochLine {
    /// The loss of a split, `train` or `valid`: the sum of its terms.
    pub fn loss(&self, split: &str) -> f64 {
        self.split(split).map(|(_, value)| value).sum()
    }

    /// A split's terms by name.
    fn split<'a>(&'a self, split: &'a str) -> impl Iterator<Item = (&'a str, f64)> {
        let term = move |name: &'a str| name.strip_prefix(split)?.strip_prefix('_');
        self.terms.iter().filter_map(move |(name, value)| Some((term(name)?, *value)))
    }
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

/// A progress bar on standard error; hidden where the user wants no notes.
fn bar(style: ProgressStyle) -> ProgressBar {
    let target = if quiet() { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    ProgressBar::with_draw_target(Some(0), target).with_style(style)
}

/// A line beside the bar; where standard error is no terminal the line alone.
fn print_line(bar: &ProgressBar, line: &str) {
    if !bar.is_hidden() {
        bar.println(line);
    } else if !quiet() {
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}

/// Renders burn's training events.
pub struct Report {
    folder: PathBuf,
    log: File,
    bar: ProgressBar,
    batch_size: usize,
    line: EpochLine,
    /// By `<split>_<term>`.
    means: BTreeMap<String, Mean>,
    /// The last update's terms.
    last: BTreeMap<String, f64>,
    begun: Instant,
    split_begun: Instant,
    training: bool,
    /// The loss's terms; other metrics are not logged.
    names: Vec<String>,
    terms: Vec<(MetricId, String)>,
    epochs: (usize, usize),
    updates_per_epoch: usize,
    first_lesson: Option<Arc<FirstLesson>>,
}

impl Report {
    /// Appends to `log.jsonl` in `folder`, keeping the lines before `first_epoch`.
    ///
    /// **Errors** those of the file system.
    pub fn new(
        folder: &Path,
        first_epoch: usize,
        batch_size: usize,
        names: &[&str],
    ) -> std::io::Result<Self> {
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
            bar: bar(style),
            batch_size,
            line: EpochLine::default(),
            means: BTreeMap::new(),
            last: BTreeMap::new(),
            begun: now,
            split_begun: now,
            training: true,
            names: names.iter().map(|name| (*name).to_owned()).collect(),
            terms: Vec::new(),
            epochs: (first_epoch, first_epoch),
            updates_per_epoch: 0,
            first_lesson: None,
        })
    }

    /// The same, saying also how much of a first lesson has been learned.
    pub fn with_first_lesson(self, first_lesson: Option<Arc<FirstLesson>>) -> Self {
        Self { first_lesson, ..self }
    }

    /// Adds a metric's value to the means of a split.
    fn note(&mut self, state: MetricState, split: &str) {
        let MetricState::Numeric(entry, Some(value)) = state else { return };
        let Some((_, term)) = self.terms.iter().find(|(id, _)| *id == entry.metric_id) else { return };
        let value = value.current();
        self.means.entry(format!("{split}_{term}")).or_default().add(value);
        self.last.insert(term.clone(), value);
    }
}

impl MetricsRendererTraining for Report {
    fn update_train(&mut self, state: MetricState) {
        self.note(state, "train");
    }

    fn update_valid(&mut self, state: MetricState) {
        self.note(state, "valid");
    }
}

impl TrainingProgressLogger for Report {
    fn start(&mut self, epochs: usize, first_epoch: usize, _: Option<usize>, _: Option<&str>) {
        self.line.epoch = first_epoch;
        self.epochs = (first_epoch, epochs);
        self.begun = Instant::now();
    }

    fn update_epoch(&mut self, epoch: usize) {
        let terms = self.means.iter_mut().map(|(name, mean)| (name.clone(), mean.take())).collect();
        self.line = EpochLine {
            epoch,
            updates: epoch * self.updates_per_epoch,
            terms,
            first_lesson: self.first_lesson.as_ref().and_then(|lesson| lesson.take_share()),
            seconds: self.begun.elapsed().as_secs_f64(),
            ..self.line
        };
        let line = serde_json::to_string(&self.line).expect("numbers serialise");
        let terms: Vec<String> =
            self.line.split("valid").map(|(name, value)| format!("{name} {value:.2}")).collect();
        let first_lesson =
            self.line.first_lesson.map(|share| format!("first lesson {:.0} % right, ", 100.0 * share));
        let text = format!(
            "epoch {epoch}: validation loss {:.2} ({}), {}{:.0} images/s",
            self.line.loss("valid"),
            terms.join(", "),
            first_lesson.unwrap_or_default(),
            self.line.images_per_second
        );
        print_line(&self.bar, &text);
        if let Err(error) = writeln!(self.log, "{line}").and_then(|()| self.log.flush()) {
            print_line(&self.bar, &format!("log.jsonl: {error}"));
        }
        let curves = self.folder.join("curves.png");
        if let Err(error) = super::curves::draw(&read_log(&self.folder.join("log.jsonl")), &curves) {
            print_line(&self.bar, &format!("curves.png: {error}"));
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
        let loss: f64 = self.last.values().sum();
        self.bar.set_message(format!("loss {loss:.1}  {rate:.0} images/s"));
        self.bar.inc(1);
    }

    fn end_split(&mut self) {}

    fn end(&mut self) {
        self.bar.finish_and_clear();
    }

    /// The engine names every iteration; the bar shows them.
    fn log_event_training(&mut self, _: String) {}
}

impl MetricsRenderer for Report {
    fn manual_close(&mut self) {}

    fn register_metric(&mut self, definition: MetricDefinition) {
        if self.names.contains(&definition.name) {
            self.terms.push((definition.metric_id, definition.name.to_string()));
        }
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
        Self(bar(style.expect("the template is valid")))
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
        print_line(&self.0, &line);
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
