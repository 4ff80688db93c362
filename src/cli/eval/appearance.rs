//! How a model's scenes look beside true ones: sharpness, diversity, Fréchet distance.

use anyhow::Result;
use burn::tensor::Device;
use serde::Serialize;

use crate::cli::output::say;
use crate::data::noise::Noise;
use crate::data::scene_pictures::{CANVAS, ScenePictures};
use crate::data::scenes::Scene;
use crate::eval::appearance::{Appearance, Kind, Pictures};
use crate::eval::frechet;
use crate::eval::judge::SceneJudge;
use crate::paint::Pipeline;
use crate::platform::block_on;

/// Captions of each kind.
const CAPTIONS: usize = 12;
/// Pictures of each caption.
const PICTURES: u64 = 16;

/// The Fréchet distance of painted from true pictures of the same scenes.
#[derive(Serialize)]
pub struct Frechet {
    /// Of painted pictures.
    pub painted: Option<f64>,
    /// Of other true pictures of the same scenes: the least that can be expected.
    pub floor: Option<f64>,
}

impl Frechet {
    /// Of pictures of the same scenes, [scene, 3, 64, 64] each.
    pub fn of(judge: &SceneJudge, painted: &[f32], rendered: &[f32], again: &[f32]) -> Self {
        let device = Device::flex();
        let [painted, rendered, again] =
            [painted, rendered, again].map(|pixels| judge.mean_features(pixels, &device));
        Self { painted: frechet::distance(&painted, &rendered), floor: frechet::distance(&again, &rendered) }
    }
}

/// Sums over captions, painted and true.
#[derive(Default)]
struct Sums {
    energy: [f64; 2],
    spread: [f64; 2],
}

/// Paints several pictures of some seen captions of every kind.
pub fn measure(pictures: &ScenePictures, pipeline: &Pipeline, seed: u64) -> Result<Vec<Appearance>> {
    let of = |kind| {
        let mut noise = Noise::stream(seed, 2 + kind as u64);
        let mut sums = Sums::default();
        for _ in 0..CAPTIONS {
            let (scene, caption) = scene_of(kind, pictures, &mut noise);
            let painted = paint(pipeline, &caption)?;
            let render = |_| pictures.paint(&scene, &mut noise);
            let rendered: Vec<f32> = (0..PICTURES).flat_map(render).collect();
            for (at, pixels) in [painted, rendered].iter().enumerate() {
                let pictures = Pictures { pixels, len: 3 * CANVAS * CANVAS, width: CANVAS };
                sums.energy[at] += pictures.gradient_energy();
                sums.spread[at] += pictures.spread();
            }
        }
        let ratio = |of: [f64; 2]| of[0] / of[1];
        let (sharpness, diversity) = (ratio(sums.energy), ratio(sums.spread));
        Ok(Appearance { kind, sharpness, diversity, captions: CAPTIONS })
    };
    Kind::ALL.into_iter().map(of).collect()
}

/// A seen scene of a kind, and a caption of it.
fn scene_of(kind: Kind, pictures: &ScenePictures, noise: &mut Noise) -> (Scene, String) {
    loop {
        let drawn = pictures.draw(false, noise);
        if Kind::of(&drawn.0) == kind {
            return drawn;
        }
    }
}

/// Pictures of a caption, seeds from 0 on, [picture, 3, 64, 64].
fn paint(pipeline: &Pipeline, caption: &str) -> Result<Vec<f32>> {
    let seeds: Vec<u64> = (0..PICTURES).collect();
    let mut drawing = pipeline.begin(caption, &seeds)?;
    let mut last = Vec::new();
    while let Some(frames) = block_on(pipeline.step(&mut drawing))? {
        last = frames;
    }
    Ok(last.into_iter().flat_map(|frame| frame.image).collect())
}

/// The tables.
pub fn print(appearance: &[Appearance], seen: &Frechet, held_out: &Frechet) {
    say!("{:<34}{:>10}{:>12}", "", "sharpness", "diversity");
    for of in appearance {
        say!("{:<34}{:>10.2}{:>12.2}", of.kind.name(), of.sharpness, of.diversity);
    }
    let row = |name: &str, of: fn(&Frechet) -> Option<f64>| {
        let text = |of: Option<f64>| of.map_or("none".to_owned(), |distance| format!("{distance:.2}"));
        say!("{name:<34}{:>10}{:>12}", text(of(seen)), text(of(held_out)));
    };
    row("Fréchet distance, seen · held out", |of| of.painted);
    row("  of other true renders", |of| of.floor);
}
