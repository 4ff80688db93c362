//! Pictures from a canvas, as models that look at pictures take them.

use std::rc::Rc;

use burn::tensor::Device;

use crate::error::{Error, Result};
use crate::eyes::{Eyes, EyesManifest};
use crate::model::{ImageSize, PictureInput, Values};

/// What a model looks at pictures with: the eyes, for those of photos.
#[derive(Clone)]
pub struct Look {
    input: PictureInput,
    eyes: Option<Rc<Eyes>>,
}

impl Look {
    /// Without eyes yet.
    pub fn new(input: PictureInput) -> Self {
        Self { input, eyes: None }
    }

    /// Loads the eyes, from their manifest and weights, whose hash is checked.
    ///
    /// **Errors** those of the eyes.
    pub fn open_eyes(&mut self, manifest: &[u8], weights: &[u8], device: &Device) -> Result<()> {
        self.eyes = Some(Rc::new(Eyes::load(&EyesManifest::parse(manifest)?, weights, device)?));
        Ok(())
    }

    /// The size of the pictures that it takes.
    pub fn size(&self) -> ImageSize {
        match self.input {
            PictureInput::Pixels(size) => size,
            PictureInput::Features(_) => ImageSize { channels: 3, height: Eyes::SIDE, width: Eyes::SIDE },
        }
    }

    /// Whether it looks at whole pictures, squeezed; else at the middle square.
    pub fn whole(&self) -> bool {
        matches!(self.input, PictureInput::Features(_))
    }

    /// A picture of [`Look::size`] as a canvas gives it, RGBA row by row, as the model takes it.
    ///
    /// **Errors** [`Error::Config`] for another size; [`Error::Model`] without the eyes that it needs.
    pub async fn at(&self, rgba: &[u8]) -> Result<Vec<f32>> {
        let pixels = planar(rgba, self.size())?;
        let PictureInput::Features(size) = self.input else { return Ok(pixels) };
        let Some(eyes) = self.eyes.as_ref().filter(|_| size == Eyes::SIZE) else {
            return Err(Error::Model("it looks at photos with eyes, which are not loaded".into()));
        };
        let bytes: Vec<u8> = pixels.iter().map(|value| (value * 255.0).round() as u8).collect();
        Values::from(eyes.features(&bytes)?).read().await
    }
}

/// A canvas's bytes as planar pixels in [0, 1], on white where they are transparent; grey is the mean.
fn planar(rgba: &[u8], size: ImageSize) -> Result<Vec<f32>> {
    let plane = size.width * size.height;
    if rgba.len() != 4 * plane {
        let (found, expected) = (rgba.len(), 4 * plane);
        return Err(Error::Config(format!("the picture has {found} bytes, expected {expected}")));
    }
    let on_white = |pixel: &[u8], channel: usize| {
        let alpha = f32::from(pixel[3]) / 255.0;
        f32::from(pixel[channel]) / 255.0 * alpha + 1.0 - alpha
    };
    let pixels = rgba.chunks_exact(4);
    Ok(match size.channels {
        1 => pixels.map(|pixel| (0..3).map(|c| on_white(pixel, c)).sum::<f32>() / 3.0).collect(),
        _ => (0..3).flat_map(|c| pixels.clone().map(move |pixel| on_white(pixel, c))).collect(),
    })
}
