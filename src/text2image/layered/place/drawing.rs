//! Places are drawn code after code, those together that do not hear each other: slanting lines of cells that move from
//! the top left to the bottom right.

use burn::tensor::{Device, Int, Tensor};

use super::prior::{LEFT, NEIGHBOURS, SUM_SCALE};
use super::{Known, PlaceCodes, Seen};
use crate::kernels::softmax::{self, Cut};
use crate::nn::{floats, indices, on_device};
use crate::platform;

/// Which codes are not drawn: there are a thousand of hardly any probability, and of some hundred squares one would else
/// be a stray. Each of the codes that show a star is seldom, too, but together they are not.
const STRAYS: Cut = Cut { least: 0.003, nucleus: 0.98 };

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
    /// Of each of them, the sum of its row up to it [picture, 1 + code, E].
    sums: Tensor<3>,
    /// Which of these each cell of the canvas is, row by row; 0: not drawn yet.
    at: Vec<usize>,
    /// K, which is no code, then the codes themselves as they were drawn, some at a time [picture, code].
    codes: Vec<Tensor<2>>,
}

/// Cells (row, column) that are drawn together, for each of the parts of a step of several: every cell comes after all
/// that it hears.
fn fronts([rows, columns]: [usize; 2], step: usize, steps: usize) -> Vec<Vec<[usize; 2]>> {
    let front = |at: usize| -> Vec<[usize; 2]> {
        let column = |row: usize| at.checked_sub(2 * row).filter(|column| *column < columns);
        (0..rows).filter_map(|row| column(row).map(|column| [row, column])).collect()
    };
    let all = columns + 2 * rows - 2;
    (step * all / steps..(step + 1) * all / steps).map(front).collect()
}

impl Grid {
    /// One picture of the batch.
    pub fn picture(&self, at: usize) -> Self {
        Self {
            embedded: self.embedded.clone().narrow(0, at, 1),
            sums: self.sums.clone().narrow(0, at, 1),
            at: self.at.clone(),
            codes: self.codes.iter().map(|codes| codes.clone().narrow(0, at, 1)).collect(),
        }
    }

    /// The code of every cell [picture · row · column]; K where none is drawn yet.
    pub fn codes(&self) -> Tensor<1, Int> {
        let device = self.embedded.device();
        let at = indices(self.at.clone(), &device);
        Tensor::cat(self.codes.clone(), 1).select(1, at).flatten::<1>(0, 1).int()
    }

    /// Which of the embeddings a neighbour of a cell is.
    fn neighbour(&self, [row, column]: [usize; 2], [down, across]: [isize; 2], columns: usize) -> usize {
        let place = row.checked_add_signed(down).zip(column.checked_add_signed(across));
        place
            .filter(|(_, column)| *column < columns)
            .map_or(0, |(row, column)| self.at[row * columns + column])
    }

    /// Adds the codes [picture, code] of some cells, with their embeddings and the sums of their rows [picture, code, E].
    fn push(
        self,
        front: &[[usize; 2]],
        columns: usize,
        codes: Tensor<2>,
        [new, sums]: [Tensor<3>; 2],
    ) -> Self {
        let Self { embedded, sums: before, mut at, codes: mut all } = self;
        let [_, drawn, _] = embedded.dims();
        for (order, [row, column]) in front.iter().enumerate() {
            at[row * columns + column] = drawn + order;
        }
        all.push(codes);
        Self {
            embedded: Tensor::cat(vec![embedded, new], 1),
            sums: Tensor::cat(vec![before, sums], 1),
            at,
            codes: all,
        }
    }
}

impl PlaceCodes {
    /// Nothing is drawn yet.
    pub fn begin(&self, batch: usize, [rows, columns]: [usize; 2]) -> Grid {
        let embedding = self.prior.embedding.val();
        let ([codes, _], device) = (embedding.dims(), embedding.device());
        let outside = embedding.narrow(0, codes - 1, 1).unsqueeze_dim::<3>(0).repeat_dim(0, batch);
        let none = Tensor::full([batch, 1], (codes - 1) as f32, &device);
        Grid { sums: outside.zeros_like(), embedded: outside, at: vec![0; rows * columns], codes: vec![none] }
    }

    /// Draws a part of pictures whose places are said to be `said` [picture, H], at a step of several. `chances`
    /// [picture, row · column] are uniform in 0 to 1: a code is drawn by where its chance falls among all codes from
    /// dark to light. What is known is not drawn but taken; strays then stay possible, as a bound wants it.
    pub fn draw(
        &self,
        grid: Grid,
        said: &Tensor<2>,
        cells @ [_, columns]: [usize; 2],
        (step, steps): (usize, usize),
        chances: &Tensor<2>,
        known: Option<&Known>,
    ) -> Grid {
        let device = said.device();
        let mut grid = grid;
        let [batch, _, size] = grid.embedded.dims();
        let cut = if known.is_some() { Cut::NONE } else { STRAYS };
        let draw = Draw::new(self.codebook.len(), cut, &device);
        // What every cell hears wherever it lies, and whatever stands beside it [picture, cell, U].
        let said = self.prior.said.forward(said).unsqueeze_dim::<3>(1);
        let told = said + self.prior.position.val().unsqueeze_dim::<3>(0);
        for front in fronts(cells, step, steps) {
            let count = front.len();
            let flat = indices(front.iter().map(|[row, column]| row * columns + column).collect(), &device);
            let heard = |to: [isize; 2]| front.iter().map(|&at| grid.neighbour(at, to, columns)).collect();
            let left = grid.sums.clone().select(1, indices(heard(LEFT), &device));
            let neighbours =
                front.iter().flat_map(|&at| NEIGHBOURS.map(|to| grid.neighbour(at, to, columns)));
            let neighbours = grid.embedded.clone().select(1, indices(neighbours.collect(), &device));
            let neighbours = neighbours.reshape([batch, count, NEIGHBOURS.len() * size]);
            let context = Tensor::cat(vec![neighbours, left.clone() / SUM_SCALE], 2);
            let seen = Seen {
                context: context.flatten(0, 1),
                told: told.clone().select(1, flat.clone()).flatten(0, 1),
            };
            let of = |table: Tensor<2>| table.select(1, flat.clone()).flatten::<1>(0, 1);
            let mut codes = draw.codes(self.prior.scores(&seen), of(chances.clone()));
            if let Some(known) = known {
                let whole = |values: Tensor<1>| of(values.reshape([batch as i32, -1]));
                let explained = whole(known.explained.clone());
                codes =
                    codes * (explained.clone() * -1.0 + 1.0) + whole(known.codes.clone().float()) * explained;
            }
            let new = self.prior.embedding.val().select(0, codes.clone().int()).reshape([batch, count, size]);
            let sums = left + new.clone();
            grid = grid.push(&front, columns, codes.reshape([batch, count]), [new, sums]);
        }
        grid
    }
}

/// How codes are drawn from their scores.
struct Draw {
    /// Which are left out.
    cut: Cut,
    /// For drawing on a device; none where the scores are read without waiting.
    on_device: Option<RunningSums>,
}

impl Draw {
    /// From so many codes.
    fn new(codes: usize, cut: Cut, device: &Device) -> Self {
        let reads_at_once = platform::CPU_ALONE || *device == Device::flex();
        Self { cut, on_device: (!reads_at_once).then(|| RunningSums::new(codes, device)) }
    }

    /// The code at which the chances of all up to it reach a chance [code], by `scores` [code, K].
    fn codes(&self, scores: Tensor<2>, chances: Tensor<1>) -> Tensor<1> {
        let [rows, codes] = scores.dims();
        let Some(sums) = &self.on_device else {
            // One pass over the scores of a code, where tensors need ten over all.
            let device = scores.device();
            let (mut scores, chances) = (floats(scores.into_data()), floats(chances.into_data()));
            let each = scores.chunks_exact_mut(codes).zip(chances);
            let drawn = each.map(|(scores, chance)| softmax::draw(scores, self.cut, chance) as f32);
            return on_device(drawn.collect(), [rows], &device);
        };
        let shares = (scores.clone() - scores.max_dim(1)).exp();
        let kept = self.kept(shares);
        let up_to = sums.of(kept);
        let all = up_to.clone().narrow(1, codes - 1, 1);
        let below = up_to.lower_equal(all * chances.reshape([rows, 1])).float();
        below.sum_dim(1).squeeze_dim::<1>(1).clamp_max((codes - 1) as f32)
    }

    /// Shares [code, K] with 0 for those that are left out.
    fn kept(&self, shares: Tensor<2>) -> Tensor<2> {
        let from = |least: f32| shares.clone() * shares.clone().greater_equal_elem(least).float();
        let first = from(self.cut.least);
        let enough = first.clone().sum_dim(1) * self.cut.nucleus;
        // What is left only falls from one to the next: where one has too little, so have all after it.
        self.cut.raised().fold(first, |kept, least| {
            let fewer = from(least);
            let too_little = fewer.clone().sum_dim(1).lower(enough.clone());
            fewer.clone().mask_where(too_little.expand(fewer.dims()), kept)
        })
    }
}

/// Sums of all numbers of a row up to each, by products with ones.
struct RunningSums {
    /// Ones from the diagonal on, for the sums inside blocks of numbers [n, n].
    inside: Tensor<2>,
    /// Ones above the diagonal, for the sums of the blocks before [n, n].
    before: Tensor<2>,
}

impl RunningSums {
    /// Of rows of so many numbers.
    fn new(len: usize, device: &Device) -> Self {
        let fits = |block: &usize| len.is_multiple_of(*block) && block * block <= len;
        let block = (1..=len).filter(fits).max().unwrap_or(1);
        let ones = |n: usize, from: usize| -> Tensor<2> {
            let values = (0..n * n).map(|at| f32::from(at / n + from <= at % n)).collect();
            on_device(values, [n, n], device)
        };
        Self { inside: ones(block, 0), before: ones(len / block, 1) }
    }

    /// Of rows [row, n].
    fn of(&self, x: Tensor<2>) -> Tensor<2> {
        let ([rows, len], [block, _]) = (x.dims(), self.inside.dims());
        let blocks = len / block;
        let inside = x.reshape([rows * blocks, block]).matmul(self.inside.clone());
        let before =
            inside.clone().narrow(1, block - 1, 1).reshape([rows, blocks]).matmul(self.before.clone());
        (inside + before.reshape([rows * blocks, 1])).reshape([rows, len])
    }
}

#[cfg(test)]
mod tests {
    use super::super::CodesConfig;
    use super::*;
    use crate::data::noise::Noise;
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
            grid = codes.draw(grid, said, CELLS, (step, steps), &table, known);
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
        let shares = floats(
            burn::tensor::activation::softmax(codes.prior.all_scores(&found, &said, CELLS), 1).into_data(),
        );
        let found: Vec<i64> = found.into_data().iter::<i64>().collect();
        let mut different = std::collections::BTreeSet::new();
        for ((code, chance), shares) in found.iter().zip(chances).zip(shares.chunks_exact(SIZES.codes)) {
            let most = shares.iter().copied().fold(0.0, f32::max);
            let from = |least: f32| move |s: &f32| if *s >= least * most { *s } else { 0.0 };
            let sum_from = |least: f32| shares.iter().map(from(least)).sum::<f32>();
            let enough = STRAYS.nucleus * sum_from(STRAYS.least);
            let least = STRAYS.raised().take_while(|least| sum_from(*least) >= enough).last();
            let kept: Vec<f32> = shares.iter().map(from(least.unwrap_or(STRAYS.least))).collect();
            let total: f32 = kept.iter().sum();
            let below: f32 = kept[..*code as usize].iter().sum();
            let until = below + kept[*code as usize];
            assert!(below <= chance * total + 1e-5 && chance * total <= until + 1e-5, "{code} of {kept:?}");
            different.insert(*code);
        }
        assert!(different.len() > 2, "{different:?}");
    }

    #[test]
    fn steps_do_not_change_what_is_drawn_and_what_is_known_is_taken() {
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
    fn the_host_draws_what_devices_draw() {
        let device = Device::flex();
        let mut noise = Noise::new(5);
        let (scores, chances) = (noise.normals(40 * 64), quantiles(&noise.normals(40)));
        for cut in [Cut::NONE, Cut { least: 0.1, nucleus: 1.0 }, Cut { least: 0.001, nucleus: 0.9 }] {
            let host = Draw { cut, on_device: None };
            let other = Draw { cut, on_device: Some(RunningSums::new(64, &device)) };
            let scores = || on_device(scores.iter().map(|score| 3.0 * score).collect(), [40, 64], &device);
            let chances = || on_device(chances.clone(), [40], &device);
            let [host, other] = [host, other].map(|draw| floats(draw.codes(scores(), chances()).into_data()));
            assert_eq!(host, other);
            assert!(host.iter().any(|code| *code != host[0]));
        }
    }

    #[test]
    fn running_sums_are_those_of_all_before() {
        let device = Device::flex();
        for len in [1, 7, 12] {
            let x: Vec<f32> = (0..2 * len).map(|at| at as f32 - 3.0).collect();
            let sums = RunningSums::new(len, &device);
            let found = floats(sums.of(on_device(x.clone(), [2, len], &device)).into_data());
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
