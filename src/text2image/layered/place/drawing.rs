//! Places are drawn code after code, by bands of rows.

use burn::tensor::{Device, Int, Tensor};

use super::prior::{NEIGHBOURS, SUM_SCALE};
use super::{CodesConfig, Known, PlaceCodes, Seen};
use crate::nn::{indices, on_device};

/// Codes less probable than this share of the most probable one are not drawn: there are a thousand of them, and of
/// some hundred squares one would else be a stray. Each of the codes that show a star is seldom, too.
const LEAST_SHARE: f32 = 0.003;

/// The share of a normal distribution below each of some numbers (Abramowitz & Stegun 1964, 26.2.17; to 7·10⁻⁸).
pub fn quantiles(noise: &[f32]) -> Vec<f32> {
    let below = |&x: &f32| {
        let t = 1.0 / (1.0 + 0.231_641_9 * x.abs());
        let powers = [0.319_381_53, -0.356_563_78, 1.781_477_9, -1.821_255_9, 1.330_274_4];
        let series = powers.into_iter().rev().fold(0.0, |sum: f32, factor| t * (sum + factor));
        let tail = series * (-0.5 * x * x).exp() / std::f32::consts::TAU.sqrt();
        if x < 0.0 { tail } else { 1.0 - tail }
    };
    noise.iter().map(below).collect()
}

/// The codes that are drawn so far.
#[derive(Clone, Debug)]
pub struct Grid {
    /// What lies outside, then the codes in the order in which they were drawn [picture, 1 + code, E].
    embedded: Tensor<3>,
    /// Which of these each cell of the canvas is, row by row; 0: not drawn yet.
    at: Vec<usize>,
    /// The codes themselves, band by band [picture, code].
    bands: Vec<Tensor<2>>,
}

/// Rows of codes that are drawn together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    /// The first row.
    pub from: usize,
    /// The row after the last.
    pub until: usize,
}

impl Band {
    /// The rows of a step of several.
    pub fn of(step: usize, steps: usize, rows: usize) -> Self {
        Self { from: step * rows / steps, until: (step + 1) * rows / steps }
    }

    /// Sets of cells (row, column) of which each knows all that it hears once those before it are drawn.
    fn fronts(self, columns: usize) -> Vec<Vec<[usize; 2]>> {
        let Self { from, until } = self;
        let rows = until - from;
        let front = |at: usize| -> Vec<[usize; 2]> {
            (0..rows)
                .filter_map(|row| {
                    at.checked_sub(2 * row).filter(|column| *column < columns).map(|c| [from + row, c])
                })
                .collect()
        };
        (0..columns + 2 * rows - 2).map(front).collect()
    }
}

impl Grid {
    /// One picture of the batch.
    pub fn picture(&self, at: usize) -> Self {
        let bands = self.bands.iter().map(|band| band.clone().narrow(0, at, 1)).collect();
        Self { embedded: self.embedded.clone().narrow(0, at, 1), at: self.at.clone(), bands }
    }

    /// All codes of pictures that are drawn to the end [picture · row · column].
    pub fn codes(&self) -> Tensor<1, Int> {
        Tensor::cat(self.bands.clone(), 1).flatten::<1>(0, 1).int()
    }

    /// Which of the embeddings a neighbour of a cell is.
    fn neighbour(&self, [row, column]: [usize; 2], [down, across]: [isize; 2], columns: usize) -> usize {
        let place = row.checked_add_signed(down).zip(column.checked_add_signed(across));
        place
            .filter(|(_, column)| *column < columns)
            .map_or(0, |(row, column)| self.at[row * columns + column])
    }
}

impl PlaceCodes {
    /// Nothing is drawn yet.
    pub fn begin(&self, batch: usize, [rows, columns]: [usize; 2]) -> Grid {
        let embedding = self.prior.embedding.val();
        let [codes, _] = embedding.dims();
        let outside = embedding.narrow(0, codes - 1, 1).unsqueeze_dim::<3>(0).repeat_dim(0, batch);
        Grid { embedded: outside, at: vec![0; rows * columns], bands: Vec::new() }
    }

    /// Draws a band of pictures whose places are said to be `said` [picture, H]: the codes [picture · row · column] of
    /// the band. `chances` [picture, row · column], of the whole canvas, are uniform in 0 to 1: a code is drawn by
    /// where its chance falls among all codes from dark to light. What is known is not drawn but taken; strays
    /// then stay possible, as a bound wants it.
    pub fn draw(
        &self,
        grid: Grid,
        said: &Tensor<2>,
        [_, columns]: [usize; 2],
        band: Band,
        chances: &Tensor<2>,
        known: Option<&Known>,
    ) -> (Grid, Tensor<1, Int>) {
        let device = said.device();
        let mut grid = grid;
        let [batch, mut drawn_before, size] = grid.embedded.dims();
        let said = self.prior.said.forward(said);
        // Of each row the sum of what is drawn of it.
        let mut sums: Vec<Tensor<3>> = vec![Tensor::zeros([batch, 1, size], &device); band.until - band.from];
        let (mut drawn, mut order) = (Vec::new(), Vec::new());
        for front in band.fronts(columns) {
            let count = front.len();
            let cells =
                |of: &dyn Fn([usize; 2]) -> usize| indices(front.iter().map(|&at| of(at)).collect(), &device);
            let flat = cells(&|[row, column]| row * columns + column);
            let heard =
                front.iter().flat_map(|&at| NEIGHBOURS.map(|to| grid.neighbour(at, to, columns))).collect();
            let neighbours = grid.embedded.clone().select(1, indices(heard, &device));
            let neighbours = neighbours.reshape([batch, count, NEIGHBOURS.len() * size]);
            let left = Tensor::cat(front.iter().map(|[row, _]| sums[row - band.from].clone()).collect(), 1);
            let context = Tensor::cat(vec![neighbours, left / SUM_SCALE], 2);
            let every = |table: Tensor<2>, axis| {
                let wide =
                    table.unsqueeze_dim::<3>(axis).repeat_dim(axis, if axis == 0 { batch } else { count });
                wide.flatten::<2>(0, 1)
            };
            let seen = Seen {
                context: context.flatten(0, 1),
                said: every(said.clone(), 1),
                position: every(self.prior.position.val().select(0, flat.clone()), 0),
            };
            let of = |table: Tensor<2>| table.select(1, flat.clone()).flatten::<1>(0, 1);
            let least = if known.is_some() { 0.0 } else { LEAST_SHARE };
            let mut codes = chosen(self.prior.scores(&seen), of(chances.clone()), least);
            if let Some(known) = known {
                let whole = |values: Tensor<1>| of(values.reshape([batch as i32, -1]));
                let explained = whole(known.explained.clone());
                codes =
                    codes * (explained.clone() * -1.0 + 1.0) + whole(known.codes.clone().float()) * explained;
            }
            let new = self.prior.embedding.val().select(0, codes.clone().int()).reshape([batch, count, size]);
            for (at, [row, column]) in front.iter().enumerate() {
                let sum = &mut sums[row - band.from];
                *sum = sum.clone() + new.clone().narrow(1, at, 1);
                grid.at[row * columns + column] = drawn_before + at;
            }
            drawn_before += count;
            grid.embedded = Tensor::cat(vec![grid.embedded, new], 1);
            drawn.push(codes.reshape([batch, count]));
            order.extend(front);
        }
        let codes = Tensor::cat(drawn, 1).select(1, raster(&order, band, columns, &device));
        grid.bands.push(codes.clone());
        (grid, codes.flatten::<1>(0, 1).int())
    }

    /// Colours of a band [picture, 3, its rows, width].
    pub fn colours(
        &self,
        config: &CodesConfig,
        codes: Tensor<1, Int>,
        band: Band,
        columns: usize,
    ) -> Tensor<4> {
        let rows = band.until - band.from;
        let [all] = codes.dims();
        self.codebook.colours(config, codes, [all / (rows * columns), rows, columns])
    }
}

/// Where in the order of drawing each code of a band stands, row by row.
fn raster(order: &[[usize; 2]], band: Band, columns: usize, device: &Device) -> Tensor<1, Int> {
    let mut at = vec![0; order.len()];
    order
        .iter()
        .enumerate()
        .for_each(|(drawn, [row, column])| at[(row - band.from) * columns + column] = drawn);
    indices(at, device)
}

/// The code at which the chances of all up to it [code, K] reach a chance [code], codes below a share of the most
/// probable one left out.
fn chosen(scores: Tensor<2>, chances: Tensor<1>, least: f32) -> Tensor<1> {
    let [rows, codes] = scores.dims();
    let shares = (scores.clone() - scores.max_dim(1)).exp();
    let kept = shares.clone() * shares.greater_equal_elem(least).float();
    let up_to = running_sums(kept);
    let all = up_to.clone().narrow(1, codes - 1, 1);
    let below = up_to.lower_equal(all * chances.reshape([rows, 1])).float();
    below.sum_dim(1).squeeze_dim::<1>(1).clamp_max((codes - 1) as f32)
}

/// Sums of all numbers of a row up to each [row, n]: inside blocks by a product with ones, which is all that the
/// browser's engine then needs.
fn running_sums(x: Tensor<2>) -> Tensor<2> {
    let ([rows, len], device) = (x.dims(), x.device());
    let block =
        (1..=len).filter(|block| len.is_multiple_of(*block) && block * block <= len).max().unwrap_or(1);
    let blocks = len / block;
    let ones = |n: usize, from: usize| -> Tensor<2> {
        let values = (0..n * n).map(|at| f32::from(at / n + from <= at % n)).collect();
        on_device(values, [n, n], &device)
    };
    let inside = x.reshape([rows * blocks, block]).matmul(ones(block, 0));
    let before = inside.clone().narrow(1, block - 1, 1).reshape([rows, blocks]).matmul(ones(blocks, 1));
    (inside + before.reshape([rows * blocks, 1])).reshape([rows, len])
}

#[cfg(test)]
mod tests {
    use burn::tensor::activation::softmax;

    use super::*;
    use crate::data::noise::Noise;
    use crate::nn::floats;
    use crate::nn::start::Start;

    const CELLS: [usize; 2] = [5, 4];
    const SIZES: CodesConfig = CodesConfig { codes: 7, side: 2, embedding_size: 3, hidden_size: 6 };

    fn codes(device: &Device) -> PlaceCodes {
        let mut start = Start::new(4, device);
        PlaceCodes::fresh(&SIZES, CELLS, 5, &mut start)
    }

    /// The codes of pictures in bands, and the chances that they were drawn by.
    fn drawn(
        codes: &PlaceCodes,
        said: &Tensor<2>,
        steps: usize,
        known: Option<&Known>,
    ) -> (Tensor<1, Int>, Vec<f32>) {
        let [batch, _] = said.dims();
        let cells = CELLS[0] * CELLS[1];
        let chances: Vec<f32> = (0..batch * cells).map(|at| (at as f32 * 0.618).fract()).collect();
        let table = on_device(chances.clone(), [batch, cells], &said.device());
        let mut grid = codes.begin(batch, CELLS);
        for step in 0..steps {
            grid = codes.draw(grid, said, CELLS, Band::of(step, steps, CELLS[0]), &table, known).0;
        }
        (grid.codes(), chances)
    }

    fn said(device: &Device) -> Tensor<2> {
        on_device(Noise::new(2).normals(2 * 5), [2, 5], device)
    }

    /// Drawn front by front, a code hears what the prior hears of whole pictures, and is where its chance falls.
    #[test]
    fn codes_are_drawn_from_the_prior() {
        let device = Device::flex();
        let (codes, said) = (codes(&device), said(&device));
        let (found, chances) = drawn(&codes, &said, 2, None);
        let shares = floats(softmax(codes.prior.all_scores(&found, &said, CELLS), 1).into_data());
        let found: Vec<i64> = found.into_data().iter::<i64>().collect();
        let mut different = std::collections::BTreeSet::new();
        for ((code, chance), shares) in found.iter().zip(chances).zip(shares.chunks_exact(SIZES.codes)) {
            let most = shares.iter().copied().fold(0.0, f32::max);
            let kept: Vec<f32> =
                shares.iter().map(|&s| if s >= LEAST_SHARE * most { s } else { 0.0 }).collect();
            let total: f32 = kept.iter().sum();
            let below: f32 = kept[..*code as usize].iter().sum();
            let until = below + kept[*code as usize];
            assert!(below <= chance * total + 1e-5 && chance * total <= until + 1e-5, "{code} of {kept:?}");
            different.insert(*code);
        }
        assert!(different.len() > 2, "{different:?}");
    }

    #[test]
    fn bands_do_not_change_what_is_drawn_and_what_is_known_is_taken() {
        let device = Device::flex();
        let (codes, said) = (codes(&device), said(&device));
        let ints = |codes: Tensor<1, Int>| codes.into_data().iter::<i64>().collect::<Vec<_>>();
        let whole = ints(drawn(&codes, &said, 1, None).0);
        assert_eq!(ints(drawn(&codes, &said, 5, None).0), whole);
        let all = whole.len();
        let given: Vec<usize> = (0..all).map(|at| at % SIZES.codes).collect();
        let explained: Vec<f32> = (0..all).map(|at| f32::from(at % 3 == 0)).collect();
        let known =
            Known { codes: indices(given.clone(), &device), explained: on_device(explained, [all], &device) };
        let taken = ints(drawn(&codes, &said, 3, Some(&known)).0);
        assert!((0..all).step_by(3).all(|at| taken[at] == given[at] as i64));
        assert!((0..all).any(|at| taken[at] != given[at] as i64));
    }

    #[test]
    fn running_sums_are_those_of_all_before() {
        let device = Device::flex();
        for len in [1, 7, 12] {
            let x: Vec<f32> = (0..2 * len).map(|at| at as f32 - 3.0).collect();
            let found = floats(running_sums(on_device(x.clone(), [2, len], &device)).into_data());
            for (row, found) in x.chunks(len).zip(found.chunks(len)) {
                let expected: Vec<f32> = (1..=len).map(|until| row[..until].iter().sum()).collect();
                assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn quantiles_are_those_of_the_normal_distribution() {
        let expected = [0.5, 0.841_344_7, 0.022_750_13, 0.998_650_1];
        for (found, expected) in quantiles(&[0.0, 1.0, -2.0, 3.0]).into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
        }
    }
}
