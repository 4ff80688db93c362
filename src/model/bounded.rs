//! Bounds of a model in training or measured, by its fastest means.

use super::{FusedPasses, Terms, Trainable};
use crate::data::batch::TrainBatch;
use crate::nn::floats;

/// A model whose bound can be estimated.
pub trait Bounded {
    /// The terms of a batch, averaged over its images.
    fn terms(&mut self, batch: &TrainBatch) -> Terms<f64>;

    /// The lower bound of each image of a batch, nats: minus the sum of all terms.
    fn image_bounds(&mut self, batch: &TrainBatch) -> Vec<f64>;

    /// Of each image `log [p(x, z) / q(z | x)]` for one sample z of its posterior, nats; none for models that
    /// cannot tell.
    fn log_weights(&mut self, batch: &TrainBatch) -> Option<Vec<f64>>;
}

/// A model by its fastest means on the CPU.
pub struct OnCpu<'a, M: Trainable> {
    pub(crate) model: &'a M,
    pub(crate) config: &'a M::Config,
    pub(crate) fused: Option<Box<dyn FusedPasses<M>>>,
}

impl<'a, M: Trainable> OnCpu<'a, M> {
    /// With so many threads, where the model has fused passes.
    pub fn new(model: &'a M, config: &'a M::Config, threads: usize) -> Self {
        let mut fused = M::fused(config, threads);
        if let Some(fused) = &mut fused {
            fused.hold(model, config);
        }
        Self { model, config, fused }
    }
}

impl<M: Trainable> Bounded for OnCpu<'_, M> {
    fn terms(&mut self, batch: &TrainBatch) -> Terms<f64> {
        match &mut self.fused {
            Some(fused) => fused.terms(self.model, self.config, batch),
            None => {
                let terms = self.model.terms(self.config, batch);
                terms.map(|term| f64::from(floats(term.mean().into_data())[0]))
            }
        }
    }

    fn image_bounds(&mut self, batch: &TrainBatch) -> Vec<f64> {
        let fused = self.fused.as_mut().and_then(|fused| fused.image_bounds(self.model, self.config, batch));
        fused.unwrap_or_else(|| {
            let terms = self.model.terms(self.config, batch).0.into_iter().map(|(_, term)| term);
            let total = terms.reduce(|sum, term| sum + term);
            let values = total.map(|total| floats(total.into_data())).unwrap_or_default();
            values.into_iter().map(|nats| -f64::from(nats)).collect()
        })
    }

    fn log_weights(&mut self, batch: &TrainBatch) -> Option<Vec<f64>> {
        let Some(fused) = &mut self.fused else {
            let weights = self.model.log_weights(self.config, batch)?;
            return Some(floats(weights.into_data()).into_iter().map(f64::from).collect());
        };
        fused.log_weights(self.model, self.config, batch)
    }
}
