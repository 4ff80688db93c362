//! Places are drawn code after code, by bands of rows.

use burn::tensor::activation::softmax;
use burn::tensor::{Device, IndexingUpdateOp, Int, Tensor};

use super::prior::{MARGIN, NEIGHBOURS, SUM_SCALE};
use super::{CodesConfig, Known, PlaceCodes, Seen};
use crate::nn::{indices, on_device};

/// Codes less probable than this share of the most probable one are not drawn: there are a thousand of them, and of
/// some hundred squares one would else be a stray. Each of the codes that show a star is seldom, too.
const LEAST_SHARE: f32 = 0.001;

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
    /// Their embeddings, with what lies around the canvas [picture, (2 + rows) · (2 + columns + 1), E].
    embedded: Tensor<3>,
    /// Band by band [picture, code].
    bands: Vec<Tensor<2, Int>>,
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

/// Where codes of a canvas lie in its grid.
struct Cells {
    columns: usize,
    /// Cells of one picture's grid.
    each: usize,
}

impl Cells {
    fn of([rows, columns]: [usize; 2]) -> Self {
        let [left, top, right] = MARGIN;
        Self { columns, each: (top + rows) * (left + columns + right) }
    }

    /// The cell of a code, or of one of its neighbours.
    fn at(&self, [row, column]: [usize; 2], [down, across]: [isize; 2]) -> usize {
        let [left, top, right] = MARGIN;
        let (row, column) =
            ((top + row).saturating_add_signed(down), (left + column).saturating_add_signed(across));
        row * (left + self.columns + right) + column
    }
}

impl Grid {
    /// One picture of the batch.
    pub fn picture(&self, at: usize) -> Self {
        let bands = self.bands.iter().map(|band| band.clone().narrow(0, at, 1)).collect();
        Self { embedded: self.embedded.clone().narrow(0, at, 1), bands }
    }

    /// All codes of pictures that are drawn to the end [picture · row · column].
    pub fn codes(&self) -> Tensor<1, Int> {
        Tensor::cat(self.bands.clone(), 1).flatten(0, 1)
    }
}

impl PlaceCodes {
    /// Nothing is drawn yet.
    pub fn begin(&self, batch: usize, cells: [usize; 2]) -> Grid {
        let [rows, columns] = cells;
        let cells = Cells::of(cells);
        let embedding = self.prior.embedding.val();
        let ([codes, size], device) = (embedding.dims(), embedding.device());
        let outside: Tensor<3> = embedding.narrow(0, codes - 1, 1).unsqueeze_dim(0);
        let mut around = vec![1.0; cells.each];
        for row in 0..rows {
            (0..columns).for_each(|column| around[cells.at([row, column], [0, 0])] = 0.0);
        }
        let around: Tensor<3> = on_device(around, [1, cells.each, 1], &device);
        Grid { embedded: (outside * around).expand([batch, cells.each, size]), bands: Vec::new() }
    }

    /// Draws a band of pictures whose places are said to be `said` [picture, H]: the codes [picture · row · column] of
    /// the band. `chances` [picture, row, column], of the whole canvas, are uniform in 0 to 1: a code is drawn by
    /// where its chance falls among all codes from dark to light. What is known is not drawn but taken; strays
    /// then stay possible, as a bound wants it.
    pub fn draw(
        &self,
        grid: Grid,
        said: &Tensor<2>,
        cells: [usize; 2],
        band: Band,
        chances: &Tensor<2>,
        known: Option<&Known>,
    ) -> (Grid, Tensor<1, Int>) {
        let device = said.device();
        let [batch, _] = said.dims();
        let [_, columns] = cells;
        let places = Cells::of(cells);
        let said = self.prior.said.forward(said);
        let Grid { embedded, mut bands } = grid;
        let [_, _, size] = embedded.dims();
        let mut embedded: Tensor<2> = embedded.reshape([batch * places.each, size]);
        let mut sums: Tensor<2> = Tensor::zeros([batch * (band.until - band.from), size], &device);
        let (mut drawn, mut order) = (Vec::new(), Vec::new());
        for front in band.fronts(columns) {
            let count = front.len();
            let each = |of: &dyn Fn(usize, [usize; 2]) -> usize| -> Tensor<1, Int> {
                let all = (0..batch).flat_map(|picture| front.iter().map(move |&cell| (picture, cell)));
                indices(all.map(|(picture, cell)| of(picture, cell)).collect(), &device)
            };
            let rows_of_sums =
                each(&|picture, [row, _]| picture * (band.until - band.from) + row - band.from);
            let heard = (0..batch).flat_map(|picture| {
                let at = |cell, to| picture * places.each + places.at(cell, to);
                front.iter().flat_map(move |&cell| NEIGHBOURS.map(|to| at(cell, to))).collect::<Vec<_>>()
            });
            let heard = indices(heard.collect(), &device);
            let neighbours =
                embedded.clone().select(0, heard).reshape([batch * count, NEIGHBOURS.len() * size]);
            let left = sums.clone().select(0, rows_of_sums.clone()) / SUM_SCALE;
            let positions = each(&|_, [row, column]| row * columns + column);
            let flat = each(&|picture, [row, column]| (picture * cells[0] + row) * columns + column);
            let seen = Seen {
                context: Tensor::cat(vec![neighbours, left], 1),
                said: said.clone().select(0, each(&|picture, _| picture)),
                position: self.prior.position.val().select(0, positions),
            };
            let chances: Tensor<2> =
                chances.clone().flatten::<1>(0, 1).select(0, flat.clone()).unsqueeze_dim(1);
            let least = if known.is_some() { 0.0 } else { LEAST_SHARE };
            let mut codes = chosen(self.prior.scores(&seen), chances, least);
            if let Some(known) = known {
                let explained = known.explained.clone().select(0, flat.clone()).greater_elem(0.5);
                codes = codes.mask_where(explained, known.codes.clone().select(0, flat));
            }
            let new = self.prior.embedding.val().select(0, codes.clone());
            let own = each(&|picture, cell| picture * places.each + places.at(cell, [0, 0]));
            embedded = embedded.select_assign(0, own, new.clone(), IndexingUpdateOp::Add);
            sums = sums.select_assign(0, rows_of_sums, new, IndexingUpdateOp::Add);
            drawn.push(codes.reshape([batch, count]));
            order.extend(front);
        }
        let codes = Tensor::cat(drawn, 1).select(1, raster(&order, band, columns, &device));
        bands.push(codes.clone());
        (Grid { embedded: embedded.reshape([batch, places.each, size]), bands }, codes.flatten(0, 1))
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

/// The code at which the chances of all up to it [code, K] reach a chance [code, 1], codes below a share of the most
/// probable one left out.
fn chosen(scores: Tensor<2>, chances: Tensor<2>, least: f32) -> Tensor<1, Int> {
    let [_, codes] = scores.dims();
    let shares = softmax(scores, 1);
    let floor = shares.clone().max_dim(1) * least;
    let kept = shares.clone() * shares.greater_equal(floor).float();
    let up_to = kept.clone().cumsum(1);
    let below = up_to.lower_equal(kept.sum_dim(1) * chances).int().sum_dim(1).squeeze_dim::<1>(1);
    below.clamp_max(codes as i64 - 1)
}

#[cfg(test)]
mod tests {
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
    fn quantiles_are_those_of_the_normal_distribution() {
        let expected = [0.5, 0.841_344_7, 0.022_750_13, 0.998_650_1];
        for (found, expected) in quantiles(&[0.0, 1.0, -2.0, 3.0]).into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
        }
    }
}
