//! Captions as people type them: what is read of each.

use aligndraw::checkpoint::Manifest;
use aligndraw::data::mnist_captions;
use aligndraw::data::noise::Noise;
use aligndraw::data::scenes::{Scene, caption::vocabulary};
use aligndraw::error::Error;

use crate::layered::layers_of;

/// Captions, and the layers that they are read as: the place, then the things.
const TYPED: &[(&str, &str)] = &[
    ("a dog on the beach.", "beach: dog"),
    ("A DOG ON THE BEACH!", "beach: dog"),
    ("“a dog” on the beach", "beach: dog"),
    ("three dogs on the grass", "green grass: dogs, dogs, dogs"),
    ("a red car next to a blue car", "at home of car: red car, blue car"),
    ("a man riding a horse on the beach", "beach: man, horse"),
    ("a kitten sleeping on the sofa", "at home of sofa: small cat, sofa"),
    ("two puppies playing in the park", "green grass field: small dogs, small dogs"),
    ("a black cat sitting on a chair", "at home of chair: black cat, chair"),
    ("many birds in the sky", "sky: birds, birds, birds, birds, birds"),
    ("a red-and-white boat", "at home of boat: red white boat"),
    ("a big red bus in the city", "city street: big red bus"),
    ("a girl with an umbrella in the rain", "rainy sky: child, umbrella"),
    ("a boy in the street in the rain", "street: child"),
    ("a boat on the lake under a bird in the evening sky", "sea: boat, bird"),
    ("a bird above two dogs", "at home of dogs: bird, dogs, dogs"),
    ("a ship on the ocean", "ocean: boat"),
    ("a giant teddy on the bed", "at home of bed: huge teddy, bed"),
    ("some apples on a table", "table: apples, apples, apples, apples, apples"),
    ("an old photo of a train", "at home of train: train (in a style)"),
    ("a yellow taxi on the street", "street: yellow yellow car"),
    ("a cow in a meadow", "green grass field: cow"),
    ("a group of men on the beach", "beach: people, people, people, people, people"),
    ("a pizza on the table", "table: pizza"),
    ("a cup of coffee on the desk", "table: cup"),
    ("a mug next to a book on the table", "table: cup, book"),
    ("a plane flying over the mountains", "mountains: plane"),
    ("a zebra and a giraffe in the savanna", "dry grass field: zebra, giraffe"),
    ("a pair of elephants in the desert", "desert: elephants, elephants"),
    ("a boy and a girl on the street", "street: child, child"),
    ("a woman riding a bike in the city", "city street: woman, bike"),
    ("a tiny house in the forest", "forest: small house"),
    ("a helicopter in the night sky", "night sky: helicopter"),
    ("a white horse running on the beach", "beach: white horse"),
    ("a sheep standing in a green field", "green field: sheep"),
    ("a bear in the woods", "woods: bear"),
    ("a kite in a clear blue sky", "clear blue sky: kite"),
    ("four red balls on the snow", "snow: red balls, red balls, red balls, red balls"),
    ("a flock of birds at sunset", "sunset: birds, birds, birds, birds, birds"),
    ("a purple flower in the garden", "green grass field: purple flower"),
    ("a cat behind a bottle", "at home of cat: cat, bottle"),
    ("a dog's ball on the grass", "green grass: dog ball"),
    ("a surfer in the waves", "sea: surfer"),
    ("a blue couch in my living room", "living room: blue couch"),
    ("a skateboard on the road", "road: skateboard"),
    ("a green truck in a parking lot", "parking lot: green truck"),
    ("a stop sign at night", "night: stop sign"),
    ("a clock above the bed in the bedroom", "living room: clock, bed"),
    ("an ice cream on the table", "table: chocolate desert"),
    ("a huge cake", "at home of cake: huge cake"),
    ("a brown bear and a white bear", "at home of bear: brown bear, white bear"),
    ("a motorbike in the desert", "desert: motorcycle"),
    ("five sheep on the hill", "mountains: sheep, sheep, sheep, sheep, sheep"),
    ("a lady with a dog in the snow", "snow: woman, dog"),
    ("it's a dog", "at home of dog: dog"),
    ("a light blue car on the highway", "street: pale blue car"),
    ("a toilet in the bathroom", "bathroom: toilet"),
];

#[test]
fn captions_as_people_type_them() {
    for (caption, layers) in TYPED {
        assert_eq!(layers_of(caption), *layers, "{caption}");
    }
    assert!(TYPED.len() >= 50);
}

/// Aliases are for what the grammar does not say: its own captions are read word by word.
#[test]
fn captions_of_the_grammar_are_read_as_they_are() {
    let vocabulary = vocabulary();
    let mut noise = Noise::new(2);
    for _ in 0..5_000 {
        let caption = Scene::sample(&mut noise).caption(&mut noise);
        let words: Vec<String> = caption.replace(',', "").split(' ').map(str::to_owned).collect();
        assert_eq!(vocabulary.tokens(&caption).expect("known words").written, words, "{caption}");
    }
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
    // The nearest in meaning are suggested, not the nearest in spelling.
    assert_eq!(vocabulary().suggest("lion"), ["elephant"]);
}

#[test]
fn what_is_read_as_several_words_keeps_its_place() {
    let tokens = vocabulary().tokens("a Puppy in the park").expect("known");
    assert_eq!(tokens.written, ["a", "small", "dog", "in", "the", "green", "grass", "field"]);
    assert_eq!(tokens.spans[1..3], [[2, 7], [2, 7]]);
    assert_eq!(tokens.spans[5..], [[15, 19]; 3]);
}

/// Captions of digits as people type them, and what is read of each.
#[test]
fn digits_are_read_as_the_recipe_says_them() {
    let vocabulary = mnist_captions::vocabulary();
    vocabulary.check().expect("every alias is read as known words");
    for (typed, read) in [
        ("a seven", "seven"),
        ("a picture of the number 8", "the number 8"),
        ("7 and 2", "7 on the left of 2"),
        ("a three above a five", "three at the top of five"),
        ("The 4 is below the 9!", "the 4 is at the bottom of the 9"),
        ("42", "4 on the left of 2"),
        ("a one next to an eight", "one on the left of eight"),
        ("a 6 in the upper right corner of the page", "6 in the upper right of the page"),
        (
            "the digit seven is on the left of the digit two",
            "the digit seven is on the left of the digit two",
        ),
    ] {
        let tokens = vocabulary.tokens(typed).unwrap_or_else(|error| panic!("{typed}: {error}"));
        let stop = tokens.written.len() - 1;
        assert_eq!(tokens.written[..stop].join(" "), read, "{typed}");
    }
    assert!(vocabulary.tokens("a big seven").is_err(), "what cannot be drawn is said");
}

/// What is typed is read by the manifest, so a shipped model reads what its language does.
#[test]
fn shipped_models_know_all_spellings() {
    let digits = ["digits", "aligndraw-digits", "noalign", "skipthought"];
    let scenes = ["scenes", "deconv-scenes", "describe-scenes", "paraphrase-scenes"];
    let (of_digits, of_scenes) = (mnist_captions::vocabulary().aliases, vocabulary().aliases);
    let pairs =
        digits.map(|name| (name, &of_digits)).into_iter().chain(scenes.map(|name| (name, &of_scenes)));
    for (name, aliases) in pairs {
        let path = format!("{}/models/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let manifest = Manifest::parse(&std::fs::read(path).expect("it is shipped")).expect("a manifest");
        assert_eq!(manifest.vocabulary.aliases, *aliases, "{name}");
    }
}
