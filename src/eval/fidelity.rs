//! Caption fidelity: does a picture show the digits that its caption names, where it names them, and
//! nothing else?
//!
//! A picture is right when the classifier reads every named digit in the crop where the caption says
//! it must be, and the ink outside all the boxes that the recipe allows stays below
//! [`MOST_STRAY_INK`].

use burn::tensor::Device;
use serde::Serialize;

use super::classifier::DigitClassifier;
use super::share::Share;
use crate::data::mnist::SIDE;
use crate::data::mnist_captions::{Bans, CANVAS, Scene};

/// Ink (sum of pixels in 0–1) outside the allowed boxes above which something else was drawn. A
/// digit has about 100; the thinnest strokes of MNIST's test set have 19.
pub const MOST_STRAY_INK: f32 = 6.0;

/// Fidelity on captions whose compositions were trained on and on those held out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Fidelity {
    /// Compositions of the training set.
    pub seen: Share,
    /// Compositions that were never trained on.
    pub held_out: Share,
    /// Held-out pairs among [`Self::held_out`].
    pub held_out_pairs: Share,
    /// Digits in slots where they were trained.
    pub seen_digits: Share,
    /// Digits in slots where they were never trained.
    pub held_out_digits: Share,
}

/// What the judge saw in one picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Whether each named digit is where it must be.
    pub digits: Vec<bool>,
    /// Whether nothing else was drawn.
    pub clean: bool,
}

impl Verdict {
    /// Whether the picture is right.
    pub fn right(&self) -> bool {
        self.clean && self.digits.iter().all(|&right| right)
    }
}

impl Fidelity {
    /// Counts verdicts, one for each scene.
    pub fn count(scenes: &[Scene], verdicts: &[Verdict], bans: &Bans) -> Self {
        let mut fidelity = Self::default();
        for (scene, verdict) in scenes.iter().zip(verdicts) {
            for (at, &right) in verdict.digits.iter().enumerate().take(scene.count) {
                if bans.holds(scene, at) { &mut fidelity.held_out_digits } else { &mut fidelity.seen_digits }
                    .add(right);
            }
            let right = verdict.right();
            if bans.contains(scene) {
                fidelity.held_out.add(right);
                if scene.count == 2 {
                    fidelity.held_out_pairs.add(right);
                }
            } else {
                fidelity.seen.add(right);
            }
        }
        fidelity
    }
}

/// Judges one picture for each scene; `images` is [scene, 60, 60] in [0, 1].
pub fn judge(
    classifier: &DigitClassifier,
    scenes: &[Scene],
    images: &[f32],
    device: &Device,
) -> Vec<Verdict> {
    let mut crops = Vec::new();
    let mut stray = Vec::with_capacity(scenes.len());
    for (scene, image) in scenes.iter().zip(images.chunks_exact(CANVAS * CANVAS)) {
        let mut outside = image.to_vec();
        for (slot, _) in scene.placed() {
            let (rows, columns) = slot.offsets();
            let (row, column) = ((rows.start() + rows.end()) / 2, (columns.start() + columns.end()) / 2);
            for y in row..row + SIDE {
                crops.extend_from_slice(&image[y * CANVAS + column..][..SIDE]);
            }
            for y in *rows.start()..rows.end() + SIDE {
                outside[y * CANVAS + columns.start()..y * CANVAS + columns.end() + SIDE].fill(0.0);
            }
        }
        stray.push(outside.iter().sum::<f32>());
    }
    let mut digits = classifier.read(&crops, device).into_iter();
    scenes
        .iter()
        .zip(stray)
        .map(|(scene, stray)| {
            let read = digits.by_ref().take(scene.count);
            let digits = scene.placed().iter().zip(read).map(|((_, named), read)| *named == read).collect();
            Verdict { digits, clean: stray < MOST_STRAY_INK }
        })
        .collect()
}
