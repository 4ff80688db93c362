//! Windows inside frames.
//!
//! **Equation** frame size `s = 0.6 σ(f_s + 1.5)`, a share of the canvas; stroke size `e = σ(p_2 + 1.5)`, a
//! share of the frame; stride `δ = s e A / N`; centre `g = (A+1)/2 (f + 1) − 1 + A/2 · s (1 − e) tanh p_xy`, so
//! that a stroke does not leave its frame; `σ² = e^{p_3} (A/30)²`, `γ = e^{p_4}`, both logs in ±6. A is the
//! canvas's side along the axis, its longer side for strides.

use burn::tensor::{Tensor, activation::sigmoid};

use super::FramedConfig;
use crate::kernels::window::{Rect, Window, WindowGradient};
use crate::model::WordFrame;
use crate::nn::filterbank::FilterBanks;

/// The largest frame, a share of the canvas.
const LARGEST: f32 = 0.6;
/// Added to raw sizes: frames and strokes start large.
const LARGE: f32 = 1.5;
/// Bound of the raw logs of variance and intensity.
const MAX_LOG: f32 = 6.0;
/// The side of a canvas on which σ² = 1 pixel is a stroke's natural width.
const NATURAL_SIDE: f32 = 30.0;
/// The glimpse of a frame's posterior is wider than the frame by this factor.
const MARGIN: f32 = 1.4;
/// Standard deviation of that glimpse's filters, in strides.
const GLIMPSE_STD: f32 = 0.6;

fn column(tensor: &Tensor<2>, at: usize) -> Tensor<2> {
    tensor.clone().narrow(1, at, 1)
}

fn frame_size(frames: &Tensor<2>) -> Tensor<2> {
    sigmoid(column(frames, 2) + LARGE) * LARGEST
}

fn center(raw: Tensor<2>, len: usize) -> Tensor<2> {
    (raw + 1.0) * ((len + 1) as f32 / 2.0) - 1.0
}

/// The filter banks of a stroke with raw numbers `raw` [batch, 5] in raw frames [batch, 3].
pub fn stroke(config: &FramedConfig, size: usize, frames: &Tensor<2>, raw: &Tensor<2>) -> FilterBanks {
    let share = frame_size(frames);
    let stroke = sigmoid(column(raw, 2) + LARGE);
    let free = share.clone() * (stroke.clone() * -1.0 + 1.0);
    let place = |axis: usize, len: usize| {
        let shift = free.clone() * column(raw, axis).tanh() * (len as f32 / 2.0);
        center(column(frames, axis), len) + shift
    };
    let natural = (config.side() as f32 / NATURAL_SIDE).powi(2);
    let bounded = |at: usize| column(raw, at).clamp(-MAX_LOG, MAX_LOG).exp();
    FilterBanks::at(
        [config.height, config.width],
        size,
        [place(0, config.width), place(1, config.height)],
        share * stroke * (config.side() as f32 / size as f32),
        bounded(3) * natural,
        bounded(4),
    )
}

/// The filter banks of the glimpse that a frame's posterior takes, around raw frames [batch, 3].
pub fn frame_glimpse(config: &FramedConfig, frames: &Tensor<2>) -> FilterBanks {
    let size = config.frame_read_size;
    let stride = frame_size(frames) * (MARGIN * config.side() as f32 / size as f32);
    let ones = Tensor::ones_like(&stride);
    FilterBanks::at(
        [config.height, config.width],
        size,
        [center(column(frames, 0), config.width), center(column(frames, 1), config.height)],
        stride.clone(),
        (stride * GLIMPSE_STD).square(),
        ones,
    )
}

fn sigma(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

/// The window of a stroke of `size` filters along each axis on the host: raw frame (3), then raw stroke (5).
pub fn stroke_window(config: &FramedConfig, size: usize, raw: &[f32]) -> Window {
    let (frame, stroke) = raw.split_at(3);
    let (share, extent) = (LARGEST * sigma(frame[2] + LARGE), sigma(stroke[2] + LARGE));
    let place = |axis: usize, len: usize| {
        let len = len as f32;
        (len + 1.0) / 2.0 * (frame[axis] + 1.0) - 1.0
            + len / 2.0 * share * (1.0 - extent) * stroke[axis].tanh()
    };
    let log = |at: usize| stroke[at].clamp(-MAX_LOG, MAX_LOG);
    Window {
        center_x: place(0, config.width),
        center_y: place(1, config.height),
        stride: share * extent * config.side() as f32 / size as f32,
        std: (0.5 * log(3)).exp() * config.side() as f32 / NATURAL_SIDE,
        intensity: log(4).exp(),
    }
}

/// Through [`stroke_window`]: adds to `d_raw` (3 + 5) from the window's gradient and that of log γ.
pub fn stroke_backward(
    config: &FramedConfig,
    size: usize,
    raw: &[f32],
    gradient: &WindowGradient,
    d_log_intensity: f32,
    d_raw: &mut [f32],
) {
    let (frame, stroke) = raw.split_at(3);
    let (d_frame, d_stroke) = d_raw.split_at_mut(3);
    let (share, extent) = (LARGEST * sigma(frame[2] + LARGE), sigma(stroke[2] + LARGE));
    let of_stride = gradient.stride * config.side() as f32 / size as f32;
    let (mut d_share, mut d_extent) = (of_stride * extent, of_stride * share);
    let axes = [(gradient.center_x, config.width), (gradient.center_y, config.height)];
    for (axis, (d_center, len)) in axes.into_iter().enumerate() {
        let (half, shift) = (d_center * len as f32 / 2.0, stroke[axis].tanh());
        d_frame[axis] += half + d_center / 2.0;
        d_stroke[axis] += half * share * (1.0 - extent) * (1.0 - shift * shift);
        d_share += half * (1.0 - extent) * shift;
        d_extent -= half * share * shift;
    }
    d_frame[2] += d_share * share * (1.0 - share / LARGEST);
    d_stroke[2] += d_extent * extent * (1.0 - extent);
    for (at, d) in [(3, gradient.log_variance), (4, d_log_intensity)] {
        if stroke[at].abs() <= MAX_LOG {
            d_stroke[at] += d;
        }
    }
}

/// The window of [`frame_glimpse`] around a raw frame on the host.
pub fn glimpse_window(config: &FramedConfig, frame: &[f32]) -> Window {
    let center = |axis: usize, len: usize| (frame[axis] + 1.0) * ((len + 1) as f32 / 2.0) - 1.0;
    let size = config.frame_read_size as f32;
    let stride = LARGEST * sigma(frame[2] + LARGE) * MARGIN * config.side() as f32 / size;
    Window {
        center_x: center(0, config.width),
        center_y: center(1, config.height),
        stride,
        std: GLIMPSE_STD * stride,
        intensity: 1.0,
    }
}

/// Through [`glimpse_window`]: adds to the raw frame's gradient.
pub fn glimpse_backward(
    config: &FramedConfig,
    frame: &[f32],
    gradient: &WindowGradient,
    d_frame: &mut [f32],
) {
    let window = glimpse_window(config, frame);
    d_frame[0] += gradient.center_x * (config.width + 1) as f32 / 2.0;
    d_frame[1] += gradient.center_y * (config.height + 1) as f32 / 2.0;
    // σ² is the stride's square times a constant.
    let d_log_stride = gradient.stride * window.stride + 2.0 * gradient.log_variance;
    d_frame[2] += d_log_stride * (1.0 - sigma(frame[2] + LARGE));
}

/// The write window of raw numbers on the host: frame (3), then stroke (5).
pub fn decode(config: &FramedConfig, raw: &[f32]) -> (Window, Rect) {
    let window = stroke_window(config, config.write_size, raw);
    (window, window.rect(config.write_size))
}

/// The raw frame of one that is given; larger ones than the model has are drawn as its largest.
pub fn encode(config: &FramedConfig, frame: &WordFrame) -> [f32; 3] {
    let center = |share: f32, len: usize| {
        let len = len as f32;
        (share * len + 0.5) * 2.0 / (len + 1.0) - 1.0
    };
    let share = (frame.size / LARGEST).clamp(0.02, 0.999);
    [center(frame.x, config.width), center(frame.y, config.height), (share / (1.0 - share)).ln() - LARGE]
}

/// A frame's rectangle, from its raw numbers.
pub fn frame_rect(config: &FramedConfig, raw: &[f32]) -> Rect {
    let side = LARGEST * config.side() as f32 / (1.0 + (-raw[2] - LARGE).exp());
    let edge = |at: usize, len: usize| (len as f32 + 1.0) / 2.0 * (raw[at] + 1.0) - 0.5 - side / 2.0;
    Rect { x: edge(0, config.width), y: edge(1, config.height), width: side, height: side }
}
