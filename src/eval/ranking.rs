//! Ranking: how near the top the right answer of a query stands.

use serde::{Deserialize, Serialize};

use super::bound::log_mean_exp;

/// Recall at several depths and the median rank (Kiros, Salakhutdinov & Zemel 2014).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ranking {
    /// Queries whose right answer is the first, of 100.
    pub recall_1: f64,
    /// … is among the first five, of 100.
    pub recall_5: f64,
    /// … among the first ten, of 100.
    pub recall_10: f64,
    /// … among the first fifty, of 100.
    pub recall_50: f64,
    /// The median rank, the best being 1, rounded down.
    pub median_rank: usize,
    /// Queries.
    pub queries: usize,
    /// What each was asked among.
    pub candidates: usize,
}

impl Ranking {
    /// Of ranks, the best being 0.
    pub fn of_ranks(mut ranks: Vec<usize>, candidates: usize) -> Self {
        ranks.sort_unstable();
        let queries = ranks.len();
        let within =
            |depth: usize| 100.0 * ranks.partition_point(|&rank| rank < depth) as f64 / queries.max(1) as f64;
        let middle =
            [queries.saturating_sub(1) / 2, queries / 2].map(|at| ranks.get(at).copied().unwrap_or(0));
        Self {
            recall_1: within(1),
            recall_5: within(5),
            recall_10: within(10),
            recall_50: within(50),
            median_rank: (middle[0] + middle[1]) / 2 + 1,
            queries,
            candidates,
        }
    }

    /// What blind guessing gives.
    pub fn by_chance(queries: usize, candidates: usize) -> Self {
        let within = |depth: f64| (100.0 * depth / candidates.max(1) as f64).min(100.0);
        Self {
            recall_1: within(1.0),
            recall_5: within(5.0),
            recall_10: within(10.0),
            recall_50: within(50.0),
            median_rank: candidates.div_ceil(2),
            queries,
            candidates,
        }
    }
}

/// The rank of candidate `right` among `scores`, the highest being 0. Those that tie stand before it, so that a
/// model that cannot tell candidates apart gains nothing.
pub fn rank(scores: &[f32], right: usize) -> usize {
    let own = scores[right];
    scores.iter().enumerate().filter(|&(at, &score)| at != right && score >= own).count()
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

    #[test]
    fn ranks_by_hand() {
        assert_eq!(rank(&[0.1, 0.5, 0.3], 1), 0);
        assert_eq!(rank(&[0.1, 0.5, 0.3], 0), 2);
        assert_eq!(rank(&[0.2, 0.2, 0.2], 0), 2, "ties gain nothing");
        let ranking = Ranking::of_ranks(vec![0, 4, 9, 60], 100);
        assert_eq!(
            [ranking.recall_1, ranking.recall_5, ranking.recall_10, ranking.recall_50],
            [25.0, 50.0, 75.0, 75.0]
        );
        assert_eq!(ranking.median_rank, 7, "4 and 9, the best being 0");
        let chance = Ranking::by_chance(4, 100);
        assert_eq!((chance.recall_50, chance.median_rank), (50.0, 50));
    }

    /// Picture 1 is easy under every caption: raw bounds rank it first for both.
    #[test]
    fn an_easy_picture_does_not_win_every_query() {
        let bounds = [-100.0, -50.0, -110.0, -45.0];
        let raw: Vec<usize> = (0..2).map(|caption| rank(&bounds[2 * caption..][..2], caption)).collect();
        assert_eq!(raw, [1, 0]);
        let corrected = without_easiness(&bounds, 2);
        let ranks: Vec<usize> = (0..2).map(|caption| rank(&corrected[2 * caption..][..2], caption)).collect();
        assert_eq!(ranks, [0, 0]);
    }
}
