//! The encoder-decoder as `paraphrase` drives it.

use std::sync::Arc;

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Tensor};

use super::EncoderDecoderConfig;
use super::model::{EncoderDecoder, Read};
use crate::error::{Error, Result};
use crate::image2text::dropout::Masks;
use crate::model::{Continuation, NextWords, Paraphraser, Sentences, TextToText};
use crate::nn::indices;

impl TextToText for EncoderDecoder {
    fn paraphraser(self, config: &EncoderDecoderConfig, _: &Device) -> Box<dyn Paraphraser> {
        Box::new(Model { model: Arc::new(self), config: Arc::new(config.clone()) })
    }
}

/// The model with its sizes.
struct Model {
    model: Arc<EncoderDecoder>,
    config: Arc<EncoderDecoderConfig>,
}

impl Paraphraser for Model {
    fn vocabulary_size(&self) -> usize {
        self.config.vocabulary_size
    }

    fn attends(&self) -> bool {
        self.config.attention
    }

    fn read(&self, sentences: &[&[usize]]) -> Result<Box<dyn Sentences>> {
        let most = self.config.vocabulary_size;
        if sentences.iter().any(|words| words.is_empty() || words.iter().any(|&id| id >= most)) {
            let what =
                format!("a sentence to paraphrase has no word, or one beyond the {most} that are known");
            return Err(Error::Config(what));
        }
        let (read, state) = self.model.read(sentences, &mut Masks::none(), 0.0);
        let sentences = (0..sentences.len()).collect();
        let (model, config) = (self.model.clone(), self.config.clone());
        Ok(Box::new(Said { model, config, read, state, sentences }))
    }
}

/// Begun sentences.
struct Said {
    model: Arc<EncoderDecoder>,
    config: Arc<EncoderDecoderConfig>,
    read: Read,
    /// [hypothesis, H].
    state: Tensor<2>,
    /// Of each hypothesis what it paraphrases.
    sentences: Vec<usize>,
}

impl Sentences for Said {
    fn step(&mut self, next: &[Continuation]) -> Result<NextWords> {
        let (model, device) = (&self.model, self.model.device());
        let parents: Vec<usize> = next.iter().map(|continuation| continuation.parent).collect();
        self.sentences = parents.iter().map(|&parent| self.sentences[parent]).collect();
        let state = self.state.clone().select(0, indices(parents, &device));
        let words: Option<Vec<usize>> = next.iter().map(|continuation| continuation.word).collect();
        let embedded = match words {
            Some(words) => model.embed(&words),
            None => Tensor::zeros([next.len(), self.config.embedding_size], &device),
        };
        let read = self.read.select(&indices(self.sentences.clone(), &device));
        let told = model.told(&read, &state);
        self.state = model.advance(model.word_gates(embedded.clone()), &told, state);
        let mut masks = Masks::none();
        let logits = model.logits(self.state.clone(), embedded, told.context, &mut masks, 0.0);
        let attention = told.alignment.map(Into::into);
        Ok(NextWords { log_probs: log_softmax(logits, 1).into(), attention })
    }
}
