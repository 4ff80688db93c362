//! From a caption back to what it says: the other half of the grammar.

use super::caption::{BOARDS, RIDER, relation_phrases, size_words};
use super::{Colour, Number, Object, Place, Relation, Scene, Size, Thing};
use crate::data::words::words;

/// The words of a caption from somewhere on.
struct Words<'a> {
    words: &'a [&'a str],
}

impl Words<'_> {
    /// Takes a phrase if the next words are it.
    fn take(&mut self, phrase: &str) -> bool {
        let mut rest = self.words;
        for word in phrase.split_whitespace() {
            match rest.split_first() {
                Some((next, after)) if *next == word => rest = after,
                _ => return false,
            }
        }
        self.words = rest;
        true
    }

    /// Takes the longest phrase that the next words are.
    fn longest<T: Copy>(&mut self, phrases: impl Iterator<Item = (&'static str, T)>) -> Option<T> {
        let fits =
            phrases.filter(|(phrase, _)| !phrase.is_empty() && Words { words: self.words }.take(phrase));
        let (phrase, value) = fits.max_by_key(|(phrase, _)| phrase.len())?;
        self.take(phrase);
        Some(value)
    }
}

fn places() -> impl Iterator<Item = (&'static str, Place)> {
    Place::ALL.into_iter().flat_map(|place| place.phrases().iter().map(move |&phrase| (phrase, place)))
}

/// The same without the words that lead to them, for wordings such as "in the street".
fn bare_places() -> impl Iterator<Item = (&'static str, Place)> {
    let bare = |phrase: &'static str| {
        let leads =
            |word: &str| ["in", "on", "at", "near", "across", "front", "of", "the", "a"].contains(&word);
        let mut rest = phrase;
        while let Some((_, after)) = rest.split_once(' ').filter(|(word, _)| leads(word)) {
            rest = after;
        }
        rest
    };
    places().map(move |(phrase, place)| (bare(phrase), place))
}

fn nouns() -> impl Iterator<Item = (&'static str, Object)> {
    let both =
        |object: Object| object.nouns().iter().flat_map(move |(one, many)| [(*one, object), (*many, object)]);
    Object::ALL.iter().flat_map(move |&object| both(object))
}

fn sizes() -> impl Iterator<Item = (&'static str, Size)> {
    Size::ALL.into_iter().flat_map(|size| size_words(size).iter().map(move |&word| (word, size)))
}

fn relations() -> impl Iterator<Item = (&'static str, Relation)> {
    let spoken = Relation::ALL.into_iter().filter(|&relation| relation != Relation::Beside);
    spoken.flat_map(|relation| relation_phrases(relation).iter().map(move |&phrase| (phrase, relation)))
}

impl Scene {
    /// What a caption in the grammar's words says: a scene and whether it names a place (if not, the
    /// scene's is a place where its first object can be). None when no known object is named.
    ///
    /// Words that say nothing of the picture (articles, verbs) are skipped, so that free wordings
    /// are understood too.
    pub fn parse(caption: &str) -> Option<(Self, bool)> {
        let mut heard = words(caption);
        heard.retain(|word| word.text != ".");
        let split: Vec<&str> = heard
            .iter()
            .map(|word| if word.text == "dessert" { "desert" } else { word.text.as_str() })
            .collect();
        let mut words = Words { words: &split };
        let (mut things, mut relation, mut place) = (Vec::<Thing>::new(), None, None);
        let (mut vintage, mut boards) = (false, false);
        let mut next = Thing::new(Object::Bus);
        while let Some(word) = words.words.first() {
            if let Some(found) = words.longest(places()) {
                place = Some(found);
            } else if words.take(BOARDS) {
                boards = true;
            } else if words.take(RIDER) {
                // "a rider on the motorcycle" is one object.
            } else if !things.is_empty()
                && let Some(found) = words.longest(relations())
            {
                relation = Some(found);
            } else if let Some(size) = words.longest(sizes()) {
                next.size = size;
            } else if let Some(object) = words.longest(nouns()) {
                things.push(Thing { object, ..next });
                next = Thing::new(Object::Bus);
            } else if let Some(found) = words.longest(bare_places()) {
                place = Some(found);
            } else {
                match *word {
                    "vintage" => vintage = true,
                    "pale" => next.pale = true,
                    "two" | "2" => next.number = Number::Two,
                    "group" | "herd" => next.number = Number::Group,
                    word => {
                        next.colour =
                            Colour::ALL.into_iter().find(|colour| colour.word() == word).or(next.colour)
                    }
                }
                words.words = &words.words[1..];
            }
        }
        let first = things.first()?.object;
        let relation = match things.len() {
            1 => None,
            2 => relation.or(Some(Relation::Beside)),
            _ => Some(Relation::Beside),
        };
        let stated = place.is_some();
        let place = place.unwrap_or_else(|| first.home());
        Some((Self { things, relation, place, vintage, boards }, stated))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Bans, caption};
    use super::*;
    use crate::data::noise::Noise;

    #[test]
    fn what_is_said_is_what_was_meant() {
        let mut noise = Noise::new(1);
        let vocabulary = caption::vocabulary();
        for _ in 0..20_000 {
            let scene = Scene::sample(&mut noise);
            for caption in scene.captions(&mut noise) {
                let words = vocabulary.tokens(&caption).expect("known words").ids.len();
                assert!((7..=20).contains(&words) || scene.vintage && words == 6, "{caption}");
                let (heard, stated) = Scene::parse(&caption).expect("an object is named");
                assert!(stated || scene.vintage && scene.place == scene.things[0].object.home(), "{caption}");
                assert_eq!(heard, scene, "{caption}");
            }
        }
    }

    #[test]
    fn places_are_heard_in_other_wordings() {
        for (caption, place) in [
            ("a bus in the street", Place::Street),
            ("a cat near a living room", Place::LivingRoom),
            ("two birds under a clear blue sky", Place::ClearSky),
        ] {
            let (scene, stated) = Scene::parse(caption).expect("an object is named");
            assert_eq!((scene.place, stated), (place, true), "{caption}");
        }
        let (scene, stated) = Scene::parse("a decadent chocolate desert").expect("a dessert");
        assert_eq!((scene.place, stated), (scene.things[0].object.home(), false));
    }

    #[test]
    fn every_caption_of_the_papers_figures_can_be_said() {
        let vocabulary = caption::vocabulary();
        let bans = Bans::draw(1);
        let figures = include_str!("../../../data/scenes/figures.txt");
        let impossible = [
            "a stop sign is flying in blue skies",
            "a pale yellow school bus is flying in blue skies",
            "a herd of elephants flying in blue skies",
            "a toilet seat sits open in the grass field",
            "a surfer, a woman, and a child walk on the sun",
        ];
        let lines = figures.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        for line in lines {
            vocabulary.tokens(line).unwrap_or_else(|error| panic!("{line}: {error}"));
            let (scene, _) = Scene::parse(line).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(bans.contains(&scene), impossible.contains(&line), "{line}");
        }
    }

    #[test]
    fn no_wording_leaks_what_is_held_out() {
        let bans = Bans::draw(1);
        let mut noise = Noise::new(3);
        let mut checked = 0;
        while checked < 5_000 {
            let scene = Scene::sample(&mut noise);
            if bans.contains(&scene) {
                continue;
            }
            checked += 1;
            for caption in scene.captions(&mut noise) {
                let (heard, _) = Scene::parse(&caption).expect("an object is named");
                assert!(!bans.contains(&heard), "{caption}");
            }
        }
    }
}
