//! The passes over an image: weighing its rows and columns by the filters, forward and backward.

use std::ops::Range;

use multiversion::multiversion;

use super::Geometry;
use crate::kernels::math::add_scaled;
use crate::platform::ACCUMULATORS;

/// Columns that are worked on at once: a register of AVX-512, four of wasm's.
const LANES: usize = 16;

/// The blocks of [`LANES`] columns of a range, the last of them shorter.
fn blocks(columns: &Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let end = columns.end;
    columns.clone().step_by(LANES).map(move |start| start..(start + LANES).min(end))
}

/// Copies the columns of some rows of an image of `width` to a register each.
#[inline(always)]
fn pack(
    packed: &mut Vec<[f32; LANES]>,
    image: &[f32],
    width: usize,
    rows: Range<usize>,
    columns: &Range<usize>,
) {
    packed.resize(rows.len(), [0.0; LANES]);
    for (packed, row) in packed.iter_mut().zip(rows) {
        let row = &image[row * width..][columns.clone()];
        match row.try_into() {
            // A copy of known length is one load and one store, not a call.
            Ok(row) => *packed = row,
            Err(_) => packed[..row.len()].copy_from_slice(row),
        }
    }
}

/// `sums[k] = Σ_c values[k·strides.0 + c·strides.1] · rows[c]`.
#[inline(always)]
fn gather<const K: usize>(
    values: &[f32],
    strides: (usize, usize),
    rows: &[[f32; LANES]],
) -> [[f32; LANES]; K] {
    let mut sums = [[0.0; LANES]; K];
    for (c, row) in rows.iter().enumerate() {
        for k in 0..K {
            let value = values[k * strides.0 + c * strides.1];
            for lane in 0..LANES {
                sums[k][lane] += value * row[lane];
            }
        }
    }
    sums
}

/// [`gather`] for every `k` of a range, [`ACCUMULATORS`] at a time; hands each `k` and its sums to `take`.
#[inline(always)]
fn gather_all(
    values: &[f32],
    strides: (usize, usize),
    range: Range<usize>,
    rows: &[[f32; LANES]],
    mut take: impl FnMut(usize, &[f32; LANES]),
) {
    let mut done = range.start;
    if range.len() >= ACCUMULATORS {
        while done < range.end {
            // The last block overlaps the one before.
            let start = done.min(range.end - ACCUMULATORS);
            let sums = gather::<ACCUMULATORS>(&values[start * strides.0..], strides, rows);
            (done..start + ACCUMULATORS).for_each(|k| take(k, &sums[k - start]));
            done = start + ACCUMULATORS;
        }
    }
    for k in done..range.end {
        let [sums] = gather::<1>(&values[k * strides.0..], strides, rows);
        take(k, &sums);
    }
}

/// `rows = F_y · image` on the window's columns.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
pub fn rows_of(
    geometry: &Geometry,
    bank_y: &[f32],
    image: &[f32],
    reach: &(Range<usize>, Range<usize>),
    rows: &mut [f32],
) {
    let (height, width) = (geometry.height, geometry.width);
    let (down, columns) = reach;
    let mut packed = Vec::new();
    for columns in blocks(columns) {
        pack(&mut packed, image, width, down.clone(), &columns);
        gather_all(&bank_y[down.start..], (height, 1), 0..geometry.size, &packed, |i, sums| {
            let row = &mut rows[i * width..][columns.clone()];
            match <&mut [f32; LANES]>::try_from(&mut *row) {
                Ok(row) => *row = *sums,
                Err(_) => row.copy_from_slice(&sums[..row.len()]),
            }
        });
    }
}

/// `out = rows · F_xᵀ` for the rows of several images, [image, N, width] to [image, N, N].
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
pub fn columns_of(geometry: &Geometry, bank_x: &[f32], rows: &[f32], reach: &Range<usize>, out: &mut [f32]) {
    let (size, width) = (geometry.size, geometry.width);
    // A register for each column: its weights in the filters, so that no sum goes across a register.
    let mut packed = vec![[0.0; LANES]; reach.len()];
    for first in (0..size).step_by(LANES) {
        let filters = LANES.min(size - first);
        for (lane, filter) in bank_x.chunks_exact(width).skip(first).take(LANES).enumerate() {
            packed.iter_mut().zip(&filter[reach.clone()]).for_each(|(packed, &weight)| packed[lane] = weight);
        }
        gather_all(&rows[reach.start..], (width, 1), 0..out.len() / size, &packed, |row, sums| {
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
    let (size, height, width) = (geometry.size, geometry.height, geometry.width);
    let (down, columns) = reach;
    let (mut filters, mut rows) = (Vec::new(), vec![[0.0; LANES]; size]);
    for columns in blocks(columns) {
        pack(&mut filters, bank_x, width, 0..size, &columns);
        gather_all(patch, (size, 1), 0..size, &filters, |i, sums| rows[i] = sums.map(|sum| scale * sum));
        gather_all(bank_y, (1, height), down.clone(), &rows, |a, sums| {
            add_scaled(&mut image[a * width..][columns.clone()], 1.0, sums);
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
        gather_all(&bank_x[columns.start..], (1, width), 0..columns.len(), &packed, |column, sums| {
            along_x[column] = *sums;
        });
        gather_all(&image[columns.start..], (width, 1), down.clone(), &along_x, |a, sums| {
            (0..filters).for_each(|i| d_bank_y[(first + i) * height + a] += sums[i]);
        });
    }
    for columns in blocks(columns) {
        pack(&mut packed, rows, width, 0..size, &columns);
        gather_all(d_out, (1, size), 0..size, &packed, |j, sums| {
            add_scaled(&mut d_bank_x[j * width..][columns.clone()], 1.0, sums);
        });
    }
}
