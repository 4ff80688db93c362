//! MNIST with captions (Mansimov et al. 2016, §4.2): one or two digits on a 60×60 canvas, and a
//! sentence that says where.

mod bans;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{
    batch::{CaptionBatch, Lesson},
    mnist::{Digits, SIDE},
    noise::Noise,
    source::Source,
    vocabulary::Vocabulary,
};

pub use bans::Bans;

/// Side of the canvas, pixels.
pub const CANVAS: usize = 60;
/// Words of every caption, full stop included.
pub const WORDS: usize = 12;
/// Sentence templates.
pub const TEMPLATES: usize = 8;

const DIGIT_WORDS: [&str; 10] =
    ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];
const OTHER_WORDS: [&str; 12] =
    ["the", "digit", "is", "on", "at", "left", "right", "bottom", "top", "of", "image", "."];

/// What people type for the words of the recipe, and what is read: nothing, a word or a phrase.
const SPELLINGS: [(&str, &[&str]); 10] = [
    (
        "",
        &[
            "a",
            "an",
            "there",
            "are",
            "corner",
            "please",
            "draw",
            "paint",
            "handwritten",
            "a picture of",
            "an image of",
            "a photo of",
            "a drawing of",
        ],
    ),
    ("digit", &["number", "numeral", "figure"]),
    ("image", &["picture", "canvas", "page", "photo"]),
    ("top", &["upper"]),
    ("bottom", &["lower"]),
    ("on the left of", &["and", "next to", "beside", "before", "to the left of"]),
    ("on the right of", &["after", "to the right of"]),
    ("at", &["in"]),
    ("at the top of", &["above", "over", "on top of", "on the top of"]),
    ("at the bottom of", &["below", "under", "beneath", "underneath"]),
];

/// Other spellings of the recipe's words; "42" is a 4 and a 2.
fn aliases() -> BTreeMap<String, String> {
    let digits = DIGIT_WORDS.iter().enumerate().map(|(digit, word)| (word.to_string(), digit.to_string()));
    let spelled = SPELLINGS
        .iter()
        .flat_map(|(read, typed)| typed.iter().map(|typed| (typed.to_string(), read.to_string())));
    let numbers = (0..100).map(|n| (format!("{n:02}"), format!("{} on the left of {}", n / 10, n % 10)));
    digits.chain(spelled).chain(numbers).collect()
}

/// The vocabulary of the recipe: digits as numerals (ids 0–9) or words, then the other words.
pub fn vocabulary() -> Vocabulary {
    let numerals = (0..10).map(|digit: usize| digit.to_string());
    let words = numerals.chain(OTHER_WORDS.map(str::to_owned)).collect();
    Vocabulary {
        words,
        aliases: aliases(),
        full_stop: Some(".".to_owned()),
        max_words: WORDS,
        example: "the digit seven is on the left of the digit two".to_owned(),
        alternatives: vec![
            (0..10).map(|digit: usize| digit.to_string()).collect(),
            DIGIT_WORDS.map(str::to_owned).to_vec(),
            vec!["left".to_owned(), "right".to_owned()],
            vec!["top".to_owned(), "bottom".to_owned()],
        ],
        meanings: BTreeMap::new(),
    }
}

/// Where digits stand, whatever the sentence that says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Slot {
    /// Left of a pair.
    PairLeft,
    /// Right of a pair.
    PairRight,
    /// Top of a pair.
    PairTop,
    /// Bottom of a pair.
    PairBottom,
    /// A single digit, top left.
    TopLeft,
    /// A single digit, bottom right.
    BottomRight,
    /// A single digit, top right.
    TopRight,
    /// A single digit, bottom left.
    BottomLeft,
}

impl Slot {
    /// All slots.
    pub const ALL: [Self; 8] = [
        Self::PairLeft,
        Self::PairRight,
        Self::PairTop,
        Self::PairBottom,
        Self::TopLeft,
        Self::BottomRight,
        Self::TopRight,
        Self::BottomLeft,
    ];

    /// Rows and columns where the 28×28 box may begin.
    pub fn offsets(self) -> (RangeInclusive<usize>, RangeInclusive<usize>) {
        let (near, middle, far_row, left, right) = (0..=2, 16..=18, 30..=32, 0..=4, 28..=32);
        match self {
            Self::PairLeft => (middle, left),
            Self::PairRight => (middle, right),
            Self::PairTop => (near, middle),
            Self::PairBottom => (far_row, middle),
            Self::TopLeft => (near, left),
            Self::BottomRight => (far_row, right),
            Self::TopRight => (near, right),
            Self::BottomLeft => (far_row, left),
        }
    }
}

/// What a caption says: the template and its digits, the first-named first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scene {
    /// Template 0–7 of the recipe.
    pub template: usize,
    /// Digits by slot, in the order in which they are put on the canvas.
    pub digits: [(Slot, u8); 2],
    /// Digits that count: 2, or 1 for the corner templates.
    pub count: usize,
}

impl Scene {
    /// The scene of a template with digits I and J of the recipe's table (J unused for corners).
    pub fn new(template: usize, i: u8, j: u8) -> Self {
        let (first, second) = match template {
            0 | 1 => (Slot::PairLeft, Slot::PairRight),
            2 | 3 => (Slot::PairTop, Slot::PairBottom),
            4 => (Slot::TopLeft, Slot::TopLeft),
            5 => (Slot::BottomRight, Slot::BottomRight),
            6 => (Slot::TopRight, Slot::TopRight),
            7 => (Slot::BottomLeft, Slot::BottomLeft),
            _ => unreachable!("templates are 0 to 7"),
        };
        let count = if template < 4 { 2 } else { 1 };
        Self { template, digits: [(first, i), (second, j)], count }
    }

    /// All 440 captions' scenes.
    pub fn all() -> Vec<Self> {
        let pairs = (0..4).flat_map(|k| (0..100).map(move |ij| Self::new(k, ij / 10, ij % 10)));
        let singles = (4..TEMPLATES).flat_map(|k| (0..10).map(move |i| Self::new(k, i, i)));
        pairs.chain(singles).collect()
    }

    /// The digits with their slots.
    pub fn placed(&self) -> &[(Slot, u8)] {
        &self.digits[..self.count]
    }

    /// The sentence, digits as numerals, without the full stop.
    pub fn caption(&self) -> String {
        let [(_, i), (_, j)] = self.digits;
        match self.template {
            0 => format!("the digit {i} is on the left of the digit {j}"),
            1 => format!("the digit {j} is on the right of the digit {i}"),
            2 => format!("the digit {i} is at the top of the digit {j}"),
            3 => format!("the digit {j} is at the bottom of the digit {i}"),
            4 => format!("the digit {i} is at the top left of the image"),
            5 => format!("the digit {i} is at the bottom right of the image"),
            6 => format!("the digit {i} is at the top right of the image"),
            _ => format!("the digit {i} is at the bottom left of the image"),
        }
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
    /// again until no ban is hit (or, for `held_out`, until one is), and there are two digits where pairs are asked for. Returns the scene and the indices
    /// of its images.
    fn draw(&self, held_out: bool, noise: &mut Noise) -> (Scene, [usize; 2]) {
        loop {
            let template = noise.below(TEMPLATES);
            let images = [noise.below(self.digits.len()), noise.below(self.digits.len())];
            let [i, j] = images.map(|image| self.digits.labels[image]);
            let scene = Scene::new(template, i, j);
            let asked = !self.pairs || scene.placed().len() == 2;
            if asked && self.bans.contains(&scene) == held_out {
                return (scene, images);
            }
        }
    }

    /// Pictures of one scene, held out or not, with digits at random [picture, 60, 60].
    pub fn pictures_of(&self, scene: &Scene, pictures: usize, noise: &mut Noise) -> Vec<f32> {
        let mut images = vec![0.0; pictures * CANVAS * CANVAS];
        for canvas in images.chunks_exact_mut(CANVAS * CANVAS) {
            let drawn = scene.digits.map(|(_, digit)| {
                loop {
                    let image = noise.below(self.digits.len());
                    if self.digits.labels[image] == digit {
                        break image;
                    }
                }
            });
            self.place(scene, drawn, noise, canvas);
        }
        images
    }

    /// Puts the digits of a scene on an empty canvas; the second overwrites the first's box.
    fn place(&self, scene: &Scene, images: [usize; 2], noise: &mut Noise, canvas: &mut [f32]) {
        canvas.fill(0.0);
        let mut shared = None;
        for ((slot, _), image) in scene.placed().iter().zip(images) {
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

    fn render(&self, samples: &[(Scene, [usize; 2])], noise: &mut Noise) -> CaptionBatch<'static> {
        let mut ids = Vec::with_capacity(samples.len() * WORDS);
        let mut images = vec![0.0; samples.len() * CANVAS * CANVAS];
        for ((scene, digits), canvas) in samples.iter().zip(images.chunks_exact_mut(CANVAS * CANVAS)) {
            let tokens = self.vocabulary.tokens(&scene.caption());
            ids.extend(tokens.expect("the recipe's captions are in its vocabulary").ids);
            self.place(scene, *digits, noise, canvas);
        }
        CaptionBatch::of_words(Cow::Owned(ids), WORDS, Cow::Owned(images))
    }
}

impl Source for Scenes {
    fn batch(&self, size: usize, noise: &mut Noise) -> CaptionBatch<'static> {
        let samples = (0..size).map(|_| self.draw(false, noise)).collect::<Vec<_>>();
        self.render(&samples, noise)
    }

    fn training_batch(&self, size: usize, noise: &mut Noise, lesson: Lesson) -> CaptionBatch<'static> {
        let single = |sample: &(Scene, [usize; 2])| sample.0.count == 1;
        let wanted = |sample: &(Scene, [usize; 2])| {
            matches!(lesson, Lesson::Everything | Lesson::AsSaid) || single(sample)
        };
        let samples = std::iter::repeat_with(|| self.draw(false, noise)).filter(wanted).take(size);
        let samples: Vec<_> = samples.collect();
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
    fn there_are_440_captions_and_every_ban_holds_for_every_wording() {
        let scenes = Scene::all();
        assert_eq!(scenes.len(), 440);
        let vocabulary = vocabulary();
        for scene in &scenes {
            assert_eq!(vocabulary.tokens(&scene.caption()).expect("known words").ids.len(), WORDS);
        }
        let slots = Slot::ALL.into_iter().zip([3, 1, 4, 1, 5, 9, 2, 6]).collect();
        let bans = Bans { slots, ..Bans::default() };
        let held_out = scenes.iter().filter(|scene| bans.contains(scene)).count();
        assert_eq!((held_out, scenes.len() - held_out), (80, 360));
        // "1 left of 3" and "3 right of 1" are the same layout.
        assert_eq!(bans.contains(&Scene::new(0, 3, 0)), bans.contains(&Scene::new(1, 3, 0)));
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
    fn captions_in_words_any_case_with_or_without_the_stop() {
        let vocabulary = vocabulary();
        let ids = |caption: &str| vocabulary.tokens(caption).expect("a caption").ids;
        let expected = ids("the digit 7 is on the left of the digit 2");
        assert_eq!(ids("The digit SEVEN is on the left of the digit two."), expected);
        assert_eq!(ids("the digit 7 is on the left of the digit 2 ."), expected);
        assert_eq!(expected.len(), WORDS);
        assert_eq!(expected[2], 7);
    }

    #[test]
    fn samples_follow_the_recipe() {
        let digits = twenty_digits();
        let bans = Bans::draw(1);
        let scenes = Scenes::new(digits.clone(), bans.clone());
        let mut noise = Noise::new(2);
        let mut templates = [0usize; TEMPLATES];
        for _ in 0..8_000 {
            let (scene, images) = scenes.draw(false, &mut noise);
            assert!(!bans.contains(&scene));
            templates[scene.template] += 1;
            assert_eq!(digits.labels[images[0]], scene.digits[0].1);
        }
        // Corners are rejected less often (one ban, not two): about 947 and 1053 of 8 000.
        assert!(templates[..4].iter().all(|&n| (850..1_050).contains(&n)), "{templates:?}");
        assert!(templates[4..].iter().all(|&n| (950..1_160).contains(&n)), "{templates:?}");
    }
}
