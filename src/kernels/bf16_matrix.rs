//! Products with weights kept as bfloat16: painting reads every weight at every step, so that half the
//! bytes are nearly half the time where memory is slow. Weights are rounded when a model is written, so
//! that nothing is lost here.

use multiversion::multiversion;

use super::matmul::Mat;

/// Rows that a pass reads together.
const PASS: usize = 8;

/// A matrix of bfloat16, two rows to each row of words: the even one in the lower half.
#[derive(Clone, Debug)]
pub struct Bf16Matrix {
    pairs: Vec<u32>,
    rows: usize,
    cols: usize,
}

impl Bf16Matrix {
    /// Packs a row-major matrix; none when a value needs more than bfloat16 holds.
    pub fn new(matrix: Mat) -> Option<Self> {
        let (rows, cols) = (matrix.rows(), matrix.cols());
        let mut pairs = vec![0; rows.next_multiple_of(PASS) / 2 * cols];
        for i in 0..rows {
            let shift = if i % 2 == 0 { 16 } else { 0 };
            for (pair, value) in pairs[i / 2 * cols..][..cols].iter_mut().zip(matrix.row(i)) {
                let bits = value.to_bits();
                if bits & 0xffff != 0 {
                    return None;
                }
                *pair |= bits >> shift;
            }
        }
        Some(Self { pairs, rows, cols })
    }

    /// `out = a · self`, or `out += a · self` when `accumulate`.
    ///
    /// **Shapes** `a` [m, rows] row-major, `out` [m, cols] with rows `out_stride` apart.
    pub fn matmul(&self, out: &mut [f32], out_stride: usize, accumulate: bool, a: Mat) {
        assert_eq!(a.cols(), self.rows, "inner dimensions of a matrix product");
        // A few zeros more, so that every pass is whole.
        let mut x = [const { Vec::new() }; 4];
        for (block, out) in out.chunks_mut(4 * out_stride).enumerate().take(a.rows().div_ceil(4)) {
            let rows = (a.rows() - 4 * block).min(4);
            for (r, x) in x.iter_mut().enumerate().take(rows) {
                x.clear();
                x.extend_from_slice(a.row(4 * block + r));
                x.resize(self.rows.next_multiple_of(PASS), 0.0);
            }
            if !accumulate {
                (0..rows).for_each(|row| out[row * out_stride..][..self.cols].fill(0.0));
            }
            if rows == 4 {
                let (first, rest) = out.split_at_mut(out_stride);
                let (second, rest) = rest.split_at_mut(out_stride);
                let (third, fourth) = rest.split_at_mut(out_stride);
                let outs = [first, second, third, fourth].map(|out| &mut out[..self.cols]);
                add_four(outs, [&x[0], &x[1], &x[2], &x[3]], &self.pairs);
                continue;
            }
            for (row, x) in x.iter().enumerate().take(rows) {
                add_one(&mut out[row * out_stride..][..self.cols], x, &self.pairs);
            }
        }
    }
}

#[inline(always)]
fn low(pair: u32) -> f32 {
    f32::from_bits(pair << 16)
}

#[inline(always)]
fn high(pair: u32) -> f32 {
    f32::from_bits(pair & 0xffff_0000)
}

/// `out += x · B` for one row, eight rows of `B` a pass.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
fn add_one(out: &mut [f32], x: &[f32], pairs: &[u32]) {
    let n = out.len();
    let (passes, _) = x.as_chunks::<PASS>();
    for (x, pairs) in passes.iter().zip(pairs.chunks_exact(PASS / 2 * n)) {
        let (p0, rest) = pairs.split_at(n);
        let (p1, rest) = rest.split_at(n);
        let (p2, p3) = rest.split_at(n);
        let p3 = &p3[..n];
        for j in 0..n {
            let first = x[0] * low(p0[j]) + x[1] * high(p0[j]) + (x[2] * low(p1[j]) + x[3] * high(p1[j]));
            let second = x[4] * low(p2[j]) + x[5] * high(p2[j]) + (x[6] * low(p3[j]) + x[7] * high(p3[j]));
            out[j] += first + second;
        }
    }
}

/// `out += X · B` for four rows, two rows of `B` a pass.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
fn add_four(outs: [&mut [f32]; 4], x: [&[f32]; 4], pairs: &[u32]) {
    let [out0, out1, out2, out3] = outs;
    let n = out0.len();
    let (out1, out2, out3) = (&mut out1[..n], &mut out2[..n], &mut out3[..n]);
    for (i, pairs) in pairs.chunks_exact(n).enumerate() {
        let at = |row: usize| (x[row][2 * i], x[row][2 * i + 1]);
        let ((x0, y0), (x1, y1), (x2, y2), (x3, y3)) = (at(0), at(1), at(2), at(3));
        for j in 0..n {
            let (first, second) = (low(pairs[j]), high(pairs[j]));
            out0[j] += x0 * first + y0 * second;
            out1[j] += x1 * first + y1 * second;
            out2[j] += x2 * first + y2 * second;
            out3[j] += x3 * first + y3 * second;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::matmul::matmul;
    use super::*;

    #[test]
    fn halves_give_the_product_of_the_same_values() {
        for (m, k, n) in [(1, 13, 40), (3, 8, 17), (4, 7, 19), (9, 22, 33)] {
            let a: Vec<f32> = (0..m * k).map(|i| ((i * 31 % 97) as f32 - 48.0) / 48.0).collect();
            // Seven bits each: exact in bfloat16.
            let b: Vec<f32> = (0..k * n).map(|i| ((i * 37 % 101) as f32 - 50.0) / 64.0).collect();
            let halves = Bf16Matrix::new(Mat::new(&b, k, n)).expect("exact values");
            let (mut found, mut expected) = (vec![1.0; m * n], vec![1.0; m * n]);
            halves.matmul(&mut found, n, true, Mat::new(&a, m, k));
            matmul(&mut expected, n, true, Mat::new(&a, m, k), Mat::new(&b, k, n));
            for (found, expected) in found.iter().zip(&expected) {
                assert!((found - expected).abs() < 1e-5, "{found}, expected {expected}");
            }
        }
        assert!(Bf16Matrix::new(Mat::new(&[0.1], 1, 1)).is_none(), "0.1 needs more bits");
    }
}
