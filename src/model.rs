//! The promises between a model and everything above it: what a configuration says of itself, how a
//! painter draws, a captioner describes, a ranker compares and a paraphraser says again, what a training step reports. `docs/architecture.md`
//! adds a model step by step.

mod bounded;
mod captioner;
mod config;
mod paraphraser;
mod ranker;
mod reconstructions;
mod sharpener;
mod terms;
mod values;

use burn::module::{Module, ModuleDisplay};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use crate::data::batch::{Captions, Lesson, Progress, TrainBatch};
use crate::data::source::Source;
use crate::error::{Error, Result};
use crate::kernels::window::{Rect, Window};
use crate::options::Preset;

pub use bounded::{Bounded, OnCpu};
pub use captioner::{Captioner, Continuation, ImageToText, NextWords, PictureInput, Sentences};
pub use config::{Config, ImageSize, MEMORY_LIMIT, MOST_FILTERS, check_memory};
pub use paraphraser::{Paraphraser, TextToText};
pub use ranker::{ImageTextMatching, Ranker, Region, SentenceVectors};
pub use reconstructions::Reconstructions;
pub use sharpener::Sharpener;
pub use terms::{DIVERSITY, Terms};
pub use values::Values;

/// A model that a gradient can be taken of. One training loop (`train`) drives all of them.
pub trait Trainable: Module + ModuleDisplay + Sync + 'static {
    /// Its sizes.
    type Config: Config;

    /// Whether the negative sum of its terms is a lower bound of log p(x), nats: else there is none to evaluate.
    const BOUND: bool = true;

    /// Fresh weights from a seed.
    fn init(config: &Self::Config, seed: u64, device: &Device) -> Self;

    /// The names of its terms, in their order.
    fn term_names(config: &Self::Config) -> Vec<&'static str>;

    /// Options of whole runs under a name, for `aligndraw train --preset`.
    fn presets() -> Vec<Preset<Self::Config>> {
        Vec::new()
    }

    /// What is learned when a run is so far.
    fn lesson(config: &Self::Config, progress: Progress) -> Lesson {
        let _ = (config, progress);
        Lesson::Everything
    }

    /// The share of pictures of one object, 0 to 1, that must be told apart by their captions for the first lesson to be
    /// over; none: lessons have fixed shares of a run.
    fn first_lesson(config: &Self::Config) -> Option<f64> {
        let _ = config;
        None
    }

    /// The terms of the loss for each image of a batch [batch], in burn tensors: any device, with or
    /// without autodiff. All randomness comes from the batch's noise seed.
    fn terms(&self, config: &Self::Config, batch: &TrainBatch) -> Terms<Tensor<1>>;

    /// The pictures of a batch as the model draws them from what it recognised in them, one posterior sample each; none
    /// for models without a likelihood.
    fn reconstructions(&self, config: &Self::Config, batch: &TrainBatch) -> Option<Reconstructions> {
        let _ = (config, batch);
        None
    }

    /// Of each image `log [p(x, z) / q(z | x)]` for one sample z of its posterior, nats [batch], for importance-weighted
    /// bounds (Burda, Grosse & Salakhutdinov 2016); none for models that cannot tell.
    fn log_weights(&self, config: &Self::Config, batch: &TrainBatch) -> Option<Tensor<1>> {
        let _ = (config, batch);
        None
    }

    /// What is computed from data before a new run begins, a codebook say; most models have nothing such.
    #[must_use]
    fn fitted(self, config: &Self::Config, source: &dyn Source, seed: u64) -> Self {
        let _ = (config, source, seed);
        self
    }

    /// These weights for a model of other sizes, to be trained on (`aligndraw train --from`).
    ///
    /// **Errors** [`Error::Config`] when the model cannot be adapted so.
    fn adapt(self, from: &Self::Config, to: &Self::Config) -> Result<Self> {
        if from == to {
            return Ok(self);
        }
        Err(Error::Config("the sizes of the weights differ from those of the run".to_owned()))
    }

    /// Passes that compute terms and gradients faster than burn's operations on the CPU, if there are
    /// any; `--fused off` trains without them and must give the same numbers (a test holds it).
    fn fused(config: &Self::Config, threads: usize) -> Option<Box<dyn FusedPasses<Self>>> {
        let _ = (config, threads);
        None
    }
}

/// Hand-written passes of a model on the CPU.
pub trait FusedPasses<M: Trainable>: Send {
    /// The batch's mean terms, and the gradient of their sum for each parameter, in the order in which
    /// the module visits its parameters.
    fn gradients(&mut self, model: &M, config: &M::Config, batch: &TrainBatch)
    -> (Terms<f64>, Vec<Vec<f32>>);

    /// The batch's mean terms alone.
    fn terms(&mut self, model: &M, config: &M::Config, batch: &TrainBatch) -> Terms<f64>;

    /// Prepares this model once for all that follows but [`Self::gradients`].
    fn hold(&mut self, model: &M, config: &M::Config) {
        let _ = (model, config);
    }

    /// The lower bound of each image, nats; none for models that cannot tell them apart.
    fn image_bounds(&mut self, model: &M, config: &M::Config, batch: &TrainBatch) -> Option<Vec<f64>> {
        let _ = (model, config, batch);
        None
    }

    /// [`Trainable::log_weights`].
    fn log_weights(&mut self, model: &M, config: &M::Config, batch: &TrainBatch) -> Option<Vec<f64>> {
        let _ = (model, config, batch);
        None
    }
}

/// Gives the values of a tensor of a name and shape, from a file of weights.
pub type TakeTensor<'a> = dyn FnMut(&str, &[usize]) -> Result<Vec<f32>> + 'a;

/// A model that paints captions.
pub trait TextToImage: Trainable {
    /// A painter in burn tensors on the device that holds the model, WebGPU in a browser say.
    fn painter(self, config: &Self::Config, device: &Device) -> Box<dyn Painter>;

    /// A painter by hand-written passes on the CPU; none for models that are in burn tensors alone.
    ///
    /// **Errors** those of `take`.
    fn fused_painter(config: &Self::Config, take: &mut TakeTensor) -> Option<Result<Box<dyn Painter>>> {
        let _ = (config, take);
        None
    }
}

/// What one step of a batch of drawings shows.
pub struct Shown {
    /// Pixels in [0, 1], [picture, channel, height, width].
    pub images: Values,
    /// How much each word was attended to, [picture, word]; none for models without attention.
    pub alignment: Option<Values>,
    /// Raw numbers of the write window, [picture, raw], which [`Painter::window`] decodes; none for models
    /// that write the whole canvas.
    pub windows: Option<Values>,
}

/// What a model's drawings have to show besides the image: the page hides the panels of the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Shows {
    /// Attention over the words.
    pub attention: bool,
    /// Where each patch was written.
    pub window: bool,
    /// Whether a drawing can be continued from a step with another caption or seed.
    pub branch: bool,
    /// Whether each drawn word has a frame of its own, which can be moved.
    pub frame: bool,
}

/// Where a drawn word is put by whoever asks for the drawing, instead of by its caption. **Units** shares of the
/// canvas: (0, 0) is its top left corner, (1, 1) the bottom right one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WordFrame {
    /// Position of the word in its caption, from 0.
    pub word: usize,
    /// Which of several that the word asks for, from 0.
    #[serde(default)]
    pub instance: usize,
    /// The frame's centre, from the left.
    pub x: f32,
    /// The frame's centre, from the top.
    pub y: f32,
    /// Its side, a share of the canvas' longer one.
    pub size: f32,
}

impl WordFrame {
    /// Refuses frames that no drawing has.
    ///
    /// **Errors** [`Error::Config`].
    pub fn check(&self, words: usize) -> Result<()> {
        let Self { word, x, y, size, .. } = *self;
        if word >= words {
            return Err(Error::Config(format!(
                "a frame is given for word {word}, the caption has words 0 to {}",
                words.saturating_sub(1)
            )));
        }
        let near = |x: f32| (-0.5..=1.5).contains(&x);
        if !near(x) || !near(y) || !(0.05..=1.0).contains(&size) {
            return Err(Error::Config(format!(
                "the frame of word {word} is ({x}, {y}) of size {size}, expected a centre within −0.5 to 1.5 and a size of 0.05 to 1"
            )));
        }
        Ok(())
    }
}

/// Captions of one length as word ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaptionIds {
    /// [caption, word].
    pub ids: Vec<usize>,
    /// Captions.
    pub batch: usize,
    /// Words of each.
    pub words: usize,
}

impl CaptionIds {
    /// As the models take them.
    pub fn captions(&self) -> Captions<'_> {
        Captions { size: self.batch, ids: &self.ids, words: self.words, sentences: &[] }
    }
}

/// A model ready to draw. It allocates and computes; `paint` alone waits for devices.
pub trait Painter {
    /// The size of its images.
    fn image_size(&self) -> ImageSize;

    /// Steps of a drawing.
    fn num_steps(&self) -> usize;

    /// What its drawings show.
    fn shows(&self) -> Shows;

    /// Floats of noise that one picture takes, all steps together.
    fn noise_len(&self) -> usize;

    /// Begins a picture for each caption. `noise` is [picture, [`Self::noise_len`]], standard normal times the
    /// temperature.
    ///
    /// **Errors** [`Error::Config`] for a caption that the model cannot draw.
    fn begin(&self, captions: &CaptionIds, noise: Vec<f32>) -> Result<Box<dyn Drawing>>;

    /// [`Self::begin`] with some of the words' frames given.
    ///
    /// **Errors** [`Error::Config`] for a word that is not drawn, and for models without frames.
    fn begin_in(
        &self,
        captions: &CaptionIds,
        noise: Vec<f32>,
        frames: &[WordFrame],
    ) -> Result<Box<dyn Drawing>> {
        match frames {
            [] => self.begin(captions, noise),
            _ => Err(Error::Config("this model has no frames that could be moved".to_owned())),
        }
    }

    /// The write window of a step (from 0), from its raw numbers, and its rectangle on the canvas.
    fn window(&self, step: usize, raw: &[f32]) -> (Window, Rect);

    /// The frame that a step draws in, from the same numbers; none for models without frames.
    fn frame(&self, raw: &[f32]) -> Option<Rect> {
        let _ = raw;
        None
    }

    /// What sharpens pictures of other painters, where the model has it.
    fn sharpener(&self) -> Option<&dyn Sharpener> {
        None
    }
}

/// A batch of pictures in progress.
pub trait Drawing {
    /// Draws the next step of every picture. The caller counts the steps.
    ///
    /// **Errors** [`Error::Device`].
    fn step(&mut self) -> Result<Shown>;

    /// One of these pictures as it stood after `step` steps, to be continued with a caption and noise of its
    /// own; the noise covers all steps.
    ///
    /// **Errors** [`Error::Config`] with the reason, for models that cannot.
    fn branch(
        &self,
        picture: usize,
        step: usize,
        caption: &CaptionIds,
        noise: Vec<f32>,
    ) -> Result<Box<dyn Drawing>>;
}
