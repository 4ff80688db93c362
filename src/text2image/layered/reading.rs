//! The sentences by which it is decided where a caption's layers lie.

use super::{Layer, Lexicon};

/// A sentence that is asked where its layers lie: a caption as it was typed, or one that painters were taught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Its words.
    pub ids: Vec<usize>,
    /// Of each layer, the place first.
    pub rows: Vec<Row>,
}

/// What of a reading a layer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The position of its word.
    pub at: usize,
    /// Which of how many: 0 of 1 for most.
    pub instance: usize,
    /// Of how many that stand so.
    pub count: usize,
}

impl Row {
    /// One thing.
    fn one(at: usize) -> Self {
        Self { at, instance: 0, count: 1 }
    }
}

impl Reading {
    /// A caption of these layers as it was typed.
    pub fn typed(ids: &[usize], layers: &[Layer]) -> Self {
        let row = |layer: &Layer| Row { at: layer.word, instance: layer.instance, count: layer.count };
        Self { ids: ids.to_vec(), rows: layers.iter().map(row).collect() }
    }

    /// The same in a place that it does not name yet.
    pub fn in_place(mut self, phrase: &[usize]) -> Self {
        self.ids.extend(phrase);
        self.rows[0].at = self.ids.len() - 1;
        self
    }

    /// A sentence of things whose rows are given.
    fn of_things(ids: Vec<usize>, things: impl Iterator<Item = Row>) -> Self {
        Self { ids, rows: std::iter::once(Row::one(0)).chain(things).collect() }
    }
}

impl Lexicon {
    /// So many things beside each other in a place, if there is a sentence of them.
    pub(super) fn list(&self, number: usize, phrase: &[usize]) -> Option<Reading> {
        let sentence = self.sentence_of(number)?;
        let words: Vec<usize> = (0..sentence.len()).filter(|&at| self.is_thing(sentence, at)).collect();
        let row = |instance: usize| match words[..] {
            [at] if number > 1 => (self.counted(sentence) >= number).then_some(Row {
                at,
                instance,
                count: self.counted(sentence),
            }),
            _ => words.get(instance).map(|&at| Row::one(at)),
        };
        let things: Vec<Row> = (0..number).map(row).collect::<Option<_>>()?;
        Some(Reading::of_things(sentence.to_vec(), things.into_iter()).in_place(phrase))
    }

    /// One thing that lies to another as a word says, in a place: the first is row 1, the other row 2.
    pub(super) fn pair(&self, relation: usize, phrase: &[usize]) -> Option<Reading> {
        let one = self.sentence_of(1)?;
        let at = (0..one.len()).find(|&at| self.is_thing(one, at))?;
        let ids = [one, &[relation], one].concat();
        let things = [at, one.len() + 1 + at].map(Row::one);
        Some(Reading::of_things(ids, things.into_iter()).in_place(phrase))
    }

    fn sentence_of(&self, number: usize) -> Option<&[usize]> {
        self.lists.iter().find(|(of, _)| *of == number).map(|(_, sentence)| sentence.as_slice())
    }

    /// Of how many a sentence's things stand so.
    fn counted(&self, sentence: &[usize]) -> usize {
        let count = self.counts.iter().find(|[word, ..]| sentence.contains(word));
        count.map_or(1, |[.., of]| *of)
    }
}
