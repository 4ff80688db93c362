//! Which words of a caption name which object.

use std::ops::Range;

use super::{Colour, Object};

/// The words that name an object: its shade, its colour and its noun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mention {
    /// The object.
    pub object: Object,
    /// Its words; the noun ends with the last of them.
    pub words: Range<usize>,
}

/// What the words of a caption name, in their order. A comma behind a word is no part of it.
pub fn mentions(caption: &[&str]) -> Vec<Mention> {
    let words: Vec<&str> = caption.iter().map(|word| word.trim_end_matches(',')).collect();
    (1..=words.len()).filter_map(|end| mention(&words, end)).collect()
}

/// The object whose noun ends before `end`: "teddy bear" names no bear.
fn mention(words: &[&str], end: usize) -> Option<Mention> {
    let nouns = Object::ALL.iter().flat_map(|object| {
        object.nouns().iter().flat_map(move |(one, many)| [(*one, *object), (*many, *object)])
    });
    let lengths = nouns.map(|(noun, object)| (noun, noun.split(' ').count(), object));
    let ends =
        |noun: &str, len: usize| len <= end && noun.split(' ').eq(words[end - len..end].iter().copied());
    let (_, len, object) =
        lengths.filter(|(noun, len, _)| ends(noun, *len)).max_by_key(|(_, len, _)| *len)?;
    let mut start = end - len;
    let is_colour = |word: &str| Colour::ALL.iter().any(|colour| colour.word() == word);
    for attribute in [is_colour, |word: &str| word == "pale"] {
        start -= usize::from(start > 0 && attribute(words[start - 1]));
    }
    Some(Mention { object, words: start..end })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nouns_are_named_with_their_colours() {
        let of = |caption: &str| {
            let words: Vec<&str> = caption.split(' ').collect();
            mentions(&words).into_iter().map(|found| (found.object, found.words)).collect::<Vec<_>>()
        };
        assert_eq!(
            of("a very large pale red teddy bear, a stop sign and two cats on the beach"),
            [(Object::TeddyBear, 3..7), (Object::StopSign, 8..10), (Object::Cat, 12..13)]
        );
        assert_eq!(of("bear"), [(Object::Bear, 0..1)]);
        assert!(of("the green grass").is_empty() && of("").is_empty());
    }
}
