//! Retrieval: is a caption's vector nearest to those of the other captions of its picture?

use serde::Serialize;

use super::share::Share;
use crate::data::paraphrases::Paraphrases;

/// What was found among the captions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Retrieval {
    /// Captions to which another one of their picture is the nearest.
    pub first: Share,
    /// Captions that have another one of their picture among the nearest ten.
    pub first_ten: Share,
}

/// Cosine similarity; 0 to a vector of zeros.
fn cosine(a: &[f32], b: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
    let lengths = (dot(a, a) * dot(b, b)).sqrt();
    if lengths > 0.0 { dot(a, b) / lengths } else { 0.0 }
}

impl Retrieval {
    /// Asks with every caption in turn for the others, by the cosine of their vectors [caption, size].
    /// A caption ranks behind all that are more similar and, when they tie, behind those of other
    /// pictures: what cannot tell them apart gains nothing.
    pub fn of(paraphrases: &Paraphrases, vectors: &[f32]) -> Self {
        let size = vectors.len() / paraphrases.captions.len().max(1);
        let vector = |caption: usize| &vectors[caption * size..][..size];
        let mut found = Self::default();
        for (picture, query) in
            paraphrases.pictures.iter().flat_map(|picture| picture.iter().map(move |query| (picture, *query)))
        {
            let likeness = |caption: usize| cosine(vector(query), vector(caption));
            let its = picture.iter().filter(|&&caption| caption != query);
            let best = its.map(|&caption| likeness(caption)).fold(f32::NEG_INFINITY, f32::max);
            let others = (0..paraphrases.captions.len()).filter(|caption| !picture.contains(caption));
            // Rounding must not decide a tie.
            let before = others.filter(|&caption| likeness(caption) >= best - 1e-6).count();
            found.first.add(before < 1);
            found.first_ten.add(before < 10);
        }
        found
    }

    /// The baseline: how often each word is said.
    pub fn of_bags_of_words(paraphrases: &Paraphrases) -> Self {
        let words = paraphrases.captions.iter().flatten().max().map_or(0, |most| most + 1);
        let bags = paraphrases.captions.iter().flat_map(|caption| {
            let mut bag = vec![0.0; words];
            caption.iter().for_each(|&word| bag[word] += 1.0);
            bag
        });
        Self::of(paraphrases, &bags.collect::<Vec<f32>>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three pictures of two captions, on a line of angles: the first picture's are nearest to each other,
    /// the second's have one of the third's between them, the third's are the same as one of the second's.
    #[test]
    fn by_hand() {
        let captions = vec![vec![0], vec![1], vec![2], vec![3], vec![4], vec![5]];
        let pictures = vec![vec![0, 1], vec![2, 3], vec![4, 5]];
        let angles = [0.0f32, 0.1, 1.0, 1.3, 1.3, 1.32];
        let vectors: Vec<f32> = angles.iter().flat_map(|angle| [angle.cos(), angle.sin()]).collect();
        let found = Retrieval::of(&Paraphrases { captions, pictures }, &vectors);
        // 0 and 1 find each other; 2 finds 3 only with 4 beside it, 3 finds 4 first; 4 finds 3 first; 5 finds
        // 3 beside 4.
        assert_eq!(found.first, Share { right: 2, of: 6 });
        assert_eq!(found.first_ten, Share { right: 6, of: 6 });
    }

    /// "3 left of 5" has the words of "5 left of 3", and not those of "5 right of 3": of no pair is the
    /// other wording nearest.
    #[test]
    fn a_bag_of_words_cannot_tell_what_is_left() {
        let bans = crate::data::mnist_captions::Bans::default();
        let found = Retrieval::of_bags_of_words(&Paraphrases::of_digits(&bans));
        assert_eq!(found.first.of, 400);
        assert!(found.first.percent() < 20.0, "{found:?}");
    }
}
