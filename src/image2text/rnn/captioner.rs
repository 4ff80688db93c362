//! The generator as `describe` drives it.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};

use super::{Rnn, RnnConfig};
use crate::error::Result;
use crate::model::{Captioner, Continuation, ImageToText, NextWords, PictureInput, Sentences};
use crate::nn::indices;

impl ImageToText for Rnn {
    fn captioner(self, config: &RnnConfig, _: &Device) -> Box<dyn Captioner> {
        Box::new(RnnCaptioner { model: Arc::new(self), config: Arc::new(config.clone()) })
    }
}

/// The model with its sizes.
struct RnnCaptioner {
    model: Arc<Rnn>,
    config: Arc<RnnConfig>,
}

impl Captioner for RnnCaptioner {
    fn input(&self) -> PictureInput {
        PictureInput::Features(self.config.features.size())
    }

    fn grid(&self) -> Option<[usize; 2]> {
        None
    }

    fn vocabulary_size(&self) -> usize {
        self.config.vocabulary_size
    }

    fn look(&self, pictures: Vec<f32>) -> Result<Box<dyn Sentences>> {
        let looked = self.model.look(&self.config, &pictures)?;
        let pictures = (0..looked.dims()[0]).collect();
        let (model, config) = (self.model.clone(), self.config.clone());
        Ok(Box::new(RnnSentences { model, config, looked, state: None, pictures }))
    }
}

/// Begun sentences.
struct RnnSentences {
    model: Arc<Rnn>,
    config: Arc<RnnConfig>,
    /// b_v [picture, H].
    looked: Tensor<2>,
    /// [hypothesis, H]; none before the first word.
    state: Option<Tensor<2>>,
    /// Of each hypothesis its picture.
    pictures: Vec<usize>,
}

impl Sentences for RnnSentences {
    fn step(&mut self, next: &[Continuation]) -> Result<NextWords> {
        let device = self.model.device();
        let parents: Vec<usize> = next.iter().map(|continuation| continuation.parent).collect();
        self.pictures = parents.iter().map(|&parent| self.pictures[parent]).collect();
        let state = self.state.take().map(|state| state.select(0, indices(parents, &device)));
        let words: Option<Vec<usize>> = next.iter().map(|continuation| continuation.word).collect();
        let word = words.map(|words| self.model.embed(words));
        let picture = self.looked.clone().select(0, indices(self.pictures.clone(), &device));
        let state = self.model.step(&self.config, word, state, &picture);
        let log_probs = self.model.log_probs(state.clone());
        self.state = Some(state);
        Ok(NextWords { log_probs: log_probs.into(), attention: None })
    }
}
