//! The one drawing loop: the command line and the browser both run it, on any device.
//!
//! A drawing yields a frame for each step: the picture so far, how much each word was looked at, and
//! where the patch went. All noise comes from the seed, so a caption, a seed and a model are a
//! picture.

use burn::tensor::{Device, Int, Tensor, TensorData, activation::sigmoid};

use crate::checkpoint::{Manifest, check_temperature};
use crate::data::{batch::Captions, noise::Noise, vocabulary::Tokens};
use crate::error::{Error, Result};
use crate::kernels::window::Window;
use crate::platform;
use crate::text2image::draw::cpu::{self, Weights};
use crate::text2image::draw::definition::{EncodedCaption, State};
use crate::text2image::draw::{Draw, DrawConfig, ParameterValues, floats};

/// What one step of one drawing shows.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Frame {
    /// Step, from 1.
    pub step: usize,
    /// Pixels in [0, 1], planar [channel, height, width].
    pub image: Vec<f32>,
    /// How much each word was looked at, summing to 1 [word]; none without attention.
    pub alignment: Option<Vec<f32>>,
    /// Where the patch went.
    pub window: Window,
}

/// A model ready to draw.
pub struct Painter {
    manifest: Manifest,
    engine: Engine,
    temperature: f32,
}

enum Engine {
    /// The fused passes.
    Cpu(Box<Weights>),
    /// burn's operations on a device.
    Device(Box<Draw>, Device),
}

impl Painter {
    /// A painter on the CPU.
    pub fn on_cpu(manifest: Manifest, host: ParameterValues) -> Self {
        // A few pictures at a time are bound by reading weights, many by arithmetic.
        let pack = if platform::HAS_PACKED_GEMM { Weights::new } else { Weights::for_painting };
        let engine = Engine::Cpu(Box::new(pack(&manifest.config, host)));
        Self { temperature: manifest.temperature, manifest, engine }
    }

    /// A painter on a burn device, WebGPU in a browser say.
    pub fn on_device(manifest: Manifest, host: ParameterValues, device: Device) -> Self {
        let model = Draw::from_host(&manifest.config, host, &device);
        let engine = Engine::Device(Box::new(model), device);
        Self { temperature: manifest.temperature, manifest, engine }
    }

    /// The model's manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Paints at another temperature than the model's own.
    ///
    /// **Errors** [`Error::Config`] unless it is 0 to 2.
    pub fn with_temperature(self, temperature: f32) -> Result<Self> {
        check_temperature(temperature)?;
        Ok(Self { temperature, ..self })
    }

    /// The noise of the picture of a seed, [step, latent]: the temperature scales the standard
    /// deviation of the prior (Kingma & Dhariwal 2018, §6), so that 0 draws its mean.
    fn noise(&self, seed: u64) -> Vec<f32> {
        let config = &self.manifest.config;
        let mut noise = Noise::new(seed).normals(config.num_steps * config.latent_size);
        noise.iter_mut().for_each(|value| *value *= self.temperature);
        noise
    }

    /// Begins a picture for each seed: all of one caption.
    ///
    /// **Errors** those of [`crate::data::vocabulary::Vocabulary::tokens`].
    pub fn begin(&self, caption: &str, seeds: &[u64]) -> Result<Drawing> {
        let tokens = self.manifest.vocabulary.tokens(caption)?;
        let captions = vec![tokens; seeds.len()];
        self.begin_batch(&captions, seeds)
    }

    /// Begins a picture for each caption and its seed; the captions have equal numbers of words.
    ///
    /// **Errors** [`Error::Config`] when there are none or their lengths differ.
    pub fn begin_batch(&self, captions: &[Tokens], seeds: &[u64]) -> Result<Drawing> {
        let config = &self.manifest.config;
        let words = captions.first().map_or(0, |tokens| tokens.ids.len());
        if words == 0
            || captions.iter().any(|tokens| tokens.ids.len() != words)
            || captions.len() != seeds.len()
        {
            return Err(Error::Config("a batch holds captions of one length, each with a seed".into()));
        }
        let ids: Vec<usize> = captions.iter().flat_map(|tokens| tokens.ids.iter().copied()).collect();
        let noise: Vec<f32> = seeds.iter().flat_map(|&seed| self.noise(seed)).collect();
        let canvas = match &self.engine {
            Engine::Cpu(weights) => {
                Canvas::Cpu(Box::new(cpu::Drawing::begin(weights, Captions::of_words(&ids, words), &noise)))
            }
            Engine::Device(model, device) => {
                let noise = self.noise_on(noise, seeds.len(), device);
                let caption = encode(model, config, &ids, seeds.len(), device);
                let states = vec![model.begin(config, seeds.len())];
                Canvas::Device(Box::new(DeviceCanvas { caption, states, noise }))
            }
        };
        Ok(Drawing { canvas, batch: seeds.len(), words, first: 0, step: 0 })
    }

    /// Begins a picture that goes on from another as it stood after `step` steps: with another
    /// caption, with the noise of another seed from there on, or both. What came before is not drawn
    /// again.
    ///
    /// **Errors** those of [`crate::data::vocabulary::Vocabulary::tokens`]; [`Error::Config`] when
    /// there is no such picture or step.
    pub fn branch(
        &self,
        from: &Drawing,
        picture: usize,
        step: usize,
        caption: &str,
        seed: u64,
    ) -> Result<Drawing> {
        let config = &self.manifest.config;
        let tokens = self.manifest.vocabulary.tokens(caption)?;
        if picture >= from.batch || step > from.step || step < from.first {
            let (batch, done) = (from.batch, from.step);
            let what = format!(
                "picture {picture} after step {step} does not exist: there are {batch} pictures, steps {} to {done}",
                from.first
            );
            return Err(Error::Config(what));
        }
        let noise = self.noise(seed);
        let canvas = match (&self.engine, &from.canvas) {
            (Engine::Cpu(weights), Canvas::Cpu(canvas)) => {
                let caption = Captions::of_words(&tokens.ids, tokens.ids.len());
                Canvas::Cpu(Box::new(canvas.branch(weights, picture, step, caption, &noise)))
            }
            (Engine::Device(model, device), Canvas::Device(canvas)) => {
                let caption = encode(model, config, &tokens.ids, 1, device);
                let states = vec![canvas.states[step - from.first].picture(picture)];
                let noise = self.noise_on(noise, 1, device);
                Canvas::Device(Box::new(DeviceCanvas { caption, states, noise }))
            }
            _ => return Err(Error::Device("the drawing was begun on another painter".into())),
        };
        Ok(Drawing { canvas, batch: 1, words: tokens.ids.len(), first: step, step })
    }

    /// Noise [picture, step, latent] on a device.
    fn noise_on(&self, noise: Vec<f32>, pictures: usize, device: &Device) -> Tensor<3> {
        let shape = [pictures, self.manifest.config.num_steps, self.manifest.config.latent_size];
        Tensor::from_data(TensorData::new(noise, shape), device)
    }

    /// Draws the next step of every picture: a frame for each, or none when the drawing is finished.
    ///
    /// **Errors** [`Error::Device`] when the device fails or is lost.
    pub async fn step(&self, drawing: &mut Drawing) -> Result<Option<Vec<Frame>>> {
        let config = &self.manifest.config;
        if drawing.step == config.num_steps {
            return Ok(None);
        }
        drawing.step += 1;
        let step = drawing.step;
        let (images, alignments, windows) = match (&self.engine, &mut drawing.canvas) {
            (Engine::Cpu(weights), Canvas::Cpu(canvas)) => {
                canvas.step(weights);
                (
                    canvas.images(step).to_vec(),
                    canvas.alignment(step).map(<[f32]>::to_vec),
                    canvas.write_raw(step).to_vec(),
                )
            }
            (Engine::Device(model, _), Canvas::Device(canvas)) => {
                let noise = canvas.noise.clone().narrow(1, step - 1, 1).squeeze_dim::<2>(1);
                let before = canvas.states.get(step - 1 - drawing.first).cloned();
                let before = before.ok_or_else(|| Error::Device("a step of this drawing failed".into()))?;
                let (after, shown) = model.step(config, &canvas.caption, before, None, noise);
                let image = sigmoid(after.canvas.clone());
                let alignment = match shown.alignment {
                    Some(alignment) => Some(read(alignment).await?),
                    None => None,
                };
                let read = (read(image).await?, alignment, read(shown.write_raw).await?);
                canvas.states.push(after);
                read
            }
            _ => return Err(Error::Device("the drawing was begun on another painter".into())),
        };
        let geometry = config.write_geometry(step - 1);
        let frames = (0..drawing.batch).map(|b| Frame {
            step,
            image: images[b * config.image_len()..][..config.image_len()].to_vec(),
            alignment: alignments.as_ref().map(|all| all[b * drawing.words..][..drawing.words].to_vec()),
            window: geometry.window(&windows[b * 5..][..5]),
        });
        Ok(Some(frames.collect()))
    }
}

/// Drawings in progress, a batch of pictures.
pub struct Drawing {
    canvas: Canvas,
    batch: usize,
    words: usize,
    /// StepBuffer that another drawing drew before this one branched from it.
    first: usize,
    step: usize,
}

enum Canvas {
    Cpu(Box<cpu::Drawing>),
    Device(Box<DeviceCanvas>),
}

/// A drawing on a burn device.
struct DeviceCanvas {
    caption: EncodedCaption,
    /// After the drawing's first step and each that followed, as far as none failed.
    states: Vec<State>,
    /// [batch, step, latent].
    noise: Tensor<3>,
}

/// Encodes captions of equal length; `ids` is [batch, words].
fn encode(model: &Draw, config: &DrawConfig, ids: &[usize], batch: usize, device: &Device) -> EncodedCaption {
    let numbers = ids.iter().map(|&id| id as i64).collect::<Vec<_>>();
    let ids = TensorData::new(numbers, [batch, ids.len() / batch]);
    model.encode(config, Tensor::<2, Int>::from_data(ids, device))
}

async fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>> {
    let data = tensor.into_data_async().await.map_err(|error| Error::Device(error.to_string()))?;
    Ok(floats(data))
}
