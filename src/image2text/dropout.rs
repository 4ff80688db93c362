//! Dropout whose masks are from a batch's noise seed.

use burn::tensor::{Tensor, TensorData};

use crate::data::batch::TrainBatch;
use crate::data::noise::Noise;

/// Stream of a batch's noise seed.
const STREAM: u64 = 1;

/// Masks of dropout from a batch's noise seed; none where it is measured on.
pub struct Masks(Option<Noise>);

impl Masks {
    /// Those of a batch.
    pub fn of(item: &TrainBatch) -> Self {
        Self(item.is_learned_from().then(|| Noise::stream(item.noise_seed, STREAM)))
    }

    /// None.
    pub fn none() -> Self {
        Self(None)
    }

    /// The next mask: a share of zeros, the others such that the mean stays; none where nothing is dropped.
    pub fn mask(&mut self, len: usize, share: f32) -> Option<Vec<f32>> {
        let noise = self.0.as_mut().filter(|_| share > 0.0)?;
        let kept = 1.0 / (1.0 - share);
        Some((0..len).map(|_| if noise.uniform() < share { 0.0 } else { kept }).collect())
    }

    /// Drops a share of the values, and scales the others so that their mean stays.
    pub fn drop<const D: usize>(&mut self, values: Tensor<D>, share: f32) -> Tensor<D> {
        let shape = values.dims();
        let Some(mask) = self.mask(shape.iter().product(), share) else { return values };
        let device = values.device();
        values * Tensor::from_data(TensorData::new(mask, shape), &device)
    }
}
