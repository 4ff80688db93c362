//! Digits: does a picture show what its caption names, where it names it?

use std::path::Path;
use std::sync::Arc;

use anyhow::Result;
use burn::tensor::Device;
use serde::Serialize;

use super::super::files::{read_classifier, read_mnist};
use super::super::open::MNIST;
use super::{Args, bounds, print_bounds, print_columns, print_head, print_shares};
use crate::checkpoint::Manifest;
use crate::cli::output::{progress, say};
use crate::data::mnist_captions::{Bans, CANVAS, Scene, Scenes};
use crate::data::noise::Noise;
use crate::eval::appearance::Pictures;
use crate::eval::bound::Bound;
use crate::eval::fidelity::{Fidelity, judge};
use crate::paint::{Engine, Pipeline};
use crate::platform::block_on;

/// Pictures painted for each caption unless more are asked for.
const SAMPLES: u32 = 10;
/// Pictures of a caption whose variance is measured.
const TAKES: usize = 40;
/// One caption of so many is measured so.
const VARIED: usize = 22;

/// What is written as JSON.
#[derive(Serialize)]
pub struct Evaluation {
    model: String,
    weights_sha256: String,
    samples_per_caption: usize,
    seed: u64,
    temperature: f32,
    classifier_accuracy_on_mnist_test: f64,
    fidelity: Fidelity,
    shuffled_control: Fidelity,
    /// Variance of pictures of one caption, over that of true ones.
    variance_share: f64,
    bound_seen: Option<Bound>,
    bound_held_out: Option<Bound>,
    /// The same of captions with two digits: most of those held out have two, and a second one costs nats.
    bound_seen_pairs: Option<Bound>,
    bound_held_out_pairs: Option<Bound>,
}

/// Paints every caption and measures the model; sample i of caption c has the seed + 440·i + c.
pub fn evaluate(args: &Args, manifest: Manifest, weights: &[u8], bans: Bans) -> Result<Evaluation> {
    let device = Device::flex();
    let samples = args.samples.unwrap_or(SAMPLES) as usize;
    let classifier = read_classifier(&args.models, &device)?;
    let mnist = read_mnist(args.data.as_deref().unwrap_or(Path::new(MNIST)))?;
    let accuracy = classifier.accuracy(&mnist.test, &device);
    let all = Scene::all();
    // The bound on samples of the recipe, with MNIST's test digits.
    let digits = Arc::new(mnist.test);
    let test = Scenes::new(digits.clone(), bans.clone());
    let [bound_seen, bound_held_out] = bounds(args, &manifest, weights, &test)?;
    let pairs = Scenes::new(digits, bans.clone()).of_pairs();
    let [bound_seen_pairs, bound_held_out_pairs] = bounds(args, &manifest, weights, &pairs)?;

    let temperature = args.temperature.unwrap_or(manifest.temperature);
    let pipeline = Pipeline::load(&manifest, weights, &Engine::Cpu)?.with_temperature(temperature)?;
    let mut scenes = Vec::with_capacity(all.len() * samples);
    let mut verdicts = Vec::with_capacity(scenes.capacity());
    let mut shuffled = Vec::with_capacity(scenes.capacity());
    let bar = progress((all.len() * samples) as u64);
    for sample in 0..samples {
        let images = paint_all(&pipeline, &all, args.seed + (sample * all.len()) as u64)?;
        bar.inc(all.len() as u64);
        verdicts.extend(judge(&classifier, &all, &images, &device));
        // The control: each picture is judged by another caption's standard.
        let mut order: Vec<usize> = (0..all.len()).collect();
        let mut noise = Noise::stream(args.seed, sample as u64);
        for i in (1..order.len()).rev() {
            order.swap(i, noise.below(i + 1));
        }
        let others: Vec<f32> = order
            .iter()
            .flat_map(|&i| images[i * CANVAS * CANVAS..][..CANVAS * CANVAS].iter().copied())
            .collect();
        shuffled.extend(judge(&classifier, &all, &others, &device));
        scenes.extend_from_slice(&all);
    }
    bar.finish_and_clear();
    let evaluation = Evaluation {
        model: manifest.name.clone(),
        weights_sha256: manifest.weights.sha256.clone(),
        samples_per_caption: samples,
        seed: args.seed,
        temperature,
        classifier_accuracy_on_mnist_test: accuracy,
        fidelity: Fidelity::count(&scenes, &verdicts, &bans),
        shuffled_control: Fidelity::count(&scenes, &shuffled, &bans),
        variance_share: variance_share(&pipeline, &test, &all, args.seed)?,
        bound_seen,
        bound_held_out,
        bound_seen_pairs,
        bound_held_out_pairs,
    };
    if !args.json {
        print(&evaluation);
    }
    Ok(evaluation)
}

/// Paints one picture for each scene: [scene, 60, 60].
fn paint_all(pipeline: &Pipeline, scenes: &[Scene], seed: u64) -> Result<Vec<f32>> {
    let mut images = Vec::with_capacity(scenes.len() * CANVAS * CANVAS);
    for (part, first) in scenes.chunks(110).zip((seed..).step_by(110)) {
        let tokens: crate::error::Result<Vec<_>> =
            part.iter().map(|scene| pipeline.vocabulary().tokens(&scene.caption())).collect();
        let seeds: Vec<u64> = (first..).take(part.len()).collect();
        let mut drawing = pipeline.begin_batch(&tokens?, &seeds)?;
        let mut last = Vec::new();
        while let Some(frames) = block_on(pipeline.step(&mut drawing))? {
            last = frames;
        }
        images.extend(last.into_iter().flat_map(|frame| frame.image));
    }
    Ok(images)
}

/// How much pictures of one caption differ: the variance of a pixel over [`TAKES`] of them, mean of every
/// [`VARIED`]th caption, over that of as many true pictures with MNIST's test digits.
fn variance_share(pipeline: &Pipeline, test: &Scenes, all: &[Scene], seed: u64) -> Result<f64> {
    let (mut painted, mut real) = (0.0, 0.0);
    let variance = |pixels: &[f32]| Pictures { pixels, len: CANVAS * CANVAS, width: CANVAS }.variance();
    for (at, scene) in all.iter().step_by(VARIED).enumerate() {
        painted += variance(&paint_all(pipeline, &[*scene; TAKES], seed + (at * TAKES) as u64)?);
        real += variance(&test.pictures_of(scene, TAKES, &mut Noise::stream(seed, at as u64)));
    }
    Ok(painted / real)
}

fn print(e: &Evaluation) {
    print_head(&e.model, &e.weights_sha256, e.temperature);
    say!("classifier: {:.2} % on MNIST's test set", 100.0 * e.classifier_accuracy_on_mnist_test);
    print_columns();
    print_shares("caption fidelity", e.fidelity.seen, e.fidelity.held_out);
    print_shares("  single digits", e.fidelity.seen_digits, e.fidelity.held_out_digits);
    print_shares("shuffled-caption control", e.shuffled_control.seen, e.shuffled_control.held_out);
    say!("variance of {TAKES} pictures of a caption: {:.1} % of true ones", 100.0 * e.variance_share);
    print_bounds(&e.bound_seen, &e.bound_held_out);
    say!("captions of two digits");
    print_bounds(&e.bound_seen_pairs, &e.bound_held_out_pairs);
}
