//! The passes over an image: weighing its rows and columns by the filters, forward and backward.

use std::ops::Range;

use multiversion::{multiversion, target::target_cfg_f};

use super::Geometry;
use crate::platform::ACCUMULATORS;

/// Columns that are worked on at once: a register of AVX-512, four of wasm's.
const LANES: usize = 16;

/// Blocks of [`LANES`] columns of an image of `width` that hold a range: where rows are whole registers those of the
/// image, since no column is then copied; outside the range filters are 0. Else from the range's start, the last shorter.
fn blocks(columns: &Range<usize>, width: usize) -> impl Iterator<Item = Range<usize>> {
    let (start, end) = match (columns.is_empty(), width % LANES) {
        (false, 0) => (columns.start / LANES * LANES, columns.end.next_multiple_of(LANES)),
        _ => (columns.start, columns.end),
    };
    (start..end).step_by(LANES).map(move |start| start..(start + LANES).min(end))
}

/// Some rows of a block of columns, a register each.
struct Registers<'a> {
    all: &'a [[f32; LANES]],
    /// From one row to the next.
    step: usize,
}

impl<'a> Registers<'a> {
    /// Of packed rows.
    fn packed(all: &'a [[f32; LANES]]) -> Self {
        Self { all, step: 1 }
    }

    /// Of an image of `width`: where they lie, or copied to `packed`.
    #[inline(always)]
    fn of(
        packed: &'a mut Vec<[f32; LANES]>,
        image: &'a [f32],
        width: usize,
        rows: Range<usize>,
        columns: &Range<usize>,
    ) -> Self {
        if width.is_multiple_of(LANES) && !rows.is_empty() {
            let (image, _) = image.as_chunks();
            let step = width / LANES;
            let first = rows.start * step + columns.start / LANES;
            return Self { all: &image[first..=first + (rows.len() - 1) * step], step };
        }
        packed.resize(rows.len(), [0.0; LANES]);
        for (packed, row) in packed.iter_mut().zip(rows) {
            let row = &image[row * width..][columns.clone()];
            match row.try_into() {
                // A copy of known length is one load and one store, not a call.
                Ok(row) => *packed = row,
                Err(_) => packed[..row.len()].copy_from_slice(row),
            }
        }
        Self::packed(packed)
    }
}

/// `sums[k] = Σ_c values[k·strides.0 + c·strides.1] · rows[c]`; where `FUSED`, products and sums are rounded together,
/// in one instruction.
#[inline(always)]
fn gather<const K: usize, const FUSED: bool>(
    values: &[f32],
    strides: (usize, usize),
    rows: &Registers,
) -> [[f32; LANES]; K] {
    let mut sums = [[0.0; LANES]; K];
    for (c, row) in rows.all.iter().step_by(rows.step).enumerate() {
        for k in 0..K {
            let value = values[k * strides.0 + c * strides.1];
            for lane in 0..LANES {
                sums[k][lane] = match FUSED {
                    true => value.mul_add(row[lane], sums[k][lane]),
                    false => sums[k][lane] + value * row[lane],
                };
            }
        }
    }
    sums
}

/// [`gather`] for every `k` of a range, [`ACCUMULATORS`] at a time; hands each `k` and its sums to `take`.
#[inline(always)]
fn gather_all<const FUSED: bool>(
    values: &[f32],
    strides: (usize, usize),
    range: Range<usize>,
    rows: &Registers,
    mut take: impl FnMut(usize, &[f32; LANES]),
) {
    let mut done = range.start;
    if range.len() >= ACCUMULATORS {
        while done < range.end {
            // The last block overlaps the one before.
            let start = done.min(range.end - ACCUMULATORS);
            let sums = gather::<ACCUMULATORS, FUSED>(&values[start * strides.0..], strides, rows);
            (done..start + ACCUMULATORS).for_each(|k| take(k, &sums[k - start]));
            done = start + ACCUMULATORS;
        }
    }
    for k in done..range.end {
        let [sums] = gather::<1, FUSED>(&values[k * strides.0..], strides, rows);
        take(k, &sums);
    }
}

/// Writes or adds the sums of a block to its columns.
#[inline(always)]
fn put(columns: &mut [f32], sums: &[f32; LANES], put: impl Fn(&mut f32, f32)) {
    match <&mut [f32; LANES]>::try_from(&mut *columns) {
        Ok(columns) => (0..LANES).for_each(|lane| put(&mut columns[lane], sums[lane])),
        Err(_) => columns.iter_mut().zip(sums).for_each(|(column, sum)| put(column, *sum)),
    }
}

/// `rows = F_y · image` on the window's columns, and on those of their blocks.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
pub fn rows_of(
    geometry: &Geometry,
    bank_y: &[f32],
    image: &[f32],
    reach: &(Range<usize>, Range<usize>),
    rows: &mut [f32],
) {
    const FUSED: bool = target_cfg_f!(target_feature = "fma");
    let (height, width) = (geometry.height, geometry.width);
    let (down, columns) = reach;
    let mut packed = Vec::new();
    for columns in blocks(columns, width) {
        let image = Registers::of(&mut packed, image, width, down.clone(), &columns);
        gather_all::<FUSED>(&bank_y[down.start..], (height, 1), 0..geometry.size, &image, |i, sums| {
            put(&mut rows[i * width..][columns.clone()], sums, |column, sum| *column = sum);
        });
    }
}

/// `out = rows · F_xᵀ` for the rows of several images, [image, N, width] to [image, N, N].
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
pub fn columns_of(geometry: &Geometry, bank_x: &[f32], rows: &[f32], reach: &Range<usize>, out: &mut [f32]) {
    const FUSED: bool = target_cfg_f!(target_feature = "fma");
    let (size, width) = (geometry.size, geometry.width);
    // A register for each column: its weights in the filters, so that no sum goes across a register.
    let mut packed = vec![[0.0; LANES]; reach.len()];
    for first in (0..size).step_by(LANES) {
        let filters = LANES.min(size - first);
        for (lane, filter) in bank_x.chunks_exact(width).skip(first).take(LANES).enumerate() {
            packed.iter_mut().zip(&filter[reach.clone()]).for_each(|(packed, &weight)| packed[lane] = weight);
        }
        let packed = Registers::packed(&packed);
        gather_all::<FUSED>(&rows[reach.start..], (width, 1), 0..out.len() / size, &packed, |row, sums| {
            out[row * size + first..][..filters].copy_from_slice(&sums[..filters]);
        });
    }
}

/// `image += scale · F_yᵀ · patch · F_x` within reach.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
pub fn spread(
    geometry: &Geometry,
    bank_y: &[f32],
    bank_x: &[f32],
    scale: f32,
    patch: &[f32],
    reach: &(Range<usize>, Range<usize>),
    image: &mut [f32],
) {
    const FUSED: bool = target_cfg_f!(target_feature = "fma");
    let (size, height, width) = (geometry.size, geometry.height, geometry.width);
    let (down, columns) = reach;
    let (mut filters, mut rows) = (Vec::new(), vec![[0.0; LANES]; size]);
    for columns in blocks(columns, width) {
        let filters = Registers::of(&mut filters, bank_x, width, 0..size, &columns);
        let scaled = |i: usize, sums: &[f32; LANES]| rows[i] = sums.map(|sum| scale * sum);
        gather_all::<FUSED>(patch, (size, 1), 0..size, &filters, scaled);
        gather_all::<FUSED>(bank_y, (1, height), down.clone(), &Registers::packed(&rows), |a, sums| {
            put(&mut image[a * width..][columns.clone()], sums, |column, sum| *column += sum);
        });
    }
}

/// Adds the gradient of `⟨d_out, F_y · image · F_xᵀ⟩` to those of both banks; `rows` holds `F_y · image`.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
pub fn form_backward(
    geometry: &Geometry,
    bank_x: &[f32],
    image: &[f32],
    rows: &[f32],
    d_out: &[f32],
    reach: &(Range<usize>, Range<usize>),
    d_banks: &mut [f32],
) {
    const FUSED: bool = target_cfg_f!(target_feature = "fma");
    let (size, height, width) = (geometry.size, geometry.height, geometry.width);
    let (down, columns) = reach;
    let (d_bank_y, d_bank_x) = d_banks.split_at_mut(size * height);
    // d_out · F_x, transposed [column, filter], so that one pass over the image gives the gradient of
    // every filter along y, without sums across a register.
    let mut packed = vec![[0.0; LANES]; size];
    let mut along_x = vec![[0.0; LANES]; columns.len()];
    for first in (0..size).step_by(LANES) {
        let filters = LANES.min(size - first);
        for (j, packed) in packed.iter_mut().enumerate() {
            (0..filters).for_each(|i| packed[i] = d_out[(first + i) * size + j]);
        }
        let of_filters = Registers::packed(&packed);
        gather_all::<FUSED>(
            &bank_x[columns.start..],
            (1, width),
            0..columns.len(),
            &of_filters,
            |column, sums| {
                along_x[column] = *sums;
            },
        );
        let of_columns = Registers::packed(&along_x);
        gather_all::<FUSED>(&image[columns.start..], (width, 1), down.clone(), &of_columns, |a, sums| {
            (0..filters).for_each(|i| d_bank_y[(first + i) * height + a] += sums[i]);
        });
    }
    for columns in blocks(columns, width) {
        let rows = Registers::of(&mut packed, rows, width, 0..size, &columns);
        gather_all::<FUSED>(d_out, (1, size), 0..size, &rows, |j, sums| {
            put(&mut d_bank_x[j * width..][columns.clone()], sums, |column, sum| *column += sum);
        });
    }
}
