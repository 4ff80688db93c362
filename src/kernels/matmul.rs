//! Matrix products on slices: a packed GEMM for training batches, a streaming kernel for one to a
//! few rows, where the product is bound by reading the weights once.

use multiversion::multiversion;

use crate::platform;

/// A row- or column-major view of `rows × cols` floats.
#[derive(Clone, Copy)]
pub struct Mat<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a> Mat<'a> {
    /// A dense row-major matrix; `data` holds `rows · cols` floats.
    pub fn new(data: &'a [f32], rows: usize, cols: usize) -> Self {
        Self::strided(data, rows, cols, cols)
    }

    /// A dense row-major matrix of as many rows of `cols` as there are.
    pub fn of_rows(data: &'a [f32], cols: usize) -> Self {
        Self::new(data, data.len() / cols, cols)
    }

    /// A row-major matrix whose consecutive rows lie `row_stride` floats apart: some columns of a
    /// wider matrix.
    pub fn strided(data: &'a [f32], rows: usize, cols: usize, row_stride: usize) -> Self {
        assert!(
            rows == 0 || (rows - 1) * row_stride + cols <= data.len(),
            "a {rows}×{cols} matrix with row stride {row_stride} needs more than {} floats",
            data.len()
        );
        Self { data, rows, cols, row_stride, col_stride: 1 }
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// One row of a row-major matrix.
    pub fn row(&self, row: usize) -> &'a [f32] {
        assert_eq!(self.col_stride, 1, "rows of a row-major matrix");
        &self.data[row * self.row_stride..][..self.cols]
    }

    /// The transposed view.
    pub fn t(self) -> Self {
        Self {
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
            ..self
        }
    }

    /// The parts that a GEMM takes: pointer, row stride, column stride.
    pub fn raw(&self) -> (*const f32, isize, isize) {
        (self.data.as_ptr(), self.row_stride as isize, self.col_stride as isize)
    }
}

/// The rows of a dense row-major matrix of `rows` as columns.
pub fn transpose(data: &[f32], rows: usize) -> Vec<f32> {
    let cols = data.len() / rows;
    let mut out = vec![0.0; data.len()];
    // Blocks whose lines stay in the first cache.
    for (block, band) in out.chunks_mut(16 * rows).enumerate() {
        for row in 0..rows {
            for (col, &value) in data[row * cols + 16 * block..][..band.len() / rows].iter().enumerate() {
                band[col * rows + row] = value;
            }
        }
    }
    out
}

/// Rows up to which the streaming kernel is used instead of the packed GEMM.
const FEW_ROWS: usize = 16;

/// `out = a · b`, or `out += a · b` when `accumulate`.
///
/// **Shapes** `a` [m, k], `b` [k, n], `out` [m, n] row-major with rows `out_stride` apart.
pub fn matmul(out: &mut [f32], out_stride: usize, accumulate: bool, a: Mat, b: Mat) {
    let (m, k, n) = (a.rows, a.cols, b.cols);
    assert_eq!(b.rows, k, "inner dimensions of a matrix product");
    assert!(m == 0 || (m - 1) * out_stride + n <= out.len(), "the output of a matrix product");
    if m == 0 || n == 0 {
        return;
    }
    if m <= FEW_ROWS && b.col_stride == 1 && a.col_stride == 1 || !platform::HAS_PACKED_GEMM {
        stream(out, out_stride, accumulate, a, b);
        return;
    }
    // SAFETY: the views were checked against their slices at construction, the output above.
    unsafe { platform::packed_gemm(m, n, k, out.as_mut_ptr(), out_stride as isize, accumulate, a, b) }
}

/// The streaming product: four rows of `a` at a time read each weight once.
fn stream(out: &mut [f32], out_stride: usize, accumulate: bool, a: Mat, b: Mat) {
    let (k, n) = (a.cols, b.cols);
    for (block, out) in out.chunks_mut(4 * out_stride).enumerate().take(a.rows.div_ceil(4)) {
        let rows = (a.rows - 4 * block).min(4);
        let x = &a.data[4 * block * a.row_stride..];
        if !accumulate {
            (0..rows).for_each(|row| out[row * out_stride..][..n].fill(0.0));
        }
        if b.col_stride == 1 && rows == 4 {
            let (first, rest) = out.split_at_mut(out_stride);
            let (second, rest) = rest.split_at_mut(out_stride);
            let (third, fourth) = rest.split_at_mut(out_stride);
            let outs = [&mut first[..n], &mut second[..n], &mut third[..n], &mut fourth[..n]];
            add_four_products(outs, x, (a.row_stride, a.col_stride), k, b.data, b.row_stride);
            continue;
        }
        for row in 0..rows {
            let (out, x) = (&mut out[row * out_stride..][..n], &x[row * a.row_stride..]);
            if b.col_stride == 1 {
                add_vector_product(out, x, a.col_stride, k, b.data, b.row_stride);
            } else {
                for (col, out) in out.iter_mut().enumerate() {
                    let terms =
                        (0..k).map(|i| x[i * a.col_stride] * b.data[i * b.row_stride + col * b.col_stride]);
                    *out += terms.sum::<f32>();
                }
            }
        }
    }
}

/// `out += X · B` for four rows `X`, two rows of `B` a pass. `x_strides` are of a row, of a column.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
fn add_four_products(
    outs: [&mut [f32]; 4],
    x: &[f32],
    x_strides: (usize, usize),
    k: usize,
    b: &[f32],
    b_stride: usize,
) {
    let [out0, out1, out2, out3] = outs;
    let n = out0.len();
    let (out1, out2, out3) = (&mut out1[..n], &mut out2[..n], &mut out3[..n]);
    let at = |row: usize, i: usize| if i < k { x[row * x_strides.0 + i * x_strides.1] } else { 0.0 };
    let mut i = 0;
    while i < k {
        let first = &b[i * b_stride..][..n];
        let second = if i + 1 < k { &b[(i + 1) * b_stride..][..n] } else { first };
        let (x0, x1, x2, x3) = (at(0, i), at(1, i), at(2, i), at(3, i));
        let (y0, y1, y2, y3) = (at(0, i + 1), at(1, i + 1), at(2, i + 1), at(3, i + 1));
        for j in 0..n {
            out0[j] += x0 * first[j] + y0 * second[j];
            out1[j] += x1 * first[j] + y1 * second[j];
            out2[j] += x2 * first[j] + y2 * second[j];
            out3[j] += x3 * first[j] + y3 * second[j];
        }
        i += 2;
    }
}

/// `out += x · B` for one row `x` of `k` floats: eight rows of `B` a pass, so that `out` is loaded
/// and stored once for each eight.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
fn add_vector_product(out: &mut [f32], x: &[f32], x_stride: usize, k: usize, b: &[f32], b_stride: usize) {
    let n = out.len();
    let mut i = 0;
    while i + 8 <= k {
        let row = |r: usize| &b[(i + r) * b_stride..][..n];
        let (b0, b1, b2, b3) = (row(0), row(1), row(2), row(3));
        let (b4, b5, b6, b7) = (row(4), row(5), row(6), row(7));
        let at = |r: usize| x[(i + r) * x_stride];
        let (x0, x1, x2, x3) = (at(0), at(1), at(2), at(3));
        let (x4, x5, x6, x7) = (at(4), at(5), at(6), at(7));
        for (j, out) in out.iter_mut().enumerate() {
            let low = x0 * b0[j] + x1 * b1[j] + (x2 * b2[j] + x3 * b3[j]);
            let high = x4 * b4[j] + x5 * b5[j] + (x6 * b6[j] + x7 * b7[j]);
            *out += low + high;
        }
        i += 8;
    }
    while i < k {
        let (x, b) = (x[i * x_stride], &b[i * b_stride..][..n]);
        for (out, &b) in out.iter_mut().zip(b) {
            *out += x * b;
        }
        i += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn naive(m: usize, k: usize, n: usize, a: &[f32], b: &[f32]) -> Vec<f32> {
        let mut out = vec![0.0; m * n];
        for i in 0..m {
            for j in 0..n {
                out[i * n + j] = (0..k).map(|p| a[i * k + p] * b[p * n + j]).sum();
            }
        }
        out
    }

    fn ramp(len: usize) -> Vec<f32> {
        (0..len).map(|i| ((i * 37 % 101) as f32 - 50.0) / 50.0).collect()
    }

    #[test]
    fn both_kernels_agree_with_the_definition() {
        for (m, k, n) in [(1, 13, 40), (3, 8, 17), (4, 7, 19), (4, 8, 5), (9, 21, 33), (50, 30, 64)] {
            let (a, b) = (ramp(m * k), ramp(k * n));
            let expected = naive(m, k, n, &a, &b);
            let mut out = vec![1.0; m * n];
            matmul(&mut out, n, true, Mat::new(&a, m, k), Mat::new(&b, k, n));
            for (out, expected) in out.iter().zip(&expected) {
                assert!((out - 1.0 - expected).abs() < 1e-4);
            }
        }
    }

    #[test]
    fn transposed_and_strided_views() {
        let (m, k, n) = (6, 10, 7);
        let (a, b) = (ramp(m * k), ramp(k * n));
        let expected = naive(m, k, n, &a, &b);
        let a_t: Vec<f32> = (0..k * m).map(|i| a[(i % m) * k + i / m]).collect();
        let mut out = vec![0.0; m * (n + 3)];
        matmul(&mut out, n + 3, false, Mat::new(&a_t, k, m).t(), Mat::new(&b, k, n));
        for (i, expected) in expected.iter().enumerate() {
            assert!((out[i / n * (n + 3) + i % n] - expected).abs() < 1e-4);
        }
    }
}
