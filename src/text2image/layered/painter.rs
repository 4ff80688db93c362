//! The layered painter draws, in burn tensors on any device.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};

use super::caption::Plan;
use super::drawing::{Latent, Rows, State, Step, shown, whole_window};
use super::place::quantiles;
use super::window::{FRAME, decode};
use super::{Layer, Layered, LayeredConfig, Layers};
use crate::error::{Error, Result};
use crate::kernels::window::{Rect, Window};
use crate::model::{CaptionIds, Config, Drawing, ImageSize, Painter, Shown, Shows, Values, WordFrame};
use crate::nn::on_device;

/// Paints in burn tensors.
pub struct LayeredPainter(Arc<Shared>);

/// What all drawings of a painter use.
struct Shared {
    config: LayeredConfig,
    model: Layered,
    device: Device,
}

impl LayeredPainter {
    /// A painter on the device that holds the model.
    pub fn new(config: &LayeredConfig, model: Layered, device: &Device) -> Self {
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
        let plan = Plan::of(config, captions)?;
        let encoded = model.encode(config, captions, &plan);
        let batch = captions.batch;
        let each = noise.len() / batch;
        let of_frames = FRAME * config.max_layers();
        // Every layer has its own noise, whatever else the caption names.
        let frames = plan.each_row(|picture, _, layer| {
            let moved = f32::from(layer > 0);
            [0, 1, 2].map(|axis| moved * noise[picture * each + FRAME * layer + axis])
        });
        let frames = on_device(frames.concat(), [batch * plan.rows, FRAME], device);
        let of_steps = config.num_steps * config.latent_size;
        let part = |from: usize, len: usize| -> Vec<f32> {
            noise.chunks_exact(each).flat_map(|picture| &picture[from..][..len]).copied().collect()
        };
        let latents =
            on_device(part(of_frames, of_steps), [batch, config.num_steps, config.latent_size], device);
        let of_places = of_frames + of_steps;
        let chances = quantiles(&part(of_places, each - of_places));
        let chances = on_device(chances, [batch, each - of_places], device);
        let frames = self.placed(encoded.expected.drawn(frames), &plan, placed)?;
        let rows = model.rows(&encoded, frames, &plan);
        let (shared, length, style, placed) = (self.clone(), captions.words, encoded.style, placed.to_vec());
        Ok(Box::new(LayeredDrawing {
            shared,
            rows,
            style,
            plan,
            length,
            states,
            latents,
            chances,
            first,
            placed,
        }))
    }

    /// Frames, some of them replaced by given ones.
    fn placed(&self, frames: Tensor<2>, plan: &Plan, placed: &[WordFrame]) -> Result<Tensor<2>> {
        let mut frames = frames;
        for frame in placed {
            for (picture, layers) in plan.pictures.iter().enumerate() {
                let is_it = |layer: &Layer| layer.word == frame.word && layer.instance == frame.instance;
                let layer = layers.layers.iter().skip(1).position(is_it).ok_or_else(|| {
                    Error::Config(format!(
                        "word {} is not drawn {} times: it has no such frame to move",
                        frame.word,
                        frame.instance + 1
                    ))
                })?;
                let given = [2.0 * frame.x - 1.0, 2.0 * frame.y - 1.0, frame.size];
                let row = picture * plan.rows + 1 + layer;
                let given = Tensor::<2>::from_floats([given], &self.device);
                frames = frames.slice_assign([row..row + 1, 0..3], given);
            }
        }
        Ok(frames)
    }
}

impl Painter for LayeredPainter {
    fn image_size(&self) -> ImageSize {
        self.0.config.image_size()
    }

    fn num_steps(&self) -> usize {
        self.0.config.num_steps
    }

    fn shows(&self) -> Shows {
        Shows { attention: true, window: true, branch: true, frame: true }
    }

    /// The frames' latents (3 a layer), then those of the steps, then a number for each code of the place.
    fn noise_len(&self) -> usize {
        let config = &self.0.config;
        let codes = config.place_cells().map_or(0, |[rows, columns]| rows * columns);
        FRAME * config.max_layers() + config.num_steps * config.latent_size + codes
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
        let blank = self.0.model.begin(&self.0.config, captions.batch);
        self.0.drawing(captions, noise, vec![blank], 0, frames)
    }

    fn window(&self, _: usize, raw: &[f32]) -> (Window, Rect) {
        decode(&self.0.config, &raw[3..])
    }

    fn frame(&self, raw: &[f32]) -> Option<Rect> {
        Some(decode(&self.0.config, &raw[..3]).1)
    }
}

struct LayeredDrawing {
    shared: Arc<Shared>,
    rows: Rows,
    style: Option<Tensor<2>>,
    plan: Plan,
    /// Words of each caption.
    length: usize,
    /// After `first` steps and after each that followed.
    states: Vec<State>,
    /// [picture, step, latent].
    latents: Tensor<3>,
    /// Where the codes of the places fall among all [picture, code]; empty where there are none.
    chances: Tensor<2>,
    first: usize,
    /// Frames that were given.
    placed: Vec<WordFrame>,
}

impl Drawing for LayeredDrawing {
    fn step(&mut self) -> Result<Shown> {
        let Shared { config, model, .. } = &*self.shared;
        let step = self.first + self.states.len() - 1;
        let before = self.states.last().cloned();
        let before = before.ok_or_else(|| Error::Device("this drawing was never begun".into()))?;
        let noise = self.latents.clone().narrow(1, step, 1).squeeze_dim::<2>(1);
        let at = |layers: &Layers| layers.at(step, config.place_steps, config.num_steps);
        let layers: Vec<usize> = self.plan.pictures.iter().map(at).collect();
        let stands = step >= config.place_steps && self.plan.pictures.iter().all(Layers::is_place_alone);
        let (after, drawn) = match model.place_step(config, &self.rows, &before, step, &self.chances, None) {
            Some(drawn) => drawn,
            // A place without things stands when its steps are over.
            None if stands => {
                let window = whole_window(layers.len(), &before.canvas.device());
                (before, Step { window, kl: None })
            }
            None => {
                let latent = Latent { noise, share: 1.0 };
                model.step(config, &self.rows, before, &layers, None, latent)
            }
        };
        let image = shown(&after.canvas, &self.style).clamp(0.0, 1.0);
        self.states.push(after);
        Ok(Shown {
            images: image.into(),
            alignment: Some(Values::Host(self.alignment(&layers))),
            windows: Some(drawn.window.into()),
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

impl LayeredDrawing {
    /// The attention is shared by the words that describe what is drawn, [picture, word].
    fn alignment(&self, layers: &[usize]) -> Vec<f32> {
        let mut alignment = vec![0.0; layers.len() * self.length];
        for (b, (layer, of)) in layers.iter().zip(&self.plan.pictures).enumerate() {
            let said = &of.layers[*layer].said;
            for &word in said {
                alignment[b * self.length + word] = 1.0 / said.len() as f32;
            }
        }
        alignment
    }
}
