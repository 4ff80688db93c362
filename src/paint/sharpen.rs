//! Sharpening: what one model draws is made sharper by another.

use super::{Engine, Frame, Pipeline};
use crate::checkpoint::Manifest;
use crate::data::vocabulary::Vocabulary;
use crate::error::{Error, Result};
use crate::model::{CaptionIds, ImageSize, Sharpener, Values};

impl Pipeline {
    /// The model as a sharpener of other models' pictures.
    ///
    /// **Errors** [`Error::Model`] when it does not sharpen.
    fn sharpener(&self) -> Result<&dyn Sharpener> {
        let wrong = "this model does not sharpen: one of the system \"lapgan\" does, of two levels at least";
        self.painter.sharpener().ok_or_else(|| Error::Model(wrong.to_owned()))
    }

    /// Sharper pictures in [0, 1] of those of a caption, both [picture, channel, height, width].
    ///
    /// **Errors** [`Error::Model`] when this model does not sharpen, [`Error::Config`] when these are not whole
    /// pictures of its size, those of [`Vocabulary::tokens`].
    pub fn sharpen(&self, caption: &str, pictures: Vec<f32>) -> Result<Values> {
        let batch = (pictures.len() / self.sharpener()?.image_size().len()).max(1);
        let ids = self.vocabulary.tokens(caption)?.ids;
        let words = ids.len();
        self.sharpen_batch(&CaptionIds { ids: ids.repeat(batch), batch, words }, pictures)
    }

    /// [`Self::sharpen`] of a caption each, in this model's words.
    ///
    /// **Errors** as there.
    pub fn sharpen_batch(&self, captions: &CaptionIds, pictures: Vec<f32>) -> Result<Values> {
        let sharpener = self.sharpener()?;
        let size @ ImageSize { channels, height, width } = sharpener.image_size();
        if pictures.len() != captions.batch * size.len() {
            let what = format!("pictures of {channels}×{height}×{width} are sharpened, these are others");
            return Err(Error::Config(what));
        }
        sharpener.sharpen(captions, pictures)
    }
}

/// A model that sharpens, with its name.
pub struct Sharpening {
    name: String,
    pipeline: Pipeline,
}

impl Sharpening {
    /// Of a manifest and its weights file, whose hash the caller has checked.
    ///
    /// **Errors** [`Error::Model`] when the model does not sharpen, and as [`Pipeline::load`].
    pub fn load(manifest: &Manifest, weights: &[u8], engine: &Engine) -> Result<Self> {
        let (name, pipeline) = (manifest.name.clone(), Pipeline::load(manifest, weights, engine)?);
        pipeline.sharpener().map_err(|error| Error::Model(format!("{name}: {error}")))?;
        Ok(Self { name, pipeline })
    }

    /// The sharpener's number of each word of another vocabulary; that of unknown words where it does not know it.
    pub fn ids_of(&self, vocabulary: &Vocabulary) -> Vec<usize> {
        let known = self.pipeline.vocabulary.ids();
        vocabulary.words.iter().map(|word| known.get(word.as_str()).copied().unwrap_or(0)).collect()
    }

    /// Sharper pictures in [0, 1] of those of a caption each, in its own words, both [picture, channel, height, width].
    ///
    /// **Errors** those of [`Pipeline::sharpen_batch`]; [`Error::Device`].
    pub async fn sharpen(&self, captions: &CaptionIds, pictures: Vec<f32>) -> Result<Vec<f32>> {
        self.pipeline.sharpen_batch(captions, pictures)?.read().await
    }

    /// The finished pictures of a pipeline, sharper, all of one caption.
    ///
    /// **Errors** [`Error::Config`] when the two models' pictures differ in size; those of [`Pipeline::sharpen`]; [`Error::Device`].
    pub async fn apply(&self, pipeline: &Pipeline, caption: &str, frames: &mut [Frame]) -> Result<()> {
        let (drawn, taken) = (pipeline.painter().image_size(), self.pipeline.painter().image_size());
        if drawn != taken {
            let text = |size: ImageSize| format!("{}×{}×{}", size.channels, size.height, size.width);
            let (name, taken, drawn) = (&self.name, text(taken), text(drawn));
            return Err(Error::Config(format!("{name} sharpens pictures of {taken}, these are {drawn}")));
        }
        let pictures = frames.iter().flat_map(|frame| frame.image.iter().copied()).collect();
        let sharp = self.pipeline.sharpen(caption, pictures)?.read().await?;
        for (frame, image) in frames.iter_mut().zip(sharp.chunks_exact(taken.len())) {
            frame.image = image.to_vec();
        }
        Ok(())
    }
}
