//! BLEU (Papineni et al. 2002) of a corpus, as the standard script computes it.

use serde::Serialize;

use crate::data::cider::grams;

/// The longest n-grams that are counted.
const ORDERS: usize = 4;

/// BLEU of a corpus of sentences, each with one or more references.
///
/// **Equation** `BLEU-N = BP · exp(1/N Σ_n log p_n)`: p_n is the share of all n-grams of the candidates that a
/// reference has, each counted at most as often as in the reference that has it most; `BP = min(1, e^{1 − r/c})`
/// with c the words of all candidates and r those of the references that are closest in length, the shorter of
/// two that are equally close. 0 where nothing of an order is shared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Bleu {
    /// BLEU-1 to BLEU-4, 0 to 1.
    pub bleu: [f64; ORDERS],
    /// BP.
    pub brevity_penalty: f64,
    /// Words of all candidates.
    pub words: usize,
    /// Words of the closest references.
    pub reference_words: usize,
    /// Sentences.
    pub sentences: usize,
}

/// A sentence and what it is compared with, all cut into words.
pub struct Compared<'a> {
    /// The sentence.
    pub candidate: Vec<&'a str>,
    /// Its references.
    pub references: Vec<Vec<&'a str>>,
}

/// N-grams of a sentence that its references have, and all of them.
fn matches(compared: &Compared, n: usize) -> (usize, usize) {
    let of_references: Vec<_> = compared.references.iter().map(|reference| grams(reference, n)).collect();
    let (mut shared, mut all) = (0, 0);
    for (gram, count) in grams(&compared.candidate, n) {
        let most = of_references.iter().filter_map(|counts| counts.get(gram)).max();
        shared += count.min(most.copied().unwrap_or(0));
        all += count;
    }
    (shared, all)
}

impl Bleu {
    /// BLEU of these sentences.
    pub fn of(corpus: &[Compared]) -> Self {
        let words = corpus.iter().map(|compared| compared.candidate.len()).sum();
        let closest = |compared: &Compared| {
            let length = compared.candidate.len();
            let lengths = compared.references.iter().map(Vec::len);
            lengths.min_by_key(|&reference| (reference.abs_diff(length), reference)).unwrap_or(0)
        };
        let reference_words: usize = corpus.iter().map(closest).sum();
        let brevity_penalty = match words {
            0 => 0.0,
            words if words >= reference_words => 1.0,
            words => (1.0 - reference_words as f64 / words as f64).exp(),
        };
        let mut log_sum = 0.0;
        let bleu = std::array::from_fn(|at| {
            let (mut shared, mut all) = (0, 0);
            for compared in corpus {
                let (of_this, in_all) = matches(compared, at + 1);
                shared += of_this;
                all += in_all;
            }
            // The logarithm of 0 makes this order and all longer ones 0.
            log_sum += (shared as f64 / all.max(1) as f64).ln();
            brevity_penalty * (log_sum / (at + 1) as f64).exp()
        });
        Self { bleu, brevity_penalty, words, reference_words, sentences: corpus.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CORPUS: [(&str, &[&str]); 4] = [
        (
            "a dog runs across the green grass",
            &[
                "a dog is running across the grass",
                "a brown dog runs over green grass",
                "the dog runs across the green field",
            ],
        ),
        (
            "two men are playing football on the field",
            &[
                "two men play football",
                "men are playing soccer on the field",
                "two players on the field are playing football",
            ],
        ),
        ("a red bus", &["a red bus parked on the street", "the red bus is parked"]),
        ("the the the the the the the", &["the cat is on the mat", "there is a cat on the mat"]),
    ];

    fn of(sentences: &[(&str, &[&str])]) -> Bleu {
        let corpus = sentences.iter().map(|(candidate, references)| Compared {
            candidate: candidate.split(' ').collect(),
            references: references.iter().map(|reference| reference.split(' ').collect()).collect(),
        });
        Bleu::of(&corpus.collect::<Vec<_>>())
    }

    /// Values of sacrebleu 2.6.0, without smoothing and tokenising. (nltk counts an n-gram of every order in every
    /// sentence, also in "a red bus".)
    #[test]
    fn a_corpus_has_the_values_of_sacrebleu() {
        for (sentences, expected) in [
            (&CORPUS[..], [0.738_493_077_109, 0.674_148_861_490, 0.556_936_554_396, 0.395_767_442_033]),
            (&CORPUS[..3], [0.894_839_316_814, 0.864_496_911_151, 0.730_683_972_272, 0.527_752_527_345]),
            (&CORPUS[..1], [1.0, 1.0, 0.843_432_665_302, 0.740_082_804_492]),
        ] {
            let found = of(sentences).bleu;
            let near = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-11);
            assert!(near, "{found:?}");
        }
    }

    /// Of seven times "the" a reference has two: 2/7; no pair is shared. Seven words, the closest reference has
    /// seven: no penalty.
    #[test]
    fn repeated_words_count_as_often_as_in_a_reference() {
        let bleu = of(&CORPUS[3..]);
        assert!((bleu.bleu[0] - 2.0 / 7.0).abs() < 1e-12 && bleu.brevity_penalty == 1.0, "{bleu:?}");
        assert_eq!(bleu.bleu[1..], [0.0; 3]);
    }

    /// "a red bus" has 3 words, its closest reference 5: e^{1 − 5/3}.
    #[test]
    fn short_sentences_are_punished() {
        let bleu = of(&CORPUS[2..3]);
        assert!((bleu.brevity_penalty - (1.0 - 5.0f64 / 3.0).exp()).abs() < 1e-12, "{bleu:?}");
        assert_eq!((bleu.words, bleu.reference_words), (3, 5));
    }
}
