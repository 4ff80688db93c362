//! Which sentence belongs to which picture: recall among the first few, and the median rank.

use serde::{Deserialize, Serialize};

use super::bound::log_mean_exp;

/// How early what is right comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recall {
    /// Queries.
    pub queries: usize,
    /// Shares of the queries whose right answer is first, among the first five, ten and fifty, percent.
    pub first: f64,
    /// See `first`.
    pub first_five: f64,
    /// See `first`.
    pub first_ten: f64,
    /// See `first`.
    pub first_fifty: f64,
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
        let [first, first_five, first_ten, first_fifty] = [1, 5, 10, 50].map(within);
        Self { queries, first, first_five, first_ten, first_fifty, median_rank }
    }

    /// What blind guessing among so many candidates gives.
    pub fn by_chance(queries: usize, candidates: usize) -> Self {
        let within = |most: f64| (100.0 * most / candidates.max(1) as f64).min(100.0);
        let [first, first_five, first_ten, first_fifty] = [1.0, 5.0, 10.0, 50.0].map(within);
        let median_rank = candidates.div_ceil(2);
        Self { queries, first, first_five, first_ten, first_fifty, median_rank }
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

/// Takes from bounds `log p(x | y)`, [caption, picture], each picture's easiness, `log p(x)`, which is estimated as
/// the log of its mean likelihood over all captions: by Bayes' rule what is left ranks pictures by `p(y | x)`.
pub fn without_easiness(bounds: &[f32], pictures: usize) -> Vec<f32> {
    let easiness: Vec<f64> = (0..pictures)
        .map(|picture| {
            let of_captions = bounds.iter().skip(picture).step_by(pictures);
            log_mean_exp(&of_captions.map(|&bound| f64::from(bound)).collect::<Vec<_>>())
        })
        .collect();
    let corrected = |(at, &bound): (usize, &f32)| (f64::from(bound) - easiness[at % pictures]) as f32;
    bounds.iter().enumerate().map(corrected).collect()
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
        let annotation = Recall {
            queries: 3,
            first: 0.0,
            first_five: 100.0,
            first_ten: 100.0,
            first_fifty: 100.0,
            median_rank: 2,
        };
        assert_eq!(found.annotation, annotation);
        // a has the second picture first; b is right; c has the first picture first; d cannot tell: ranks 1, 0, 1, 2.
        let search = Recall {
            queries: 4,
            first: 25.0,
            first_five: 100.0,
            first_ten: 100.0,
            first_fifty: 100.0,
            median_rank: 2,
        };
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

    #[test]
    fn chance_by_hand() {
        let chance = Recall::by_chance(4, 100);
        assert_eq!((chance.first, chance.first_fifty, chance.median_rank), (1.0, 50.0, 50));
    }

    /// Picture 1 is easy under every caption: raw bounds rank it first for both.
    #[test]
    fn an_easy_picture_does_not_win_every_query() {
        let bounds = [-100.0, -50.0, -110.0, -45.0];
        let found = |scores: &[f32]| Ranking::of(scores, &[0, 1], 2).search.first;
        assert_eq!(found(&bounds), 50.0);
        assert_eq!(found(&without_easiness(&bounds, 2)), 100.0);
    }
}
