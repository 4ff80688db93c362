//! CIDEr-D (Vedantam, Zitnick & Parikh 2015, *CIDEr: Consensus-based Image Description Evaluation*): how much a sentence
//! is like those that people said of the same picture, words that all say of everything counting little.

use std::collections::HashMap;
use std::hash::Hash;

/// The longest n-grams that are counted.
const ORDERS: usize = 4;
/// Standard deviation of a sentence's length from a reference's, words.
const LENGTH_DEVIATION: f64 = 6.0;
/// What the published figures are multiplied by.
const SCALE: f64 = 10.0;

/// How often each n-gram stands in a sentence.
pub fn grams<T: Eq + Hash>(words: &[T], n: usize) -> HashMap<&[T], usize> {
    let mut counts = HashMap::new();
    words.windows(n).for_each(|gram| *counts.entry(gram).or_insert(0) += 1);
    counts
}

/// References of pictures, and in how many pictures' each n-gram stands.
pub struct Cider<'a, T> {
    references: &'a [Vec<Vec<T>>],
    pictures_with: HashMap<&'a [T], usize>,
}

/// The n-grams of a sentence with their weights, and the length of that vector.
struct Weighed<'a, T> {
    weights: HashMap<&'a [T], f64>,
    norm: f64,
}

impl<'a, T: Eq + Hash> Cider<'a, T> {
    /// From the references of each picture.
    pub fn of(references: &'a [Vec<Vec<T>>]) -> Self {
        let mut pictures_with = HashMap::new();
        for references in references {
            let mut seen = HashMap::new();
            for n in 1..=ORDERS {
                references.iter().for_each(|reference| seen.extend(grams(reference, n)));
            }
            seen.into_keys().for_each(|gram| *pictures_with.entry(gram).or_insert(0) += 1);
        }
        Self { references, pictures_with }
    }

    /// Of a sentence about a picture, 0 to 10.
    ///
    /// **Equation** `10/4 Σ_n 1/R Σ_r e^{−(l − l_r)² / 2·6²} Σ min(g, g_r) g_r / (‖g‖ ‖g_r‖)`, g the counts of the
    /// n-grams times `ln(pictures / pictures with it)`.
    pub fn score(&self, sentence: &[T], picture: usize) -> f64 {
        let references = &self.references[picture];
        let mut sum = 0.0;
        for n in 1..=ORDERS {
            let said = self.weighed(sentence, n);
            for reference in references {
                let off = sentence.len().abs_diff(reference.len()) as f64 / LENGTH_DEVIATION;
                sum += (-off * off / 2.0).exp() * said.likeness(&self.weighed(reference, n));
            }
        }
        SCALE * sum / (ORDERS * references.len().max(1)) as f64
    }

    fn weighed<'b>(&self, words: &'b [T], n: usize) -> Weighed<'b, T> {
        let weight = |gram: &[T]| {
            let with = self.pictures_with.get(gram).copied().unwrap_or(0).max(1);
            (self.references.len() as f64 / with as f64).ln()
        };
        let weights: HashMap<_, _> =
            grams(words, n).into_iter().map(|(gram, count)| (gram, count as f64 * weight(gram))).collect();
        let norm = weights.values().map(|weight| weight * weight).sum::<f64>().sqrt();
        Weighed { weights, norm }
    }
}

impl<T: Eq + Hash> Weighed<'_, T> {
    /// The cosine to a reference, nothing counted more often than there.
    fn likeness(&self, reference: &Weighed<T>) -> f64 {
        let norms = self.norm * reference.norm;
        let both = |(gram, weight): (&&[T], &f64)| {
            reference.weights.get(*gram).map_or(0.0, |other| weight.min(*other) * other)
        };
        if norms > 0.0 { self.weights.iter().map(both).sum::<f64>() / norms } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(sentence: &str) -> Vec<&str> {
        sentence.split(' ').collect()
    }

    #[test]
    fn a_sentence_of_its_picture_scores_and_what_all_say_does_not() {
        let references = [
            vec![words("a dog runs on the grass"), words("a brown dog on grass")],
            vec![words("a man rides a horse"), words("the man on a horse")],
        ];
        let cider = Cider::of(&references);
        let alone = [vec![words("a dog runs on the grass")], vec![words("a man rides a horse")]];
        assert!((Cider::of(&alone).score(&alone[0][0], 0) - 10.0).abs() < 1e-9);
        assert_eq!(cider.score(&words("a"), 0), 0.0);
        let of = |sentence: &str| cider.score(&words(sentence), 0);
        assert!(
            of("a dog runs on the grass") > of("a dog runs") && of("a dog runs") > of("a man rides a horse")
        );
        assert!(of("dog dog dog dog dog") < of("a dog on the grass"));
        // By hand: of either reference three words are said of one picture alone, "dog" among them; "a", "on" and "the"
        // are said of both.
        let lengths = [(-25.0f64 / 72.0).exp(), (-16.0f64 / 72.0).exp()];
        let expected = 10.0 / 8.0 * (lengths[0] + lengths[1]) / 3f64.sqrt();
        assert!((of("dog") - expected).abs() < 1e-9, "{} {expected}", of("dog"));
    }
}
