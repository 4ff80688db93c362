//! Colour scenes: which factors of a caption its picture shows, seen and held out.

use anyhow::Result;
use burn::tensor::Device;
use serde::Serialize;

use super::super::files::{HARDENED, JUDGE, read_judge};
use super::super::train_judge::LEAST_ACCURACY;
use super::appearance::{self, Frechet};
use super::{Args, bounds, print_bounds, print_columns, print_head, print_shares};
use crate::checkpoint::Manifest;
use crate::cli::output::{progress, say};
use crate::data::noise::Noise;
use crate::data::scene_pictures::ScenePictures;
use crate::data::scenes::{Bans, Scene};
use crate::eval::appearance::Appearance;
use crate::eval::bound::Bound;
use crate::eval::judge::SceneJudge;
use crate::eval::scene_fidelity::{Factors, ObjectAttention, Recognised};
use crate::eval::share::Share;
use crate::paint::{Engine, Frame, Pipeline};
use crate::platform::block_on;

/// Pictures painted of seen combinations, and of held-out ones, unless more are asked for.
const SAMPLES: u32 = 2_000;
/// Pictures painted at once: captions of equal length.
const BATCH: usize = 50;

/// What was measured on one kind of captions.
#[derive(Serialize)]
struct Measured {
    /// Painted by the model.
    painted: Factors,
    /// The model's pictures, each judged by another caption.
    shuffled_control: Factors,
    /// Rendered from the same captions.
    rendered: Factors,
    /// The objects that a hardened judge, where there is one, recognises in the painted pictures, and in those rendered.
    #[serde(skip_serializing_if = "Option::is_none")]
    hardened: Option<[Recognised; 2]>,
    /// The attention on an object's words while it is painted.
    object_attention: ObjectAttention,
    /// How far the painted pictures are from true ones, in the judge's features.
    frechet: Frechet,
    bound: Option<Bound>,
}

/// What is written as JSON.
#[derive(Serialize)]
pub struct Evaluation {
    model: String,
    weights_sha256: String,
    pictures: usize,
    seed: u64,
    temperature: f32,
    judge_on_test_renders: Factors,
    /// Spoiled pictures in which the hardened judge recognises nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    hardened_refuses: Option<Share>,
    /// How pictures of seen captions look beside true ones.
    appearance: Vec<Appearance>,
    seen: Measured,
    held_out: Measured,
}

/// Paints fresh captions and judges the pictures.
pub fn evaluate(args: &Args, manifest: Manifest, weights: &[u8], bans: Bans) -> Result<Evaluation> {
    let device = Device::flex();
    let (record, judge) = read_judge(&args.models, JUDGE, &device)?;
    let is_there = args.models.join(format!("{HARDENED}.json")).exists();
    let hardened = is_there.then(|| read_judge(&args.models, HARDENED, &device)).transpose()?;
    let pictures = ScenePictures::new(bans);
    let [bound_seen, bound_held_out] = bounds(args, &manifest, weights, &pictures)?;
    let temperature = args.temperature.unwrap_or(manifest.temperature);
    let (model, weights_sha256) = (manifest.name.clone(), manifest.weights.sha256.clone());
    let pipeline = Pipeline::load(&manifest, weights, &Engine::Cpu)?.with_temperature(temperature)?;
    let count = args.samples.unwrap_or(SAMPLES) as usize;
    let bar = progress(2 * count as u64);
    let measure = |held_out, bound| -> Result<Measured> {
        let mut noise = Noise::stream(args.seed, u64::from(held_out));
        let mut measurement = Measurement {
            pictures: &pictures,
            pipeline: &pipeline,
            object_attention: ObjectAttention::default(),
        };
        let (mut scenes, mut painted) = (Vec::new(), Vec::new());
        while scenes.len() < count {
            let drawn = pictures.draw_batch(held_out, BATCH.min(count - scenes.len()), &mut noise);
            painted.extend(measurement.paint(&drawn, &mut noise)?);
            bar.inc(drawn.len() as u64);
            scenes.extend(drawn.into_iter().map(|(scene, _)| scene));
        }
        let mut render =
            || -> Vec<f32> { scenes.iter().flat_map(|scene| pictures.paint(scene, &mut noise)).collect() };
        let (rendered, again) = (render(), render());
        let factors = |scenes: &[Scene], pixels: &[f32]| factors(&judge, scenes, pixels, &device);
        Ok(Measured {
            painted: factors(&scenes, &painted),
            shuffled_control: factors(&shuffled(&scenes, &mut noise), &painted),
            rendered: factors(&scenes, &rendered),
            hardened: hardened.as_ref().map(|(_, judge)| {
                let recognised = |pixels| judge.recognised(&scenes, pixels, &device);
                [&painted, &rendered].map(|pixels| Recognised::count(&scenes, &recognised(pixels)))
            }),
            object_attention: measurement.object_attention,
            frechet: Frechet::of(&judge, &painted, &rendered, &again),
            bound,
        })
    };
    let evaluation = Evaluation {
        model,
        weights_sha256,
        pictures: count,
        seed: args.seed,
        temperature,
        judge_on_test_renders: record.accuracy_on_test_renders,
        hardened_refuses: hardened.as_ref().and_then(|(record, _)| record.refused_of_spoiled),
        appearance: appearance::measure(&pictures, &pipeline, args.seed)?,
        seen: measure(false, bound_seen)?,
        held_out: measure(true, bound_held_out)?,
    };
    bar.finish_and_clear();
    if !args.json {
        print(&evaluation);
    }
    Ok(evaluation)
}

fn factors(judge: &SceneJudge, scenes: &[Scene], pixels: &[f32], device: &Device) -> Factors {
    Factors::count(&judge.judge(scenes, pixels, device))
}

/// Paints, and measures the attention meanwhile.
struct Measurement<'a> {
    pictures: &'a ScenePictures,
    pipeline: &'a Pipeline,
    object_attention: ObjectAttention,
}

impl Measurement<'_> {
    /// One picture for each scene and caption, [scene, 3, 64, 64].
    fn paint(&mut self, drawn: &[(Scene, String)], noise: &mut Noise) -> Result<Vec<f32>> {
        let vocabulary = self.pipeline.vocabulary();
        let tokens: crate::error::Result<Vec<_>> =
            drawn.iter().map(|(_, caption)| vocabulary.tokens(caption)).collect();
        let seeds: Vec<u64> = drawn.iter().map(|_| noise.next_u64()).collect();
        let mut drawing = self.pipeline.begin_batch(&tokens?, &seeds)?;
        let mut steps: Vec<Vec<Frame>> = Vec::new();
        while let Some(frames) = block_on(self.pipeline.step(&mut drawing))? {
            steps.push(frames);
        }
        for (at, (scene, caption)) in drawn.iter().enumerate() {
            let frames: Vec<&Frame> = steps.iter().map(|frames| &frames[at]).collect();
            self.object_attention.add(scene, caption, &self.pictures.layout(scene, noise), &frames);
        }
        let last = steps.pop().unwrap_or_default();
        Ok(last.into_iter().flat_map(|frame| frame.image).collect())
    }
}

/// The scenes in another order.
fn shuffled(scenes: &[Scene], noise: &mut Noise) -> Vec<Scene> {
    let mut scenes = scenes.to_vec();
    for i in (1..scenes.len()).rev() {
        scenes.swap(i, noise.below(i + 1));
    }
    scenes
}

/// One of the tables of a measurement.
type Table = fn(&Measured) -> &Factors;

fn print(e: &Evaluation) {
    print_head(&e.model, &e.weights_sha256, e.temperature);
    let least = e.judge_on_test_renders.least();
    say!("the judge reads at least {least:.2} % of each factor on test renders");
    if least < LEAST_ACCURACY {
        say!("PROVISIONAL: a judge should read {LEAST_ACCURACY} %; compare with the true renders below");
    }
    print_columns();
    let tables: [(&str, Table); 3] = [
        ("", |m| &m.painted),
        ("shuffled control: ", |m| &m.shuffled_control),
        ("true renders: ", |m| &m.rendered),
    ];
    for (kind, of) in tables {
        for ((name, seen), (_, held_out)) in of(&e.seen).rows().into_iter().zip(of(&e.held_out).rows()) {
            print_shares(&format!("{kind}{name}"), seen, held_out);
        }
    }
    print_hardened(e);
    let (seen, held_out) = (e.seen.object_attention, e.held_out.object_attention);
    let row = |name: &str, seen: f64, held_out: f64| {
        say!("{name:<34}{:>8.1} %{:>10.1} %", 100.0 * seen, 100.0 * held_out);
    };
    row("attention on the object's words", seen.on_its_words, held_out.on_its_words);
    row("  if every word got the same", seen.uniform, held_out.uniform);
    appearance::print(&e.appearance, &e.seen.frechet, &e.held_out.frechet);
    print_bounds(&e.seen.bound, &e.held_out.bound);
}

fn print_hardened(e: &Evaluation) {
    let (Some(seen), Some(held_out)) = (e.seen.hardened, e.held_out.hardened) else { return };
    let refused = e.hardened_refuses.map_or(0.0, |share| share.percent());
    say!("objects by the hardened judge, which recognises nothing in {refused:.1} % of spoiled pictures");
    for (kind, which) in [("", 0), ("true renders: ", 1)] {
        for ((name, seen), (_, held_out)) in seen[which].rows().into_iter().zip(held_out[which].rows()) {
            print_shares(&format!("{kind}{name}"), seen, held_out);
        }
    }
}
