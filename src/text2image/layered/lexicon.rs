//! Which words of a caption are drawn, how often, and what is said of each.

use std::cmp::Reverse;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// What the words of a language do, from the data set's description of its captions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lexicon {
    /// Words that name a place: its layer is the whole canvas. The last of a caption counts, a sky where there is no other.
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
    /// Words of things, each with the words of the place where it is when no place is said; of several things the first
    /// counts that is over no other and at home in no sky.
    #[serde(default)]
    pub homes: Vec<(usize, Vec<usize>)>,
    /// The names of things, of one word or several. A part of a name ("teddy") is read as the nearest whole one, for the
    /// same reason as [`Self::phrases`].
    #[serde(default)]
    pub names: Vec<Vec<usize>>,
    /// Words of what things carry, each with the thing that is drawn carrying it and the thing that is drawn where none
    /// of those is named before.
    #[serde(default)]
    pub carried: Vec<[usize; 3]>,
    /// Words that say the opposite of another, each with that other: "a below b" is placed as "b above a".
    #[serde(default)]
    pub inverses: Vec<[usize; 2]>,
    /// Phrases that say where something is, one for all that places are said to be. What a caption says of its place
    /// is read as the one of these that is nearest to it, since the sum of words that were never together is no
    /// place; where there are none, as it is said.
    #[serde(default)]
    pub phrases: Vec<Vec<usize>>,
    /// Words of [`Self::places`] that name a sky: where a caption names another place too, that is its place.
    #[serde(default)]
    pub skies: Vec<usize>,
    /// Words that say of two things that the first is on the left of the second.
    #[serde(default)]
    pub joins: Vec<usize>,
    /// Words that say of two things that the first is on the right of the second.
    #[serde(default)]
    pub after: Vec<usize>,
    /// Words that say of two things that one is over the other.
    #[serde(default)]
    pub relations: Vec<usize>,
    /// Those of [`Self::relations`] that say that it stands on the other.
    #[serde(default)]
    pub carries: Vec<usize>,
    /// Sentences, without a place, of so many things that stand beside each other.
    #[serde(default)]
    pub lists: Vec<(usize, Vec<usize>)>,
    /// Words that stand for one another where it is decided where a thing stands: each is read as the first
    /// of its group, so that the place of a thing cannot know what the thing is.
    pub alike: Vec<Vec<usize>>,
}

/// One layer of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// The word that it draws; where the caption names no place, that of the thing whose home it is.
    pub word: usize,
    /// Whether it is the place and the word is that of a thing.
    pub at_home: bool,
    /// The positions of the words that describe it, its own among them.
    pub said: Vec<usize>,
    /// The ids whose sum says what it is.
    pub words: Vec<usize>,
    /// Which of how many: 0 of 1 for most.
    pub instance: usize,
    /// Of how many that stand so.
    pub count: usize,
}

/// The layers of a caption: its place, then its things in the order of the sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layers {
    /// At least the place.
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
            .chain(self.carried.iter().flatten())
            .chain(self.counts.iter().map(|[word, ..]| word));
        let lists = [&self.places, &self.compounds, &self.boundaries, &self.styles, &self.skies];
        let between = [&self.joins, &self.after, &self.relations, &self.carries];
        let homes = self.homes.iter().flat_map(|(word, place)| std::iter::once(word).chain(place));
        let sentences = self.lists.iter().map(|(_, sentence)| sentence);
        let groups = self.alike.iter().chain(&self.names).chain(&self.phrases).chain(sentences).flatten();
        lists.into_iter().chain(between).flatten().chain(homes).chain(pairs).chain(groups).copied()
    }

    /// The word whose embedding a word has.
    pub fn shared(&self, id: usize) -> usize {
        self.things.iter().find(|[word, _]| *word == id).map_or(id, |[_, shared]| *shared)
    }

    /// The words of the place where a thing is when no place is said, if the language knows it.
    pub fn home(&self, id: usize) -> Option<&[usize]> {
        self.homes.iter().find(|(word, _)| *word == id).map(|(_, place)| place.as_slice())
    }

    /// Whether words are those of a place where something is at home.
    pub fn is_home(&self, words: &[usize]) -> bool {
        self.homes.iter().any(|(_, place)| place == words)
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
    pub(super) fn is_thing(&self, ids: &[usize], at: usize) -> bool {
        let named = |at: usize| self.things.iter().any(|[word, _]| *word == ids[at]);
        let follows = at + 1 < ids.len() && named(at + 1) && !self.boundaries.contains(&ids[at + 1]);
        let ambiguous = self.places.contains(&ids[at]);
        named(at) && !follows && (!ambiguous || at > 0 && self.compounds.contains(&ids[at - 1]))
    }

    /// Whether a word is said of places alone: of a thing it says nothing.
    fn is_of_places(&self, id: usize) -> bool {
        let of_things = self.compounds.contains(&id)
            || self.things.iter().any(|[word, _]| *word == id)
            || self.alike.iter().any(|group| group.contains(&id));
        !of_things && !self.boundaries.contains(&id) && self.phrases.iter().any(|phrase| phrase.contains(&id))
    }

    /// What a phrase says of the place that its last word names.
    pub(super) fn says(&self, phrase: &[usize]) -> Vec<usize> {
        let at = phrase.len().checked_sub(1).map(|last| self.said(phrase, last));
        at.into_iter().flatten().map(|at| self.shared(phrase[at])).collect()
    }

    /// What a place is said to be, of what is taught.
    fn nearest_phrase(&self, words: Vec<usize>) -> Vec<usize> {
        nearest(self.phrases.iter().map(|phrase| self.says(phrase)), &words).unwrap_or(words)
    }

    /// What a thing is said to be, with the whole of its name at the end.
    fn with_whole_name(&self, words: Vec<usize>) -> Vec<usize> {
        let (part, mut others): (Vec<usize>, Vec<usize>) =
            words.iter().partition(|&id| self.names.iter().any(|name| name.contains(id)));
        let Some(name) = nearest(self.names.iter().cloned(), &part) else { return words };
        others.extend(name);
        others
    }

    /// The positions of the words that describe the one at a position, itself among them.
    pub(super) fn said(&self, ids: &[usize], at: usize) -> Vec<usize> {
        let first = (0..at).rev().find(|&before| {
            self.boundaries.contains(&ids[before])
                || self.counts.iter().any(|[word, ..]| *word == ids[before])
                || self.styles.contains(&ids[before])
        });
        (first.map_or(0, |before| before + 1)..=at).collect()
    }

    /// Whether words say that a place is a sky.
    pub(super) fn is_sky(&self, words: &[usize]) -> bool {
        words.iter().any(|id| self.skies.contains(id))
    }

    /// The positions of words that name a place; "a city bus" is in no city.
    pub(super) fn places_named(&self, ids: &[usize], things: &[Layer]) -> Vec<usize> {
        let of_thing = |at: usize| things.iter().any(|thing| self.said(ids, thing.word).contains(&at));
        (0..ids.len()).filter(|&at| self.places.contains(&ids[at]) && !of_thing(at)).collect()
    }

    /// The layer of the place whose word is at a position.
    fn place(&self, ids: &[usize], word: usize) -> Layer {
        let said = self.said(ids, word);
        let words = self.nearest_phrase(said.iter().map(|&at| self.shared(ids[at])).collect());
        let said =
            said.into_iter().filter(|&at| at == word || words.contains(&self.shared(ids[at]))).collect();
        Layer { word, at_home: false, said, words, instance: 0, count: 1 }
    }

    /// The layer of the place where a thing is at home.
    fn place_of(&self, thing: &Layer) -> Layer {
        let own: Vec<usize> = thing.words.last().copied().into_iter().collect();
        let words = own.first().and_then(|&id| self.home(id)).map_or(own, <[usize]>::to_vec);
        Layer { word: thing.word, at_home: true, said: vec![thing.word], words, instance: 0, count: 1 }
    }

    /// The same of all things: that of the first which is over no other and is at home in no sky.
    fn place_at_home(&self, ids: &[usize], things: &[Layer]) -> Option<Layer> {
        let runs = self.runs(ids, things);
        let standing = runs.iter().filter(|run| run.over.is_none()).flat_map(|run| &run.kinds);
        let homes: Vec<Layer> = standing.map(|kind| self.place_of(&things[kind.start - 1])).collect();
        homes.iter().find(|home| !self.is_sky(&home.words)).or(homes.first()).cloned()
    }

    /// Adds what is carried to the things before it that carry it; whether there are any.
    fn carry(&self, things: &mut [Layer], id: usize, said: &[usize], words: &[usize]) -> bool {
        let carries =
            |thing: &Layer| self.carried.iter().any(|[word, by, _]| *word == id && thing.words.contains(by));
        let mut carried = false;
        for thing in things.iter_mut().filter(|thing| carries(thing)) {
            thing.said.extend(said);
            thing.words.extend(words);
            carried = true;
        }
        carried
    }

    /// The layers of the things that a caption names, in the order of the sentence.
    fn things(&self, ids: &[usize]) -> Vec<Layer> {
        let mut things: Vec<Layer> = Vec::new();
        let mut pending = [1, 1];
        for at in 0..ids.len() {
            if let Some([_, drawn, count]) = self.counts.iter().find(|[word, ..]| *word == ids[at]) {
                pending = [*drawn, *count];
            }
            if !self.is_thing(ids, at) {
                continue;
            }
            let said: Vec<usize> =
                self.said(ids, at).into_iter().filter(|&word| !self.is_of_places(ids[word])).collect();
            let words = self.with_whole_name(said.iter().map(|&word| self.shared(ids[word])).collect());
            if self.carry(&mut things, ids[at], &said, &words) {
                continue;
            }
            let alone = self.carried.iter().find(|[word, ..]| *word == ids[at]);
            let words = alone.map_or(words, |[.., alone]| vec![*alone]);
            let [drawn, count] = std::mem::replace(&mut pending, [1, 1]);
            things.extend((0..drawn).map(|instance| Layer {
                word: at,
                at_home: false,
                said: said.clone(),
                words: words.clone(),
                instance,
                count,
            }));
        }
        things
    }

    /// The layers of a caption.
    ///
    /// **Errors** [`Error::Undrawable`] when it names neither things nor a place, or more than `most` things.
    pub fn layers(&self, ids: &[usize], most: usize) -> Result<Layers> {
        let mut things = self.things(ids);
        if things.len() > most {
            return Err(Error::Undrawable(format!(
                "the caption names {} things to draw, expected at most {most}",
                things.len()
            )));
        }
        let places = self.places_named(ids, &things);
        let ground = places.iter().rev().find(|&&at| !self.skies.contains(&ids[at]));
        let place = match ground.or(places.last()) {
            Some(word) => Some(self.place(ids, *word)),
            None => self.place_at_home(ids, &things),
        };
        let nothing = "the caption names neither a thing nor a place that this model draws";
        things.insert(0, place.ok_or_else(|| Error::Undrawable(nothing.to_owned()))?);
        let styles = (0..ids.len()).filter(|&at| self.styles.contains(&ids[at])).collect();
        Ok(Layers { layers: things, styles })
    }
}

/// What is nearest to some words: with the last of them if any is, then with most of them, then the shortest; none if
/// there is none of them in any.
fn nearest(of: impl Iterator<Item = Vec<usize>>, words: &[usize]) -> Option<Vec<usize>> {
    let common = |known: &[usize]| known.iter().filter(|id| words.contains(id)).count();
    let distance = |known: &Vec<usize>| {
        let named = words.last().is_some_and(|word| known.contains(word));
        (Reverse(named), Reverse(common(known)), known.len())
    };
    of.min_by_key(distance).filter(|known| common(known) > 0)
}

impl Layers {
    /// Whether nothing stands in the place.
    pub fn is_place_alone(&self) -> bool {
        self.layers.len() == 1
    }

    /// The layer that is drawn at a step (from 0): the place in the first `place_steps`, then the things in
    /// equal shares of the rest.
    pub fn at(&self, step: usize, place_steps: usize, steps: usize) -> usize {
        match step.checked_sub(place_steps) {
            _ if self.is_place_alone() => 0,
            None => 0,
            Some(after) => 1 + after * (self.layers.len() - 1) / (steps - place_steps),
        }
    }
}
