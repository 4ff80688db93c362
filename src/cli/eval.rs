//! `aligndraw eval`.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Result, bail};
use burn::tensor::Device;
use clap::Args as ClapArgs;
use serde::Serialize;

use super::files::{read_classifier, read_mnist, read_model, write_json};
use crate::data::mnist_captions::{CANVAS, Scene, Scenes};
use crate::data::noise::Noise;
use crate::data::source::{HeldOut, Source};
use crate::eval::bound::{Bound, Estimate};
use crate::eval::fidelity::{Fidelity, Share, judge};
use crate::paint::Painter;
use crate::platform::block_on;
use crate::text2image::align_draw::cpu::Weights;

/// Images for each of the two bounds.
const BOUND_IMAGES: usize = 2_000;

#[derive(ClapArgs)]
pub struct Args {
    /// Name of the model, or the path of its manifest without .json
    #[arg(long, default_value = "digits")]
    model: String,
    /// Folder of the models
    #[arg(long, default_value = "models")]
    models: PathBuf,
    /// Pictures painted for each of the 440 captions
    #[arg(long, default_value_t = 10)]
    samples: usize,
    /// Seed of the first sample; sample i of caption c has seed + 440·i + c
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Scale of the prior's standard deviation (default: the model's own)
    #[arg(long)]
    temperature: Option<f32>,
    /// Where to write the JSON (default: <models>/<model>.eval.json)
    #[arg(long)]
    out: Option<PathBuf>,
    /// Folder of the MNIST files
    #[arg(long, default_value = "data/mnist")]
    data: PathBuf,
}

#[derive(Serialize)]
struct Evaluation {
    model: String,
    weights_sha256: String,
    samples_per_caption: usize,
    seed: u64,
    temperature: f32,
    classifier_accuracy_on_mnist_test: f64,
    fidelity: Fidelity,
    shuffled_control: Fidelity,
    bound_seen: Option<Bound>,
    bound_held_out: Option<Bound>,
}

pub fn run(args: Args) -> Result<()> {
    let (manifest, host) = read_model(&args.models, &args.model)?;
    let device = Device::flex();
    let classifier = read_classifier(&args.models, &device)?;
    let mnist = read_mnist(&args.data)?;
    let accuracy = classifier.accuracy(&mnist.test, &device);
    let HeldOut::Digits(bans) = manifest.data.bans.clone() else {
        bail!("{} was not trained on MNIST with captions", manifest.name);
    };

    let all = Scene::all();
    // The bound on samples of the recipe, with MNIST's test digits.
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let weights = Weights::new(&manifest.config, host.clone());
    let test = Scenes::new(Arc::new(mnist.test), bans.clone());
    let estimate = Estimate { weights: &weights, images: BOUND_IMAGES, seed: args.seed, threads };
    let bound_seen = estimate.over(|size, noise| Some(test.batch(size, noise)));
    let bound_held_out = estimate.over(|size, noise| test.held_out_batch(size, noise));

    let temperature = args.temperature.unwrap_or(manifest.temperature);
    let painter = Painter::on_cpu(manifest.clone(), host).with_temperature(temperature)?;
    let mut scenes = Vec::with_capacity(all.len() * args.samples);
    let mut verdicts = Vec::with_capacity(scenes.capacity());
    let mut shuffled = Vec::with_capacity(scenes.capacity());
    let bar = indicatif::ProgressBar::new((all.len() * args.samples) as u64);
    for sample in 0..args.samples {
        let images = paint_all(&painter, &all, args.seed + (sample * all.len()) as u64)?;
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
        samples_per_caption: args.samples,
        seed: args.seed,
        temperature,
        classifier_accuracy_on_mnist_test: accuracy,
        fidelity: Fidelity::count(&scenes, &verdicts, &bans),
        shuffled_control: Fidelity::count(&scenes, &shuffled, &bans),
        bound_seen,
        bound_held_out,
    };
    print(&evaluation);
    let out = args.out.unwrap_or_else(|| args.models.join(format!("{}.eval.json", args.model)));
    write_json(&out, &evaluation)
}

/// Paints one picture for each scene: [scene, 60, 60].
fn paint_all(painter: &Painter, scenes: &[Scene], seed: u64) -> Result<Vec<f32>> {
    let mut images = Vec::with_capacity(scenes.len() * CANVAS * CANVAS);
    for (part, first) in scenes.chunks(110).zip((seed..).step_by(110)) {
        let tokens: crate::error::Result<Vec<_>> =
            part.iter().map(|scene| painter.manifest().vocabulary.tokens(&scene.caption())).collect();
        let seeds: Vec<u64> = (first..).take(part.len()).collect();
        let mut drawing = painter.begin_batch(&tokens?, &seeds)?;
        let mut last = Vec::new();
        while let Some(frames) = block_on(painter.step(&mut drawing))? {
            last = frames;
        }
        images.extend(last.into_iter().flat_map(|frame| frame.image));
    }
    Ok(images)
}

fn print(e: &Evaluation) {
    println!("model {} ({})", e.model, &e.weights_sha256[..12.min(e.weights_sha256.len())]);
    println!("classifier: {:.2} % on MNIST's test set", 100.0 * e.classifier_accuracy_on_mnist_test);
    println!("{:<34}{:>10}{:>12}", "", "seen", "held out");
    let row = |name: &str, seen: Share, held_out: Share| {
        println!("{name:<34}{:>8.1} %{:>10.1} %", seen.percent(), held_out.percent());
    };
    row("caption fidelity", e.fidelity.seen, e.fidelity.held_out);
    row("  single digits", e.fidelity.seen_digits, e.fidelity.held_out_digits);
    row("shuffled-caption control", e.shuffled_control.seen, e.shuffled_control.held_out);
    let row = |name: &str, of: fn(&Bound) -> f64| {
        let text =
            |bound: &Option<Bound>| bound.as_ref().map_or("none".to_owned(), |b| format!("{:.2}", of(b)));
        println!("{name:<34}{:>10}{:>12}", text(&e.bound_seen), text(&e.bound_held_out));
    };
    row("lower bound, nats", |bound| bound.bound);
    row("  reconstruction", |bound| bound.reconstruction);
    row("  KL", |bound| bound.kl);
    row("  entropy floor of the pixels", |bound| bound.entropy_floor);
}
