//! A batch of captioned images on the host.

use std::borrow::Cow;

/// Captions of equal length with their images.
#[derive(Clone, Debug)]
pub struct CaptionBatch<'a> {
    /// Word ids [batch, words].
    pub ids: Cow<'a, [usize]>,
    /// Words of each caption.
    pub words: usize,
    /// Pixels in [0, 1], [batch, CHW].
    pub images: Cow<'a, [f32]>,
}

impl CaptionBatch<'_> {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.ids.len() / self.words
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Images `start..end`, borrowed.
    pub fn slice(&self, start: usize, end: usize) -> CaptionBatch<'_> {
        let image_len = self.images.len() / self.len();
        CaptionBatch {
            ids: Cow::Borrowed(&self.ids[start * self.words..end * self.words]),
            words: self.words,
            images: Cow::Borrowed(&self.images[start * image_len..end * image_len]),
        }
    }
}

/// A batch with the seed of its latent noise.
#[derive(Clone, Debug)]
pub struct TrainBatch {
    /// Captions and images.
    pub batch: CaptionBatch<'static>,
    /// Seed of the latent noise.
    pub noise_seed: u64,
    /// Epoch, from 1.
    pub epoch: usize,
    /// Batch in the epoch, from 0.
    pub index: usize,
    /// Share of the run that is done, 0 to 1; 1 for validation.
    pub progress: f32,
}

/// What a training batch is drawn from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Lesson {
    /// All captions.
    #[default]
    Everything,
    /// Captions that name one object.
    OneObject,
}
