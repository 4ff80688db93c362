//! What the words of the grammar do.

use super::caption::{BOARDS, size_words};
use super::{Colour, Object, Place, Size};

/// What the words of the grammar do, for painters that draw a caption part by part.
pub struct Roles {
    /// Words that name a place.
    pub places: Vec<&'static str>,
    /// All phrases that say where something is.
    pub place_phrases: Vec<&'static str>,
    /// Words that name a thing, each with its singular.
    pub things: Vec<(&'static str, &'static str)>,
    /// The names of things, in the singular.
    pub names: Vec<&'static str>,
    /// Words before a thing's that belong to its name.
    pub compounds: Vec<&'static str>,
    /// Words that say how many there are, how many, and of how many that stand so: three are drawn as three of a
    /// group of five.
    pub counts: Vec<(&'static str, usize, usize)>,
    /// Words that describe a thing or a place, its name among them.
    pub said: Vec<&'static str>,
    /// Words that change the colours of the whole picture.
    pub styles: Vec<&'static str>,
    /// Colours.
    pub colours: Vec<&'static str>,
    /// Words of things, each with those of the place where it is when no place is said.
    pub homes: Vec<(&'static str, Vec<&'static str>)>,
    /// Words that say the opposite of another.
    pub inverses: Vec<(&'static str, &'static str)>,
    /// Words of what things carry, each with the thing that carries it and the thing that has it anyway.
    pub carried: Vec<(&'static str, &'static str, &'static str)>,
    /// Words of places that name a sky.
    pub skies: Vec<&'static str>,
    /// Words that say of two things that the first is on the left of the second.
    pub joins: Vec<&'static str>,
    /// Words that say of two things that the first is on the right of the second.
    pub after: Vec<&'static str>,
    /// Words that say of two things that one is over the other.
    pub relations: Vec<&'static str>,
    /// Those of them that say that it stands on the other.
    pub carries: Vec<&'static str>,
    /// Sentences, without a place, of so many things beside each other; more than three stand as a group does.
    pub lists: Vec<(usize, &'static str)>,
    /// Words for more than two.
    pub groups: Vec<&'static str>,
}

/// The last word of a phrase.
fn head(phrase: &'static str) -> &'static str {
    phrase.rsplit(' ').next().unwrap_or(phrase)
}

/// The words of the first phrase of the place where each thing is at home.
fn homes(prepositions: &[&str]) -> Vec<(&'static str, Vec<&'static str>)> {
    let place = |object: Object| -> Vec<&'static str> {
        let phrase = object.home().phrases()[0];
        phrase.split(' ').filter(|word| !prepositions.contains(word)).collect()
    };
    let nouns = |object: &Object| -> Vec<_> {
        object
            .nouns()
            .iter()
            .flat_map(|(one, many)| [head(one), head(many)])
            .map(|noun| (noun, place(*object)))
            .collect()
    };
    Object::ALL.iter().flat_map(nouns).collect()
}

/// What the words of the grammar do.
pub fn roles() -> Roles {
    /// Words of places that say nothing of them.
    const PREPOSITIONS: [&str; 10] = ["in", "on", "at", "near", "across", "front", "of", "the", "a", "with"];
    let nouns = || Object::ALL.iter().flat_map(|object| object.nouns()).copied();
    let phrases = || Place::ALL.iter().flat_map(|place| place.phrases()).copied();
    let mut things: Vec<(&str, &str)> =
        nouns().flat_map(|(one, many)| [(head(one), head(one)), (head(many), head(one))]).collect();
    // What is said without the rest of its name too.
    things.extend([(head(BOARDS), head(BOARDS)), ("teddy", "teddy")]);
    let names = || nouns().flat_map(|(one, many)| [one, many]).chain([BOARDS]);
    let compounds =
        || names().flat_map(|name| name.split(' ').rev().skip(1).filter(|word| !PREPOSITIONS.contains(word)));
    let colours = Colour::ALL.map(Colour::word).to_vec();
    let sizes = Size::ALL.iter().flat_map(|&size| size_words(size)).flat_map(|words| words.split(' '));
    let of_places =
        phrases().flat_map(|phrase| phrase.split(' ')).filter(|word| !PREPOSITIONS.contains(word));
    let said =
        names().map(head).chain(compounds()).chain(colours.iter().copied()).chain(sizes).chain(of_places);
    let (surfer, _) = Object::Surfer.nouns()[0];
    let counts =
        [("two", 2, 2), ("group", 5, 5), ("herd", 5, 5), ("three", 3, 5), ("four", 4, 5), ("five", 5, 5)];
    Roles {
        // A city is a street with houses, with or without the word.
        places: phrases().map(head).chain(["city"]).collect(),
        place_phrases: phrases().collect(),
        things,
        names: nouns().map(|(one, _)| one).chain([BOARDS]).collect(),
        compounds: compounds().collect(),
        counts: counts.to_vec(),
        groups: vec!["group", "herd", "three", "four", "five"],
        said: said.chain(["pale"]).filter(|word| !word.is_empty()).collect(),
        styles: vec!["vintage"],
        homes: homes(&PREPOSITIONS),
        inverses: vec![("below", "above"), ("under", "over")],
        skies: Place::SKIES.into_iter().flat_map(Place::phrases).map(|phrase| head(phrase)).collect(),
        joins: vec!["and", "left"],
        after: vec!["right"],
        relations: vec!["above", "over", "below", "under", "on"],
        carries: vec!["on"],
        lists: vec![
            (1, "a cat"),
            (2, "a cat and a cat"),
            (3, "a cat a cat and a cat are"),
            (4, "a group of cats are"),
            (5, "a group of cats are"),
        ],
        carried: Object::Person.nouns().iter().map(|(one, _)| (head(BOARDS), *one, head(surfer))).collect(),
        colours,
    }
}
