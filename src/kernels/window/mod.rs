//! The Gaussian window that reads from and writes to an image (Gregor et al., DRAW, eqs. 19–27).
//!
//! A filter bank is a grid of N Gaussian filters along one axis. Both banks of a window are kept as
//! dense rows, but only the pixels within [`REACH`] standard deviations of the outermost filters
//! are computed and touched: a trained window covers a small part of the canvas.

mod glimpse;
mod passes;

use std::ops::Range;

use multiversion::multiversion;

pub use self::glimpse::WindowWork;
use self::passes::{columns_of, form_backward, rows_of, spread};
use super::math::{dot, exp};

/// Bound of the raw log stride, log variance and log intensity, so that no exponential overflows.
pub const MAX_LOG: f32 = 8.0;
/// Standard deviations beyond which a filter is taken as zero: e^-18, below the rounding of its sum in `f32`.
const REACH: f32 = 6.0;
/// Exponents below which a filter is zero: numbers so small change no sum, but the products of two of them are
/// denormal, and a processor takes a hundred times as long for those.
const SMALLEST_EXPONENT: f32 = -40.0;
/// Added to each filter's sum before the division (DRAW, eq. 26).
const NORMALISER: f32 = 1e-4;

/// How many raw numbers the network gives for a window: ĝ_x, ĝ_y, log δ, log σ², log γ.
pub const RAW: usize = 5;

/// Where a window lies. **Units** zero-based pixels, (0, 0) the centre of the top left pixel.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Window {
    /// Centre of the grid, x.
    pub center_x: f32,
    /// Centre of the grid, y.
    pub center_y: f32,
    /// Distance between neighbouring filters, pixels.
    pub stride: f32,
    /// Standard deviation of each filter, pixels.
    pub std: f32,
    /// γ, a factor without a unit.
    pub intensity: f32,
}

/// The gradient of a [`Window`]; that of γ goes past the filter banks.
#[derive(Clone, Copy, Debug, Default)]
pub struct WindowGradient {
    /// Of the centre, x.
    pub center_x: f32,
    /// Of the centre, y.
    pub center_y: f32,
    /// Of the stride.
    pub stride: f32,
    /// Of log σ².
    pub log_variance: f32,
}

/// A rectangle on the canvas. **Units** pixels; (0, 0) is the top left corner of the top left pixel.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Rect {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// From left to right.
    pub width: f32,
    /// From top to bottom.
    pub height: f32,
}

impl Window {
    /// What the grid of `size` × `size` filters covers: a square with a cell of one stride around each of
    /// their centres.
    pub fn rect(&self, size: usize) -> Rect {
        let side = size as f32 * self.stride;
        let edge = |center: f32| center + 0.5 - side / 2.0;
        Rect { x: edge(self.center_x), y: edge(self.center_y), width: side, height: side }
    }
}

/// The size of the image and of the grid.
#[derive(Clone, Copy, Debug)]
pub struct Geometry {
    /// Image height, pixels.
    pub height: usize,
    /// Image width, pixels.
    pub width: usize,
    /// Filters along each axis, N.
    pub size: usize,
    /// What the grid's span stays below, a share of the longer side; infinite in the paper.
    pub limit: f32,
}

impl Geometry {
    /// The stride of a grid that spans the longer side: `(max(A, B) − 1) / (N − 1)`.
    fn full_stride(&self) -> f32 {
        (self.height.max(self.width) - 1) as f32 / (self.size.max(2) - 1) as f32
    }

    /// Strides of the full grid to a bounded raw log stride, and its derivative with respect to that.
    /// A limit `l` turns `e^x` into `l (1 − e^{−e^x / l})`: the same for small windows, never above `l`.
    fn strides(&self, log_stride: f32) -> (f32, f32) {
        let free = log_stride.exp();
        if self.limit.is_infinite() {
            return (free, free);
        }
        let slope = (-free / self.limit).exp();
        (self.limit * (1.0 - slope), free * slope)
    }

    /// Floats in both filter banks of one window: F_y [N, height], then F_x [N, width].
    pub fn bank_len(&self) -> usize {
        self.size * (self.height + self.width)
    }

    /// Decodes the network's raw output.
    ///
    /// **Equation** `g = (A+1)/2·(ĝ+1) − 1`, `δ = (max(A,B)−1)/(N−1)·e^{log δ}`, `σ = e^{½ log σ²}`,
    /// `γ = e^{log γ}`. **Deviations** DRAW's formula counts filters and pixels from 1; the −1 and
    /// the offsets `i − (N−1)/2` keep the window centred with zero-based ones (tested). With a limit, δ
    /// is `(max(A,B)−1)/(N−1)·l (1 − e^{−e^{log δ}/l})`.
    pub fn window(&self, raw: &[f32]) -> Window {
        let bounded = |x: f32| x.clamp(-MAX_LOG, MAX_LOG);
        Window {
            center_x: (self.width + 1) as f32 / 2.0 * (raw[0] + 1.0) - 1.0,
            center_y: (self.height + 1) as f32 / 2.0 * (raw[1] + 1.0) - 1.0,
            stride: self.full_stride() * self.strides(bounded(raw[2])).0,
            std: (0.5 * bounded(raw[3])).exp(),
            intensity: bounded(raw[4]).exp(),
        }
    }

    fn offset(&self, i: usize) -> f32 {
        i as f32 - (self.size - 1) as f32 / 2.0
    }

    /// The pixels that the filters along an axis of `len` pixels reach.
    fn reach(&self, center: f32, window: &Window, len: usize) -> Range<usize> {
        let half = window.stride * (self.size - 1) as f32 / 2.0 + REACH * window.std;
        let low = (center - half).floor().max(0.0);
        let high = (center + half).ceil() + 1.0;
        if !(low < len as f32 && high > 0.0) {
            return 0..0;
        }
        low as usize..(high as usize).min(len)
    }

    fn reach_y(&self, window: &Window) -> Range<usize> {
        self.reach(window.center_y, window, self.height)
    }

    fn reach_x(&self, window: &Window) -> Range<usize> {
        self.reach(window.center_x, window, self.width)
    }

    /// Fills `banks` ([`Self::bank_len`]) for a window.
    ///
    /// **Equation** `F[i,a] = exp(−(a−μ_i)²/2σ²)`, each row divided by (its sum + 1e-4).
    pub fn fill(&self, window: &Window, banks: &mut [f32]) {
        let (bank_y, bank_x) = banks.split_at_mut(self.size * self.height);
        for i in 0..self.size {
            let shift = window.stride * self.offset(i);
            let (row_y, row_x) =
                (&mut bank_y[i * self.height..][..self.height], &mut bank_x[i * self.width..][..self.width]);
            fill_filter(row_y, window.center_y + shift, window.std, self.reach_y(window));
            fill_filter(row_x, window.center_x + shift, window.std, self.reach_x(window));
        }
    }

    /// Reads glimpses `F_y · image · F_xᵀ` [image, N, N] (intensity not applied) from images of one channel.
    ///
    /// `rows` [image, N, width] is scratch and holds `F_y · image` afterwards.
    pub fn read<'a>(
        &self,
        window: &Window,
        banks: &[f32],
        images: impl IntoIterator<Item = &'a [f32]>,
        rows: &mut [f32],
        out: &mut [f32],
    ) {
        let reach = (self.reach_y(window), self.reach_x(window));
        let (bank_y, bank_x) = banks.split_at(self.size * self.height);
        for (image, rows) in images.into_iter().zip(rows.chunks_exact_mut(self.size * self.width)) {
            rows_of(self, bank_y, image, &reach, rows);
        }
        columns_of(self, bank_x, rows, &reach.1, out);
    }

    /// Writes a patch [N, N]: `image += scale · F_yᵀ · patch · F_x`; with a glimpse's gradient for a
    /// patch, the gradient of [`Self::read`].
    pub fn write(&self, window: &Window, banks: &[f32], scale: f32, patch: &[f32], image: &mut [f32]) {
        let reach = (self.reach_y(window), self.reach_x(window));
        let (bank_y, bank_x) = banks.split_at(self.size * self.height);
        spread(self, bank_y, bank_x, scale, patch, &reach, image);
    }

    /// Adds to `d_banks` the gradient of `⟨d_out, F_y · image · F_xᵀ⟩` with respect to both banks.
    ///
    /// Serves reading (`image` the image, `d_out` the glimpse's gradient) and writing (`image` the
    /// canvas gradient, `d_out` the patch): the same bilinear form. `rows` must hold `F_y · image`,
    /// as [`Self::read`] leaves it.
    pub fn banks_backward(
        &self,
        window: &Window,
        banks: &[f32],
        image: &[f32],
        rows: &[f32],
        d_out: &[f32],
        d_banks: &mut [f32],
    ) {
        let reach = (self.reach_y(window), self.reach_x(window));
        let bank_x = &banks[self.size * self.height..];
        form_backward(self, bank_x, image, rows, d_out, &reach, d_banks);
    }

    /// The gradient of a window from that of its banks.
    pub fn fill_backward(&self, window: &Window, banks: &[f32], d_banks: &[f32]) -> WindowGradient {
        let (bank_y, bank_x) = banks.split_at(self.size * self.height);
        let (d_bank_y, d_bank_x) = d_banks.split_at(self.size * self.height);
        let mut gradient = WindowGradient::default();
        for i in 0..self.size {
            let shift = window.stride * self.offset(i);
            let y = (&bank_y[i * self.height..][..self.height], &d_bank_y[i * self.height..][..self.height]);
            let x = (&bank_x[i * self.width..][..self.width], &d_bank_x[i * self.width..][..self.width]);
            let (d_mean_y, d_log_y) =
                filter_backward(y.0, y.1, window.center_y + shift, window.std, self.reach_y(window));
            let (d_mean_x, d_log_x) =
                filter_backward(x.0, x.1, window.center_x + shift, window.std, self.reach_x(window));
            gradient.center_y += d_mean_y;
            gradient.center_x += d_mean_x;
            gradient.stride += self.offset(i) * (d_mean_x + d_mean_y);
            gradient.log_variance += d_log_x + d_log_y;
        }
        gradient
    }

    /// Through [`Self::window`], to ĝ_x, ĝ_y, log δ and log σ²; log γ is the caller's. Adds into `d_raw`.
    pub fn window_backward(&self, raw: &[f32], gradient: &WindowGradient, d_raw: &mut [f32]) {
        d_raw[0] += (self.width + 1) as f32 / 2.0 * gradient.center_x;
        d_raw[1] += (self.height + 1) as f32 / 2.0 * gradient.center_y;
        if raw[2].abs() <= MAX_LOG {
            d_raw[2] += self.full_stride() * self.strides(raw[2]).1 * gradient.stride;
        }
        if raw[3].abs() <= MAX_LOG {
            d_raw[3] += gradient.log_variance;
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
fn fill_filter(row: &mut [f32], mean: f32, std: f32, reach: Range<usize>) {
    row.fill(0.0);
    let start = reach.start as f32 - mean;
    let scale = -0.5 / (std * std);
    let row = &mut row[reach];
    for (a, value) in row.iter_mut().enumerate() {
        let distance = start + a as f32;
        let exponent = scale * distance * distance;
        *value = if exponent < SMALLEST_EXPONENT { 0.0 } else { exp(exponent) };
    }
    let norm = 1.0 / (row.iter().sum::<f32>() + NORMALISER);
    for value in row {
        *value *= norm;
    }
}

/// Gradient of one filter's mean and of log σ², from that of its values.
#[multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
fn filter_backward(row: &[f32], d_row: &[f32], mean: f32, std: f32, reach: Range<usize>) -> (f32, f32) {
    let start = reach.start as f32 - mean;
    let (row, d_row) = (&row[reach.clone()], &d_row[reach]);
    let along = dot(row, d_row);
    let precision = 1.0 / (std * std);
    let (mut d_mean, mut d_log_variance) = (0.0, 0.0);
    for a in 0..row.len() {
        let distance = start + a as f32;
        let d_exponent = (d_row[a] - along) * row[a];
        d_mean += d_exponent * distance * precision;
        d_log_variance += d_exponent * 0.5 * distance * distance * precision;
    }
    (d_mean, d_log_variance)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Filter centres of a window whose five raw numbers are 0, along the width.
    fn centres(side: usize, size: usize) -> Vec<f32> {
        let geometry = Geometry { height: side, width: side, size, limit: f32::INFINITY };
        let window = geometry.window(&[0.0; RAW]);
        (0..size).map(|i| window.center_x + window.stride * geometry.offset(i)).collect()
    }

    #[test]
    fn a_neutral_window_spans_the_image_from_edge_to_edge() {
        let even = [0.0, 8.4286, 16.8571, 25.2857, 33.7143, 42.1429, 50.5714, 59.0];
        let odd = [0.0, 3.875, 7.75, 11.625, 15.5, 19.375, 23.25, 27.125, 31.0];
        for (found, expected) in [(centres(60, 8), even.as_slice()), (centres(32, 9), odd.as_slice())] {
            assert_eq!(found.len(), expected.len());
            let close = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-3);
            assert!(close, "{found:?}");
        }
    }

    #[test]
    fn a_limited_window_stays_small() {
        let span = |limit: f32, log_stride: f32| {
            let geometry = Geometry { height: 48, width: 64, size: 9, limit };
            geometry.window(&[0.0, 0.0, log_stride, 0.0, 0.0]).stride * 8.0
        };
        assert!(span(0.5, MAX_LOG) <= 0.5 * 63.0);
        // A small one is hardly smaller for it.
        let (free, limited) = (span(f32::INFINITY, -3.0), span(0.5, -3.0));
        assert!(limited < free && limited > 0.94 * free, "{limited} of {free}");
    }

    #[test]
    fn no_product_of_two_weights_is_denormal() {
        let geometry = Geometry { height: 64, width: 64, size: 9, limit: f32::INFINITY };
        let mut banks = vec![f32::NAN; geometry.bank_len()];
        for log_variance in [-4.0, -2.0, 0.0, 2.0] {
            geometry.fill(&geometry.window(&[0.0, 0.0, 0.0, log_variance, 0.0]), &mut banks);
            let smallest = banks.iter().copied().filter(|&weight| weight > 0.0).fold(f32::MAX, f32::min);
            assert!((smallest * smallest).is_normal(), "{smallest}");
        }
    }

    #[test]
    fn filters_inside_sum_to_1_and_outside_stay_finite() {
        let geometry = Geometry { height: 20, width: 31, size: 4, limit: f32::INFINITY };
        let mut banks = vec![f32::NAN; geometry.bank_len()];
        geometry.fill(&geometry.window(&[0.0, 0.0, -1.0, 0.0, 0.0]), &mut banks);
        let (bank_y, bank_x) = banks.split_at(4 * 20);
        for row in bank_y.chunks(20).chain(bank_x.chunks(31)) {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-3);
        }
        for raw in [[50.0, -50.0, 0.0, 0.0, 0.0], [0.0, 0.0, 100.0, -100.0, 100.0]] {
            geometry.fill(&geometry.window(&raw), &mut banks);
            assert!(banks.iter().all(|x| x.is_finite()));
        }
    }
}
