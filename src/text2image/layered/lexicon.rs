//! Which words of a caption are drawn, how often, and what is said of each.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What the words of a language do, from the data set's description of its captions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lexicon {
    /// Words that name a place: its layer is the whole canvas. The last of a caption counts.
    pub places: Vec<usize>,
    /// Words that name a thing, each with the word whose embedding it shares: itself, or its singular.
    pub things: Vec<[usize; 2]>,
    /// Words that stand before a thing's as a part of its name ("stop" sign); after one, a place's word names
    /// a thing ("chocolate" desert).
    pub compounds: Vec<usize>,
    /// Words that say how many of the next thing there are: the word, how many are drawn, and of how many that
    /// stand so (three may be drawn as three of five).
    pub counts: Vec<[usize; 3]>,
    /// Words at which what is said of a thing begins: articles, prepositions, verbs.
    pub boundaries: Vec<usize>,
    /// Words that change the colours of the whole picture.
    pub styles: Vec<usize>,
    /// Words of things, each with the words of the place where it is when no place is said.
    #[serde(default)]
    pub homes: Vec<(usize, Vec<usize>)>,
    /// Words that say the opposite of another, each with that other: "a below b" is placed as "b above a".
    #[serde(default)]
    pub inverses: Vec<[usize; 2]>,
    /// Words that stand for one another where it is decided where a thing stands: each is read as the first
    /// of its group, so that the place of a thing cannot know what the thing is.
    pub alike: Vec<Vec<usize>>,
}

/// One layer of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// The word that it draws; none: the caption names no place, and it is where the first thing is at home.
    pub word: usize,
    /// Whether it is the place and the word is that of the first thing.
    pub at_home: bool,
    /// The words that describe it, its own among them.
    pub said: Vec<usize>,
    /// Which of how many: 0 of 1 for most.
    pub instance: usize,
    /// Of how many that stand so.
    pub count: usize,
}

/// The layers of a caption: its place, then its things in the order of the sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layers {
    /// At least two.
    pub layers: Vec<Layer>,
    /// Words that change the colours of the whole picture, by position.
    pub styles: Vec<usize>,
}

impl Lexicon {
    /// All ids that it names.
    pub fn ids(&self) -> impl Iterator<Item = usize> {
        let pairs = self
            .things
            .iter()
            .chain(&self.inverses)
            .flatten()
            .chain(self.counts.iter().map(|[word, ..]| word));
        let lists = [&self.places, &self.compounds, &self.boundaries, &self.styles];
        let homes = self.homes.iter().flat_map(|(word, place)| std::iter::once(word).chain(place));
        lists.into_iter().flatten().chain(homes).chain(pairs).chain(self.alike.iter().flatten()).copied()
    }

    /// The word whose embedding a word has.
    pub fn shared(&self, id: usize) -> usize {
        self.things.iter().find(|[word, _]| *word == id).map_or(id, |[_, shared]| *shared)
    }

    /// The words of the place where a thing is when no place is said, if the language knows it.
    pub fn home(&self, id: usize) -> Option<&[usize]> {
        self.homes.iter().find(|(word, _)| *word == id).map(|(_, place)| place.as_slice())
    }

    /// Whether the two things that a caption names stand the other way round than it is read.
    pub fn is_inverse(&self, ids: &[usize]) -> bool {
        ids.iter().any(|id| self.inverses.iter().any(|[word, _]| word == id))
    }

    /// The word as the placement reads it.
    pub fn plain(&self, id: usize) -> usize {
        if let Some([_, other]) = self.inverses.iter().find(|[word, _]| *word == id) {
            return *other;
        }
        let group = self.alike.iter().find(|group| group.contains(&id));
        group.and_then(|group| group.first()).map_or(id, |first| *first)
    }

    /// Whether the word at a position names a thing, with its compound the whole name of it.
    fn is_thing(&self, ids: &[usize], at: usize) -> bool {
        let named = |at: usize| self.things.iter().any(|[word, _]| *word == ids[at]);
        let follows = at + 1 < ids.len() && named(at + 1) && !self.boundaries.contains(&ids[at + 1]);
        let ambiguous = self.places.contains(&ids[at]);
        named(at) && !follows && (!ambiguous || at > 0 && self.compounds.contains(&ids[at - 1]))
    }

    /// The positions of the words that describe the one at a position, itself among them.
    fn said(&self, ids: &[usize], at: usize) -> Vec<usize> {
        let first = (0..at).rev().find(|&before| {
            self.boundaries.contains(&ids[before])
                || self.counts.iter().any(|[word, ..]| *word == ids[before])
                || self.styles.contains(&ids[before])
        });
        (first.map_or(0, |before| before + 1)..=at).collect()
    }

    /// The layers of a caption.
    ///
    /// **Errors** [`Error::Config`] when it names no thing, or more than `most` of them.
    pub fn layers(&self, ids: &[usize], most: usize) -> Result<Layers> {
        let mut things = Vec::new();
        let mut pending = [1, 1];
        for at in 0..ids.len() {
            if let Some([_, drawn, count]) = self.counts.iter().find(|[word, ..]| *word == ids[at]) {
                pending = [*drawn, *count];
            }
            if self.is_thing(ids, at) {
                let said = self.said(ids, at);
                let [drawn, count] = std::mem::replace(&mut pending, [1, 1]);
                things.extend((0..drawn).map(|instance| Layer {
                    word: at,
                    at_home: false,
                    said: said.clone(),
                    instance,
                    count,
                }));
            }
        }
        let Some(first) = things.first() else {
            return Err(Error::Config("the caption names nothing that this model draws".to_owned()));
        };
        if things.len() > most {
            return Err(Error::Config(format!(
                "the caption names {} things to draw, expected at most {most}",
                things.len()
            )));
        }
        let place =
            (0..ids.len()).rev().find(|&at| self.places.contains(&ids[at]) && !self.is_thing(ids, at));
        let place = match place {
            Some(word) => Layer { word, at_home: false, said: self.said(ids, word), instance: 0, count: 1 },
            None => Layer { at_home: true, said: vec![first.word], instance: 0, count: 1, ..first.clone() },
        };
        things.insert(0, place);
        let styles = (0..ids.len()).filter(|&at| self.styles.contains(&ids[at])).collect();
        Ok(Layers { layers: things, styles })
    }
}

impl Layers {
    /// The layer that is drawn at a step (from 0): the place in the first `place_steps`, then the things in
    /// equal shares of the rest.
    pub fn at(&self, step: usize, place_steps: usize, steps: usize) -> usize {
        match step.checked_sub(place_steps) {
            None => 0,
            Some(after) => 1 + after * (self.layers.len() - 1) / (steps - place_steps),
        }
    }
}
