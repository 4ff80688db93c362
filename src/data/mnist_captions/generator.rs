//! Pictures of captioned digits, made as they are needed.

use std::borrow::Cow;
use std::sync::Arc;

use super::{Bans, CANVAS, Scene, Slot, TEMPLATES, WORDS, vocabulary};
use crate::data::batch::{CaptionBatch, Lesson};
use crate::data::mnist::{Digits, SIDE};
use crate::data::noise::Noise;
use crate::data::source::Source;
use crate::data::vocabulary::Vocabulary;

/// What the sentence calls a digit that is hidden.
const UNNAMED: &str = "digit";

/// A scene and what shows it.
struct Sample {
    scene: Scene,
    /// The digit images of its digits.
    images: [usize; 2],
    /// Which digit of a pair is neither shown nor named.
    hidden: Option<usize>,
}

impl Sample {
    fn caption(&self) -> String {
        let name = |at: usize| match self.hidden {
            Some(hidden) if hidden == at => UNNAMED.to_owned(),
            _ => self.scene.digits[at].1.to_string(),
        };
        self.scene.sentence([&name(0), &name(1)])
    }
}

/// A generator of captioned scenes from digit images.
pub struct Scenes {
    digits: Arc<Digits>,
    bans: Bans,
    vocabulary: Vocabulary,
    /// Whether there are two digits in every one.
    pairs: bool,
}

impl Scenes {
    /// A generator from these digits that keeps to these bans.
    pub fn new(digits: Arc<Digits>, bans: Bans) -> Self {
        Self { digits, bans, vocabulary: vocabulary(), pairs: false }
    }

    /// The same with two digits in every scene.
    #[must_use]
    pub fn of_pairs(self) -> Self {
        Self { pairs: true, ..self }
    }

    /// One scene as the recipe draws it: a uniform template and two uniform digit images, again and
    /// again until no ban is hit (or, for `held_out`, until one is), and there are two digits where pairs are asked for.
    fn draw(&self, held_out: bool, noise: &mut Noise) -> Sample {
        loop {
            let template = noise.below(TEMPLATES);
            let images = [noise.below(self.digits.len()), noise.below(self.digits.len())];
            let [i, j] = images.map(|image| self.digits.labels[image]);
            let scene = Scene::new(template, i, j);
            let asked = !self.pairs || scene.placed().len() == 2;
            if asked && self.bans.contains(&scene) == held_out {
                return Sample { scene, images, hidden: None };
            }
        }
    }

    /// Pictures of one scene, held out or not, with digits at random [picture, 60, 60].
    pub fn pictures_of(&self, scene: &Scene, pictures: usize, noise: &mut Noise) -> Vec<f32> {
        let mut images = vec![0.0; pictures * CANVAS * CANVAS];
        for canvas in images.chunks_exact_mut(CANVAS * CANVAS) {
            let images = scene.digits.map(|(_, digit)| {
                loop {
                    let image = noise.below(self.digits.len());
                    if self.digits.labels[image] == digit {
                        break image;
                    }
                }
            });
            self.place(&Sample { scene: *scene, images, hidden: None }, noise, canvas);
        }
        images
    }

    /// Puts the digits of a sample on an empty canvas; the second overwrites the first's box.
    fn place(&self, sample: &Sample, noise: &mut Noise, canvas: &mut [f32]) {
        canvas.fill(0.0);
        let mut shared = None;
        let placed = sample.scene.placed().iter().zip(sample.images).enumerate();
        for (_, ((slot, _), image)) in placed.filter(|(at, _)| Some(*at) != sample.hidden) {
            let (rows, columns) = slot.offsets();
            let mut row = noise.between(*rows.start(), *rows.end());
            let mut column = noise.between(*columns.start(), *columns.end());
            // A pair side by side shares its row, one above the other its column.
            match (slot, shared) {
                (Slot::PairLeft, _) => shared = Some(row),
                (Slot::PairTop, _) => shared = Some(column),
                (Slot::PairRight, Some(first)) => row = first,
                (Slot::PairBottom, Some(first)) => column = first,
                _ => {}
            }
            for (y, pixels) in self.digits.image(image).chunks_exact(SIDE).enumerate() {
                canvas[(row + y) * CANVAS + column..][..SIDE].copy_from_slice(pixels);
            }
        }
    }

    fn render(&self, samples: &[Sample], noise: &mut Noise) -> CaptionBatch<'static> {
        let mut ids = Vec::with_capacity(samples.len() * WORDS);
        let mut images = vec![0.0; samples.len() * CANVAS * CANVAS];
        for (sample, canvas) in samples.iter().zip(images.chunks_exact_mut(CANVAS * CANVAS)) {
            let tokens = self.vocabulary.tokens(&sample.caption());
            ids.extend(tokens.expect("the recipe's captions are in its vocabulary").ids);
            self.place(sample, noise, canvas);
        }
        CaptionBatch::of_words(Cow::Owned(ids), WORDS, Cow::Owned(images))
    }
}

impl Source for Scenes {
    fn batch(&self, size: usize, noise: &mut Noise) -> CaptionBatch<'static> {
        let samples = (0..size).map(|_| self.draw(false, noise)).collect::<Vec<_>>();
        self.render(&samples, noise)
    }

    /// Where one object is asked for, pairs have one of their digits alone, which is learned to stand where the sentence says
    /// before there is another that could be taken for it.
    fn training_batch(&self, size: usize, noise: &mut Noise, lesson: Lesson) -> CaptionBatch<'static> {
        let mut samples = (0..size).map(|_| self.draw(false, noise)).collect::<Vec<_>>();
        if lesson == Lesson::OneObject {
            for sample in samples.iter_mut().filter(|sample| sample.scene.count == 2) {
                sample.hidden = Some(noise.below(2));
            }
        }
        self.render(&samples, noise)
    }

    fn held_out_batch(&self, size: usize, noise: &mut Noise) -> Option<CaptionBatch<'static>> {
        if self.bans.is_empty() {
            return None;
        }
        let samples = (0..size).map(|_| self.draw(true, noise)).collect::<Vec<_>>();
        Some(self.render(&samples, noise))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two pictures of each digit, each of one grey.
    fn twenty_digits() -> Arc<Digits> {
        Arc::new(Digits {
            pixels: (0..20).flat_map(|d| vec![(d % 10) as f32 / 10.0 + 0.05; SIDE * SIDE]).collect(),
            labels: (0..20).map(|d| d % 10).collect(),
        })
    }

    #[test]
    fn bans_of_either_kind_can_be_measured_on_and_pairs_alone() {
        for bans in [Bans::draw(1), Bans::draw_wordings(1)] {
            let pairs = Scenes::new(twenty_digits(), bans.clone()).of_pairs();
            let held_out = pairs.held_out_batch(20, &mut Noise::new(3)).expect("something is held out");
            let seen = pairs.batch(20, &mut Noise::new(3));
            for (batch, is_banned) in [(held_out, true), (seen, false)] {
                for ids in batch.ids.chunks(batch.words) {
                    let said =
                        |scene: &Scene| pairs.vocabulary.tokens(&scene.caption()).expect("known words").ids;
                    let scene = *Scene::all().iter().find(|scene| said(scene) == ids).expect("one of all");
                    assert_eq!((scene.placed().len(), bans.contains(&scene)), (2, is_banned));
                }
            }
        }
        assert!(
            Scenes::new(twenty_digits(), Bans::default()).held_out_batch(1, &mut Noise::new(3)).is_none()
        );
    }

    #[test]
    fn samples_follow_the_recipe() {
        let digits = twenty_digits();
        let bans = Bans::draw(1);
        let scenes = Scenes::new(digits.clone(), bans.clone());
        let mut noise = Noise::new(2);
        let mut templates = [0usize; TEMPLATES];
        for _ in 0..8_000 {
            let Sample { scene, images, .. } = scenes.draw(false, &mut noise);
            assert!(!bans.contains(&scene));
            templates[scene.template] += 1;
            assert_eq!(digits.labels[images[0]], scene.digits[0].1);
        }
        // Corners are rejected less often (one ban, not two): about 947 and 1053 of 8 000.
        assert!(templates[..4].iter().all(|&n| (850..1_050).contains(&n)), "{templates:?}");
        assert!(templates[4..].iter().all(|&n| (950..1_160).contains(&n)), "{templates:?}");
    }

    #[test]
    fn the_lesson_of_one_object_shows_one_digit_where_the_sentence_says() {
        let bans = Bans::draw(1);
        let scenes = Scenes::new(twenty_digits(), bans.clone());
        let batch = scenes.training_batch(300, &mut Noise::new(4), Lesson::OneObject);
        let (words, plane) = (batch.words, CANVAS * CANVAS);
        let unnamed = scenes.vocabulary.id(UNNAMED).expect("a known word");
        let mut seen = std::collections::BTreeSet::new();
        for (ids, canvas) in batch.ids.chunks(words).zip(batch.images.chunks(plane)) {
            let named: Vec<usize> = (0..words).filter(|at| ids[*at] < 10).collect();
            assert_eq!(named.len(), 1, "{ids:?}");
            let digit = ids[named[0]];
            let said =
                |sample: &Sample| scenes.vocabulary.tokens(&sample.caption()).expect("known words").ids;
            let alike = Scene::all().into_iter().flat_map(|scene| {
                let hidden = if scene.count == 2 { vec![Some(0), Some(1)] } else { vec![None] };
                hidden.into_iter().map(move |hidden| Sample { scene, images: [0, 0], hidden })
            });
            let sample =
                alike.into_iter().find(|sample| said(sample) == ids).expect("a sentence of the recipe");
            let shown = usize::from(sample.hidden == Some(0));
            assert!(!bans.holds(&sample.scene, shown), "{ids:?}");
            let (slot, _) = sample.scene.digits[shown];
            let (rows, columns) = slot.offsets();
            let ink: Vec<usize> = (0..plane).filter(|at| canvas[*at] > 0.0).collect();
            assert_eq!(ink.len(), SIDE * SIDE);
            assert!(ink.iter().all(|at| canvas[*at] == digit as f32 / 10.0 + 0.05));
            assert!(rows.contains(&(ink[0] / CANVAS)) && columns.contains(&(ink[0] % CANVAS)), "{slot:?}");
            assert_eq!(
                ids.iter().filter(|id| **id == unnamed).count(),
                if sample.hidden.is_some() { 3 } else { 1 }
            );
            seen.insert((sample.scene.template, sample.hidden));
        }
        assert_eq!(seen.len(), 4 * 2 + 4, "every sentence, either digit of a pair");
    }
}
