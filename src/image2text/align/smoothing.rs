//! Neighbouring words in one region: a Markov random field along the sentence, solved by Viterbi's algorithm.

/// Chooses a region for each word.
///
/// **Equation** `argmax_a Σ_j v_{a_j} · s_j + β Σ_j [a_j = a_{j+1}]` (Karpathy & Fei-Fei 2015, eq. 10 to 12). β = 0
/// gives each word the region that suits it best; the larger β is, the longer the phrases that share one.
///
/// **Deviations** The paper minimises an energy whose printed signs reward neither what it says they reward.
///
/// **Shapes** `similarities` [word, region], `regions` 1 or more; returns a region of each word. O(words · regions):
/// a change costs the same whichever the regions are, so the best word before is either the same region's or the best
/// of all. Of choices that are equally good, staying in a region wins, then the lower number.
pub fn smooth(similarities: &[f32], regions: usize, beta: f32) -> Vec<usize> {
    let rows: Vec<&[f32]> = similarities.chunks_exact(regions).collect();
    let Some((first, rest)) = rows.split_first() else { return Vec::new() };
    let mut totals: Vec<f64> = first.iter().map(|&x| f64::from(x)).collect();
    let mut came_from: Vec<Vec<usize>> = Vec::with_capacity(rest.len());
    for row in rest {
        let best = best_of(&totals);
        let from: Vec<usize> = (0..regions)
            .map(|region| if totals[region] + f64::from(beta) >= totals[best] { region } else { best })
            .collect();
        totals = (0..regions)
            .map(|region| {
                let bonus = if from[region] == region { f64::from(beta) } else { 0.0 };
                totals[from[region]] + bonus + f64::from(row[region])
            })
            .collect();
        came_from.push(from);
    }
    let mut region = best_of(&totals);
    let mut chosen = vec![region];
    for from in came_from.iter().rev() {
        region = from[region];
        chosen.push(region);
    }
    chosen.reverse();
    chosen
}

/// The first of the largest.
fn best_of(totals: &[f64]) -> usize {
    (1..totals.len()).fold(0, |best, at| if totals[at] > totals[best] { at } else { best })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn total(chosen: &[usize], similarities: &[f32], regions: usize, beta: f32) -> f64 {
        let words = chosen.iter().enumerate();
        let suits: f64 = words.map(|(word, &region)| f64::from(similarities[word * regions + region])).sum();
        let shared = chosen.windows(2).filter(|pair| pair[0] == pair[1]).count();
        suits + f64::from(beta) * shared as f64
    }

    proptest! {
        /// No choice of all regions^words is better.
        #[test]
        fn nothing_is_better(
            (regions, similarities) in (1usize..=4, 0usize..=5).prop_flat_map(|(regions, words)| {
                (Just(regions), prop::collection::vec(-2.0f32..2.0, regions * words))
            }),
            beta in 0.0f32..3.0,
        ) {
            let words = similarities.len() / regions;
            let chosen = smooth(&similarities, regions, beta);
            prop_assert_eq!(chosen.len(), words);
            let found = total(&chosen, &similarities, regions, beta);
            for number in 0..regions.pow(words as u32) {
                let choice: Vec<usize> =
                    (0..words).map(|word| number / regions.pow(word as u32) % regions).collect();
                prop_assert!(total(&choice, &similarities, regions, beta) <= found + 1e-6);
            }
        }
    }

    #[test]
    fn beta_draws_words_together() {
        // The middle word would rather be elsewhere, by 1.
        let similarities = [5.0, 0.0, 1.0, 2.0, 5.0, 0.0];
        assert_eq!(smooth(&similarities, 2, 0.0), [0, 1, 0]);
        assert_eq!(smooth(&similarities, 2, 0.4), [0, 1, 0]);
        assert_eq!(smooth(&similarities, 2, 0.6), [0, 0, 0]);
        assert_eq!(smooth(&[1.0, 0.0, 0.0, 1.5, 0.0, 1.5], 2, 100.0), [1, 1, 1]);
    }
}
