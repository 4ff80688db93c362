//! What the words of a caption tell of a picture's colours to a linear model: the baseline of retrieval.

use std::collections::BTreeMap;

use nalgebra::{Cholesky, DMatrix, DVector, Dyn};

use crate::model::ImageSize;

/// Squares along each axis whose mean colours are told.
const SIDE: usize = 4;
/// Weight of the squared coefficients against the squared errors of all captions.
const RIDGE: f64 = 300.0;
/// What is added to the variance of every colour's error, so that none is certain.
const LEAST_VARIANCE: f64 = 1e-5;

/// Ridge regression (Hoerl & Kennard 1970) from the words that are in a caption to the mean colours of 4 × 4 squares of
/// its picture, with a Gaussian error of full covariance.
pub struct ColourRegression {
    /// Of each word [V, colour].
    coefficients: DMatrix<f64>,
    /// Of a caption without words [colour].
    offset: DVector<f64>,
    covariance: Cholesky<f64, Dyn>,
}

/// Mean colours of the squares of a picture, planar.
fn colours(picture: &[f32], ImageSize { channels, height, width }: ImageSize) -> DVector<f64> {
    let mut sums = DVector::zeros(channels * SIDE * SIDE);
    let mut pixels = [0.0f64; SIDE * SIDE];
    for (at, &value) in picture.iter().enumerate() {
        let (channel, y, x) = (at / (height * width), at / width % height, at % width);
        let square = y * SIDE / height * SIDE + x * SIDE / width;
        sums[channel * SIDE * SIDE + square] += f64::from(value);
        pixels[square] += 1.0 / channels as f64;
    }
    for (at, sum) in sums.iter_mut().enumerate() {
        *sum /= pixels[at % (SIDE * SIDE)].max(1.0);
    }
    sums
}

/// The ids of a caption, each once.
fn bag(ids: &[usize]) -> Vec<usize> {
    let mut bag = ids.to_vec();
    bag.sort_unstable();
    bag.dedup();
    bag
}

impl ColourRegression {
    /// Learned from captions, each with the number of its picture, whose pixels, planar, `picture` gives; none without
    /// captions.
    pub fn fit(
        captions: &[(usize, Vec<usize>)],
        picture: impl Fn(usize) -> Vec<f32>,
        size: ImageSize,
        vocabulary: usize,
    ) -> Option<Self> {
        let mut targets = BTreeMap::new();
        for (of, _) in captions {
            targets.entry(*of).or_insert_with(|| colours(&picture(*of), size));
        }
        let bags: Vec<(&DVector<f64>, Vec<usize>)> =
            captions.iter().map(|(of, ids)| (&targets[of], bag(ids))).collect();
        let count = bags.len() as f64;
        let colours = bags.first()?.0.len();
        let mean = bags.iter().fold(DVector::zeros(colours), |sum, (target, _)| sum + *target) / count;
        let mut said = DVector::<f64>::zeros(vocabulary);
        let mut together = DMatrix::<f64>::zeros(vocabulary, vocabulary);
        let mut with_colours = DMatrix::<f64>::zeros(vocabulary, colours);
        for (target, bag) in &bags {
            let target = (*target - &mean).transpose();
            for &word in bag {
                said[word] += 1.0 / count;
                bag.iter().for_each(|&other| together[(word, other)] += 1.0);
                let mut row = with_colours.row_mut(word);
                row += &target;
            }
        }
        together.ger(-count, &said, &said, 1.0);
        together += DMatrix::from_diagonal_element(vocabulary, vocabulary, RIDGE);
        // The targets are centred, so that the words need not be.
        let coefficients = together.cholesky()?.solve(&with_colours);
        let offset = &mean - coefficients.tr_mul(&said);
        let mut covariance = DMatrix::from_diagonal_element(colours, colours, LEAST_VARIANCE);
        for (target, bag) in &bags {
            let error = *target - told(&coefficients, &offset, bag);
            covariance.ger(1.0 / count, &error, &error, 1.0);
        }
        Some(Self { covariance: covariance.cholesky()?, coefficients, offset })
    }

    /// Log likelihoods of the pictures [picture, planar] under each caption, but for a constant, nats [caption, picture].
    pub fn scores(&self, captions: &[&[usize]], pictures: &[Vec<f32>], size: ImageSize) -> Vec<f32> {
        let whitened = |colours: DVector<f64>| {
            self.covariance.l_dirty().solve_lower_triangular(&colours).unwrap_or(colours)
        };
        let shown: Vec<_> = pictures.iter().map(|picture| whitened(colours(picture, size))).collect();
        let of = |ids: &&[usize]| {
            let told = whitened(told(&self.coefficients, &self.offset, &bag(ids)));
            shown.iter().map(move |shown| (-0.5 * (shown - &told).norm_squared()) as f32).collect::<Vec<_>>()
        };
        captions.iter().flat_map(of).collect()
    }
}

/// The colours that a bag of words tells.
fn told(coefficients: &DMatrix<f64>, offset: &DVector<f64>, bag: &[usize]) -> DVector<f64> {
    bag.iter().fold(offset.clone(), |sum, &word| sum + coefficients.row(word).transpose())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::noise::Noise;
    use crate::eval::ranking::{Ranking, without_easiness};

    const SIZE: ImageSize = ImageSize { channels: 3, height: 6, width: 7 };

    /// A picture of one colour and some noise.
    fn picture(colour: [f32; 3], noise: &mut Noise) -> Vec<f32> {
        let plane = SIZE.height * SIZE.width;
        let grain = noise.normals(3 * plane);
        grain.iter().enumerate().map(|(at, grain)| colour[at / plane] + 0.02 * grain).collect()
    }

    /// Words 1 to 4 name colours, 0 is said of all, 5 is never said.
    #[test]
    fn colours_that_words_name_are_found() {
        const COLOURS: [[f32; 3]; 4] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.5, 0.5, 0.5]];
        let mut noise = Noise::new(3);
        let of = |at: usize, noise: &mut Noise| picture(COLOURS[at % 4], noise);
        let captions: Vec<(usize, Vec<usize>)> = (0..4_000).map(|at| (at, vec![0, 1 + at % 4, 0])).collect();
        let pictures: Vec<Vec<f32>> = (0..4_000).map(|at| of(at, &mut noise)).collect();
        let model =
            ColourRegression::fit(&captions, |at| pictures[at].clone(), SIZE, 6).expect("it can be solved");
        let tested: Vec<Vec<f32>> = (0..4).map(|at| of(at, &mut noise)).collect();
        let queries: [&[usize]; 4] = [&[1, 0], &[2], &[3, 5], &[4]];
        let scores = without_easiness(&model.scores(&queries, &tested, SIZE), 4);
        assert_eq!(Ranking::of(&scores, &[0, 1, 2, 3], 4).search.first, 100.0, "{scores:?}");
        assert!(ColourRegression::fit(&[], |at| pictures[at].clone(), SIZE, 6).is_none());
    }

    /// Rows of 2 and 1 pixels fall into four squares each way.
    #[test]
    fn colours_are_means_of_squares() {
        let size = ImageSize { channels: 1, height: 4, width: 6 };
        let picture: Vec<f32> = (0..24).map(|at| at as f32).collect();
        let found = colours(&picture, size);
        assert_eq!(found.rows(0, 4).iter().copied().collect::<Vec<_>>(), [0.5, 2.0, 3.5, 5.0]);
        assert_eq!(found[15], 23.0);
    }
}
