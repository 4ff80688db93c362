//! The passes over an image: weighing its rows and columns by the filters, forward and backward.

use std::ops::Range;

use multiversion::multiversion;

use super::Geometry;
use crate::kernels::math::{add_scaled, dot};

/// Columns that are worked on at once: a register of AVX-512, four of wasm's.
const LANES: usize = 16;
/// Filters that are worked on at once.
const FILTERS: usize = 5;

/// The blocks of [`LANES`] columns of a range, the last of them shorter.
fn blocks(columns: &Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let end = columns.end;
    columns.clone().step_by(LANES).map(move |start| start..(start + LANES).min(end))
}

/// `sums[k] = Σ_a weights[k·stride + a] · image[a, columns]` for rows `a` of an image of `width`.
#[inline(always)]
fn weigh_rows<const K: usize>(
    weights: &[f32],
    stride: usize,
    image: &[f32],
    width: usize,
    rows: &Range<usize>,
    columns: &Range<usize>,
) -> [[f32; LANES]; K] {
    let mut sums = [[0.0; LANES]; K];
    for a in rows.clone() {
        let pixels = &image[a * width + columns.start..][..columns.len()];
        if let Ok(pixels) = <&[f32; LANES]>::try_from(pixels) {
            for k in 0..K {
                let weight = weights[k * stride + a];
                for lane in 0..LANES {
                    sums[k][lane] += weight * pixels[lane];
                }
            }
        } else {
            for k in 0..K {
                add_scaled(&mut sums[k][..pixels.len()], weights[k * stride + a], pixels);
            }
        }
    }
    sums
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
    for columns in blocks(&reach.1) {
        let mut i = 0;
        while i + FILTERS <= geometry.size {
            let sums = weigh_rows::<FILTERS>(&bank_y[i * height..], height, image, width, &reach.0, &columns);
            for (k, sums) in sums.iter().enumerate() {
                rows[(i + k) * width..][columns.clone()].copy_from_slice(&sums[..columns.len()]);
            }
            i += FILTERS;
        }
        for i in i..geometry.size {
            let [sums] = weigh_rows::<1>(&bank_y[i * height..], height, image, width, &reach.0, &columns);
            rows[i * width..][columns.clone()].copy_from_slice(&sums[..columns.len()]);
        }
    }
}

/// `out = rows · F_xᵀ`.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
pub fn columns_of(geometry: &Geometry, bank_x: &[f32], rows: &[f32], reach: &Range<usize>, out: &mut [f32]) {
    let (size, width) = (geometry.size, geometry.width);
    for i in 0..size {
        let row = &rows[i * width..][..width][reach.clone()];
        for j in 0..size {
            out[i * size + j] = dot(row, &bank_x[j * width..][..width][reach.clone()]);
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
#[allow(clippy::too_many_arguments)]
pub fn spread(
    geometry: &Geometry,
    bank_y: &[f32],
    bank_x: &[f32],
    scale: f32,
    patch: &[f32],
    reach: &(Range<usize>, Range<usize>),
    scratch: &mut [f32],
    image: &mut [f32],
) {
    let (size, height, width) = (geometry.size, geometry.height, geometry.width);
    let columns = reach.1.clone();
    for i in 0..size {
        let out = &mut scratch[i * width..][..width][columns.clone()];
        out.fill(0.0);
        for j in 0..size {
            add_scaled(out, scale * patch[i * size + j], &bank_x[j * width..][..width][columns.clone()]);
        }
    }
    for columns in blocks(&columns) {
        for a in reach.0.clone() {
            let pixels = &mut image[a * width + columns.start..][..columns.len()];
            if let Ok(pixels) = <&mut [f32; LANES]>::try_from(&mut *pixels) {
                let mut sums = *pixels;
                for i in 0..size {
                    let weight = bank_y[i * height + a];
                    let row: &[f32] = &scratch[i * width + columns.start..][..LANES];
                    for lane in 0..LANES {
                        sums[lane] += weight * row[lane];
                    }
                }
                *pixels = sums;
            } else {
                for i in 0..size {
                    add_scaled(pixels, bank_y[i * height + a], &scratch[i * width..][columns.clone()]);
                }
            }
        }
    }
}

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
    let columns = reach.1.clone();
    let (d_bank_y, d_bank_x) = d_banks.split_at_mut(size * height);
    // d_out · F_x, transposed [column, filter], so that one pass over the image gives the gradient of
    // every filter along y, without sums across a register.
    let mut along_x = vec![0.0; width];
    let mut transposed = vec![[0.0; LANES]; columns.len()];
    for first in (0..size).step_by(LANES) {
        let filters = LANES.min(size - first);
        for i in 0..filters {
            along_x[columns.clone()].fill(0.0);
            for j in 0..size {
                let filter = &bank_x[j * width..][columns.clone()];
                add_scaled(&mut along_x[columns.clone()], d_out[(first + i) * size + j], filter);
            }
            for (transposed, &value) in transposed.iter_mut().zip(&along_x[columns.clone()]) {
                transposed[i] = value;
            }
        }
        for a in reach.0.clone() {
            let pixels = &image[a * width..][columns.clone()];
            let mut sums = [[0.0; LANES]; 2];
            let mut pairs = pixels.chunks_exact(2).zip(transposed.chunks_exact(2));
            for (pixels, filters) in &mut pairs {
                for lane in 0..LANES {
                    sums[0][lane] += pixels[0] * filters[0][lane];
                    sums[1][lane] += pixels[1] * filters[1][lane];
                }
            }
            if let (1, Some(pixel), Some(filters)) = (pixels.len() % 2, pixels.last(), transposed.last()) {
                add_scaled(&mut sums[0], *pixel, filters);
            }
            for i in 0..filters {
                d_bank_y[(first + i) * height + a] += sums[0][i] + sums[1][i];
            }
        }
    }
    for j in 0..size {
        let d_row = &mut d_bank_x[j * width..][..width][columns.clone()];
        for i in 0..size {
            add_scaled(d_row, d_out[i * size + j], &rows[i * width..][..width][columns.clone()]);
        }
    }
}
