//! What is done to a finished picture.

use super::{CaptionIds, ImageSize, Values};
use crate::error::Result;

/// A network that adds to a blurry picture what is missing of it.
pub trait Sharpener {
    /// The size of the pictures.
    fn image_size(&self) -> ImageSize;

    /// Sharper pictures in [0, 1] of those of a caption each, both [picture, channel, height, width].
    ///
    /// **Errors** [`crate::error::Error::Config`] where there is no caption.
    fn sharpen(&self, captions: &CaptionIds, pictures: Vec<f32>) -> Result<Values>;
}
