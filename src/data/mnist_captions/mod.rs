//! MNIST with captions (Mansimov et al. 2016, §4.2): one or two digits on a 60×60 canvas, and a
//! sentence that says where.

mod bans;
mod generator;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::vocabulary::Vocabulary;

pub use bans::Bans;
pub use generator::Scenes;

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
        let [i, j] = self.digits.map(|(_, digit)| digit.to_string());
        self.sentence([&i, &j])
    }

    /// The sentence with these words for the digits I and J.
    fn sentence(&self, [i, j]: [&str; 2]) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn captions_in_words_any_case_with_or_without_the_stop() {
        let vocabulary = vocabulary();
        let ids = |caption: &str| vocabulary.tokens(caption).expect("a caption").ids;
        let expected = ids("the digit 7 is on the left of the digit 2");
        assert_eq!(ids("The digit SEVEN is on the left of the digit two."), expected);
        assert_eq!(ids("the digit 7 is on the left of the digit 2 ."), expected);
        assert_eq!(expected.len(), WORDS);
        assert_eq!(expected[2], 7);
    }
}
