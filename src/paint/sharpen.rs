//! Sharpening: what one model draws is made sharper by another.

use burn::tensor::Device;

use super::{Engine, Frame, Pipeline};
use crate::checkpoint::{Manifest, decode, parse_safetensors};
use crate::data::vocabulary::Vocabulary;
use crate::error::{Error, Result};
use crate::model::{CaptionIds, ImageSize, Sharpener, TextToImage};
use crate::systems::PainterVisitor;

/// A model that sharpens, with its words.
pub struct Sharpening {
    name: String,
    vocabulary: Vocabulary,
    sharpener: Box<dyn Sharpener>,
}

/// Builds the sharpener of a manifest's system.
struct Load<'a> {
    weights: &'a [u8],
    device: Device,
}

impl PainterVisitor for Load<'_> {
    type Output = Result<Option<Box<dyn Sharpener>>>;

    fn visit<M: TextToImage>(self, config: &M::Config) -> Self::Output {
        let file = parse_safetensors(self.weights)?;
        Ok(decode(M::init(config, 0, &self.device), &file)?.sharpener(config, &self.device))
    }
}

impl Sharpening {
    /// Of a manifest and its weights file, whose hash the caller has checked.
    ///
    /// **Errors** [`Error::Model`] when the model does not sharpen, and as [`Pipeline::load`].
    pub fn load(manifest: &Manifest, weights: &[u8], engine: &Engine) -> Result<Self> {
        let device = match engine {
            Engine::Cpu => Device::flex(),
            Engine::Device(device) => device.clone(),
        };
        let sharpener = manifest.system.visit_painter(Load { weights, device })??;
        let (name, system) = (manifest.name.clone(), manifest.system.name());
        let sharpener = sharpener.ok_or_else(|| {
            Error::Model(format!(
                "{name} is of the system \"{system}\", which does not sharpen: a \"lapgan\" does"
            ))
        })?;
        Ok(Self { name, vocabulary: manifest.vocabulary.clone(), sharpener })
    }

    /// The sharpener's number of each word of another vocabulary; that of unknown words where it does not know it.
    pub fn ids_of(&self, vocabulary: &Vocabulary) -> Vec<usize> {
        let known = self.vocabulary.ids();
        vocabulary.words.iter().map(|word| known.get(word.as_str()).copied().unwrap_or(0)).collect()
    }

    /// Sharper pictures in [0, 1] of those of a caption each, in its own words, both [picture, channel, height, width].
    ///
    /// **Errors** [`Error::Config`] when these are not whole pictures of its size; [`Error::Device`].
    pub async fn sharpen(&self, captions: &CaptionIds, pictures: Vec<f32>) -> Result<Vec<f32>> {
        let size = self.sharpener.image_size();
        if pictures.len() != captions.batch * size.len() {
            return Err(Error::Config(format!(
                "{} sharpens pictures of {}×{}×{}, these are others",
                self.name, size.channels, size.height, size.width
            )));
        }
        self.sharpener.sharpen(captions, pictures)?.read().await
    }

    /// The finished pictures of a pipeline, sharper, all of one caption.
    ///
    /// **Errors** [`Error::Config`] when the two models' pictures differ in size; those of
    /// [`Vocabulary::tokens`]; [`Error::Device`].
    pub async fn apply(&self, pipeline: &Pipeline, caption: &str, frames: &mut [Frame]) -> Result<()> {
        let (drawn, taken) = (pipeline.painter().image_size(), self.sharpener.image_size());
        if drawn != taken {
            let text = |size: ImageSize| format!("{}×{}×{}", size.channels, size.height, size.width);
            return Err(Error::Config(format!(
                "{} sharpens pictures of {}, these are {}",
                self.name,
                text(taken),
                text(drawn)
            )));
        }
        let words = self.vocabulary.tokens(caption)?.ids;
        let (batch, len) = (frames.len(), words.len());
        let captions = CaptionIds { ids: words.repeat(batch), batch, words: len };
        let pictures = frames.iter().flat_map(|frame| frame.image.iter().copied()).collect();
        let sharp = self.sharpen(&captions, pictures).await?;
        for (frame, image) in frames.iter_mut().zip(sharp.chunks_exact(taken.len())) {
            frame.image = image.to_vec();
        }
        Ok(())
    }
}
