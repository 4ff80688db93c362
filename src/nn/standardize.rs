//! Numbers brought to mean 0 and deviation 1, each by its own constants, which are measured and not learned.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use super::start::Start;

/// Deviations below this share of their mean count as it: what hardly varies is not blown up.
const LEAST_DEVIATION: f32 = 0.1;

/// `(x − mean) / deviation`, number by number.
#[derive(Module, Debug)]
pub struct Standardize {
    /// Means [n].
    mean: Param<Tensor<1>>,
    /// Standard deviations [n].
    deviation: Param<Tensor<1>>,
}

impl Standardize {
    /// Changes nothing, until it is [`Self::fitted`].
    pub fn identity(size: usize, device: &Device) -> Self {
        let start = Start::new(0, device);
        Self { mean: start.constant([size], 0.0), deviation: start.constant([size], 1.0) }
    }

    /// By means and deviations over rows [row, n], at least two; unchanged where it was fitted before.
    #[must_use]
    pub fn fitted(self, rows: &Tensor<2>) -> Self {
        let [count, size] = rows.dims();
        let was_fitted = super::floats(self.mean.val().into_data()).iter().any(|mean| *mean != 0.0);
        if was_fitted || count < 2 {
            return self;
        }
        let mean = rows.clone().mean_dim(0);
        let deviation = (rows.clone() - mean.clone()).square().mean_dim(0).sqrt();
        let deviations = super::floats(deviation.into_data());
        let least = LEAST_DEVIATION * deviations.iter().sum::<f32>() / size as f32;
        // Numbers that never vary at all stay as they are.
        let deviations =
            deviations.into_iter().map(|deviation| deviation.max(if least > 0.0 { least } else { 1.0 }));
        let device = rows.device();
        let start = Start::new(0, &device);
        Self {
            mean: start.tensor(super::floats(mean.into_data()), [size]),
            deviation: start.tensor(deviations.collect(), [size]),
        }
    }

    /// Of `x` [batch, cell, n]; nothing is learned of the constants.
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        (x - self.mean.val().detach().unsqueeze()) / self.deviation.val().detach().unsqueeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::{floats, on_device};

    #[test]
    fn rows_get_mean_0_and_deviation_1() {
        let device = Device::flex();
        let rows = on_device::<2>(vec![1.0, 5.0, 3.0, 5.0, 5.0, 5.0], [3, 2], &device);
        let known = Standardize::identity(2, &device).fitted(&rows);
        let found = floats(known.forward(rows.clone().unsqueeze_dim(1)).into_data());
        let side = (3.0f32 / 2.0).sqrt();
        for (at, (found, expected)) in found.iter().zip([-side, 0.0, 0.0, 0.0, side, 0.0]).enumerate() {
            assert!((found - expected).abs() < 1e-5, "{at}: {found}, expected {expected}");
        }
        let again = known.fitted(&(rows * 2.0));
        let kept = floats(again.mean.val().into_data());
        assert_eq!(kept, [3.0, 5.0], "measured once");
    }
}
