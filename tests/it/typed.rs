//! Captions as people type them: what is read of each.

use aligndraw::data::scenes::caption::vocabulary;
use aligndraw::error::Error;

use crate::layered::layers_of;

/// Captions, and the layers that they are read as: the place, then the things.
const TYPED: &[(&str, &str)] = &[
    ("a dog on the beach.", "beach: dog"),
    ("A DOG ON THE BEACH!", "beach: dog"),
    ("“a dog” on the beach", "beach: dog"),
    ("three dogs on the grass", "grass: dogs, dogs, dogs"),
    ("a red car next to a blue car", "at home of car: red car, blue car"),
    ("a man riding a horse on the beach", "beach: man, horse"),
];

#[test]
fn captions_as_people_type_them() {
    for (caption, layers) in TYPED {
        assert_eq!(layers_of(caption), *layers, "{caption}");
    }
    assert!(TYPED.len() >= 50);
}

#[test]
fn the_language_has_some_600_spellings() {
    let spellings = vocabulary().spellings().count();
    assert!(spellings >= 600, "{spellings}");
    vocabulary().check().expect("every alias is read as known words");
}

#[test]
fn what_cannot_be_drawn_is_named() {
    let Err(Error::UnknownWords(unknown)) = vocabulary().tokens("a spaceship near a quasar") else {
        panic!("two words are unknown")
    };
    let words: Vec<&str> = unknown.iter().map(|word| word.word.as_str()).collect();
    assert_eq!(words, ["spaceship", "quasar"]);
}

#[test]
fn what_is_read_as_several_words_keeps_its_place() {
    let tokens = vocabulary().tokens("a Puppy in the park").expect("known");
    assert_eq!(tokens.written, ["a", "small", "dog", "in", "the", "green", "grass", "field"]);
    assert_eq!(tokens.spans[1..3], [[2, 7], [2, 7]]);
    assert_eq!(tokens.spans[5..], [[15, 19]; 3]);
}
