//! Rankers on colour scenes, where it is known what stands where: whether the regions of a caption's words are those of
//! what they name.

use std::collections::BTreeMap;

use anyhow::{Result, bail};
use burn::tensor::Device;
use serde::Serialize;

use super::super::eyes::read_eyes;
use super::{Args, print_columns, print_head};
use crate::checkpoint::Manifest;
use crate::cli::output::{progress, say};
use crate::data::batch::NamedBox;
use crate::data::folder::pixels::resized;
use crate::data::noise::Noise;
use crate::data::scene_pictures::{CANVAS, ScenePictures};
use crate::data::scenes::Bans;
use crate::eyes::Eyes;
use crate::model::Region;
use crate::nn::floats;
use crate::platform::block_on;
use crate::rank::Matcher;

/// Captions of seen combinations, and of held-out ones, unless more are asked for.
const SAMPLES: u32 = 500;

/// Means over words, each a colour or noun of an object of which one or several stand in the scene.
#[derive(Clone, Copy, Default, Serialize)]
struct Placed {
    /// Words.
    words: usize,
    /// Share of the words whose region has its middle inside a box of what they name (Zhang et al. 2016, *Top-down Neural
    /// Attention by Excitation Backprop*: the pointing game).
    pointed: f64,
    /// Share of the regions whose middle is inside.
    pointed_by_chance: f64,
    /// How much of the word's region lies inside the boxes.
    inside: f64,
    /// How much of any region does.
    inside_by_chance: f64,
    /// How much of the region does of which most does.
    inside_at_best: f64,
}

/// Points across and down of a region that are asked whether they lie inside.
const POINTS: usize = 20;

/// How much of a region lies inside boxes, and whether its middle does.
fn inside(region: &Region, boxes: &[[f32; 4]]) -> (f64, bool) {
    let within = |across: f32, down: f32| {
        let (x, y) = (region.x + across * region.width, region.y + down * region.height);
        boxes
            .iter()
            .any(|[left, top, right, bottom]| (left..=right).contains(&&x) && (top..=bottom).contains(&&y))
    };
    let place = |point: usize| (point as f32 + 0.5) / POINTS as f32;
    let points = (0..POINTS * POINTS).filter(|at| within(place(at % POINTS), place(at / POINTS))).count();
    (points as f64 / (POINTS * POINTS) as f64, within(0.5, 0.5))
}

impl Placed {
    /// Adds a word that names what stands in the boxes, and the region that it was found in.
    fn add(&mut self, boxes: &[[f32; 4]], regions: &[Region], found: usize) {
        let each: Vec<(f64, bool)> = regions.iter().map(|region| inside(region, boxes)).collect();
        let (share, pointed) = each[found];
        self.words += 1;
        self.pointed += f64::from(u8::from(pointed));
        self.pointed_by_chance +=
            each.iter().filter(|(_, pointed)| *pointed).count() as f64 / each.len() as f64;
        self.inside += share;
        self.inside_by_chance += each.iter().map(|(share, _)| share).sum::<f64>() / each.len() as f64;
        self.inside_at_best += each.iter().map(|(share, _)| *share).fold(0.0, f64::max);
    }

    /// Means in the place of sums.
    fn mean(self) -> Self {
        let of = |sum: f64| sum / self.words.max(1) as f64;
        Self {
            words: self.words,
            pointed: of(self.pointed),
            pointed_by_chance: of(self.pointed_by_chance),
            inside: of(self.inside),
            inside_by_chance: of(self.inside_by_chance),
            inside_at_best: of(self.inside_at_best),
        }
    }
}

/// What is written as JSON.
#[derive(Serialize)]
pub struct Evaluation {
    model: String,
    weights_sha256: String,
    captions: usize,
    seed: u64,
    beta: f32,
    seen: Placed,
    held_out: Placed,
}

/// Aligns captions of fresh renders.
pub fn evaluate(args: &Args, manifest: Manifest, weights: &[u8]) -> Result<Evaluation> {
    let matcher = Matcher::load(&manifest, weights, &Device::flex())?;
    let Some(regions) = matcher.ranker().regions() else {
        bail!("{} compares whole sentences with whole pictures: its words have no regions", manifest.name);
    };
    let eyes = read_eyes(&args.models)?.1;
    let count = args.samples.unwrap_or(SAMPLES) as usize;
    let bar = progress(2 * count as u64);
    let pictures = ScenePictures::new(Bans::draw(1));
    let measure = |held_out: bool| -> Result<Placed> {
        let mut noise = Noise::stream(args.seed, u64::from(held_out));
        let mut placed = Placed::default();
        for _ in 0..count {
            let (scene, caption) = pictures.draw(held_out, &mut noise);
            let batch = pictures.batch_of(&[(scene, caption.clone())], &mut noise);
            let looked = eyes.features(&resized(&batch.images, CANVAS, Eyes::SIDE))?;
            let picture = matcher.pictures(floats(looked.into_data()))?;
            let aligned = block_on(matcher.align(picture, &matcher.read(&caption)?.ids, args.beta))?;
            let mut of_word: BTreeMap<usize, Vec<[f32; 4]>> = BTreeMap::new();
            for NamedBox { word, edges, .. } in batch.boxes.iter() {
                of_word.entry(*word).or_default().push(*edges);
            }
            for (word, boxes) in of_word {
                if let Some(&region) = aligned.regions.get(word) {
                    placed.add(&boxes, &regions, region);
                }
            }
            bar.inc(1);
        }
        Ok(placed.mean())
    };
    let (seen, held_out) = (measure(false)?, measure(true)?);
    bar.finish_and_clear();
    let weights_sha256 = manifest.weights.sha256.clone();
    let Args { seed, beta, .. } = *args;
    let evaluation =
        Evaluation { model: manifest.name, weights_sha256, captions: count, seed, beta, seen, held_out };
    if !args.json {
        print(&evaluation);
    }
    Ok(evaluation)
}

fn print(e: &Evaluation) {
    print_head(&e.model, &e.weights_sha256, 1.0);
    print_columns();
    let row = |name: &str, of: fn(&Placed) -> f64| {
        say!("{name:<34}{:>8.1} %{:>10.1} %", 100.0 * of(&e.seen), 100.0 * of(&e.held_out));
    };
    row("middle of the region inside", |placed| placed.pointed);
    row("  of any region", |placed| placed.pointed_by_chance);
    row("of the region inside", |placed| placed.inside);
    row("  of any region", |placed| placed.inside_by_chance);
    row("  of the region that suits best", |placed| placed.inside_at_best);
    say!("{} and {} words of {} captions each", e.seen.words, e.held_out.words, e.captions);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_placed_by_the_boxes_of_what_they_name() {
        let region = |x: f32| Region { x, y: 0.0, width: 0.5, height: 1.0 };
        let regions = [region(0.0), region(0.5)];
        let boxes = [[-0.2, -0.1, 0.5, 0.5], [0.1, 0.4, 0.4, 0.6]];
        let (share, pointed) = inside(&regions[0], &boxes);
        // The upper half, and a tenth of the height of three fifths of the width.
        assert!((share - 0.56).abs() < 0.02 && pointed, "{share}");
        assert_eq!(inside(&regions[1], &boxes), (0.0, false));
        let mut placed = Placed::default();
        placed.add(&boxes, &regions, 0);
        placed.add(&boxes, &regions, 1);
        let placed = placed.mean();
        assert_eq!((placed.words, placed.pointed, placed.pointed_by_chance), (2, 0.5, 0.5));
        assert!((placed.inside - placed.inside_by_chance).abs() < 1e-9 && placed.inside_at_best > 0.5);
    }
}
