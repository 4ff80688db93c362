//! The judge of caption fidelity: a small convolutional network that reads digits.

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Int, Tensor, TensorData};
use burn::train::{InferenceStep, TrainOutput, TrainStep};

use super::fit::{Loss, fit};
use crate::checkpoint::{self, Precision};
use crate::data::mnist::{Digits, SIDE};
use crate::data::noise::Noise;
use crate::error::Result;
use crate::nn::floats;
use crate::train::loader::Batches;

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
        checkpoint::encode(self, Precision::Half)
    }

    /// The weights from a safetensors file.
    ///
    /// **Errors** [`Error::Model`], naming the tensor that is missing or of another shape.
    pub fn decode(bytes: &[u8], device: &Device) -> Result<Self> {
        checkpoint::decode(Self::init(device), &checkpoint::parse_safetensors(bytes)?)
    }
}

/// A batch of digits, shifted at random.
#[derive(Clone, Debug)]
pub struct DigitBatch {
    pixels: Vec<f32>,
    labels: Vec<u8>,
}

/// Batches of shuffled digits, each shifted by up to [`JITTER`] pixels each way.
fn batches(digits: Digits, seed: u64) -> Batches<DigitBatch> {
    Batches::changing(0, BATCH, digits.len(), move |epoch, index| {
        let mut noise = Noise::stream(seed, epoch as u64);
        let mut order: Vec<usize> = (0..digits.len()).collect();
        for i in (1..order.len()).rev() {
            order.swap(i, noise.below(i + 1));
        }
        let start = index * BATCH;
        let part = &order[start..(start + BATCH).min(order.len())];
        shifted(&digits, part, &mut Noise::stream(noise.next_u64(), index as u64))
    })
}

fn shifted(digits: &Digits, order: &[usize], noise: &mut Noise) -> DigitBatch {
    let mut pixels = vec![0.0; order.len() * SIDE * SIDE];
    for (out, &digit) in pixels.chunks_exact_mut(SIDE * SIDE).zip(order) {
        let image = digits.image(digit);
        let (down, right) = (noise.below(2 * JITTER + 1), noise.below(2 * JITTER + 1));
        for y in 0..SIDE {
            for x in 0..SIDE {
                let (from_y, from_x) = ((y + JITTER).wrapping_sub(down), (x + JITTER).wrapping_sub(right));
                if from_y < SIDE && from_x < SIDE {
                    out[y * SIDE + x] = image[from_y * SIDE + from_x];
                }
            }
        }
    }
    DigitBatch { pixels, labels: order.iter().map(|&digit| digits.labels[digit]).collect() }
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
    let fresh = DigitClassifier::init(&device);
    let batches = (batches(digits, seed), batches(validation, seed ^ 1));
    fit(fresh, batches, epochs, RATE, device, folder)
}
