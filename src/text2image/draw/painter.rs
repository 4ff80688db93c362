//! The DRAW family's painters: by the fused CPU passes, and in burn tensors on any device.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, TensorData, activation::sigmoid};

use super::cpu::{self, Weights};
use super::definition::{EncodedCaption, State};
use super::{Conditioning, Draw, DrawConfig};
use crate::data::batch::Captions;
use crate::error::{Error, Result};
use crate::kernels::window::{Rect, Window};
use crate::model::{CaptionIds, Config, Drawing, ImageSize, Painter, Shown, Shows, Values};
use crate::sentence::host::HostEncoder;

impl DrawConfig {
    fn shows(&self) -> Shows {
        Shows {
            attention: self.conditioning == Conditioning::Attention,
            window: true,
            branch: true,
            frame: false,
        }
    }

    /// Refuses captions in another form than the model is conditioned on.
    ///
    /// **Errors** [`Error::Config`].
    fn check_captions(&self, captions: &CaptionIds) -> Result<()> {
        match self.conditioning {
            Conditioning::Sentence { embedding_size: None, .. } => Err(Error::Config(
                "this model is conditioned on sentence vectors and has no encoder that turns captions into them"
                    .to_owned(),
            )),
            Conditioning::None => Ok(()),
            _ if captions.words == 0 => {
                Err(Error::Config("there is no caption, expected one of 1 word or more".to_owned()))
            }
            _ => Ok(()),
        }
    }

    fn window(&self, step: usize, raw: &[f32]) -> (Window, Rect) {
        let window = self.write_geometry(step).window(raw);
        (window, window.rect(self.write_size))
    }
}

/// Paints by the fused passes.
pub struct FusedPainter {
    weights: Arc<Weights>,
    sentences: Option<Arc<HostEncoder>>,
}

impl FusedPainter {
    /// A painter with these weights, and the encoder of the sentences if the model has one.
    pub fn new(weights: Weights, sentences: Option<HostEncoder>) -> Self {
        Self { weights: weights.into(), sentences: sentences.map(Arc::new) }
    }
}

/// Vectors of the captions [caption, sentence], where the model has an encoder.
fn vectors(sentences: &Option<Arc<HostEncoder>>, captions: &CaptionIds) -> Option<Vec<f32>> {
    sentences.as_ref().map(|encoder| encoder.vectors(&captions.ids, captions.words))
}

/// Captions as the fused passes take them.
fn heard<'a>(captions: &'a CaptionIds, vectors: &'a Option<Vec<f32>>) -> Captions<'a> {
    vectors.as_ref().map_or(captions.captions(), |vectors| Captions::of_sentences(captions.batch, vectors))
}

impl Painter for FusedPainter {
    fn image_size(&self) -> ImageSize {
        Config::image_size(&self.weights.config)
    }

    fn num_steps(&self) -> usize {
        self.weights.config.num_steps
    }

    fn shows(&self) -> Shows {
        self.weights.config.shows()
    }

    fn noise_len(&self) -> usize {
        self.weights.config.num_steps * self.weights.config.latent_size
    }

    fn begin(&self, captions: &CaptionIds, noise: Vec<f32>) -> Result<Box<dyn Drawing>> {
        self.weights.config.check_captions(captions)?;
        let vectors = vectors(&self.sentences, captions);
        let drawing = cpu::Drawing::begin(&self.weights, heard(captions, &vectors), &noise);
        let (weights, sentences) = (self.weights.clone(), self.sentences.clone());
        Ok(Box::new(FusedDrawing { weights, sentences, drawing }))
    }

    fn window(&self, step: usize, raw: &[f32]) -> (Window, Rect) {
        self.weights.config.window(step, raw)
    }
}

struct FusedDrawing {
    weights: Arc<Weights>,
    sentences: Option<Arc<HostEncoder>>,
    drawing: cpu::Drawing,
}

impl Drawing for FusedDrawing {
    fn step(&mut self) -> Result<Shown> {
        self.drawing.step(&self.weights);
        let step = self.drawing.done();
        Ok(Shown {
            images: Values::Host(self.drawing.images(step).to_vec()),
            alignment: self.drawing.alignment(step).map(|values| Values::Host(values.to_vec())),
            windows: Some(Values::Host(self.drawing.write_raw(step).to_vec())),
        })
    }

    fn branch(
        &self,
        picture: usize,
        step: usize,
        caption: &CaptionIds,
        noise: Vec<f32>,
    ) -> Result<Box<dyn Drawing>> {
        let vectors = vectors(&self.sentences, caption);
        let drawing = self.drawing.branch(&self.weights, picture, step, heard(caption, &vectors), &noise);
        let (weights, sentences) = (self.weights.clone(), self.sentences.clone());
        Ok(Box::new(Self { weights, sentences, drawing }))
    }
}

/// Paints in burn tensors.
pub struct DevicePainter {
    shared: Arc<Shared>,
}

/// What all drawings of a painter use.
struct Shared {
    config: DrawConfig,
    model: Draw,
    device: Device,
}

impl DevicePainter {
    /// A painter on the device that holds the model.
    pub fn new(config: &DrawConfig, model: Draw, device: &Device) -> Self {
        Self { shared: Arc::new(Shared { config: config.clone(), model, device: device.clone() }) }
    }
}

impl Shared {
    /// A drawing whose `states` stand after `first` steps.
    fn drawing(
        self: &Arc<Self>,
        captions: &CaptionIds,
        noise: Vec<f32>,
        states: Vec<State>,
        first: usize,
    ) -> Box<dyn Drawing> {
        let input = self.model.caption_input(&self.config, captions.captions(), &self.device);
        let caption = self.model.encode(&self.config, input);
        let shape = [captions.batch, self.config.num_steps, self.config.latent_size];
        let noise = Tensor::from_data(TensorData::new(noise, shape), &self.device);
        Box::new(DeviceDrawing { shared: self.clone(), caption, states, noise, first })
    }
}

impl Painter for DevicePainter {
    fn image_size(&self) -> ImageSize {
        Config::image_size(&self.shared.config)
    }

    fn num_steps(&self) -> usize {
        self.shared.config.num_steps
    }

    fn shows(&self) -> Shows {
        self.shared.config.shows()
    }

    fn noise_len(&self) -> usize {
        self.shared.config.num_steps * self.shared.config.latent_size
    }

    fn begin(&self, captions: &CaptionIds, noise: Vec<f32>) -> Result<Box<dyn Drawing>> {
        self.shared.config.check_captions(captions)?;
        let states = vec![self.shared.model.begin(&self.shared.config, captions.batch)];
        Ok(self.shared.drawing(captions, noise, states, 0))
    }

    fn window(&self, step: usize, raw: &[f32]) -> (Window, Rect) {
        self.shared.config.window(step, raw)
    }
}

/// A drawing on a burn device.
struct DeviceDrawing {
    shared: Arc<Shared>,
    caption: EncodedCaption,
    /// After `first` steps and after each that followed.
    states: Vec<State>,
    /// [picture, step, latent].
    noise: Tensor<3>,
    first: usize,
}

impl Drawing for DeviceDrawing {
    fn step(&mut self) -> Result<Shown> {
        let Shared { config, model, .. } = &*self.shared;
        let step = self.first + self.states.len() - 1;
        let noise = self.noise.clone().narrow(1, step, 1).squeeze_dim::<2>(1);
        let before = self.states.last().cloned();
        let before = before.ok_or_else(|| Error::Device("this drawing was never begun".into()))?;
        let (after, shown) = model.step(config, &self.caption, before, None, noise);
        let image = sigmoid(after.canvas.clone());
        self.states.push(after);
        Ok(Shown {
            images: image.into(),
            alignment: shown.alignment.map(Into::into),
            windows: Some(shown.write_raw.into()),
        })
    }

    fn branch(
        &self,
        picture: usize,
        step: usize,
        caption: &CaptionIds,
        noise: Vec<f32>,
    ) -> Result<Box<dyn Drawing>> {
        let states = vec![self.states[step - self.first].picture(picture)];
        Ok(self.shared.drawing(caption, noise, states, step))
    }
}
