//! Captioned images with a vector of each sentence.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use super::skip_thought::{Padded, SkipThought};
use crate::data::{
    batch::{CaptionBatch, Lesson},
    noise::Noise,
    source::Source,
};
use crate::nn::floats;

/// Sentences whose vectors are kept.
const KEPT: usize = 20_000;

/// A frozen encoder that remembers what it has read: data sets repeat their captions.
pub struct Sentences {
    encoder: SkipThought,
    known: Mutex<HashMap<Vec<usize>, Vec<f32>>>,
}

impl Sentences {
    /// Of an encoder, which is trained no more.
    pub fn new(encoder: SkipThought) -> Self {
        Self { encoder, known: Mutex::default() }
    }

    /// Vectors [batch, sentence] of captions `ids` [batch, words].
    pub fn vectors(&self, ids: &[usize], words: usize) -> Vec<f32> {
        let mut known = self.known.lock().expect("no thread panicked with the vectors");
        let mut missing: Vec<&[usize]> =
            ids.chunks_exact(words).filter(|caption| !known.contains_key(*caption)).collect();
        missing.sort_unstable();
        missing.dedup();
        if known.len() + missing.len() > KEPT {
            known.clear();
            missing = ids.chunks_exact(words).collect();
        }
        if !missing.is_empty() {
            let padded = Padded::new(&missing, &self.encoder.device());
            let vectors = floats(self.encoder.vectors(&padded).into_data());
            let size = vectors.len() / missing.len();
            known.extend(
                missing
                    .iter()
                    .map(|caption| caption.to_vec())
                    .zip(vectors.chunks_exact(size).map(<[f32]>::to_vec)),
            );
        }
        ids.chunks_exact(words).flat_map(|caption| known[caption].iter().copied()).collect()
    }
}

/// A data set whose batches hold sentence vectors too: what skipthoughtDRAW is trained on.
pub struct WithSentences {
    source: Arc<dyn Source>,
    sentences: Arc<Sentences>,
}

impl WithSentences {
    /// The batches of `source` with vectors from `sentences`.
    pub fn new(source: Arc<dyn Source>, sentences: Arc<Sentences>) -> Self {
        Self { source, sentences }
    }

    fn with(&self, batch: CaptionBatch<'static>) -> CaptionBatch<'static> {
        let vectors = self.sentences.vectors(&batch.ids, batch.words);
        batch.with_sentences(Cow::Owned(vectors))
    }
}

impl Source for WithSentences {
    fn batch(&self, size: usize, noise: &mut Noise) -> CaptionBatch<'static> {
        self.with(self.source.batch(size, noise))
    }

    fn training_batch(&self, size: usize, noise: &mut Noise, lesson: Lesson) -> CaptionBatch<'static> {
        self.with(self.source.training_batch(size, noise, lesson))
    }

    fn held_out_batch(&self, size: usize, noise: &mut Noise) -> Option<CaptionBatch<'static>> {
        self.source.held_out_batch(size, noise).map(|batch| self.with(batch))
    }
}
