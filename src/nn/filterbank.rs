//! The Gaussian window of DRAW (Gregor et al. 2015, eqs. 19–27), in burn tensors.
//! `kernels::window` is the same for the CPU and has the notes on centring.

use burn::tensor::{Device, Tensor};

use crate::kernels::window::{Geometry, MAX_LOG};

/// A batch of windows as filter banks.
#[derive(Clone, Debug)]
pub struct FilterBanks {
    /// F_y [batch, 1, N, height].
    pub y: Tensor<4>,
    /// F_x [batch, 1, N, width].
    pub x: Tensor<4>,
    /// γ [batch, 1, 1, 1].
    pub intensity: Tensor<4>,
}

impl FilterBanks {
    /// Decodes raw windows [batch, 5].
    pub fn new(geometry: Geometry, raw: Tensor<2>) -> Self {
        let device = raw.device();
        let column = |i: usize| raw.clone().narrow(1, i, 1);
        let bounded = |i: usize| column(i).clamp(-MAX_LOG, MAX_LOG);
        let (height, width, size) = (geometry.height, geometry.width, geometry.size);
        let full_stride = (height.max(width) - 1) as f32 / (size.max(2) - 1) as f32;
        let strides = bounded(2).exp();
        let strides = match geometry.limit {
            f32::INFINITY => strides,
            limit => ((strides / -limit).exp().neg() + 1.0) * limit,
        };
        let stride = strides * full_stride;
        let variance = bounded(3).exp();
        let center = |i: usize, len: usize| (column(i) + 1.0) * ((len + 1) as f32 / 2.0) - 1.0;
        let bank = |center: Tensor<2>, len: usize| {
            filters(center, stride.clone(), variance.clone(), size, len, &device)
        };
        Self {
            x: bank(center(0, width), width),
            y: bank(center(1, height), height),
            intensity: bounded(4).exp().reshape([-1, 1, 1, 1]),
        }
    }

    /// Banks of decoded windows, all [batch, 1]: centres (x, y) and strides in pixels, variances in pixels²,
    /// intensities γ. `canvas` is its height and width.
    pub fn at(
        canvas: [usize; 2],
        size: usize,
        [x, y]: [Tensor<2>; 2],
        stride: Tensor<2>,
        variance: Tensor<2>,
        intensity: Tensor<2>,
    ) -> Self {
        let device = stride.device();
        let bank = |center, len| filters(center, stride.clone(), variance.clone(), size, len, &device);
        let [height, width] = canvas;
        Self { y: bank(y, height), x: bank(x, width), intensity: intensity.reshape([-1, 1, 1, 1]) }
    }

    /// `F_y · image · F_xᵀ` for each channel: [batch, channel, N, N].
    pub fn read(&self, image: Tensor<4>) -> Tensor<4> {
        self.y.clone().matmul(image).matmul(self.x.clone().transpose())
    }

    /// `F_yᵀ · patch · F_x` for each channel: [batch, channel, height, width].
    pub fn write(&self, patch: Tensor<4>) -> Tensor<4> {
        self.y.clone().transpose().matmul(patch).matmul(self.x.clone())
    }
}

/// One bank [batch, 1, N, len] from columns [batch, 1].
fn filters(
    center: Tensor<2>,
    stride: Tensor<2>,
    variance: Tensor<2>,
    size: usize,
    len: usize,
    device: &Device,
) -> Tensor<4> {
    let [batch, _] = center.dims();
    let counted = |n: usize, shift: f32| -> Vec<f32> { (0..n).map(|i| i as f32 - shift).collect() };
    let offsets = counted(size, (size - 1) as f32 / 2.0);
    let offsets = Tensor::<1>::from_floats(offsets.as_slice(), device).unsqueeze::<2>();
    let means = (center + stride * offsets).reshape([batch, 1, size, 1]);
    let pixels = Tensor::<1>::from_floats(counted(len, 0.0).as_slice(), device);
    let distance = pixels.reshape([1, 1, 1, len]) - means;
    let exponent = distance.square() / (variance.reshape([batch, 1, 1, 1]) * -2.0);
    let filters = exponent.exp();
    let norm = filters.clone().sum_dim(3) + 1e-4;
    filters / norm
}
