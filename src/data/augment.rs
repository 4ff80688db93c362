//! More pictures out of few: mirror images whose captions say the other side, captions with words missing.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::batch::{CaptionBatch, Lesson};
use super::noise::Noise;
use super::source::Source;
use super::vocabulary::Vocabulary;
use super::words::UNKNOWN;
use crate::model::ImageSize;

/// Words that a mirror exchanges.
const SIDES: [(&str, &str); 3] = [("left", "right"), ("leftmost", "rightmost"), ("leftward", "rightward")];

/// How what is learned from differs from what was recorded. Validation and test are never changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Augmentation {
    /// Every second image is mirrored; "left" and "right" change places in its caption.
    #[serde(default)]
    pub mirror: bool,
    /// Share of the words that are read as unknown.
    #[serde(default)]
    pub word_dropout: f32,
    /// Random parts of each photo that captioners of photos learn from besides the whole, every second one mirrored.
    #[serde(default, skip_serializing_if = "is_none")]
    pub crops: usize,
}

fn is_none(crops: &usize) -> bool {
    *crops == 0
}

/// The word that a mirror puts in the place of a word.
pub fn other_side(word: &str) -> &str {
    let other = SIDES.iter().find_map(|&(left, right)| match word {
        _ if word == left => Some(right),
        _ if word == right => Some(left),
        _ => None,
    });
    other.unwrap_or(word)
}

/// A source whose training batches are changed so.
pub struct Augmented {
    source: Arc<dyn Source>,
    augmentation: Augmentation,
    image: ImageSize,
    /// The word on the other side, by id.
    other_side: BTreeMap<usize, usize>,
    unknown: Option<usize>,
}

impl Augmented {
    /// The batches of `source`, whose images have this size and whose captions these words. Where one of two sides
    /// is no word of the vocabulary, captions that name the other stay with their image as it is.
    pub fn new(
        source: Arc<dyn Source>,
        augmentation: Augmentation,
        image: ImageSize,
        vocabulary: &Vocabulary,
    ) -> Self {
        let unknown = vocabulary.words.iter().position(|word| word == UNKNOWN);
        let mut other_side = BTreeMap::new();
        for (left, right) in SIDES {
            let [left, right] = [left, right].map(|word| vocabulary.id(word));
            if let (Some(left), Some(right)) = (left, right) {
                other_side.extend([(left, right), (right, left)]);
            } else if let Some(only) = left.or(right) {
                other_side.insert(only, usize::MAX);
            }
        }
        Self { source, augmentation, image, other_side, unknown }
    }

    /// Mirrors an image and what its caption says of sides; returns whether it can be said.
    fn mirror(&self, ids: &mut [usize], image: &mut [f32]) -> bool {
        let other = |id: &usize| self.other_side.get(id).copied();
        if ids.iter().any(|id| other(id) == Some(usize::MAX)) {
            return false;
        }
        ids.iter_mut().for_each(|id| *id = other(id).unwrap_or(*id));
        image.chunks_exact_mut(self.image.width).for_each(<[f32]>::reverse);
        true
    }

    /// Mirrors where things stand in the images of a batch that were mirrored, and all that is said of these.
    fn mirror_rest(&self, batch: &mut CaptionBatch<'static>, mirrored: &[bool]) {
        for named in batch.boxes.to_mut().iter_mut().filter(|named| mirrored[named.image]) {
            let [left, top, right, bottom] = named.edges;
            named.edges = [1.0 - right, top, 1.0 - left, bottom];
        }
        let references = batch.references.to_mut().iter_mut().zip(mirrored);
        for (captions, _) in references.filter(|(_, mirrored)| **mirrored) {
            // A side whose other one is no word is then none either.
            let other = |id: &mut usize| *id = self.other_side.get(id).copied().unwrap_or(*id);
            captions.iter_mut().flatten().for_each(other);
        }
    }
}

impl Source for Augmented {
    fn batch(&self, size: usize, noise: &mut Noise) -> CaptionBatch<'static> {
        self.source.batch(size, noise)
    }

    fn training_batch(&self, size: usize, noise: &mut Noise, lesson: Lesson) -> CaptionBatch<'static> {
        let mut batch = self.source.training_batch(size, noise, lesson);
        let Augmentation { mirror, word_dropout, .. } = self.augmentation;
        let words = batch.words;
        let mut mirrored = Vec::with_capacity(batch.len());
        let images = batch.images.to_mut().chunks_exact_mut(self.image.len());
        for (ids, image) in batch.ids.to_mut().chunks_exact_mut(words.max(1)).zip(images) {
            mirrored.push(mirror && noise.uniform() < 0.5 && self.mirror(ids, image));
            if let Some(unknown) = self.unknown.filter(|_| word_dropout > 0.0) {
                let dropped = |id: &usize| if noise.uniform() < word_dropout { unknown } else { *id };
                let read: Vec<usize> = ids.iter().map(dropped).collect();
                ids.copy_from_slice(&read);
            }
        }
        self.mirror_rest(&mut batch, &mirrored);
        batch
    }

    fn held_out_batch(&self, size: usize, noise: &mut Noise) -> Option<CaptionBatch<'static>> {
        self.source.held_out_batch(size, noise)
    }

    fn fixed_len(&self) -> Option<usize> {
        self.source.fixed_len()
    }

    fn fixed_batch(&self, start: usize, size: usize) -> Option<CaptionBatch<'static>> {
        self.source.fixed_batch(start, size)
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;
    use crate::data::batch::NamedBox;

    /// "dog left unheard", a picture of two rows that brighten to the right.
    struct One;

    impl Source for One {
        fn batch(&self, size: usize, _: &mut Noise) -> CaptionBatch<'static> {
            let images = [0.0, 0.5, 1.0, 0.1, 0.2, 0.3].repeat(size);
            let boxes = (0..size).map(|image| NamedBox { image, word: 0, edges: [0.0, 0.1, 0.25, 0.9] });
            CaptionBatch::of_words(Cow::Owned([1, 2].repeat(size)), 2, Cow::Owned(images))
                .with_boxes(boxes.collect())
                .with_references(vec![vec![vec![1, 2], vec![2]]; size])
        }

        fn held_out_batch(&self, _: usize, _: &mut Noise) -> Option<CaptionBatch<'static>> {
            None
        }
    }

    fn augmented(words: &[&str], augmentation: Augmentation) -> CaptionBatch<'static> {
        let vocabulary = Vocabulary {
            words: words.iter().map(|word| (*word).to_owned()).collect(),
            aliases: BTreeMap::new(),
            full_stop: None,
            max_words: 9,
            example: "dog".to_owned(),
            alternatives: Vec::new(),
            meanings: BTreeMap::new(),
        };
        let image = ImageSize { channels: 1, height: 2, width: 3 };
        let source = Augmented::new(Arc::new(One), augmentation, image, &vocabulary);
        source.training_batch(200, &mut Noise::new(1), Lesson::Everything)
    }

    #[test]
    fn a_mirrored_picture_says_the_other_side() {
        let mirror = Augmentation { mirror: true, ..Augmentation::default() };
        let batch = augmented(&["<unk>", "dog", "left", "right"], mirror);
        let mut mirrored = 0;
        for (at, (ids, image)) in batch.ids.chunks(2).zip(batch.images.chunks(6)).enumerate() {
            let (edges, references) = (batch.boxes[at].edges, &batch.references[at]);
            match ids {
                [1, 2] => {
                    assert_eq!(image, [0.0, 0.5, 1.0, 0.1, 0.2, 0.3]);
                    assert_eq!((edges, references), ([0.0, 0.1, 0.25, 0.9], &vec![vec![1, 2], vec![2]]));
                }
                _ => {
                    assert_eq!((ids, image), ([1, 3].as_slice(), [1.0, 0.5, 0.0, 0.3, 0.2, 0.1].as_slice()));
                    assert_eq!((edges, references), ([0.75, 0.1, 1.0, 0.9], &vec![vec![1, 3], vec![3]]));
                    mirrored += 1;
                }
            }
        }
        assert!((70..130).contains(&mirrored), "{mirrored} of 200");
    }

    #[test]
    fn a_side_without_its_opposite_is_not_mirrored() {
        let batch =
            augmented(&["<unk>", "dog", "left"], Augmentation { mirror: true, ..Augmentation::default() });
        assert!(batch.images.chunks(6).all(|image| image[0] == 0.0));
    }

    #[test]
    fn words_are_dropped_as_often_as_asked() {
        let dropped = |word_dropout| {
            let batch = augmented(
                &["<unk>", "dog", "left", "right"],
                Augmentation { word_dropout, ..Augmentation::default() },
            );
            batch.ids.iter().filter(|&&id| id == 0).count()
        };
        assert_eq!(dropped(0.0), 0);
        assert!((60..140).contains(&dropped(0.25)), "{} of 400", dropped(0.25));
    }
}
