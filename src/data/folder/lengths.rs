//! Captions by their number of words: a batch has captions of one length.

use crate::data::noise::Noise;

/// Draws `size` of the captions, all of one length: that of a caption at random. None where there are no captions.
pub fn of_one_length<'a, T>(by_length: &'a [Vec<T>], size: usize, noise: &mut Noise) -> Vec<&'a T> {
    let mut at = noise.below(by_length.iter().map(Vec::len).sum::<usize>().max(1));
    let of_length = by_length.iter().find(|of_length| {
        let found = at < of_length.len();
        at = at.saturating_sub(of_length.len());
        found
    });
    let drawn = |of_length: &'a Vec<T>| (0..size).map(|_| &of_length[noise.below(of_length.len())]).collect();
    of_length.map(drawn).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_of_one_length_and_each_length_is_drawn_as_often_as_it_is_said() {
        let by_length = [vec![], vec![1, 1, 1], vec![], vec![3]];
        let mut noise = Noise::new(1);
        let mut threes = 0;
        for _ in 0..400 {
            let drawn = of_one_length(&by_length, 5, &mut noise);
            assert!(drawn.len() == 5 && drawn.iter().all(|length| *length == drawn[0]));
            threes += usize::from(*drawn[0] == 3);
        }
        assert!((70..130).contains(&threes), "{threes} of 400, a quarter is expected");
        assert!(of_one_length::<usize>(&[vec![]], 5, &mut noise).is_empty());
    }
}
