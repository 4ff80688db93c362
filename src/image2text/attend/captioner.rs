//! Show, Attend and Tell as `describe` drives it.

use std::sync::Arc;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor, TensorData};

use super::definition::{Looked, focused, indices};
use super::{Attend, AttendConfig};
use crate::error::{Error, Result};
use crate::model::{Captioner, Config, Continuation, ImageToText, NextWords, PictureInput, Sentences};
use crate::nn::lstm::LstmState;

impl ImageToText for Attend {
    fn captioner(self, config: &AttendConfig, device: &Device) -> Box<dyn Captioner> {
        Box::new(AttendCaptioner {
            model: Arc::new(self),
            config: Arc::new(config.clone()),
            device: device.clone(),
        })
    }
}

/// The model with its sizes and device.
struct AttendCaptioner {
    model: Arc<Attend>,
    config: Arc<AttendConfig>,
    device: Device,
}

impl Captioner for AttendCaptioner {
    fn input(&self) -> PictureInput {
        self.config.input()
    }

    fn grid(&self) -> Option<[usize; 2]> {
        self.model.attention.is_some().then(|| self.config.grid())
    }

    fn vocabulary_size(&self) -> usize {
        self.config.vocabulary_size
    }

    fn look(&self, pictures: Vec<f32>) -> Result<Box<dyn Sentences>> {
        let size = self.config.image_size();
        let (count, rest) = (pictures.len() / size.len(), pictures.len() % size.len());
        if count == 0 || rest > 0 {
            let (found, each) = (pictures.len(), size.len());
            return Err(Error::Config(format!("{found} values are no pictures of {each} values each")));
        }
        let shape = [count, size.channels, size.height, size.width];
        let pictures = Tensor::from_data(TensorData::new(pictures, shape), &self.device);
        let (looked, state) = self.model.look(&self.config, pictures);
        Ok(Box::new(AttendSentences {
            model: self.model.clone(),
            config: self.config.clone(),
            looked,
            state,
            pictures: (0..count).collect(),
        }))
    }
}

/// Begun sentences.
struct AttendSentences {
    model: Arc<Attend>,
    config: Arc<AttendConfig>,
    looked: Looked,
    state: LstmState,
    /// Of each hypothesis its picture.
    pictures: Vec<usize>,
}

impl Sentences for AttendSentences {
    fn step(&mut self, next: &[Continuation]) -> Result<NextWords> {
        let device = self.model.device();
        let parents: Vec<usize> = next.iter().map(|continuation| continuation.parent).collect();
        self.pictures = parents.iter().map(|&parent| self.pictures[parent]).collect();
        let (parents, pictures) = (indices(&parents, &device), indices(&self.pictures, &device));
        let of = |all: &Tensor<2>| all.clone().select(0, parents.clone());
        let state = LstmState { hidden: of(&self.state.hidden), cell: of(&self.state.cell) };
        let words: Option<Vec<usize>> = next.iter().map(|continuation| continuation.word).collect();
        let embedded = match words {
            Some(words) => self.model.embedding.val().select(0, indices(&words, &device)),
            None => Tensor::zeros([next.len(), self.config.embedding_size], &device),
        };
        let gates = self.model.word_gates.forward(embedded.clone());
        let attended = self
            .model
            .attend(&self.looked.select(&pictures), &state, |alignment| focused(&self.config, alignment));
        self.state = self.model.advance(gates, attended.as_ref(), state);
        let (alignment, context) = attended.map(|found| (found.used, found.context)).unzip();
        let below = self.model.below_words(self.state.hidden.clone(), embedded, context);
        let log_probs = log_softmax(self.model.logits(below), 1);
        Ok(NextWords { log_probs: log_probs.into(), attention: alignment.map(Into::into) })
    }
}
