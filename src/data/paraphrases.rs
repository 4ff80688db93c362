//! Captions of the same picture: what sentence vectors are learned from and judged by.

use std::collections::{BTreeMap, BTreeSet};

use super::batch::CaptionBatch;
use super::{mnist_captions, noise::Noise, scenes, source::Source, vocabulary::Vocabulary};

/// Captions as word ids, and which of them belong to the same picture.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paraphrases {
    /// Word ids of each caption.
    pub captions: Vec<Vec<usize>>,
    /// Indices of the captions of each picture: two or more, all different.
    pub pictures: Vec<Vec<usize>>,
}

impl Paraphrases {
    /// Groups captions by the number of their picture. Pictures with fewer than two different captions
    /// are left out: nothing can be learned from them.
    pub fn of_pictures(captions: impl IntoIterator<Item = (usize, Vec<usize>)>) -> Self {
        let mut by_picture = BTreeMap::<usize, BTreeSet<Vec<usize>>>::new();
        for (picture, caption) in captions {
            by_picture.entry(picture).or_default().insert(caption);
        }
        let mut paraphrases = Self::default();
        for captions in by_picture.into_values().filter(|captions| captions.len() > 1) {
            paraphrases.push(captions);
        }
        paraphrases
    }

    fn push(&mut self, captions: impl IntoIterator<Item = Vec<usize>>) {
        let first = self.captions.len();
        self.captions.extend(captions);
        self.pictures.push((first..self.captions.len()).collect());
    }

    /// MNIST with captions: "left of" and "right of", "top of" and "bottom of", of the compositions that
    /// are not held out. Corners can be said in one way alone.
    pub fn of_digits(bans: &mnist_captions::Bans) -> Self {
        let vocabulary = mnist_captions::vocabulary();
        let scenes = mnist_captions::Scene::all().into_iter().filter(|scene| !bans.contains(scene));
        let said = scenes.map(|scene| {
            let [(slot, first), (_, second)] = scene.digits;
            (slot as usize * 100 + usize::from(first * 10 + second), ids(&vocabulary, &scene.caption()))
        });
        Self::of_pictures(said)
    }

    /// Colour scenes: five captions each of `pictures` scenes at random, none of them held out.
    pub fn of_scenes(pictures: usize, bans: &scenes::Bans, noise: &mut Noise) -> Self {
        let vocabulary = scenes::caption::vocabulary();
        let mut said = Vec::new();
        let mut picture = 0;
        while picture < pictures {
            let scene = scenes::Scene::sample(noise);
            if !bans.contains(&scene) {
                said.extend(scene.captions(noise).map(|caption| (picture, ids(&vocabulary, &caption))));
                picture += 1;
            }
        }
        Self::of_pictures(said)
    }

    /// Parts for training and for measuring: a share of the pictures, drawn by a seed, is held back.
    pub fn split(&self, held_back: f32, seed: u64) -> (Self, Self) {
        let mut noise = Noise::new(seed);
        let (mut train, mut test) = (Self::default(), Self::default());
        for picture in &self.pictures {
            let part = if noise.uniform() < held_back { &mut test } else { &mut train };
            part.push(picture.iter().map(|&caption| self.captions[caption].clone()));
        }
        (train, test)
    }

    /// The first pictures, as long as they have no more captions than these together.
    #[must_use]
    pub fn first(&self, captions: usize) -> Self {
        let mut first = Self::default();
        for picture in &self.pictures {
            if first.captions.len() + picture.len() > captions {
                break;
            }
            first.push(picture.iter().map(|&caption| self.captions[caption].clone()));
        }
        first
    }

    /// A caption and another one of the same picture, both at random; with `own`, the other one may be the
    /// caption itself.
    pub fn pair(&self, own: bool, noise: &mut Noise) -> (&[usize], &[usize]) {
        let picture = &self.pictures[noise.below(self.pictures.len())];
        let first = noise.below(picture.len());
        let other = if own { noise.below(picture.len()) } else { first + 1 + noise.below(picture.len() - 1) };
        let other = other % picture.len();
        (&self.captions[picture[first]], &self.captions[picture[other]])
    }
}

/// Captions as paraphrasers learn from them: batches of captions of one length, each with another one of its picture.
pub struct CaptionPairs {
    paraphrases: Paraphrases,
    /// Captions by number of words, each with its picture.
    by_length: Vec<Vec<(usize, usize)>>,
}

impl CaptionPairs {
    /// Those of these captions.
    pub fn new(paraphrases: Paraphrases) -> Self {
        let longest = paraphrases.captions.iter().map(Vec::len).max().unwrap_or(0);
        let mut by_length = vec![Vec::new(); longest + 1];
        for (picture, captions) in paraphrases.pictures.iter().enumerate() {
            for &caption in captions {
                by_length[paraphrases.captions[caption].len()].push((picture, caption));
            }
        }
        Self { paraphrases, by_length }
    }
}

impl Source for CaptionPairs {
    fn batch(&self, size: usize, noise: &mut Noise) -> CaptionBatch<'static> {
        let Paraphrases { captions, pictures } = &self.paraphrases;
        if captions.is_empty() {
            return CaptionBatch::of_paraphrases(Vec::new(), 1, &[]);
        }
        // A caption at random decides the length of all.
        let words = captions[noise.below(captions.len())].len();
        let of_length = &self.by_length[words];
        let (mut ids, mut read) = (Vec::with_capacity(size * words), Vec::with_capacity(size));
        for _ in 0..size {
            let (picture, said) = of_length[noise.below(of_length.len())];
            let others: Vec<usize> =
                pictures[picture].iter().copied().filter(|&other| other != said).collect();
            ids.extend(&captions[said]);
            read.push(captions[others[noise.below(others.len())]].as_slice());
        }
        CaptionBatch::of_paraphrases(ids, words, &read)
    }

    fn held_out_batch(&self, _: usize, _: &mut Noise) -> Option<CaptionBatch<'static>> {
        None
    }
}

/// The ids of a caption that is in its data set's own vocabulary.
fn ids(vocabulary: &Vocabulary, caption: &str) -> Vec<usize> {
    vocabulary.tokens(caption).expect("the data set's captions are in its vocabulary").ids
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_have_two_wordings_of_each_pair() {
        let none = mnist_captions::Bans::default();
        let all = Paraphrases::of_digits(&none);
        assert_eq!((all.pictures.len(), all.captions.len()), (200, 400));
        let vocabulary = mnist_captions::vocabulary();
        let left = ids(&vocabulary, "the digit 3 is on the left of the digit 8");
        let right = ids(&vocabulary, "the digit 8 is on the right of the digit 3");
        let at = all.captions.iter().position(|caption| *caption == left).expect("it is said");
        let picture = all.pictures.iter().find(|picture| picture.contains(&at)).expect("of a picture");
        assert!(picture.iter().any(|&caption| all.captions[caption] == right));
        let banned = Paraphrases::of_digits(&mnist_captions::Bans::draw(1));
        assert!(banned.pictures.len() < 200, "held-out compositions are left out");
    }

    #[test]
    fn batches_are_of_one_length_and_say_what_was_read_in_other_words() {
        let mut noise = Noise::new(1);
        let all = Paraphrases::of_scenes(60, &scenes::Bans::draw(1), &mut noise);
        let pairs = CaptionPairs::new(all.clone());
        let of = |caption: &[usize]| -> BTreeSet<usize> {
            let said = |picture: &Vec<usize>| picture.iter().any(|&c| all.captions[c] == caption);
            (0..all.pictures.len()).filter(|&at| said(&all.pictures[at])).collect()
        };
        for _ in 0..20 {
            let batch = pairs.batch(7, &mut noise);
            assert_eq!((batch.len(), batch.ids.len(), batch.read_sentences().len()), (7, 7 * batch.words, 7));
            for (said, read) in batch.ids.chunks(batch.words).zip(batch.read_sentences()) {
                assert_ne!(said, read);
                assert!(!of(said).is_disjoint(&of(read)));
            }
            let part = batch.slice(2, 4);
            assert_eq!(part.read_sentences(), batch.read_sentences()[2..4]);
        }
    }

    #[test]
    fn pairs_are_of_one_picture_and_parts_share_none() {
        let mut noise = Noise::new(1);
        let all = Paraphrases::of_scenes(60, &scenes::Bans::draw(1), &mut noise);
        let (train, test) = all.split(0.25, 2);
        assert_eq!(train.pictures.len() + test.pictures.len(), all.pictures.len());
        assert!((5..30).contains(&test.pictures.len()), "{}", test.pictures.len());
        for _ in 0..200 {
            let (one, other) = train.pair(false, &mut noise);
            assert_ne!(one, other);
            let of = |caption: &[usize]| -> BTreeSet<usize> {
                let pictures = train.pictures.iter().enumerate();
                let said = |picture: &Vec<usize>| picture.iter().any(|&c| train.captions[c] == caption);
                pictures.filter(|(_, picture)| said(picture)).map(|(at, _)| at).collect()
            };
            assert!(!of(one).is_disjoint(&of(other)));
        }
    }
}
