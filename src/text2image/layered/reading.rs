//! The sentence by which it is decided where a caption's layers lie.

use super::{Layer, Layers, Lexicon};

/// How a caption is read where it is decided where its layers lie: as it was typed, or in a form that painters were
/// taught.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Its words.
    pub ids: Vec<usize>,
    /// Of each layer.
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

impl Lexicon {
    /// How a caption of these layers is read: several kinds of things of which more than two stand beside each other
    /// as the list of them, and what names no place with the words of the place where it is at home. Neither is in
    /// the language that painters are taught, and things of sentences that no painter was taught lie on each other.
    pub fn reading(&self, ids: &[usize], layers: &Layers) -> Reading {
        let row = |layer: &Layer| Row { at: layer.word, instance: layer.instance, count: layer.count };
        let typed = Reading { ids: ids.to_vec(), rows: layers.layers.iter().map(row).collect() };
        let (place, things) = (&layers.layers[0], &layers.layers[1..]);
        let Some(phrase) = self.phrases.iter().find(|phrase| self.says(phrase) == place.words) else {
            return typed;
        };
        let with_place = |mut reading: Reading| {
            reading.ids.extend(phrase);
            reading.rows[0].at = reading.ids.len() - 1;
            reading
        };
        match self.list(ids, things) {
            Some(list) => with_place(list),
            None if place.at_home && layers.styles.is_empty() => with_place(typed),
            None => typed,
        }
    }

    /// The list of things, if they are of several kinds and more than two stand beside each other; the row of the
    /// place comes first.
    fn list(&self, ids: &[usize], things: &[Layer]) -> Option<Reading> {
        let mut kinds: Vec<usize> = things.iter().map(|thing| thing.word).collect();
        kinds.dedup();
        let beside = match kinds[..] {
            [first, second] => things.len() > 2 && self.joins(&ids[first..second]),
            _ => kinds.len() > 2,
        };
        let (_, sentence) = self.lists.iter().find(|(number, _)| beside && *number == things.len())?;
        let words: Vec<usize> = (0..sentence.len()).filter(|&at| self.is_thing(sentence, at)).collect();
        let number = things.len();
        let row = |instance: usize| match words[..] {
            [at] => (self.counted(sentence) >= number).then_some(Row {
                at,
                instance,
                count: self.counted(sentence),
            }),
            _ => words.get(instance).map(|&at| Row { at, instance: 0, count: 1 }),
        };
        let place = Row { at: 0, instance: 0, count: 1 };
        let rows = std::iter::once(Some(place)).chain((0..number).map(row)).collect::<Option<_>>()?;
        Some(Reading { ids: sentence.clone(), rows })
    }

    /// Whether the words between two things say that they stand beside each other.
    fn joins(&self, between: &[usize]) -> bool {
        between.iter().any(|id| self.joins.contains(id))
    }

    /// Of how many a sentence's things stand so.
    fn counted(&self, sentence: &[usize]) -> usize {
        let count = self.counts.iter().find(|[word, ..]| sentence.contains(word));
        count.map_or(1, |[.., of]| *of)
    }
}

#[cfg(test)]
mod tests {
    use super::super::presets::scene_lexicon;
    use crate::data::scenes::caption::vocabulary;

    /// A caption as it is read, things in capitals where layers lie, "!" before those of a group.
    fn read(caption: &str) -> String {
        let vocabulary = vocabulary();
        let lexicon = scene_lexicon(&vocabulary);
        let ids = vocabulary.tokens(caption).expect("known words").ids;
        let layers = lexicon.layers(&ids, 6).expect("layers");
        let reading = lexicon.reading(&ids, &layers);
        let rows = reading.rows.iter().map(|row| match row.count {
            1 => format!("{}", row.at),
            count => format!("{}:{}/{count}", row.at, row.instance),
        });
        let words: Vec<&str> = reading.ids.iter().map(|&id| vocabulary.words[id].as_str()).collect();
        format!("{} [{}]", words.join(" "), rows.collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn what_painters_are_taught_is_read_as_it_is_typed() {
        for (caption, reading) in [
            ("a red bus above a dog in the desert", "[8 2 5]"),
            ("a vintage photo of a cat", "[5 5]"),
            ("a herd of cows is in the snow", "[7 3:0/5 3:1/5 3:2/5 3:3/5 3:4/5]"),
            ("a large dog stands on the beach", "[6 2 ]"),
        ] {
            let (words, rows) = reading.split_once('[').expect("rows");
            assert!(words.is_empty());
            assert_eq!(read(caption), format!("{caption} [{}", rows.replace(" ]", "]")), "{caption}");
        }
    }

    #[test]
    fn what_they_are_not_taught_is_read_as_what_they_are() {
        for (caption, reading) in [
            ("a dog and a cat", "a dog and a cat in a dry grass field [9 1 4]"),
            ("a dog", "a dog in a dry grass field [6 1]"),
            ("a dog and a cat on a couch in the snow", "a cat a cat and a cat are in the snow [10 1 3 6]"),
            ("two dogs and a bird in the sky", "a cat a cat and a cat are in the clear sky [11 1 3 6]"),
            (
                "two dogs and two birds on the grass",
                "a group of cats are on the green grass [8 3:0/5 3:1/5 3:2/5 3:3/5]",
            ),
            ("two birds above a house in the snow", "two birds above a house in the snow [7 1:0/2 1:1/2 4]"),
        ] {
            assert_eq!(read(caption), reading, "{caption}");
        }
    }
}
