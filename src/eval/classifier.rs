//! The judge of caption fidelity: a small convolutional network that reads digits.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use burn::data::dataloader::{DataLoader, DataLoaderIterator, Progress};
use burn::data::dataset::DatasetError;
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::optim::AdamConfig;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor, TensorData};
use burn::train::metric::LossMetric;
use burn::train::{ExecutionStrategy, InferenceStep, Learner, SupervisedTraining, TrainOutput, TrainStep};

use super::loss::Loss;
use super::module_file;
use crate::data::mnist::{Digits, SIDE};
use crate::data::noise::Noise;
use crate::error::{Error, Result};
use crate::text2image::align_draw::floats;
use crate::train::schedule::{Schedule, ScheduledRate};

/// Pixels that a digit is shifted by in training: a caption places its box only to within ±2.
const JITTER: usize = 2;
/// Images of a batch.
const BATCH: usize = 100;
/// First learning rate.
const RATE: f64 = 2e-3;

/// Two convolutions of stride 2, two dense layers.
#[derive(Module, Debug)]
pub struct DigitClassifier {
    conv1: Conv2d,
    conv2: Conv2d,
    dense1: Linear,
    dense2: Linear,
}

impl DigitClassifier {
    /// Fresh weights from the device's generator.
    pub fn init(device: &Device) -> Self {
        let conv = |channels, kernel, padding| {
            Conv2dConfig::new(channels, [kernel, kernel])
                .with_stride([2, 2])
                .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding))
                .init(device)
        };
        Self {
            conv1: conv([1, 24], 5, 2),
            conv2: conv([24, 48], 3, 1),
            dense1: LinearConfig::new(48 * 7 * 7, 128).init(device),
            dense2: LinearConfig::new(128, 10).init(device),
        }
    }

    /// Logits [batch, 10] of crops [batch, 1, 28, 28] in [0, 1].
    pub fn forward(&self, crops: Tensor<4>) -> Tensor<2> {
        let features = relu(self.conv2.forward(relu(self.conv1.forward(crops))));
        self.dense2.forward(relu(self.dense1.forward(features.flatten::<2>(1, 3))))
    }

    /// The digit that each crop shows; `pixels` is [crop, 28, 28].
    pub fn read(&self, pixels: &[f32], device: &Device) -> Vec<u8> {
        let mut digits = Vec::new();
        for part in pixels.chunks(BATCH * SIDE * SIDE) {
            let crops = TensorData::new(part.to_vec(), [part.len() / (SIDE * SIDE), 1, SIDE, SIDE]);
            let logits = floats(self.forward(Tensor::from_data(crops, device)).into_data());
            digits.extend(logits.chunks(10).map(|row| {
                let best = (0..10).max_by(|&a, &b| row[a].total_cmp(&row[b]));
                best.expect("ten logits") as u8
            }));
        }
        digits
    }

    /// Share of digits that are read right, as they stand.
    pub fn accuracy(&self, digits: &Digits, device: &Device) -> f64 {
        let read = self.read(&digits.pixels, device);
        let right = read.iter().zip(&digits.labels).filter(|(a, b)| a == b).count();
        right as f64 / digits.len() as f64
    }

    /// The weights as a safetensors file in half precision.
    ///
    /// **Errors** [`Error::Model`].
    pub fn encode(&self) -> Result<Vec<u8>> {
        module_file::encode(self, &NAMES)
    }

    /// The weights from a safetensors file.
    ///
    /// **Errors** [`Error::Model`], naming the tensor that is missing or of another shape.
    pub fn decode(bytes: &[u8], device: &Device) -> Result<Self> {
        module_file::decode(Self::init(device), &NAMES, bytes)
    }
}

const NAMES: [&str; 8] = [
    "conv1.weight",
    "conv1.bias",
    "conv2.weight",
    "conv2.bias",
    "dense1.weight",
    "dense1.bias",
    "dense2.weight",
    "dense2.bias",
];

/// A batch of digits, shifted at random.
#[derive(Clone, Debug)]
pub struct DigitBatch {
    pixels: Vec<f32>,
    labels: Vec<u8>,
}

#[derive(Clone)]
struct DigitLoader {
    digits: Arc<Digits>,
    seed: u64,
    epoch: Arc<AtomicUsize>,
    start: usize,
    end: usize,
}

impl DigitLoader {
    fn new(digits: Digits, seed: u64) -> Self {
        let end = digits.len();
        Self { digits: Arc::new(digits), seed, epoch: Arc::new(AtomicUsize::new(0)), start: 0, end }
    }

    /// A shuffled batch with every digit shifted by up to [`JITTER`] pixels each way.
    fn batch(&self, order: &[usize], noise: &mut Noise) -> DigitBatch {
        let mut pixels = vec![0.0; order.len() * SIDE * SIDE];
        for (out, &digit) in pixels.chunks_exact_mut(SIDE * SIDE).zip(order) {
            let image = self.digits.image(digit);
            let (down, right) = (noise.below(2 * JITTER + 1), noise.below(2 * JITTER + 1));
            for y in 0..SIDE {
                for x in 0..SIDE {
                    let (from_y, from_x) =
                        ((y + JITTER).wrapping_sub(down), (x + JITTER).wrapping_sub(right));
                    if from_y < SIDE && from_x < SIDE {
                        out[y * SIDE + x] = image[from_y * SIDE + from_x];
                    }
                }
            }
        }
        DigitBatch { pixels, labels: order.iter().map(|&digit| self.digits.labels[digit]).collect() }
    }
}

impl DataLoader<DigitBatch> for DigitLoader {
    fn iter<'a>(&'a self) -> Box<dyn DataLoaderIterator<DigitBatch> + 'a> {
        let epoch = self.epoch.fetch_add(1, Ordering::Relaxed);
        let mut noise = Noise::stream(self.seed, epoch as u64);
        let mut order: Vec<usize> = (self.start..self.end).collect();
        for i in (1..order.len()).rev() {
            order.swap(i, noise.below(i + 1));
        }
        Box::new(DigitBatches { loader: self, noise, order, next: 0 })
    }

    fn num_items(&self) -> usize {
        self.end - self.start
    }

    fn to_device(&self, _: &Device) -> Arc<dyn DataLoader<DigitBatch>> {
        Arc::new(self.clone())
    }

    fn slice(&self, start: usize, end: usize) -> Arc<dyn DataLoader<DigitBatch>> {
        Arc::new(Self { start: self.start + start, end: self.start + end, ..self.clone() })
    }
}

struct DigitBatches<'a> {
    loader: &'a DigitLoader,
    noise: Noise,
    order: Vec<usize>,
    next: usize,
}

impl Iterator for DigitBatches<'_> {
    type Item = std::result::Result<DigitBatch, DatasetError>;

    fn next(&mut self) -> Option<Self::Item> {
        let order = self.order.get(self.next..(self.next + BATCH).min(self.order.len()))?;
        if order.is_empty() {
            return None;
        }
        self.next += order.len();
        Some(Ok(self.loader.batch(order, &mut self.noise)))
    }
}

impl DataLoaderIterator<DigitBatch> for DigitBatches<'_> {
    fn progress(&self) -> Progress {
        Progress::new(self.next, self.order.len(), Some("digits".to_owned()))
    }
}

impl DigitClassifier {
    fn loss(&self, batch: DigitBatch) -> Tensor<1> {
        let device = self.conv1.weight.val().device();
        let size = batch.labels.len();
        let crops = Tensor::from_data(TensorData::new(batch.pixels, [size, 1, SIDE, SIDE]), &device);
        let labels: Vec<i64> = batch.labels.iter().map(|&label| i64::from(label)).collect();
        let labels = Tensor::<1, Int>::from_data(TensorData::new(labels, [size]), &device);
        CrossEntropyLossConfig::new().init(&device).forward(self.forward(crops), labels)
    }
}

impl TrainStep for DigitClassifier {
    type Input = DigitBatch;
    type Output = Loss;

    fn step(&self, batch: DigitBatch) -> TrainOutput<Loss> {
        let loss = self.loss(batch);
        TrainOutput::new(self, loss.backward(), Loss(loss.inner()))
    }
}

impl InferenceStep for DigitClassifier {
    type Input = DigitBatch;
    type Output = Loss;

    fn step(&self, batch: DigitBatch) -> Loss {
        Loss(self.loss(batch))
    }
}

/// Trains a classifier on burn's engine; prints the engine's progress.
///
/// **Errors** [`Error::Model`] when the engine stops on an error.
pub fn train(
    digits: Digits,
    validation: Digits,
    epochs: usize,
    seed: u64,
    folder: &std::path::Path,
) -> Result<DigitClassifier> {
    let device = Device::flex().autodiff();
    device.seed(seed);
    let updates = digits.len().div_ceil(BATCH) * epochs;
    let schedule = Schedule::Cosine { warmup: 100, constant_until: 0.3 };
    let learner = Learner::new(
        DigitClassifier::init(&device),
        AdamConfig::new().init(),
        ScheduledRate::new(schedule, RATE, updates),
    );
    let train = Arc::new(DigitLoader::new(digits, seed));
    let valid = Arc::new(DigitLoader::new(validation, seed ^ 1));
    let result = SupervisedTraining::new(folder, train, valid)
        .metric_train_numeric(LossMetric::new())
        .metric_valid_numeric(LossMetric::new())
        .with_metric_logger(burn::train::logger::InMemoryMetricLogger::default())
        .with_application_logger(None)
        .renderer(Box::new(crate::train::report::Bar::default()))
        .with_training_strategy(ExecutionStrategy::SingleDevice(device).into())
        .num_epochs(epochs)
        .launch(learner);
    match result.error {
        Some(error) => Err(Error::Model(format!("training the classifier stopped: {error}"))),
        None => Ok(result.model),
    }
}
