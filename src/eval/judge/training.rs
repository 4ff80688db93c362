//! The judge's training on burn's engine, on renders of all combinations, the held-out ones among them.

use std::path::Path;
use std::sync::Arc;

use burn::tensor::activation::{log_sigmoid, log_softmax};
use burn::tensor::{Device, Tensor, TensorData};
use burn::train::{InferenceStep, TrainOutput, TrainStep};

use super::super::fit::{Loss, fit};
use super::{
    BATCH, COLOUR, COLOURS, IMAGE, Labels, NUMBER, OBJECT, OBJECTS, PLACE, RELATION, SIZE, SceneJudge, pairs,
    spoiled,
};
use crate::data::noise::Noise;
use crate::data::scene_pictures::{CANVAS, ScenePictures};
use crate::data::scenes::Scene;
use crate::error::Result;
use crate::train::loader::Batches;

/// Renders and what they show: 1 for what is there, 0 for the rest; a factor that is not said has
/// no 1.
#[derive(Clone, Debug)]
pub struct JudgeBatch {
    pixels: Vec<f32>,
    pairs: Vec<f32>,
    targets: Vec<f32>,
}

/// Softens and roughens a picture as a painter might: every second one.
fn weather(pixels: &mut [f32], noise: &mut Noise) {
    if noise.below(2) == 0 {
        return;
    }
    for plane in pixels.chunks_exact_mut(CANVAS * CANVAS) {
        for _ in 0..1 + noise.below(2) {
            let sharp = plane.to_vec();
            for y in 1..CANVAS - 1 {
                for x in 1..CANVAS - 1 {
                    let at = y * CANVAS + x;
                    let across = sharp[at - 1] + sharp[at + 1] + sharp[at - CANVAS] + sharp[at + CANVAS];
                    plane[at] = 0.4 * sharp[at] + 0.15 * across;
                }
            }
        }
    }
    let rough = 0.06 * noise.uniform();
    pixels.iter_mut().for_each(|p| *p = (*p + rough * (2.0 * noise.uniform() - 1.0)).clamp(0.0, 1.0));
}

/// Batches of fresh renders.
fn renders(pictures: &Arc<ScenePictures>, hardened: bool, seed: u64, batches: usize) -> Batches<JudgeBatch> {
    let pictures = pictures.clone();
    Batches::changing(0, BATCH, batches * BATCH, move |epoch, index| {
        let mut noise = Noise::stream(seed, (epoch as u64) << 32 | index as u64);
        JudgeBatch::render(&pictures, hardened, &mut noise)
    })
}

impl JudgeBatch {
    /// Fresh renders; for a hardened judge one of four is spoiled and shows nothing.
    fn render(pictures: &ScenePictures, hardened: bool, noise: &mut Noise) -> Self {
        let mut pixels = Vec::with_capacity(BATCH * IMAGE);
        let mut targets = vec![0.0; BATCH * COLOUR.end];
        let mut said = Vec::with_capacity(BATCH);
        for row in targets.chunks_exact_mut(COLOUR.end) {
            if hardened && noise.below(4) == 0 {
                pixels.extend(spoiled(pictures, noise));
                said.push(Labels::default());
                continue;
            }
            let scene = Scene::sample(noise);
            let mut picture = pictures.paint(&scene, noise);
            weather(&mut picture, noise);
            pixels.extend(picture);
            let labels = Labels::of(&scene);
            row[PLACE][labels.place] = 1.0;
            labels.objects.iter().for_each(|&object| row[OBJECT][object] = 1.0);
            labels.colours.iter().for_each(|&(object, c)| row[COLOUR][object * COLOURS + c] = 1.0);
            for (columns, label) in
                [(NUMBER, labels.number), (SIZE, labels.size), (RELATION, labels.relation)]
            {
                if let Some(label) = label {
                    row[columns][label] = 1.0;
                }
            }
            said.push(labels);
        }
        Self { pixels, pairs: pairs(said.iter()), targets }
    }
}

impl SceneJudge {
    /// Cross entropy of every factor that is said, nats per image.
    fn loss(&self, batch: JudgeBatch) -> Tensor<1> {
        let device = self.conv1.weight.val().device();
        let size = batch.pixels.len() / IMAGE;
        let images = TensorData::new(batch.pixels, [size, 3, CANVAS, CANVAS]);
        let pairs = TensorData::new(batch.pairs, [size, OBJECTS]);
        let logits = self.forward(Tensor::from_data(images, &device), Tensor::from_data(pairs, &device));
        let targets = Tensor::<2>::from_data(TensorData::new(batch.targets, [size, COLOUR.end]), &device);
        let part = |of: &Tensor<2>, columns: &std::ops::Range<usize>| {
            of.clone().narrow(1, columns.start, columns.len())
        };
        let mut nats = Tensor::<1>::zeros([1], &device);
        for columns in [PLACE, NUMBER, SIZE, RELATION] {
            nats = nats - (log_softmax(part(&logits, &columns), 1) * part(&targets, &columns)).sum();
        }
        let (there, shown) = (part(&targets, &OBJECT), part(&logits, &OBJECT));
        let absent = there.clone().neg() + 1.0;
        nats = nats - (log_sigmoid(shown.clone()) * there + log_sigmoid(shown.neg()) * absent).sum();
        let by_object = |of: Tensor<2>| of.reshape([size, OBJECTS, COLOURS]);
        let colours = log_softmax(by_object(part(&logits, &COLOUR)), 2);
        nats = nats - (colours * by_object(part(&targets, &COLOUR))).sum();
        nats / size as f32
    }
}

impl TrainStep for SceneJudge {
    type Input = JudgeBatch;
    type Output = Loss;

    fn step(&self, batch: JudgeBatch) -> TrainOutput<Loss> {
        let loss = self.loss(batch);
        TrainOutput::new(self, loss.backward(), Loss(loss.inner()))
    }
}

impl InferenceStep for SceneJudge {
    type Input = JudgeBatch;
    type Output = Loss;

    fn step(&self, batch: JudgeBatch) -> Loss {
        Loss(self.loss(batch))
    }
}

/// Batches of an epoch.
const BATCHES: usize = 200;

/// How a judge is trained.
#[derive(Clone, Copy, Debug)]
pub struct JudgeTraining {
    /// Times 10 000 renders.
    pub epochs: usize,
    /// First learning rate.
    pub learning_rate: f64,
    /// Seed of weights and renders.
    pub seed: u64,
    /// Whether it also sees spoiled pictures, in which it is to recognise nothing.
    pub hardened: bool,
}

/// Trains a judge from fresh weights or from those of a file; prints the engine's progress.
///
/// **Errors** [`Error::Model`](crate::error::Error::Model) when the engine stops on an error.
pub fn train(
    pictures: Arc<ScenePictures>,
    from: Option<&[u8]>,
    training: JudgeTraining,
    folder: &Path,
) -> Result<SceneJudge> {
    let JudgeTraining { epochs, learning_rate, seed, hardened } = training;
    let device = Device::flex().autodiff();
    device.seed(seed);
    let fresh = match from {
        Some(bytes) => SceneJudge::decode(bytes, &device)?,
        None => SceneJudge::init(&device),
    };
    let renders = |seed, batches| renders(&pictures, hardened, seed, batches);
    let batches = (renders(seed, BATCHES), renders(seed ^ u64::MAX, 10));
    fit(fresh, batches, epochs, learning_rate, device, folder)
}
