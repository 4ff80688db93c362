//! The framed painter's bound, gradients and pictures, in burn tensors and by the fused passes, against an independent float64 reference
//! (`tests/fixtures/generate_framed.py`).

use std::collections::BTreeMap;

use aligndraw::checkpoint::{float_tensors, with_values};
use aligndraw::data::batch::CaptionBatch;
use aligndraw::model::{CaptionIds, Painter, TextToImage, Trainable, Values};
use aligndraw::nn::floats;
use aligndraw::text2image::framed::cpu::{FramedValues, Shard, Weights, bounds};
use aligndraw::text2image::framed::{BoundNoise, Framed, FramedConfig, Slots};
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor};
use serde::Deserialize;

/// Single precision over a few hundred operations: relative to the tensor's largest entry.
const RELATIVE: f64 = 1e-4;

#[derive(Deserialize)]
struct Case {
    config: FramedConfig,
    words: usize,
    ids: Vec<usize>,
    images: Vec<f32>,
    frame_noise: Vec<f32>,
    noise: Vec<f32>,
    parameters: BTreeMap<String, Vec<f32>>,
    terms: Vec<f64>,
    gradients: BTreeMap<String, Vec<f64>>,
    painted: Vec<f64>,
}

impl Case {
    fn model(&self, device: &Device) -> Framed {
        let fresh = Framed::init(&self.config, 1, device);
        with_values(fresh, |name, _| Ok(self.parameters[name].clone())).expect("all tensors")
    }

    fn bound_noise(&self) -> BoundNoise {
        BoundNoise { of_frames: self.frame_noise.clone(), of_steps: self.noise.clone(), of_order: None }
    }

    /// Paints the captions and holds the finished pictures to the reference.
    fn paint(&self, painter: &dyn Painter) {
        let config = &self.config;
        let of_frames = self.frame_noise.chunks(2 * config.max_drawn);
        let of_steps = self.noise.chunks(config.num_steps * config.latent_size);
        let noise = of_frames.zip(of_steps).flat_map(|(a, b)| [a, b].concat()).collect();
        let mut drawing = painter.begin(&self.captions(), noise).expect("every caption draws something");
        let mut images = Vec::new();
        for _ in 0..config.num_steps {
            images = match drawing.step().expect("a step").images {
                Values::Host(values) => values,
                Values::Device(tensor) => floats(tensor.into_data()),
            };
        }
        assert_close("painted", &images, &self.painted);
    }

    fn captions(&self) -> CaptionIds {
        CaptionIds { ids: self.ids.clone(), batch: self.ids.len() / self.words, words: self.words }
    }
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../fixtures/framed.json")).expect("the fixture parses")
}

fn assert_close(name: &str, found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{name}");
    let scale = expected.iter().fold(1e-3f64, |most, x| most.max(x.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(*found) - expected).abs() / scale;
        assert!(error < RELATIVE, "{name}[{i}]: {found}, expected {expected} (relative {error:.1e})");
    }
}

struct Collect<'a>(&'a Gradients, Vec<Vec<f32>>);

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let gradient = parameter.val().grad(self.0).expect("every parameter has a gradient");
        self.1.push(floats(gradient.into_data()));
    }
}

#[test]
fn bound_and_gradients() {
    for case in cases() {
        let device = Device::flex().autodiff();
        let (model, captions) = (case.model(&device).train(), case.captions());
        let slots = Slots::of(&case.config, &captions).expect("every caption draws something");
        let noise = case.bound_noise();
        let terms = model.bound(&case.config, &captions, &slots, case.images.clone(), noise, &device);
        let means: Vec<Tensor<1>> = terms.0.into_iter().map(|(_, term)| term.mean()).collect();
        for (at, (mean, expected)) in means.iter().zip(&case.terms).enumerate() {
            assert_close(&format!("term {at}"), &floats(mean.clone().into_data()), &[*expected]);
        }
        let backward = means.into_iter().reduce(|a, b| a + b).expect("three terms").backward();
        let mut found = Collect(&backward, Vec::new());
        model.visit(&mut found);
        let names = float_tensors(&model);
        assert_eq!(names.len(), case.gradients.len());
        for (tensor, gradient) in names.iter().zip(&found.1) {
            assert_close(&tensor.name, gradient, &case.gradients[&tensor.name]);
        }
    }
}

#[test]
fn fused_bound_and_gradients() {
    for case in cases() {
        let (config, captions) = (&case.config, case.captions());
        let values = FramedValues::of(config, &case.model(&Device::flex()));
        let batch = CaptionBatch::of_words(captions.ids.into(), captions.words, case.images.clone().into());
        for threads in [1, 2] {
            let mut shards: Vec<Shard> = (0..threads).map(|_| Shard::default()).collect();
            let weights = Weights::new(config, values.clone());
            let (terms, gradients) = bounds(&weights, &batch, &case.bound_noise(), &mut shards, true);
            for (at, expected) in case.terms.iter().enumerate() {
                let mean = terms.iter().map(|terms| terms[at]).sum::<f64>() / terms.len() as f64;
                assert_close(&format!("term {at}"), &[mean as f32], &[*expected]);
            }
            let names = float_tensors(&case.model(&Device::flex()));
            let gradients = gradients.expect("they are wanted").into_vectors();
            assert_eq!(names.len(), gradients.len());
            for (tensor, gradient) in names.iter().zip(&gradients) {
                assert_close(&tensor.name, gradient, &case.gradients[&tensor.name]);
            }
        }
    }
}

#[test]
fn painting() {
    let device = Device::flex();
    for case in cases() {
        let config = &case.config;
        let model = case.model(&device);
        let mut take = |name: &str, _: &[usize]| Ok(case.parameters[name].clone());
        let fused = Framed::fused_painter(config, &mut take).expect("there are fused passes");
        for painter in [fused.expect("all tensors"), model.painter(config, &device)] {
            case.paint(painter.as_ref());
        }
    }
}
