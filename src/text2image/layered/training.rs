//! The layered painter in training: its bound, and what it learns first.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::boxes::KnownFrames;
use super::caption::Plan;
use super::config::CHANNELS;
use super::drawing::{Latent, shown};
use super::painter::LayeredPainter;
use super::place::{PLACE, PLACE_STREAM, quantiles};
use super::window::FRAME;
use super::{LayerCurriculum, Layered, LayeredConfig, presets};
use crate::data::batch::{Lesson, Progress, TrainBatch};
use crate::data::noise::Noise;
use crate::data::source::Source;
use crate::error::{Error, Result};
use crate::model::{CaptionIds, Painter, Terms, TextToImage, Trainable};
use crate::nn::on_device;
use crate::options::Preset;

/// The terms of the bound, nats per image.
pub const TERMS: [&str; 3] = ["reconstruction", "kl", KL_FRAME];
/// That of the frames.
const KL_FRAME: &str = "kl_frame";

impl LayerCurriculum {
    /// How much of the latents there is when a run is so far.
    fn latents_at(&self, progress: Progress) -> f32 {
        let rising = (self.latents_until - self.latents_from).max(f32::EPSILON);
        ((progress.done - self.latents_from) / rising).clamp(0.0, 1.0)
    }
}

impl Trainable for Layered {
    type Config = LayeredConfig;

    fn init(config: &LayeredConfig, seed: u64, device: &Device) -> Self {
        Self::fresh(config, seed, device)
    }

    fn term_names(config: &LayeredConfig) -> Vec<&'static str> {
        TERMS.into_iter().chain(config.place_codes.map(|_| PLACE)).collect()
    }

    fn presets() -> Vec<Preset<LayeredConfig>> {
        presets::all()
    }

    fn lesson(config: &LayeredConfig, progress: Progress) -> Lesson {
        let until = |of: fn(LayerCurriculum) -> f32| config.curriculum.is_some_and(|c| progress.done < of(c));
        match () {
            () if shows_places_alone(config, progress) => Lesson::Places,
            () if until(|curriculum| curriculum.frames_until) => Lesson::Frames,
            () if until(|curriculum| curriculum.singles_until) => Lesson::OneObject,
            () => Lesson::Everything,
        }
    }

    /// The codebook of places, by k-means.
    fn fitted(self, config: &LayeredConfig, source: &dyn Source, seed: u64) -> Self {
        self.with_codebook(config, source, seed)
    }

    /// For a vocabulary that has grown at its end, whose new words' rows start at 0, for places that are drawn in
    /// codes from now on, for patches of another size, which start anew, and for another number of steps.
    fn adapt(self, from: &LayeredConfig, to: &LayeredConfig) -> Result<Self> {
        let LayeredConfig { vocabulary_size, .. } = *to;
        let grown = LayeredConfig {
            vocabulary_size,
            lexicon: to.lexicon.clone(),
            curriculum: to.curriculum,
            place_codes: to.place_codes,
            write_size: to.write_size,
            num_steps: to.num_steps,
            ..from.clone()
        };
        if grown != *to || vocabulary_size < from.vocabulary_size {
            let what = "the sizes of the weights differ from those of the run in more than new words, the codes of \
                        places, patches and steps";
            return Err(Error::Config(what.to_owned()));
        }
        let grown = self.with_words(vocabulary_size - from.vocabulary_size);
        let grown = if from.write_size == to.write_size { grown } else { grown.with_patches(to) };
        Ok(if from.place_codes == to.place_codes { grown } else { grown.with_place_codes(to) })
    }

    fn terms(&self, config: &LayeredConfig, item: &TrainBatch) -> Terms<Tensor<1>> {
        let batch = item.batch.len();
        let captions = CaptionIds { ids: item.batch.ids.to_vec(), batch, words: item.batch.words };
        let plan = Plan::of(config, &captions).expect("the data set's captions name what is drawn");
        if shows_places_alone(config, item.progress)
            && let Some(terms) =
                self.places_alone(config, &captions, &plan, item.batch.images.to_vec(), item.noise_seed)
        {
            return terms;
        }
        let noise = BoundNoise::of(config, item, plan.rows);
        let frames = KnownFrames::of(&plan, &item.batch.boxes);
        if Self::lesson(config, item.progress) == Lesson::Frames {
            let device = self.frame_bias.val().device();
            let noise = on_device(noise.of_frames, [batch * plan.rows, FRAME], &device);
            let nats = self.frames_alone(config, &plan, &frames, noise);
            let of = |term| (term, if term == KL_FRAME { nats.clone() } else { nats.zeros_like() });
            return Terms(Self::term_names(config).into_iter().map(of).collect());
        }
        self.bound(config, &captions, &plan, &frames, item.batch.images.to_vec(), noise)
    }
}

/// Whether pictures of places alone are learned from when a run is so far.
fn shows_places_alone(config: &LayeredConfig, progress: Progress) -> bool {
    let until = config.curriculum.map_or(0.0, |curriculum| curriculum.places_until);
    config.place_codes.is_some() && progress.done < until
}

/// The numbers that a bound is estimated with.
pub struct BoundNoise {
    /// Standard normal, of the frames' latents [picture, layer, 3].
    pub of_frames: Vec<f32>,
    /// Standard normal, of the steps' latents [picture, step, latent].
    pub of_steps: Vec<f32>,
    /// How much of the steps' latents there is yet, 0 to 1.
    pub latents: f32,
    /// Uniform in 0 to 1, of the places' codes [picture, code].
    pub of_places: Vec<f32>,
}

impl BoundNoise {
    /// Of a batch, from its seed.
    fn of(config: &LayeredConfig, item: &TrainBatch, rows: usize) -> Self {
        let (steps, z) = (config.num_steps, config.latent_size);
        let (mut of_frames, mut of_steps, mut of_places) = (Vec::new(), Vec::new(), Vec::new());
        let codes = config.place_cells().map_or(0, |[rows, columns]| rows * columns);
        for b in 0..item.batch.len() as u64 {
            let mut stream = Noise::stream(item.noise_seed, b);
            of_frames.extend(stream.normals(FRAME * rows));
            of_steps.extend(stream.normals(steps * z));
            of_places.extend(quantiles(&Noise::stream(item.noise_seed, PLACE_STREAM + b).normals(codes)));
        }
        let latents = config.curriculum.map_or(1.0, |curriculum| curriculum.latents_at(item.progress));
        Self { of_frames, of_steps, latents, of_places }
    }
}

impl Layered {
    /// The bound's terms of pictures [picture, 3, height, width] of these captions, whose things stand where
    /// `known_frames` says, nats [picture] each.
    ///
    /// **Equation** a pixel is Gaussian around the canvas with one learned deviation σ (Rybkin, Daniilidis &
    /// Levine 2021): `½ ‖x − c‖² / σ² + n log σ + ½ n log 2π` of n colour values.
    pub fn bound(
        &self,
        config: &LayeredConfig,
        captions: &CaptionIds,
        plan: &Plan,
        known_frames: &KnownFrames,
        images: Vec<f32>,
        noise: BoundNoise,
    ) -> Terms<Tensor<1>> {
        let device = &self.frame_bias.val().device();
        let (batch, rows) = (captions.batch, captions.batch * plan.rows);
        let images: Tensor<4> = on_device(images, [batch, CHANNELS, config.height, config.width], device);
        let encoded = self.encode(config, captions, plan);
        let frame_noise = on_device(noise.of_frames, [rows, FRAME], device);
        let (frames, kl_frame) = known_frames.posterior(&encoded.expected, frame_noise);
        let kl_frame = kl_frame.sum_dim(1).squeeze_dim::<1>(1);
        let table = self.rows(&encoded, frames, plan);
        let steps = config.num_steps;
        let noises: Tensor<3> = on_device(noise.of_steps, [batch, steps, config.latent_size], device);
        let mut state = self.begin(config, batch);
        let mut kl = Tensor::zeros([batch], device);
        // No gradient leads out of codes; operations that autodiff remembers all the same would pile up.
        let still = self.clone().no_grad();
        let known = still.known_places(config, &plan.pictures, &images);
        let chances = on_device(noise.of_places.clone(), [batch, noise.of_places.len() / batch], device);
        for t in 0..steps {
            if let Some((next, _)) = still.place_step(config, &table, &state, t, &chances, known.as_ref()) {
                state = next;
                continue;
            }
            let layers: Vec<usize> =
                plan.pictures.iter().map(|layers| layers.at(t, config.place_steps, steps)).collect();
            let fresh = noises.clone().narrow(1, t, 1).squeeze_dim::<2>(1);
            let latent = Latent { noise: fresh, share: noise.latents };
            let seen = (noise.latents > 0.0).then_some(&images);
            let (next, step) = self.step(config, &table, state, &layers, seen, latent);
            state = next;
            if let Some(step) = step.kl {
                kl = kl + step;
            }
        }
        let log_error = self.log_error.val();
        let error = (shown(&state.canvas, &encoded.style) - images).square().flatten::<2>(1, 3);
        let values = config.height * config.width * CHANNELS;
        let precision = (log_error.clone() * -2.0).exp() * 0.5;
        let constant = (log_error + 0.5 * std::f32::consts::TAU.ln()) * values as f32;
        let nats = error.sum_dim(1).squeeze_dim::<1>(1) * precision + constant;
        let mut terms = vec![nats, kl * noise.latents, kl_frame];
        terms.extend(known.and_then(|known| still.nats_of_places(config, &table, &state, &known)));
        Terms(Self::term_names(config).into_iter().zip(terms).collect())
    }
}

impl TextToImage for Layered {
    fn painter(self, config: &LayeredConfig, device: &Device) -> Box<dyn Painter> {
        Box::new(LayeredPainter::new(config, self, device))
    }
}
