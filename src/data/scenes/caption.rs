//! From a scene to sentences, in the manner of MS-COCO's captions.

use std::collections::{BTreeMap, BTreeSet};

use super::{Colour, Number, Object, Place, Relation, Scene, Size, Thing, catalogue::Kind, synonyms};
use crate::data::{noise::Noise, vocabulary::Vocabulary};

/// The fewest words of a caption.
pub const FEWEST_WORDS: usize = 7;
/// The most words of a caption.
pub const MOST_WORDS: usize = 20;
/// Captions of an image.
pub const CAPTIONS: usize = 5;

/// A verb: participle, of one, of several.
type Verb = (&'static str, &'static str, &'static str);

const FLYING: &[Verb] = &[("flying", "flies", "fly"), ("flying", "is flying", "are flying")];
const DRIVEN: &[Verb] = &[
    ("parked", "is parked", "are parked"),
    ("driving", "drives", "drive"),
    ("stopped", "is stopped", "are stopped"),
];
const WALKING: &[Verb] = &[
    ("walking", "walks", "walk"),
    ("standing", "stands", "stand"),
    ("walking", "is walking", "are walking"),
    ("standing", "is standing", "are standing"),
];
const GRAZING: &[Verb] = &[
    ("walking", "walks", "walk"),
    ("grazing", "grazes", "graze"),
    ("standing", "stands", "stand"),
    ("grazing", "is grazing", "are grazing"),
];
const FLOATING: &[Verb] = &[("floating", "floats", "float"), ("floating", "is floating", "are floating")];
const SAILING: &[Verb] = &[("sailing", "sails", "sail"), ("floating", "floats", "float")];
const SURFING: &[Verb] = &[("surfing", "surfs", "surf"), ("surfing", "is surfing", "are surfing")];
const LYING: &[Verb] = &[
    ("sitting", "sits", "sit"),
    ("standing", "stands", "stand"),
    ("lying", "lies", "lie"),
    ("placed", "is placed", "are placed"),
    ("sitting", "is", "are"),
];
const OPEN: Verb = ("sitting open", "sits open", "sit open");

/// What things of a kind do in a place.
fn verbs(kind: Kind, place: Place) -> &'static [Verb] {
    match (kind, place) {
        (_, place) if place.is_sky() => FLYING,
        (Kind::Boat, _) => SAILING,
        (Kind::Surfer, Place::Sea) => SURFING,
        (_, Place::Sea) => FLOATING,
        (Kind::Grazer, Place::DryGrass | Place::GreenGrass) => GRAZING,
        (Kind::Animal | Kind::Grazer | Kind::Person | Kind::Surfer, _) => WALKING,
        (Kind::Vehicle, _) => DRIVEN,
        _ => LYING,
    }
}

fn pick<T: Copy>(from: &[T], noise: &mut Noise) -> T {
    from[noise.below(from.len())]
}

/// The words for each size.
pub(super) fn size_words(size: Size) -> &'static [&'static str] {
    match size {
        Size::Small => &["small", "little"],
        Size::Medium => &[""],
        Size::Large => &["large", "big"],
        Size::VeryLarge => &["very large", "huge"],
    }
}

/// The phrases for each relation; of [`Relation::Beside`] there is none but "and".
pub(super) fn relation_phrases(relation: Relation) -> &'static [&'static str] {
    match relation {
        Relation::Beside => &["and"],
        Relation::LeftOf => &["on the left of", "to the left of", "left of"],
        Relation::RightOf => &["on the right of", "to the right of", "right of"],
        Relation::Above => &["above", "over"],
        Relation::Below => &["below", "under"],
        Relation::On => &["on", "on top of"],
    }
}

const PHOTOS: [&str; 4] = ["a photo of", "a picture of", "a photograph of", "an image of"];
const VINTAGE: [&str; 4] =
    ["a vintage photo of", "a vintage picture of", "an old vintage photo of", "a vintage photograph of"];
pub(super) const BOARDS: &str = "with surf boards";
pub(super) const RIDER: &str = "rider on the";

/// "a", or "an" before a vowel.
fn article(after: &str) -> &'static str {
    if after.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" }
}

impl Thing {
    /// Number, size, shade, colour and noun.
    fn phrase(&self, noise: &mut Noise) -> String {
        let (one, many) = match self.object.nouns() {
            // The plain noun in every second case.
            [first, ..] if noise.below(2) == 0 => *first,
            nouns => pick(nouns, noise),
        };
        let mut words = vec![pick(size_words(self.size), noise)];
        words.extend(self.pale.then_some("pale"));
        words.extend(self.colour.map(Colour::word));
        words.retain(|word| !word.is_empty());
        match self.number {
            Number::Two => format!("two {}", [words, vec![many]].concat().join(" ")),
            Number::Group => {
                let words = [words, vec![many]].concat().join(" ");
                let collective = pick(&["group", self.object.collective()], noise);
                format!("{} {collective} of {words}", pick(&["a", "the"], noise))
            }
            Number::One => {
                let words = [words, vec![one]].concat().join(" ");
                if self.object == Object::Motorcycle && noise.below(2) == 0 {
                    return format!("a {RIDER} {words}");
                }
                let article = if noise.below(4) == 0 { "the" } else { article(&words) };
                format!("{article} {words}")
            }
        }
    }
}

impl Scene {
    /// A sentence at random that says this scene, 7 to 20 words; 6 for "a vintage photo of a cat".
    pub fn caption(&self, noise: &mut Noise) -> String {
        loop {
            let caption = self.sentence(noise);
            let fewest = if self.vintage { FEWEST_WORDS - 1 } else { FEWEST_WORDS };
            if (fewest..=MOST_WORDS).contains(&caption.split(' ').count()) {
                return caption;
            }
        }
    }

    /// Five sentences at random.
    pub fn captions(&self, noise: &mut Noise) -> [String; CAPTIONS] {
        std::array::from_fn(|_| self.caption(noise))
    }

    fn sentence(&self, noise: &mut Noise) -> String {
        let (first, place) = (&self.things[0], self.place);
        let mut many = first.number == Number::Two;
        let mut subject = first.phrase(noise);
        let kind = first.object.kind();
        let mut verbs = verbs(kind, place).to_vec();
        if first.object == Object::Toilet && !place.is_sky() && place != Place::Sea {
            verbs.push(OPEN);
        }
        // "a group of people walk" and "a herd of cows walks" are both said.
        many |= first.number == Number::Group && noise.below(2) == 0;
        let mut related = String::new();
        match (self.relation, &self.things[1..]) {
            (Some(Relation::Beside), [rest @ .., last]) => {
                for thing in rest {
                    subject = format!("{subject} , {}", thing.phrase(noise)).replace(" ,", ",");
                }
                subject = format!("{subject} and {}", last.phrase(noise));
                many = true;
                if !self.walks() {
                    verbs.retain(|verb| super::catalogue::Kind::Item == kind || FLYING.contains(verb));
                    verbs.extend_from_slice(if place.is_sky() { FLYING } else { LYING });
                }
            }
            (Some(relation), [other]) => {
                related = format!(" {} {}", pick(relation_phrases(relation), noise), other.phrase(noise));
            }
            _ => {}
        }
        let (participle, of_one, of_many) = pick(&verbs, noise);
        let finite = if many { of_many } else { of_one };
        let walks = self.walks() && participle == "walking";
        let across = |phrase: &&str| walks || !phrase.starts_with("across");
        let phrases: Vec<_> = place.phrases().iter().copied().filter(across).collect();
        let mut tail = format!(" {}", pick(&phrases, noise));
        if self.boards {
            tail = format!("{tail} {BOARDS}");
        }
        let be = if many { "are" } else { "is" };
        if self.vintage {
            let bare = format!("{} {subject}", pick(&VINTAGE, noise));
            return match noise.below(3) {
                0 if place == first.object.home() => bare,
                1 => format!("{bare} {participle}{tail}"),
                _ => format!("{bare}{tail}"),
            };
        }
        if !related.is_empty() {
            return match noise.below(4) {
                0 => format!("{subject} {be}{related}{tail}"),
                1 => format!("{} {subject}{related}{tail}", pick(&PHOTOS, noise)),
                2 => format!("there {be} {subject}{related}{tail}"),
                _ => format!("{subject}{related}{tail}"),
            };
        }
        match noise.below(8) {
            0 => format!("{} {subject}{tail}", pick(&PHOTOS, noise)),
            1 => format!("{} {subject} {participle}{tail}", pick(&PHOTOS, noise)),
            2 => format!("there {be} {subject}{tail}"),
            3 => format!("{subject} {be}{tail}"),
            4 | 5 => format!("{subject} {participle}{tail}"),
            _ => format!("{subject} {finite}{tail}"),
        }
    }
}

/// Every word of the grammar, in a fixed order.
fn words() -> Vec<String> {
    let mut phrases: Vec<&str> = vec!["a an the and there is are of two very group herd pale", BOARDS, RIDER];
    phrases.extend(Colour::ALL.map(Colour::word));
    for (one, many) in Object::ALL.iter().flat_map(|object| object.nouns()) {
        phrases.extend([*one, *many]);
    }
    phrases.extend(Place::ALL.iter().flat_map(|place| place.phrases()));
    phrases.extend(Size::ALL.iter().flat_map(|&size| size_words(size)));
    phrases.extend(Relation::ALL.iter().flat_map(|&relation| relation_phrases(relation)));
    phrases.extend(PHOTOS.iter().chain(&VINTAGE));
    let all = [FLYING, DRIVEN, WALKING, GRAZING, FLOATING, SAILING, SURFING, LYING, &[OPEN]];
    phrases.extend(all.concat().into_iter().flat_map(|(a, b, c)| [a, b, c]));
    // Numbers that the grammar does not say, but that painters which count can draw.
    phrases.extend(["three", "four", "five"]);
    let mut known = BTreeSet::new();
    let words = phrases.into_iter().flat_map(str::split_whitespace).filter(|word| known.insert(*word));
    words.map(str::to_owned).collect()
}

/// Words that can stand for one another: colours, objects, places after one preposition.
fn alternatives() -> Vec<Vec<String>> {
    let single = |word: &&str| !word.contains(' ');
    let (one, many): (Vec<_>, Vec<_>) = Object::ALL.iter().flat_map(|object| object.nouns()).copied().unzip();
    let groups: [Vec<&str>; 9] = [
        Colour::ALL.map(Colour::word).to_vec(),
        one.into_iter().filter(single).collect(),
        many.into_iter().filter(single).collect(),
        vec!["desert", "forest", "sea", "ocean", "snow", "woods", "mountains", "bathroom"],
        vec!["beach", "street", "road", "table", "sun", "water", "snow"],
        vec!["clear", "rainy"],
        vec!["dry", "green"],
        vec!["above", "below"],
        vec!["left", "right"],
    ];
    groups.map(|words| words.into_iter().map(str::to_owned).collect()).to_vec()
}

/// Words of near meanings, made by `scripts/meanings.mjs` from word vectors.
fn meanings() -> BTreeMap<String, Vec<String>> {
    let lines = include_str!("../../../data/scenes/meanings.txt").lines();
    let owned = |line: &str| {
        let mut words = line.split(' ').map(str::to_owned);
        words.next().map(|word| (word, words.collect()))
    };
    lines.filter_map(owned).collect()
}

/// The vocabulary of the grammar, and other spellings of its words.
pub fn vocabulary() -> Vocabulary {
    let words = words();
    let known = |word: &str| words.iter().any(|of| of == word);
    let aliases = synonyms::aliases().into_iter().filter(|(spelling, _)| !known(spelling)).collect();
    Vocabulary {
        words,
        aliases,
        full_stop: None,
        max_words: MOST_WORDS,
        example: "a yellow school bus parked in a parking lot".to_owned(),
        alternatives: alternatives(),
        meanings: meanings(),
    }
}
