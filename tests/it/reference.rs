//! Forward pass and gradients against an independent float64 reference
//! (`tests/fixtures/generate.py`).

use std::borrow::Cow;
use std::collections::BTreeMap;

use aligndraw::data::batch::CaptionBatch;
use aligndraw::text2image::draw::cpu::{
    Drawing, Shard, Weights, gradients_with_noise, image_bounds, loss_and_gradients, losses,
};
use aligndraw::text2image::draw::{Conditioning, DrawConfig, ParameterValues};
use serde::Deserialize;

/// Single precision over a few hundred operations: relative to the tensor's largest entry.
const RELATIVE: f64 = 1e-4;

#[derive(Deserialize)]
struct Case {
    config: DrawConfig,
    words: usize,
    ids: Vec<usize>,
    images: Vec<f32>,
    noise: Vec<f32>,
    #[serde(default)]
    sentences: Vec<f32>,
    parameters: BTreeMap<String, Vec<f32>>,
    reconstruction: f64,
    kl: f64,
    gradients: BTreeMap<String, Vec<f64>>,
    painted: Vec<f64>,
    alignment: Vec<f64>,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../fixtures/align_draw.json")).expect("the fixture parses")
}

impl Case {
    fn host(&self) -> ParameterValues {
        ParameterValues::from_named(&self.config, |name, _| Ok(self.parameters[name].clone()))
            .expect("all tensors")
    }

    fn batch(&self) -> CaptionBatch<'_> {
        CaptionBatch {
            size: self.images.len() / self.config.image_len(),
            ids: Cow::Borrowed(&self.ids),
            words: self.words,
            sentences: Cow::Borrowed(&self.sentences),
            read: Cow::Borrowed(&[]),
            images: Cow::Borrowed(&self.images),
            boxes: Cow::Borrowed(&[]),
            references: Cow::Borrowed(&[]),
        }
    }
}

fn assert_close(name: &str, found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{name}");
    let scale = expected.iter().fold(1e-3f64, |most, x| most.max(x.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(*found) - expected).abs() / scale;
        assert!(error < RELATIVE, "{name}[{i}]: {found}, expected {expected} (relative {error:.1e})");
    }
}

#[test]
fn cpu_losses_and_gradients() {
    for case in cases() {
        for shards in [1, 2] {
            let weights = Weights::new(&case.config, case.host());
            let mut shards: Vec<_> = (0..shards).map(|_| Shard::default()).collect();
            let (losses, gradients) = gradients_with_noise(&weights, &case.batch(), &case.noise, &mut shards);
            assert_close("bound", &[losses.reconstruction as f32], &[case.reconstruction]);
            assert_close("kl", &[losses.kl as f32], &[case.kl]);
            let names = case.config.parameters();
            for ((name, _, _), found) in names.iter().zip(gradients.vectors()) {
                assert_close(name, found, &case.gradients[*name]);
            }
        }
    }
}

/// The bound without gradients overwrites what training keeps of every step.
#[test]
fn the_bound_alone_is_that_of_training() {
    for case in cases() {
        let weights = Weights::new(&case.config, case.host());
        let (batch, mut shards) = (case.batch(), [Shard::default()]);
        let (expected, _) = loss_and_gradients(&weights, &batch, 7, &mut shards);
        assert_eq!(losses(&weights, &batch, 7, &mut shards), expected);
        let bounds = image_bounds(&weights, &batch, 7, &mut shards);
        let mean = bounds.iter().sum::<f64>() / batch.len() as f64;
        assert!((mean + expected.total()).abs() < 1e-9, "{mean} beside {expected:?}");
    }
}

/// A caption that is said of all images of a batch is encoded once.
#[test]
fn one_caption_of_many_images() {
    for case in cases() {
        let weights = Weights::new(&case.config, case.host());
        let batch = case.batch();
        let first = batch.slice(0, 1);
        let pictures = batch.len();
        let same = CaptionBatch {
            size: pictures,
            ids: Cow::Owned(first.ids.repeat(pictures)),
            sentences: Cow::Owned(first.sentences.repeat(pictures)),
            ..batch.clone()
        };
        let (expected, _) = loss_and_gradients(&weights, &same, 7, &mut [Shard::default()]);
        let found = losses(&weights, &same, 7, &mut [Shard::default()]);
        assert!(
            (found.total() - expected.total()).abs() < 1e-4 * expected.total(),
            "{found:?}, {expected:?}"
        );
    }
}

#[test]
fn cpu_painting() {
    for case in cases() {
        let weights = Weights::new(&case.config, case.host());
        let batch = case.batch();
        let mut drawing = Drawing::begin(&weights, batch.captions(), &case.noise);
        while drawing.step(&weights) {}
        let steps = case.config.num_steps;
        assert_close("painted", drawing.images(steps), &case.painted);
        let attention = case.config.conditioning == Conditioning::Attention;
        for t in 0..steps {
            let alignment = drawing.alignment(t + 1);
            assert_eq!(alignment.is_some(), attention);
            for (b, found) in alignment.iter().flat_map(|all| all.chunks_exact(case.words)).enumerate() {
                let expected = &case.alignment[(b * steps + t) * case.words..][..case.words];
                assert_close("alignment", found, expected);
            }
        }
    }
}

/// Models of the paper's COCO preset begin at 3072 ln 2 = 2129.35 nats: a canvas of zeros says ½ of
/// every value, whatever the image.
#[test]
fn an_empty_colour_canvas_costs_what_the_paper_starts_with() {
    let config = DrawConfig { height: 32, width: 32, channels: 3, initial_canvas: 0.0, ..DrawConfig::tiny() };
    let weights = Weights::new(&config, ParameterValues::zeros(&config));
    let images: Vec<f32> = (0..config.image_len()).map(|i| (i % 7) as f32 / 7.0).collect();
    let batch = CaptionBatch::of_words(Cow::Owned(vec![1, 2]), 2, Cow::Owned(images));
    let losses = losses(&weights, &batch, 1, &mut [Shard::default()]);
    assert!((losses.reconstruction - 2129.35).abs() < 0.01, "{losses:?}");
}

/// The definition in burn tensors, under burn's autodiff.
mod definition {
    use super::*;
    use aligndraw::nn::floats;
    use aligndraw::text2image::draw::Draw;
    use aligndraw::text2image::draw::definition::CaptionInput;
    use burn::module::{Module, ModuleVisitor, Param};
    use burn::tensor::{Device, Gradients, Tensor, TensorData, activation::sigmoid};

    struct Collect<'a>(&'a Gradients, Vec<Vec<f32>>);

    impl ModuleVisitor for Collect<'_> {
        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
            let gradient = parameter.val().grad(self.0).expect("every parameter has a gradient");
            self.1.push(floats(gradient.into_data()));
        }
    }

    fn captions(case: &Case, device: &Device) -> CaptionInput {
        CaptionInput::of(&case.config, case.batch().captions(), device)
    }

    fn noise(case: &Case, device: &Device) -> Tensor<3> {
        let shape = [case.batch().len(), case.config.num_steps, case.config.latent_size];
        Tensor::from_data(TensorData::new(case.noise.clone(), shape), device)
    }

    #[test]
    fn losses_and_gradients() {
        let device = Device::flex().autodiff();
        for case in cases() {
            let config = &case.config;
            let model = Draw::from_host(config, case.host(), &device);
            let batch = case.batch().len();
            let shape = [batch, config.channels, config.height, config.width];
            let images = Tensor::from_data(TensorData::new(case.images.clone(), shape), &device);
            let (nats, kl) = model.bound(config, captions(&case, &device), images, noise(&case, &device));
            let loss = (nats.clone() + kl.clone()).mean();
            assert_close("reconstruction", &floats(nats.mean().into_data()), &[case.reconstruction]);
            assert_close("kl", &floats(kl.mean().into_data()), &[case.kl]);
            let gradients = loss.backward();
            let mut collect = Collect(&gradients, Vec::new());
            model.visit(&mut collect);
            for ((name, _, _), found) in config.parameters().iter().zip(&collect.1) {
                assert_close(name, found, &case.gradients[*name]);
            }
            assert_eq!(collect.1.len(), case.gradients.len(), "the model has no other parameters");
        }
    }

    #[test]
    fn painting() {
        let device = Device::flex();
        for case in cases() {
            let config = &case.config;
            let model = Draw::from_host(config, case.host(), &device);
            let caption = model.encode(config, captions(&case, &device));
            let mut state = model.begin(config, case.batch().len());
            let noise = noise(&case, &device);
            for t in 0..config.num_steps {
                let noise = noise.clone().narrow(1, t, 1).squeeze_dim::<2>(1);
                state = model.step(config, &caption, state, None, noise).0;
            }
            assert_close("painted", &floats(sigmoid(state.canvas).into_data()), &case.painted);
        }
    }
}
