//! Convolutions that halve or double maps, and those that keep their size.

use burn::module::{Module, Param};
use burn::tensor::Tensor;
use burn::tensor::module::{conv_transpose2d, conv2d};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};

use super::start::{FAINT, Start};

/// Side of the kernels that halve or double.
pub const KERNEL: usize = 4;

/// A convolution with a bias.
#[derive(Module, Debug)]
pub struct Convolution {
    /// [out, in, kernel, kernel].
    weight: Param<Tensor<4>>,
    /// [out].
    bias: Param<Tensor<1>>,
    stride: usize,
    padding: usize,
}

impl Convolution {
    fn fresh(sizes: [usize; 2], kernel: usize, [stride, padding]: [usize; 2], start: &mut Start) -> Self {
        let [from, to] = sizes;
        let bound = (6.0 / (from * kernel * kernel) as f32).sqrt();
        let weight = start.uniform([to, from, kernel, kernel], bound);
        Self { weight, bias: start.constant([to], 0.0), stride, padding }
    }

    /// One that halves maps: a kernel of 4 pixels in steps of 2. Weights as He et al. 2015 (uniform).
    pub fn halving(from: usize, to: usize, start: &mut Start) -> Self {
        Self::fresh([from, to], KERNEL, [2, 1], start)
    }

    /// One that keeps the size of maps, `kernel` being odd.
    pub fn keeping(from: usize, to: usize, kernel: usize, start: &mut Start) -> Self {
        Self::fresh([from, to], kernel, [1, kernel / 2], start)
    }

    /// [`Self::keeping`] that begins near 0.
    pub fn faint(from: usize, to: usize, kernel: usize, start: &mut Start) -> Self {
        let weight = start.normal([to, from, kernel, kernel], FAINT);
        Self { weight, bias: start.constant([to], 0.0), stride: 1, padding: kernel / 2 }
    }

    /// One without padding, in steps of `stride`.
    pub fn valid(from: usize, to: usize, kernel: usize, stride: usize, start: &mut Start) -> Self {
        Self::fresh([from, to], kernel, [stride, 0], start)
    }

    /// [image, in, height, width] → [image, out, …].
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let options = ConvOptions::new([self.stride; 2], [self.padding; 2], [1; 2], 1);
        conv2d(x, self.weight.val(), Some(self.bias.val()), options)
    }
}

/// A transposed convolution that doubles maps: a kernel of 4 pixels in steps of 2, without the outermost pixel.
#[derive(Module, Debug)]
pub struct Doubling {
    /// [in, out, 4, 4].
    weight: Param<Tensor<4>>,
    /// [out].
    bias: Param<Tensor<1>>,
}

impl Doubling {
    /// Fresh weights; a pixel hears 4 of each kernel's 16 weights.
    pub fn fresh(from: usize, to: usize, start: &mut Start) -> Self {
        let bound = (6.0 / (from * 4) as f32).sqrt();
        let weight = start.uniform([from, to, KERNEL, KERNEL], bound);
        Self { weight, bias: start.constant([to], 0.0) }
    }

    /// [image, in, height, width] → [image, out, 2·height, 2·width].
    pub fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let options = ConvTransposeOptions::new([2; 2], [1; 2], [0; 2], [1; 2], 1);
        conv_transpose2d(x, self.weight.val(), Some(self.bias.val()), options)
    }
}

/// How often 4 pixels must be doubled to give `side`; none when that does not come out.
pub fn doublings(side: usize) -> Option<usize> {
    let ratio = side / 4;
    (side.is_multiple_of(4) && ratio.is_power_of_two() && ratio > 1).then(|| ratio.ilog2() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::floats;
    use burn::tensor::Device;

    #[test]
    fn sides_are_4_times_a_power_of_two() {
        let sides = [4, 8, 12, 32, 33, 64, 0];
        assert_eq!(sides.map(doublings), [None, Some(1), None, Some(3), None, Some(4), None]);
    }

    /// One input pixel of 1 in the middle writes the kernel; at a corner the outermost row and column are cut off.
    #[test]
    fn doubling_by_hand() {
        let device = Device::flex();
        let start = Start::new(1, &device);
        let kernel: Vec<f32> = (0u8..16).map(f32::from).collect();
        let layer = Doubling { weight: start.tensor(kernel, [1, 1, 4, 4]), bias: start.constant([1], 0.5) };
        let x = Tensor::<4>::from_floats([[[[1.0, 0.0], [0.0, 0.0]]]], &device);
        let y = layer.forward(x);
        assert_eq!(y.dims(), [1, 1, 4, 4]);
        let expected = [5.5, 6.5, 7.5, 0.5, 9.5, 10.5, 11.5, 0.5, 13.5, 14.5, 15.5, 0.5, 0.5, 0.5, 0.5, 0.5];
        assert_eq!(floats(y.into_data()), expected);
    }

    #[test]
    fn halving_halves_and_keeping_keeps() {
        let device = Device::flex();
        let mut start = Start::new(1, &device);
        let x = Tensor::<4>::ones([2, 3, 8, 8], &device);
        assert_eq!(Convolution::halving(3, 5, &mut start).forward(x.clone()).dims(), [2, 5, 4, 4]);
        assert_eq!(Convolution::keeping(3, 5, 7, &mut start).forward(x.clone()).dims(), [2, 5, 8, 8]);
        assert_eq!(Convolution::valid(3, 5, 5, 2, &mut start).forward(x).dims(), [2, 5, 2, 2]);
    }
}
