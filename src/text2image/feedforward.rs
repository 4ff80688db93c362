//! Painters that compute a picture without looking at it: at once, or at growing sizes. They have neither attention
//! nor windows nor frames.

use std::sync::Arc;

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use crate::data::batch::TrainBatch;
use crate::data::noise::Noise;
use crate::error::{Error, Result};
use crate::kernels::window::{Rect, Window};
use crate::model::{CaptionIds, Config, Drawing, ImageSize, Painter, Sharpener, Shown, Shows};
use crate::nn::on_device;

/// A model that computes a picture from a caption and noise.
pub trait Feedforward: Module + 'static {
    /// Its sizes.
    type Config: Config;

    /// Floats of noise of one picture.
    fn noise_len(config: &Self::Config) -> usize;

    /// The pictures in [0, 1] as they stand after each step, [picture, channel, height, width] each, from standard
    /// normal `noise` [picture, noise] and captions of one word at least.
    fn pictures(&self, config: &Self::Config, captions: &CaptionIds, noise: Tensor<2>) -> Vec<Tensor<4>>;

    /// What sharpens pictures of other painters, where the model has it.
    fn sharpener(painter: &FeedforwardPainter<Self>) -> Option<&dyn Sharpener> {
        let _ = painter;
        None
    }
}

/// What a batch gives to such a model in training.
pub struct Inputs {
    /// What is said.
    pub captions: CaptionIds,
    /// [picture, channel, height, width].
    pub images: Tensor<4>,
    /// Standard normal, each picture's from a stream of its own [picture, noise].
    pub noise: Tensor<2>,
}

impl Inputs {
    /// Of a batch for a model of these sizes, with so much noise a picture.
    pub fn of(item: &TrainBatch, config: &impl Config, noise_len: usize, device: &Device) -> Self {
        let ImageSize { channels, height, width } = config.image_size();
        let batch = item.batch.len();
        let noise = (0..batch).flat_map(|b| Noise::stream(item.noise_seed, b as u64).normals(noise_len));
        Self {
            captions: CaptionIds { ids: item.batch.ids.to_vec(), batch, words: item.batch.words },
            images: on_device(item.batch.images.to_vec(), [batch, channels, height, width], device),
            noise: on_device(noise.collect(), [batch, noise_len], device),
        }
    }
}

/// Paints in burn tensors.
pub struct FeedforwardPainter<M: Feedforward> {
    /// Sizes.
    pub config: M::Config,
    /// Weights.
    pub model: Arc<M>,
    /// Where they lie.
    pub device: Device,
}

impl<M: Feedforward> FeedforwardPainter<M> {
    /// A painter on the device that holds the model.
    pub fn new(config: &M::Config, model: M, device: &Device) -> Self {
        Self { config: config.clone(), model: Arc::new(model), device: device.clone() }
    }
}

impl<M: Feedforward> Painter for FeedforwardPainter<M> {
    fn image_size(&self) -> ImageSize {
        self.config.image_size()
    }

    fn num_steps(&self) -> usize {
        self.config.num_steps()
    }

    fn shows(&self) -> Shows {
        Shows { attention: false, window: false, branch: false, frame: false }
    }

    fn noise_len(&self) -> usize {
        M::noise_len(&self.config)
    }

    fn begin(&self, captions: &CaptionIds, noise: Vec<f32>) -> Result<Box<dyn Drawing>> {
        if captions.words == 0 {
            return Err(Error::Config("there is no caption, expected one of a word at least".to_owned()));
        }
        let noise = on_device(noise, [captions.batch, M::noise_len(&self.config)], &self.device);
        let mut pictures = self.model.pictures(&self.config, captions, noise);
        pictures.reverse();
        Ok(Box::new(FeedforwardDrawing { pictures }))
    }

    /// The whole canvas: nothing asks for it, since no step shows a window.
    fn window(&self, _: usize, _: &[f32]) -> (Window, Rect) {
        let ImageSize { height, width, .. } = self.image_size();
        let (width, height) = (width as f32, height as f32);
        let (center_x, center_y) = ((width - 1.0) / 2.0, (height - 1.0) / 2.0);
        let window = Window { center_x, center_y, stride: 1.0, std: 1.0, intensity: 1.0 };
        (window, Rect { x: 0.0, y: 0.0, width, height })
    }

    fn sharpener(&self) -> Option<&dyn Sharpener> {
        M::sharpener(self)
    }
}

/// The pictures of the steps that are left, the next one last.
struct FeedforwardDrawing {
    pictures: Vec<Tensor<4>>,
}

impl Drawing for FeedforwardDrawing {
    fn step(&mut self) -> Result<Shown> {
        let picture = self.pictures.pop();
        let picture = picture.ok_or_else(|| Error::Device("this drawing has no further step".to_owned()))?;
        Ok(Shown { images: picture.into(), alignment: None, windows: None })
    }

    fn branch(&self, _: usize, _: usize, _: &CaptionIds, _: Vec<f32>) -> Result<Box<dyn Drawing>> {
        Err(Error::Config(
            "this model computes its pictures at once: there is nothing to branch from".to_owned(),
        ))
    }
}
