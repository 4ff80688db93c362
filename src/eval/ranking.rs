//! Which sentence belongs to which picture: recall among the first few, and the median rank.

use serde::Serialize;

/// How early what is right comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Recall {
    /// Queries.
    pub queries: usize,
    /// Shares of the queries whose right answer is first, among the first five, and among the first ten, percent.
    pub first: f64,
    /// See `first`.
    pub first_five: f64,
    /// See `first`.
    pub first_ten: f64,
    /// The median rank, from 1, rounded down as the field does.
    pub median_rank: usize,
}

impl Recall {
    /// Of ranks from 0.
    pub fn of(mut ranks: Vec<usize>) -> Self {
        if ranks.is_empty() {
            return Self::default();
        }
        ranks.sort_unstable();
        let queries = ranks.len();
        let within =
            |most: usize| 100.0 * ranks.iter().filter(|&&rank| rank < most).count() as f64 / queries as f64;
        let median_rank = usize::midpoint(ranks[(queries - 1) / 2], ranks[queries / 2]) + 1;
        Self { queries, first: within(1), first_five: within(5), first_ten: within(10), median_rank }
    }
}

/// Recall both ways.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Ranking {
    /// Picture → sentence: the first right sentence of each picture, among all sentences.
    pub annotation: Recall,
    /// Sentence → picture: the right picture of each sentence, among all pictures.
    pub search: Recall,
}

impl Ranking {
    /// Of scores [sentence, picture]; `owners` is the picture of each sentence. A right answer ranks behind wrong
    /// ones with the same score, or with a score that is no number.
    ///
    /// **Panics** when there is no score for each sentence and picture.
    pub fn of(scores: &[f32], owners: &[usize], pictures: usize) -> Self {
        assert_eq!(scores.len(), owners.len() * pictures, "a score for each sentence and picture");
        let score = |sentence: usize, picture: usize| scores[sentence * pictures + picture];
        // Not "at least": what is no number is neither above nor below.
        let before =
            |other: f32, right: f32| !matches!(other.partial_cmp(&right), Some(std::cmp::Ordering::Less));
        let annotation = (0..pictures).filter(|picture| owners.contains(picture)).map(|picture| {
            let right = |sentence: usize| owners[sentence] == picture;
            let best = (0..owners.len()).filter(|&sentence| right(sentence));
            let best = best.map(|sentence| score(sentence, picture)).fold(f32::NEG_INFINITY, f32::max);
            let wrong = (0..owners.len()).filter(|&sentence| !right(sentence));
            wrong.filter(|&sentence| before(score(sentence, picture), best)).count()
        });
        let search = owners.iter().enumerate().map(|(sentence, &owner)| {
            let right = score(sentence, owner);
            let wrong = (0..pictures).filter(|&picture| picture != owner);
            wrong.filter(|&picture| before(score(sentence, picture), right)).count()
        });
        Self { annotation: Recall::of(annotation.collect()), search: Recall::of(search.collect()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three pictures; the first has two sentences, the others one each.
    ///
    /// Sentences for pictures: a (3, 4, 0), b (2, 0, 0), c (5, 4, 1), d (1, 1, 1).
    #[test]
    fn ranks_by_hand() {
        let scores = [3.0, 4.0, 0.0, 2.0, 0.0, 0.0, 5.0, 4.0, 1.0, 1.0, 1.0, 1.0];
        let found = Ranking::of(&scores, &[0, 0, 1, 2], 3);
        // The first picture has c before a; the second has a tied with c; the third has c tied with d.
        let annotation =
            Recall { queries: 3, first: 0.0, first_five: 100.0, first_ten: 100.0, median_rank: 2 };
        assert_eq!(found.annotation, annotation);
        // a has the second picture first; b is right; c has the first picture first; d cannot tell: ranks 1, 0, 1, 2.
        let search = Recall { queries: 4, first: 25.0, first_five: 100.0, first_ten: 100.0, median_rank: 2 };
        assert_eq!(found.search, search);
    }

    #[test]
    fn what_is_no_number_is_never_right() {
        let found = Ranking::of(&[f32::NAN; 4], &[0, 1], 2);
        assert_eq!((found.search.first, found.annotation.first), (0.0, 0.0));
        assert_eq!(found.search.median_rank, 2);
    }

    #[test]
    fn medians_are_rounded_down() {
        assert_eq!(Recall::of(vec![0, 1, 2, 9]).median_rank, 2);
        assert_eq!(Recall::of(vec![4, 0, 2]).median_rank, 3);
        assert_eq!(Recall::of(Vec::new()), Recall::default());
    }
}
