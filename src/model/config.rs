//! What a configuration says of its model: sizes, and the memory that they ask for.

use serde::{Serialize, de::DeserializeOwned};

use crate::error::{Error, Result};

/// The size of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImageSize {
    /// Colour planes: 1 or 3.
    pub channels: usize,
    /// Pixels.
    pub height: usize,
    /// Pixels.
    pub width: usize,
}

impl ImageSize {
    /// Floats of one image, planar: channels · height · width.
    pub fn len(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Whether there is no pixel.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Filters along an axis of a window, at most: with more, products of sizes would not fit the 32 bits that a
/// browser counts with.
pub const MOST_FILTERS: usize = 4_096;
/// Floats of an image, at most, for the same reason.
const MOST_FLOATS: u64 = 1 << 26;

impl ImageSize {
    /// Refuses an image that no model can have.
    ///
    /// **Errors** [`Error::Config`], naming the field.
    pub fn check(&self) -> Result<()> {
        let Self { channels, height, width } = *self;
        if channels != 1 && channels != 3 {
            return Err(Error::Config(format!("channels is {channels}, expected 1 or 3")));
        }
        if (channels as u64) * (height as u64) * (width as u64) > MOST_FLOATS {
            let size = format!("{channels}·{height}·{width}");
            return Err(Error::Config(format!(
                "channels·height·width is {size}, expected at most {MOST_FLOATS}"
            )));
        }
        Ok(())
    }
}

/// The sizes of a model, as its manifest holds them.
pub trait Config:
    Clone + std::fmt::Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
    /// Refuses sizes that no model can have.
    ///
    /// **Errors** [`Error::Config`], naming the field.
    fn check(&self) -> Result<()>;

    /// The size of its images: those that a painter draws, or the pixels or features that a captioner looks at.
    fn image_size(&self) -> ImageSize;

    /// Steps of a drawing; 1 where there are none, as for captioners.
    fn num_steps(&self) -> usize {
        1
    }

    /// The same model with other steps of a drawing: the step curriculum of a training run. A model
    /// without steps stays as it is.
    #[must_use]
    fn with_num_steps(self, num_steps: usize) -> Self {
        let _ = num_steps;
        self
    }

    /// Rows of its word table; 0 for a model without words.
    fn vocabulary_size(&self) -> usize;

    /// Makes room for a vocabulary and for images of another size, before training begins.
    fn fit_data(&mut self, words: usize, image: Option<ImageSize>);

    /// Bytes of its weights and of one drawing in memory, for [`check_memory`].
    fn memory_bytes(&self) -> u64;
}

/// The most memory that a model from elsewhere may ask for: weights and one drawing.
pub const MEMORY_LIMIT: u64 = 1 << 30;

/// Refuses a model larger than [`MEMORY_LIMIT`], before anything of it is allocated.
///
/// **Errors** [`Error::Config`].
pub fn check_memory(config: &impl Config) -> Result<()> {
    let needed = config.memory_bytes();
    if needed <= MEMORY_LIMIT {
        return Ok(());
    }
    let mib = |bytes: u64| bytes >> 20;
    Err(Error::Config(format!(
        "the model would take {} MiB of memory, expected at most {} MiB",
        mib(needed),
        mib(MEMORY_LIMIT)
    )))
}
