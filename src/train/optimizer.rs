//! RMSProp as the paper's code has it.

use burn::optim::{LearningRate, Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};

/// RMSProp without momentum, epsilon inside the root.
///
/// **Equation** `a ← 0.9·a + 0.1·g²`, `θ ← θ − lr·g / √(a + 1e-6)`, a starting at 0, no bias
/// correction. burn's own RmsProp has its epsilon outside the root.
#[derive(Clone, Debug)]
pub struct PaperRmsProp;

const DECAY: f64 = 0.9;
const EPSILON: f64 = 1e-6;

/// The running mean of squared gradients.
#[derive(Clone)]
pub struct PaperRmsPropState<const D: usize> {
    square: Tensor<D>,
}

// By hand: burn's derive names its own crates' paths.
impl<const D: usize> RecordState for PaperRmsPropState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_tensor(prefix, "square", self.square.clone().into_data());
    }

    fn state_unflatten(prefix: &str, source: &mut StateSource, device: &Device) -> Option<Self> {
        let data = source.take_tensor(prefix, "square")?;
        Some(Self { square: Tensor::from_data(data, device) })
    }
}

impl Optimizer for PaperRmsProp {
    type State<const D: usize> = PaperRmsPropState<D>;

    fn step<const D: usize>(
        &self,
        rate: LearningRate,
        tensor: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        let fresh = gradient.clone().square() * (1.0 - DECAY);
        let square = match state {
            Some(state) => state.square * DECAY + fresh,
            None => fresh,
        };
        let update = gradient / (square.clone() + EPSILON).sqrt() * rate;
        (tensor - update, Some(PaperRmsPropState { square }))
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        PaperRmsPropState { square: state.square.to_device(device) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_is_about_3_2_times_the_rate() {
        let device = Device::flex();
        let zero = Tensor::<1>::zeros([2], &device);
        let gradient = Tensor::from_floats([5.0, -5.0], &device);
        let (moved, _) = PaperRmsProp.step(1e-3, zero, gradient, None);
        let moved: Vec<f32> = moved.into_data().try_into_vec().expect("floats");
        assert!((moved[0] + 3.162e-3).abs() < 1e-6 && (moved[1] - 3.162e-3).abs() < 1e-6);
    }
}
