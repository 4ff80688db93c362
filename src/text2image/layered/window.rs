//! Frames on the canvas, and the grids that read and write inside them.
//!
//! A grid spreads its cells evenly from edge to edge and weighs pixels by their distance from a cell's centre
//! ("hat" functions): what a patch writes is its bilinear interpolation.

use burn::tensor::{Device, Tensor, activation::sigmoid};

use super::LayeredConfig;
use crate::kernels::window::{Rect, Window};

/// A frame is at least this share of the largest that it can be.
const LEAST: f32 = 0.3;
/// n things leave each a frame of at most this, over √n, of the canvas.
const SHARE: f32 = 1.3;
/// Strokes start nearly as large as their frame.
const LARGE: f32 = 3.0;
/// Numbers of a frame: x, y and size.
pub const FRAME: usize = 3;
/// Raw numbers of a stroke: x, y and size inside the frame.
pub const STROKE: usize = 3;

/// One column of a table.
pub fn column(tensor: &Tensor<2>, at: usize) -> Tensor<2> {
    tensor.clone().narrow(1, at, 1)
}

/// The largest frame where `things` stand on one canvas, a share of it.
pub fn largest(things: usize) -> f32 {
    (SHARE / (things as f32).sqrt()).min(1.0)
}

/// Frames (x, y, size) [row, 3] of raw numbers [row, 3]: a centre in half-canvases from the middle, kept so that
/// the frame lies on the canvas, and a share of the canvas up to `largest` [row, 1].
pub fn frames(raw: &Tensor<2>, anchors: Tensor<2>, largest: Tensor<2>) -> Tensor<2> {
    let size = (sigmoid(column(raw, 2)) * (1.0 - LEAST) + LEAST) * largest;
    let free = size.clone() * -1.0 + 1.0;
    let center = (raw.clone().narrow(1, 0, 2) + anchors).tanh() * free;
    Tensor::cat(vec![center, size], 1)
}

/// Frames [row, 3] whose centres are moved and whose sizes change, by [row, 3] half-canvases and a logarithm.
pub fn moved(frames: &Tensor<2>, by: Tensor<2>) -> Tensor<2> {
    let center = frames.clone().narrow(1, 0, 2) + by.clone().narrow(1, 0, 2);
    Tensor::cat(vec![center, column(frames, 2) * column(&by, 2).exp()], 1)
}

/// Where a frame's stroke lies (x, y, size) [row, 3], of raw numbers [row, 3]: inside the frame.
pub fn stroke(frames: &Tensor<2>, raw: &Tensor<2>) -> Tensor<2> {
    let share = sigmoid(column(raw, 2) + LARGE);
    let free = column(frames, 2) * (share.clone() * -1.0 + 1.0);
    let center = frames.clone().narrow(1, 0, 2) + raw.clone().narrow(1, 0, 2).tanh() * free;
    Tensor::cat(vec![center, column(frames, 2) * share], 1)
}

/// Weights of the cells of square grids.
pub struct Grid {
    /// [batch, 1, N, height].
    y: Tensor<4>,
    /// [batch, 1, N, width].
    x: Tensor<4>,
}

impl Grid {
    /// Reads a frame as cells, each the mean of the pixels around it.
    pub fn reading(config: &LayeredConfig, cells: usize, frames: &Tensor<2>) -> Self {
        let normal = |bank: Tensor<4>| bank.clone() / (bank.sum_dim(3) + 1e-4);
        let bank = |axis, len| normal(hats(config, frames, axis, len, cells, true));
        Self { y: bank(1, config.height), x: bank(0, config.width) }
    }

    /// Writes patches into rectangles (x, y, size) [batch, 3].
    pub fn writing(config: &LayeredConfig, cells: usize, places: &Tensor<2>) -> Self {
        let bank = |axis, len| hats(config, places, axis, len, cells, false);
        Self { y: bank(1, config.height), x: bank(0, config.width) }
    }

    /// `F_y · image · F_xᵀ` for each channel: [batch, channel, N, N].
    pub fn read(&self, image: Tensor<4>) -> Tensor<4> {
        self.y.clone().matmul(image).matmul(self.x.clone().transpose())
    }

    /// `F_yᵀ · patch · F_x` for each channel: [batch, channel, height, width].
    pub fn write(&self, patch: Tensor<4>) -> Tensor<4> {
        self.y.clone().transpose().matmul(patch).matmul(self.x.clone())
    }

    /// How much of each pixel lies inside the rectangle that is written, 0 to 1 [batch, 1, height, width].
    pub fn inside(&self) -> Tensor<4> {
        self.y.clone().sum_dim(2).transpose().matmul(self.x.clone().sum_dim(2))
    }
}

/// `max(0, 1 − |pixel − μ_n| / w)` [batch, 1, N, len]; w is a cell's stride, where reading at least a pixel.
fn hats(
    config: &LayeredConfig,
    places: &Tensor<2>,
    axis: usize,
    len: usize,
    cells: usize,
    reading: bool,
) -> Tensor<4> {
    let device = places.device();
    let side = config.height.max(config.width);
    let stride = column(places, 2) * ((side - 1) as f32 / (cells - 1) as f32);
    let center = (column(places, axis) + 1.0) * (len as f32 / 2.0) - 0.5;
    let means = center + stride.clone() * counted(cells, (cells - 1) as f32 / 2.0, &device).unsqueeze::<2>();
    let width = if reading { stride.clamp_min(1.0) } else { stride.clamp_min(1e-3) };
    let [batch, _] = means.dims();
    let distance = counted(len, 0.0, &device).reshape([1, 1, 1, len]) - means.reshape([batch, 1, cells, 1]);
    (distance.abs() / width.reshape([batch, 1, 1, 1]) * -1.0 + 1.0).clamp_min(0.0)
}

/// 0, 1, 2, … minus a shift.
fn counted(n: usize, shift: f32, device: &Device) -> Tensor<1> {
    let values: Vec<f32> = (0..n).map(|i| i as f32 - shift).collect();
    Tensor::from_floats(values.as_slice(), device)
}

/// The write window of a rectangle (x, y, size) on the host.
pub fn decode(config: &LayeredConfig, place: &[f32]) -> (Window, Rect) {
    let side = config.height.max(config.width) as f32;
    let center = |axis: usize, len: usize| (place[axis] + 1.0) * (len as f32 / 2.0) - 0.5;
    let stride = place[2] * (side - 1.0) / (config.write_size - 1) as f32;
    let window = Window {
        center_x: center(0, config.width),
        center_y: center(1, config.height),
        stride,
        std: stride,
        intensity: 1.0,
    };
    let extent = place[2] * side;
    let edge = |center: f32| center + 0.5 - extent / 2.0;
    let rect = Rect { x: edge(window.center_x), y: edge(window.center_y), width: extent, height: extent };
    (window, rect)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::floats;

    #[test]
    fn frames_move_by_half_canvases_and_grow_by_logarithms() {
        let table = |row: [f32; 3]| Tensor::<2>::from_floats([row], &Device::flex());
        let by = table([0.25, -0.5, 2f32.ln()]);
        let moved = floats(moved(&table([0.1, 0.2, 0.3]), by).into_data());
        assert!(moved.iter().zip([0.35, -0.3, 0.6]).all(|(a, b)| (a - b).abs() < 1e-6), "{moved:?}");
    }

    /// A quarter of the canvas in its middle: what is inside is covered by ones, what is outside by nothing.
    #[test]
    fn what_is_written_lies_inside_its_rectangle() {
        let config = LayeredConfig { height: 16, width: 16, ..LayeredConfig::tiny() };
        let place = Tensor::<2>::from_floats([[0.0, 0.0, 0.5]], &Device::flex());
        let grid = Grid::writing(&config, 4, &place);
        let inside = floats(grid.inside().into_data());
        let written = floats(grid.write(Tensor::ones([1, 1, 4, 4], &Device::flex())).into_data());
        for (at, (inside, written)) in inside.iter().zip(&written).enumerate() {
            let [row, column] = [at / 16, at % 16];
            let within = |edge: usize| (5..=10).contains(&edge);
            let beyond = |edge: usize| !(1..=14).contains(&edge);
            assert!((inside - written).abs() < 1e-5);
            assert!(
                !(within(row) && within(column)) || (inside - 1.0).abs() < 1e-5,
                "{row}, {column}: {inside}"
            );
            assert!(!(beyond(row) || beyond(column)) || *inside == 0.0, "{row}, {column}: {inside}");
        }
    }
}
