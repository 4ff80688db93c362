//! Picture files as a captioner looks at them.

use std::path::Path;

use anyhow::Result;

use super::eyes::read_eyes;
use crate::data::folder::pixels;
use crate::error::Error;
use crate::eyes::Eyes;
use crate::model::{ImageSize, PictureInput};
use crate::nn::floats;

/// Reads picture files for a captioner: the middle square as pixels, or the whole, squeezed, through the eyes.
pub enum Reader {
    /// Pixels of this size.
    Pixels(ImageSize),
    /// Features.
    Features(Box<Eyes>),
}

impl Reader {
    /// For a model that looks at the features of photos; the eyes are read from `models`.
    ///
    /// **Errors** when the eyes are not there.
    pub fn of_photos(models: &Path) -> Result<Self> {
        Ok(Self::Features(Box::new(read_eyes(models)?.1)))
    }

    /// For a captioner; the eyes are read from `models`.
    ///
    /// **Errors** when the captioner looks at something else, or the eyes are not there.
    pub fn new(input: PictureInput, models: &Path) -> Result<Self> {
        let refuse = |what: String| Err(Error::Config(what).into());
        match input {
            PictureInput::Pixels(size) if size.height != size.width => {
                refuse(format!("the model looks at {}×{} pixels, expected a square", size.width, size.height))
            }
            PictureInput::Pixels(size) => Ok(Self::Pixels(size)),
            PictureInput::Features(size) if size == Eyes::SIZE => Self::of_photos(models),
            PictureInput::Features(ImageSize { channels, height, width }) => refuse(format!(
                "the model looks at {channels} features of {height}×{width} cells, expected {} of {}×{}, as the \
                 eyes give them",
                Eyes::SIZE.channels,
                Eyes::SIZE.height,
                Eyes::SIZE.width
            )),
        }
    }

    /// A picture as the captioner looks at it, planar.
    ///
    /// **Errors** when the file is no picture.
    pub fn read(&self, path: &Path) -> Result<Vec<f32>> {
        match self {
            Self::Features(eyes) => {
                let squeezed = pixels::open_squeezed(path, Eyes::SIDE)?;
                Ok(floats(eyes.features(&squeezed)?.into_data()))
            }
            Self::Pixels(size) => {
                let pixels = pixels::open(path, size.width)?;
                if size.channels == 3 {
                    return Ok(pixels);
                }
                let plane = size.width * size.height;
                let sum = |at: usize| pixels[at] + pixels[plane + at] + pixels[2 * plane + at];
                Ok((0..plane).map(|at| sum(at) / 3.0).collect())
            }
        }
    }

    /// What is looked at, for people: RGB in [0, 1], planar [3, side, side].
    ///
    /// **Errors** when the file is no picture.
    pub fn shown(&self, path: &Path, side: usize) -> Result<Vec<f32>> {
        match self {
            Self::Pixels(_) => Ok(pixels::open(path, side)?),
            Self::Features(_) => {
                let squeezed = pixels::open_squeezed(path, side)?;
                Ok(squeezed.into_iter().map(|byte| f32::from(byte) / 255.0).collect())
            }
        }
    }
}
