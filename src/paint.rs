//! The one drawing loop: the command line and the browser both run it, for every painter, on any device.
//!
//! A drawing yields a frame for each step: the picture so far and, where the model has them, how much each
//! word was attended to and where the patch went. All noise comes from the seed, so a caption, a seed and a
//! model are a picture. No other code of a drawing waits for a device.

mod sharpen;

use burn::tensor::Device;

use crate::checkpoint::{Manifest, check_temperature, decode, parse_safetensors, take};
use crate::data::{
    noise::Noise,
    vocabulary::{Tokens, Vocabulary},
};
use crate::error::{Error, Result};
use crate::kernels::window::{Rect, Window};
use crate::model::{CaptionIds, Drawing, Painter, TextToImage, Values, WordFrame};
use crate::platform;
use crate::systems::PainterVisitor;

pub use self::sharpen::Sharpening;

/// What one step of one drawing shows.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Frame {
    /// Step, from 1.
    pub step: usize,
    /// Pixels in [0, 1], planar [channel, height, width].
    pub image: Vec<f32>,
    /// How much each word was attended to, summing to 1 [word]; none for models without attention.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alignment: Option<Vec<f32>>,
    /// Where the patch went; none for models that write the whole canvas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// The window's rectangle on the canvas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rect: Option<Rect>,
    /// The frame of the word that is drawn; none for models without frames.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub frame: Option<Rect>,
}

/// What may be asked of a drawing besides its caption and seeds.
#[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DrawOptions {
    /// Another temperature than the model's own, 0 to 2.
    pub temperature: Option<f32>,
    /// Where some of the words are drawn.
    pub frames: Vec<WordFrame>,
}

/// Where a model computes.
#[derive(Clone, Debug)]
pub enum Engine {
    /// The fused passes of the CPU, or burn's CPU where a model has none.
    Cpu,
    /// burn's operations on a device.
    Device(Device),
}

/// A model ready to draw captions: words, noise and steps around a painter.
pub struct Pipeline {
    vocabulary: Vocabulary,
    painter: Box<dyn Painter>,
    temperature: f32,
}

/// Builds the painter of a manifest's system.
struct Load<'a> {
    weights: &'a [u8],
    engine: &'a Engine,
}

impl PainterVisitor for Load<'_> {
    type Output = Result<Box<dyn Painter>>;

    fn visit<M: TextToImage>(self, config: &M::Config) -> Self::Output {
        let file = parse_safetensors(self.weights)?;
        let on = |device: &Device| -> Self::Output {
            if !platform::HAS_BURN_TENSORS {
                return Err(Error::Device("this engine has the fused passes alone".into()));
            }
            Ok(decode(M::init(config, 0, device), &file)?.painter(config, device))
        };
        match self.engine {
            Engine::Cpu if platform::HAS_FUSED_PASSES => {
                M::fused_painter(config, &mut |name, shape| take(&file, name, shape))
                    .unwrap_or_else(|| on(&Device::flex()))
            }
            Engine::Cpu => on(&Device::flex()),
            Engine::Device(device) => on(device),
        }
    }
}

impl Pipeline {
    /// A pipeline of a manifest and its weights file, whose hash the caller has checked.
    ///
    /// **Errors** [`Error::Model`], naming the tensor that is missing or of another shape, or when the model
    /// does not draw.
    pub fn load(manifest: &Manifest, weights: &[u8], engine: &Engine) -> Result<Self> {
        let painter = manifest.system.visit_painter(Load { weights, engine })??;
        Ok(Self::new(painter, manifest.vocabulary.clone(), manifest.temperature))
    }

    /// A pipeline around a painter that was made elsewhere.
    pub fn new(painter: Box<dyn Painter>, vocabulary: Vocabulary, temperature: f32) -> Self {
        Self { vocabulary, painter, temperature }
    }

    /// The words that it reads.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }

    /// The model that it draws with.
    pub fn painter(&self) -> &dyn Painter {
        self.painter.as_ref()
    }

    /// Paints at another temperature than the model's own.
    ///
    /// **Errors** [`Error::Config`] unless it is 0 to 2.
    pub fn with_temperature(self, temperature: f32) -> Result<Self> {
        check_temperature(temperature)?;
        Ok(Self { temperature, ..self })
    }

    /// The noise of the pictures of some seeds, [picture, noise]: the temperature scales the standard
    /// deviation of the prior (Kingma & Dhariwal 2018, §6), so that 0 draws its mean.
    fn noise(&self, seeds: &[u64], temperature: f32) -> Vec<f32> {
        let len = self.painter.noise_len();
        let mut noise: Vec<f32> = seeds.iter().flat_map(|&seed| Noise::new(seed).normals(len)).collect();
        noise.iter_mut().for_each(|value| *value *= temperature);
        noise
    }

    /// Begins a picture for each seed: all of one caption.
    ///
    /// **Errors** those of [`crate::data::vocabulary::Vocabulary::tokens`].
    pub fn begin(&self, caption: &str, seeds: &[u64]) -> Result<Pictures> {
        self.begin_with(caption, seeds, &DrawOptions::default())
    }

    /// [`Self::begin`] with options.
    ///
    /// **Errors** also [`Error::Config`] for options that cannot be.
    pub fn begin_with(&self, caption: &str, seeds: &[u64], options: &DrawOptions) -> Result<Pictures> {
        let tokens = self.vocabulary.tokens(caption)?;
        for frame in &options.frames {
            frame.check(tokens.ids.len())?;
        }
        let captions = vec![tokens; seeds.len()];
        self.begin_batch_with(&captions, seeds, options)
    }

    /// Begins a picture for each caption and its seed; the captions have equal numbers of words.
    ///
    /// **Errors** [`Error::Config`] when there are none or their lengths differ.
    pub fn begin_batch(&self, captions: &[Tokens], seeds: &[u64]) -> Result<Pictures> {
        self.begin_batch_with(captions, seeds, &DrawOptions::default())
    }

    fn begin_batch_with(
        &self,
        captions: &[Tokens],
        seeds: &[u64],
        options: &DrawOptions,
    ) -> Result<Pictures> {
        let temperature = options.temperature.unwrap_or(self.temperature);
        check_temperature(temperature)?;
        let words = captions.first().map_or(0, |tokens| tokens.ids.len());
        let unequal = captions.iter().any(|tokens| tokens.ids.len() != words);
        if captions.is_empty() || unequal || captions.len() != seeds.len() {
            return Err(Error::Config("a batch holds captions of one length, each with a seed".into()));
        }
        let ids = captions.iter().flat_map(|tokens| tokens.ids.iter().copied()).collect();
        let captions = CaptionIds { ids, batch: seeds.len(), words };
        let drawing = self.painter.begin_in(&captions, self.noise(seeds, temperature), &options.frames)?;
        Ok(Pictures { drawing, temperature, batch: seeds.len(), words, first: 0, step: 0, failed: false })
    }

    /// Begins a picture that goes on from another as it stood after `step` steps: with another
    /// caption, with the noise of another seed from there on, or both. What came before is not drawn
    /// again.
    ///
    /// **Errors** those of [`crate::data::vocabulary::Vocabulary::tokens`]; [`Error::Config`] when
    /// there is no such picture or step.
    pub fn branch(
        &self,
        from: &Pictures,
        picture: usize,
        step: usize,
        caption: &str,
        seed: u64,
    ) -> Result<Pictures> {
        let tokens = self.vocabulary.tokens(caption)?;
        if picture >= from.batch || step > from.step || step < from.first {
            let (batch, done) = (from.batch, from.step);
            let what = format!(
                "picture {picture} after step {step} does not exist: there are {batch} pictures, steps {} to {done}",
                from.first
            );
            return Err(Error::Config(what));
        }
        let words = tokens.ids.len();
        let caption = CaptionIds { ids: tokens.ids, batch: 1, words };
        let temperature = from.temperature;
        let drawing = from.drawing.branch(picture, step, &caption, self.noise(&[seed], temperature))?;
        Ok(Pictures { drawing, temperature, batch: 1, words, first: step, step, failed: false })
    }

    /// Draws the next step of every picture: a frame for each, or none when they are finished.
    ///
    /// **Errors** [`Error::Device`] when the device fails or is lost.
    pub async fn step(&self, pictures: &mut Pictures) -> Result<Option<Vec<Frame>>> {
        let size = self.painter.image_size();
        if pictures.step == self.painter.num_steps() {
            return Ok(None);
        }
        if pictures.failed {
            return Err(Error::Device("a step of this drawing failed: begin it again".into()));
        }
        pictures.failed = true;
        let shown = pictures.drawing.step()?;
        let images = shown.images.read().await?;
        let alignment = read_section(shown.alignment).await?;
        let windows = read_section(shown.windows).await?;
        pictures.failed = false;
        pictures.step += 1;
        let step = pictures.step;
        let frame = |b: usize| {
            let raw = windows.as_ref().map(|raw| row(raw, b, pictures.batch));
            let placed = raw.map(|raw| self.painter.window(step - 1, raw));
            Frame {
                step,
                image: images[b * size.len()..][..size.len()].to_vec(),
                alignment: alignment.as_ref().map(|all| all[b * pictures.words..][..pictures.words].to_vec()),
                window: placed.map(|(window, _)| window),
                rect: placed.map(|(_, rect)| rect),
                frame: raw.and_then(|raw| self.painter.frame(raw)),
            }
        };
        Ok(Some((0..pictures.batch).map(frame).collect()))
    }
}

impl Pipeline {
    /// Draws all steps that are left: the last frame of every picture.
    ///
    /// **Errors** those of [`Pipeline::step`].
    pub async fn finish(&self, mut pictures: Pictures) -> Result<Vec<Frame>> {
        let mut last = Vec::new();
        while let Some(frames) = self.step(&mut pictures).await? {
            last = frames;
        }
        Ok(last)
    }
}

/// One picture's part of a section.
fn row(values: &[f32], picture: usize, batch: usize) -> &[f32] {
    let len = values.len() / batch;
    &values[picture * len..][..len]
}

/// Pictures in progress, or finished: they can be branched from.
pub struct Pictures {
    drawing: Box<dyn Drawing>,
    /// That it was begun with, for what branches from it.
    temperature: f32,
    batch: usize,
    words: usize,
    /// Steps that another drawing drew before this one branched from it.
    first: usize,
    step: usize,
    /// Whether a step began and did not end well.
    failed: bool,
}

async fn read_section(values: Option<Values>) -> Result<Option<Vec<f32>>> {
    match values {
        Some(values) => values.read().await.map(Some),
        None => Ok(None),
    }
}
