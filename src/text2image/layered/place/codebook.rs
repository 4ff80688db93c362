//! The squares that places are put together from.

use burn::module::{Module, Param};
use burn::tensor::{Int, Tensor};

use super::CodesConfig;
use crate::data::noise::Noise;
use crate::nn::start::Start;
use crate::nn::{floats, on_device};
use crate::text2image::layered::config::CHANNELS;

/// Squares that k-means looks at.
const SQUARES: usize = 80_000;
/// Rounds at most in which the codes are chosen that k-means begins with.
const BEGIN_ROUNDS: usize = 64;
/// Rounds of k-means.
const ROUNDS: usize = 12;
/// Squares whose distances are computed at once.
const CHUNK: usize = 8_192;

/// Squares of pixels, from dark to light.
#[derive(Module, Debug)]
pub struct Codebook {
    /// Colours in 0 to 1 [K, 3·S²].
    pub squares: Param<Tensor<2>>,
}

impl Codebook {
    /// Not fitted yet.
    pub fn black(config: &CodesConfig, start: &Start) -> Self {
        Self { squares: start.constant([config.codes, CHANNELS * config.side * config.side], 0.0) }
    }

    /// Whether [`fit`] has filled it.
    pub fn is_fitted(&self) -> bool {
        floats(self.squares.val().into_data()).iter().any(|colour| *colour != 0.0)
    }

    /// The code of each square of pictures [picture, 3, height, width], row by row, and the mean square of its error
    /// [picture · row · column].
    pub fn nearest(&self, config: &CodesConfig, images: &Tensor<4>) -> (Tensor<1, Int>, Tensor<1>) {
        let squares = cut(images, config.side);
        let (codes, distances) = nearest(&squares, &self.squares.val());
        (codes, distances / (CHANNELS * config.side * config.side) as f32)
    }

    /// How many codes there are (K).
    pub fn len(&self) -> usize {
        let [codes, _] = self.squares.val().dims();
        codes
    }

    /// Pictures [picture, 3, rows·S, columns·S] of codes [picture · row · column]; white where the code is K.
    pub fn colours(
        &self,
        config: &CodesConfig,
        codes: Tensor<1, Int>,
        [batch, rows, columns]: [usize; 3],
    ) -> Tensor<4> {
        let s = config.side;
        let squares = self.squares.val();
        let white = Tensor::ones([1, CHANNELS * s * s], &squares.device());
        let squares = Tensor::cat(vec![squares, white], 0).select(0, codes);
        let squares: Tensor<6> = squares.reshape([batch, rows, columns, CHANNELS, s, s]);
        squares.permute([0, 3, 1, 4, 2, 5]).reshape([batch, CHANNELS, rows * s, columns * s])
    }
}

/// Pictures [picture, 3, height, width] in squares [picture · row · column, 3·S²].
fn cut(images: &Tensor<4>, side: usize) -> Tensor<2> {
    let [batch, channels, height, width] = images.dims();
    let (rows, columns) = (height / side, width / side);
    let cut: Tensor<6> = images.clone().reshape([batch, channels, rows, side, columns, side]);
    cut.permute([0, 2, 4, 1, 3, 5]).reshape([batch * rows * columns, channels * side * side])
}

/// The nearest of some codes [K, n] to each of some squares [square, n], and the square of the distance.
fn nearest(squares: &Tensor<2>, codes: &Tensor<2>) -> (Tensor<1, Int>, Tensor<1>) {
    let own = squares.clone().square().sum_dim(1);
    let lengths: Tensor<2> = codes.clone().square().sum_dim(1).transpose();
    let distances = lengths - squares.clone().matmul(codes.clone().transpose()) * 2.0;
    let (least, at) = distances.min_dim_with_indices(1);
    (at.squeeze_dim(1), (least + own).clamp_min(0.0).squeeze_dim(1))
}

/// A codebook of the squares of pictures by k-means (Lloyd 1982), begun with squares that are far from each other
/// (k-means++, Arthur & Vassilvitskii 2007, some at once), sorted from dark to light.
///
/// `images` gives batches of pictures [picture, 3, height, width].
pub fn fit(config: &CodesConfig, mut images: impl FnMut() -> Tensor<4>, noise: &mut Noise) -> Codebook {
    let width = CHANNELS * config.side * config.side;
    let mut rows: Vec<f32> = Vec::with_capacity(SQUARES * width);
    let first = images();
    let device = first.device();
    let mut batch = first;
    while rows.len() < SQUARES * width {
        let cut = floats(cut(&batch, config.side).into_data());
        // Half of them: more pictures, of more places.
        rows.extend(cut.chunks_exact(width).filter(|_| noise.uniform() < 0.5).flatten());
        batch = images();
    }
    let chunks: Vec<Tensor<2>> = rows
        .chunks(CHUNK * width)
        .map(|chunk| on_device(chunk.to_vec(), [chunk.len() / width, width], &device))
        .collect();
    let mut codes = begin(config.codes, &rows, &chunks, width, noise);
    for _ in 0..ROUNDS {
        codes = round(&codes, &rows, &chunks, width);
    }
    let mut sorted: Vec<&[f32]> = codes.chunks_exact(width).collect();
    sorted.sort_by(|a, b| a.iter().sum::<f32>().total_cmp(&b.iter().sum::<f32>()));
    Codebook { squares: Start::new(0, &device).tensor(sorted.concat(), [config.codes, width]) }
}

/// Squares that are far from each other [K, n].
fn begin(count: usize, rows: &[f32], chunks: &[Tensor<2>], width: usize, noise: &mut Noise) -> Vec<f32> {
    let (all, at_once) = (rows.len() / width, count.div_ceil(BEGIN_ROUNDS));
    let row = |at: usize| &rows[at * width..][..width];
    let mut codes = row(noise.below(all)).to_vec();
    let mut newest = codes.clone();
    let mut distances = vec![f32::INFINITY; all];
    while codes.len() < count * width {
        let device = chunks[0].device();
        let new: Tensor<2> = on_device(newest.clone(), [newest.len() / width, width], &device);
        let found = chunks.iter().flat_map(|chunk| floats(nearest(chunk, &new).1.into_data()));
        distances.iter_mut().zip(found).for_each(|(distance, found)| *distance = distance.min(found));
        // The chance of a square is as the square of its distance from those that were chosen.
        let total: f64 = distances.iter().map(|distance| f64::from(*distance)).sum();
        newest = Vec::new();
        while newest.len() < at_once * width && codes.len() + newest.len() < count * width {
            let mut left = f64::from(noise.uniform()) * total;
            let at = distances.iter().position(|distance| {
                left -= f64::from(*distance);
                left <= 0.0
            });
            newest.extend_from_slice(row(at.unwrap_or(all - 1)));
        }
        codes.extend_from_slice(&newest);
    }
    codes
}

/// Every code becomes the mean of the squares that it is nearest to.
fn round(codes: &[f32], rows: &[f32], chunks: &[Tensor<2>], width: usize) -> Vec<f32> {
    let count = codes.len() / width;
    let now: Tensor<2> = on_device(codes.to_vec(), [count, width], &chunks[0].device());
    let (mut sums, mut counts) = (vec![0.0f64; codes.len()], vec![0u32; count]);
    let mut squares = rows.chunks_exact(width);
    for chunk in chunks {
        for at in nearest(chunk, &now).0.into_data().iter::<i64>() {
            let at = at as usize;
            counts[at] += 1;
            let square = squares.next().into_iter().flatten();
            sums[at * width..][..width].iter_mut().zip(square).for_each(|(sum, x)| *sum += f64::from(*x));
        }
    }
    let mean = |(at, sum): (usize, f64)| match counts[at / width] {
        0 => codes[at],
        count => (sum / f64::from(count)) as f32,
    };
    sums.into_iter().enumerate().map(mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    /// Pictures of a few squares are put together from exactly these, sorted from dark to light.
    #[test]
    fn a_codebook_finds_the_squares_that_pictures_are_made_of() {
        let config = CodesConfig { codes: 6, side: 2, embedding_size: 1, hidden_size: 1 };
        let device = Device::flex();
        let mut noise = Noise::new(3);
        let squares: Vec<Vec<f32>> = (0..6).map(|_| (0..12).map(|_| noise.uniform()).collect()).collect();
        let book = Codebook { squares: Start::new(0, &device).tensor(squares.concat(), [6, 12]) };
        let mut draws = Noise::new(5);
        let images = || {
            let codes = (0..8 * 20 * 16).map(|_| draws.below(6)).collect();
            book.colours(&config, crate::nn::indices(codes, &device), [8, 20, 16])
        };
        let found = fit(&config, images, &mut noise);
        assert!(found.is_fitted() && !Codebook::black(&config, &Start::new(0, &device)).is_fitted());
        let lights: Vec<f32> =
            floats(found.squares.val().into_data()).chunks(12).map(|square| square.iter().sum()).collect();
        assert!(lights.is_sorted(), "{lights:?}");
        let codes: Vec<usize> = (0..2 * 3 * 4).map(|at| at % 6).collect();
        let picture = book.colours(&config, crate::nn::indices(codes, &device), [2, 3, 4]);
        let (at, errors) = found.nearest(&config, &picture);
        assert!(floats(errors.into_data()).iter().all(|error| *error < 1e-6));
        let again = found.colours(&config, at, [2, 3, 4]);
        assert!(floats((again - picture).abs().max().into_data())[0] < 1e-4);
    }
}
