//! The framed painter draws: by the fused CPU passes, and in burn tensors on any device.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, activation::sigmoid};

use super::caption::Slots;
use super::cpu::{self, Weights};
use super::drawing::{State, StepNoise, Words};
use super::window::{decode, encode, frame_rect};
use super::{Framed, FramedConfig};
use crate::error::{Error, Result};
use crate::kernels::window::{Rect, Window};
use crate::model::{CaptionIds, Config, Drawing, ImageSize, Painter, Shown, Shows, Values, WordFrame};
use crate::nn::additive_attention::attend;
use crate::nn::on_device;

/// Noise of a batch, first the frames' latents, then the steps', each of all pictures.
fn split_noise(config: &FramedConfig, noise: &[f32]) -> [Vec<f32>; 2] {
    let (mut of_frames, mut of_steps) = (Vec::new(), Vec::new());
    for picture in noise.chunks_exact(config.noise_len()) {
        let (frames, steps) = picture.split_at(2 * config.max_drawn);
        of_frames.extend_from_slice(frames);
        of_steps.extend_from_slice(steps);
    }
    [of_frames, of_steps]
}

/// Raw frames that were given, by their place among picture · slot.
fn given(config: &FramedConfig, slots: &Slots, placed: &[WordFrame]) -> Result<Vec<(usize, [f32; 3])>> {
    let mut all = Vec::new();
    for frame in placed {
        for (picture, drawn) in slots.positions.iter().enumerate() {
            let slot = drawn.iter().position(|word| *word == frame.word);
            let slot = slot.filter(|_| frame.instance == 0).ok_or_else(|| {
                Error::Config(format!("word {} is not drawn: it has no frame to move", frame.word))
            })?;
            all.push((picture * config.max_drawn + slot, encode(config, frame)));
        }
    }
    Ok(all)
}

impl FramedConfig {
    /// Floats of noise that one picture takes: the frames' latents (2 a slot), then those of the steps.
    fn noise_len(&self) -> usize {
        2 * self.max_drawn + self.num_steps * self.latent_size
    }
}

/// Draws the captions: by the fused passes, or in burn tensors.
pub trait Passes {
    /// The sizes.
    fn config(&self) -> &FramedConfig;

    /// Begins a picture for each caption, with some of the words' frames given.
    ///
    /// **Errors** as [`Painter::begin_in`].
    fn begin(&self, captions: &CaptionIds, noise: Vec<f32>, frames: &[WordFrame])
    -> Result<Box<dyn Drawing>>;
}

/// The painter, whatever draws.
pub struct FramedPainter<P>(P);

impl<P: Passes> Painter for FramedPainter<P> {
    fn image_size(&self) -> ImageSize {
        self.0.config().image_size()
    }

    fn num_steps(&self) -> usize {
        self.0.config().num_steps
    }

    fn shows(&self) -> Shows {
        Shows { attention: true, window: true, branch: true, frame: true }
    }

    fn noise_len(&self) -> usize {
        self.0.config().noise_len()
    }

    fn begin(&self, captions: &CaptionIds, noise: Vec<f32>) -> Result<Box<dyn Drawing>> {
        self.begin_in(captions, noise, &[])
    }

    fn begin_in(
        &self,
        captions: &CaptionIds,
        noise: Vec<f32>,
        frames: &[WordFrame],
    ) -> Result<Box<dyn Drawing>> {
        self.0.begin(captions, noise, frames)
    }

    fn window(&self, _: usize, raw: &[f32]) -> (Window, Rect) {
        decode(self.0.config(), raw)
    }

    fn frame(&self, raw: &[f32]) -> Option<Rect> {
        Some(frame_rect(self.0.config(), raw))
    }
}

/// Paints by the fused passes.
pub type FusedPainter = FramedPainter<Arc<Weights>>;

impl FusedPainter {
    /// A painter with these weights.
    pub fn new(weights: Weights) -> Self {
        Self(Arc::new(weights))
    }
}

impl Passes for Arc<Weights> {
    fn config(&self) -> &FramedConfig {
        &self.config
    }

    fn begin(
        &self,
        captions: &CaptionIds,
        noise: Vec<f32>,
        frames: &[WordFrame],
    ) -> Result<Box<dyn Drawing>> {
        Ok(Box::new(FusedDrawing::begin(self, captions, &noise, frames)?))
    }
}

struct FusedDrawing {
    weights: Arc<Weights>,
    drawing: cpu::Drawing,
    /// Words of a caption.
    words: usize,
    /// Frames that were given.
    placed: Vec<WordFrame>,
}

impl FusedDrawing {
    fn begin(
        weights: &Arc<Weights>,
        captions: &CaptionIds,
        noise: &[f32],
        placed: &[WordFrame],
    ) -> Result<Self> {
        let config = &weights.config;
        let slots = Slots::of(config, captions)?;
        let given = given(config, &slots, placed)?;
        let [of_frames, of_steps] = split_noise(config, noise);
        let drawing = cpu::Drawing::begin(weights, captions, &slots, [&of_frames, &of_steps], &given);
        Ok(Self { weights: weights.clone(), drawing, words: captions.words, placed: placed.to_vec() })
    }
}

impl Drawing for FusedDrawing {
    fn step(&mut self) -> Result<Shown> {
        self.drawing.step(&self.weights);
        let step = self.drawing.done();
        Ok(Shown {
            images: Values::Host(self.drawing.images(step).to_vec()),
            alignment: Some(Values::Host(self.drawing.alignment(step, self.words))),
            windows: Some(Values::Host(self.drawing.windows(step).to_vec())),
        })
    }

    fn branch(
        &self,
        picture: usize,
        step: usize,
        caption: &CaptionIds,
        noise: Vec<f32>,
    ) -> Result<Box<dyn Drawing>> {
        let mut branch = Self::begin(&self.weights, caption, &noise, &self.placed)?;
        branch.drawing.branch_from(&self.drawing, picture, step);
        Ok(Box::new(branch))
    }
}

/// Paints in burn tensors.
pub type DevicePainter = FramedPainter<Arc<Shared>>;

/// What all drawings of a painter use.
pub struct Shared {
    config: FramedConfig,
    model: Framed,
    device: Device,
}

impl DevicePainter {
    /// A painter on the device that holds the model.
    pub fn new(config: &FramedConfig, model: Framed, device: &Device) -> Self {
        Self(Arc::new(Shared { config: config.clone(), model, device: device.clone() }))
    }
}

impl Shared {
    /// A drawing of captions; `states` stand after `first` steps.
    fn drawing(
        self: &Arc<Self>,
        captions: &CaptionIds,
        noise: Vec<f32>,
        states: Vec<State>,
        first: usize,
        placed: &[WordFrame],
    ) -> Result<Box<dyn Drawing>> {
        let Self { config, model, device } = &**self;
        let slots = Slots::of(config, captions)?;
        let encoded = model.encode(config, captions, &slots);
        let (batch, k) = (captions.batch, config.max_drawn);
        let [of_frames, latents] = split_noise(config, &noise);
        let mut frames = model.prior_frames(&encoded, on_device(of_frames, [batch * k, 2], device));
        for (row, raw) in given(config, &slots, placed)? {
            frames = frames.slice_assign([row..row + 1, 0..3], Tensor::<2>::from_floats([raw], device));
        }
        let words = model.words(config, captions, &slots, &encoded, frames);
        let noise = on_device(latents, [batch, config.num_steps, config.latent_size], device);
        let places = slots.places(captions.words, k, device);
        let (shared, placed) = (self.clone(), placed.to_vec());
        Ok(Box::new(DeviceDrawing { shared, words, places, states, noise, first, placed }))
    }
}

impl Passes for Arc<Shared> {
    fn config(&self) -> &FramedConfig {
        &self.config
    }

    fn begin(
        &self,
        captions: &CaptionIds,
        noise: Vec<f32>,
        frames: &[WordFrame],
    ) -> Result<Box<dyn Drawing>> {
        self.drawing(captions, noise, vec![self.model.begin(&self.config, captions.batch)], 0, frames)
    }
}

struct DeviceDrawing {
    shared: Arc<Shared>,
    words: Words,
    /// Where in its caption each drawn word is [picture, slot, word].
    places: Tensor<3>,
    /// After `first` steps and after each that followed.
    states: Vec<State>,
    /// [picture, step, latent].
    noise: Tensor<3>,
    first: usize,
    /// Frames that were given.
    placed: Vec<WordFrame>,
}

impl Drawing for DeviceDrawing {
    fn step(&mut self) -> Result<Shown> {
        let Shared { config, model, .. } = &*self.shared;
        let step = self.first + self.states.len() - 1;
        let before = self.states.last().cloned();
        let before = before.ok_or_else(|| Error::Device("this drawing was never begun".into()))?;
        let of_latents = self.noise.clone().narrow(1, step, 1).squeeze_dim::<2>(1);
        let noise = StepNoise { of_latents, of_order: None };
        let (after, shown) = model.step(config, &self.words, before, step, None, noise);
        // All of the attention is on the word that is drawn.
        let alignment = attend(shown.alignment, self.places.clone());
        let image = sigmoid(after.canvas.clone());
        self.states.push(after);
        Ok(Shown {
            images: image.into(),
            alignment: Some(alignment.into()),
            windows: Some(shown.window.into()),
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
        self.shared.drawing(caption, noise, states, step, &self.placed)
    }
}
