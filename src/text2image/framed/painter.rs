//! The framed painter draws, in burn tensors on any device.

use std::sync::Arc;

use burn::tensor::{Device, Tensor, activation::sigmoid};

use super::caption::Slots;
use super::drawing::{State, StepNoise, Words};
use super::window::{decode, encode, frame_rect};
use super::{Framed, FramedConfig};
use crate::error::{Error, Result};
use crate::kernels::window::{Rect, Window};
use crate::model::{CaptionIds, Config, Drawing, ImageSize, Painter, Shown, Shows, WordFrame};
use crate::nn::additive_attention::attend;
use crate::nn::on_device;

/// Paints in burn tensors.
pub struct FramedPainter(Arc<Shared>);

/// What all drawings of a painter use.
struct Shared {
    config: FramedConfig,
    model: Framed,
    device: Device,
}

impl FramedPainter {
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
        let each = noise.len() / batch;
        let mut frames = Vec::with_capacity(batch * 2 * k);
        let mut latents = Vec::with_capacity(noise.len());
        for picture in noise.chunks_exact(each) {
            let (of_frames, of_latents) = picture.split_at(2 * k);
            frames.extend_from_slice(of_frames);
            latents.extend_from_slice(of_latents);
        }
        let frames = model.prior_frames(&encoded, on_device(frames, [batch * k, 2], device));
        let frames = self.placed(frames, &slots, placed)?;
        let words = model.words(config, captions, &slots, &encoded, frames);
        let noise = on_device(latents, [batch, config.num_steps, config.latent_size], device);
        let places = slots.places(captions.words, k, device);
        let (shared, placed) = (self.clone(), placed.to_vec());
        Ok(Box::new(FramedDrawing { shared, words, places, states, noise, first, placed }))
    }

    /// Raw frames, some of them replaced by given ones.
    fn placed(&self, frames: Tensor<2>, slots: &Slots, placed: &[WordFrame]) -> Result<Tensor<2>> {
        let mut frames = frames;
        for frame in placed {
            for (picture, drawn) in slots.positions.iter().enumerate() {
                let slot = drawn.iter().position(|word| *word == frame.word);
                let slot = slot.filter(|_| frame.instance == 0).ok_or_else(|| {
                    Error::Config(format!("word {} is not drawn: it has no frame to move", frame.word))
                })?;
                let raw = Tensor::<2>::from_floats([encode(&self.config, frame)], &self.device);
                let row = picture * self.config.max_drawn + slot;
                frames = frames.slice_assign([row..row + 1, 0..3], raw);
            }
        }
        Ok(frames)
    }
}

impl Painter for FramedPainter {
    fn image_size(&self) -> ImageSize {
        self.0.config.image_size()
    }

    fn num_steps(&self) -> usize {
        self.0.config.num_steps
    }

    fn shows(&self) -> Shows {
        Shows { attention: true, window: true, branch: true, frame: true }
    }

    /// The frames' latents (2 a slot), then those of the steps.
    fn noise_len(&self) -> usize {
        2 * self.0.config.max_drawn + self.0.config.num_steps * self.0.config.latent_size
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
        self.0.drawing(captions, noise, vec![self.0.model.begin(&self.0.config, captions.batch)], 0, frames)
    }

    fn window(&self, _: usize, raw: &[f32]) -> (Window, Rect) {
        decode(&self.0.config, raw)
    }

    fn frame(&self, raw: &[f32]) -> Option<Rect> {
        Some(frame_rect(&self.0.config, raw))
    }
}

struct FramedDrawing {
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

impl Drawing for FramedDrawing {
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
