//! What rankers look at: features that another network made.

use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::ImageSize;
use crate::nn::efficientnet;

/// Features of pictures, planar [channel, row, column].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Features {
    /// Features of a cell.
    pub channels: usize,
    /// Rows of cells.
    pub rows: usize,
    /// Columns of cells.
    pub columns: usize,
    /// What they are multiplied by first: the reciprocal of twice their standard deviation, say.
    pub scale: f32,
}

impl Features {
    /// Those of photos ([`crate::eyes`]).
    pub fn photos() -> Self {
        let grid = efficientnet::GRID;
        // Their standard deviation is 0.876 (`scripts/eyes.py --photos`).
        Self { channels: efficientnet::FEATURES, rows: grid, columns: grid, scale: 0.57 }
    }

    /// Their sizes.
    pub fn size(&self) -> ImageSize {
        ImageSize { channels: self.channels, height: self.rows, width: self.columns }
    }

    /// Takes other sizes.
    pub fn fit(&mut self, size: ImageSize) {
        (self.channels, self.rows, self.columns) = (size.channels, size.height, size.width);
    }

    /// Refuses what no features can be.
    ///
    /// **Errors** [`Error::Config`].
    pub fn check(&self) -> Result<()> {
        for (name, size) in [("channels", self.channels), ("rows", self.rows), ("columns", self.columns)] {
            check_size(name, size)?;
        }
        if !(self.scale.is_finite() && self.scale > 0.0) {
            let scale = self.scale;
            return Err(Error::Config(format!("the scale of the features is {scale}, expected above 0")));
        }
        Ok(())
    }

    /// Averages over groups of cells, scaled.
    ///
    /// **Shapes** `pictures` [picture, channel, row, column], flattened; `weights` [cell, group], how much a cell
    /// counts in an average; returns [picture, group, channel].
    ///
    /// **Errors** [`Error::Config`] when these are not whole pictures.
    pub fn averages(&self, pictures: &[f32], weights: &Tensor<2>, device: &Device) -> Result<Tensor<3>> {
        let each = self.size().len();
        let (count, rest) = (pictures.len() / each, pictures.len() % each);
        if count == 0 || rest > 0 {
            let found = pictures.len();
            return Err(Error::Config(format!("{found} values are no pictures of {each} values each")));
        }
        let [cells, groups] = weights.dims();
        let shape = [count * self.channels, cells];
        let cells = Tensor::<2>::from_data(TensorData::new(pictures.to_vec(), shape), device);
        let averages = cells.matmul(weights.clone() * self.scale);
        Ok(averages.reshape([count, self.channels, groups]).swap_dims(1, 2))
    }
}

/// Refuses a size that no model has.
///
/// **Errors** [`Error::Config`], naming it.
pub fn check_size(name: &str, size: usize) -> Result<()> {
    match size {
        1..=65_536 => Ok(()),
        _ => Err(Error::Config(format!("{name} is {size}, expected 1 to 65536"))),
    }
}

/// Refuses a share of dropped units that is none.
///
/// **Errors** [`Error::Config`], naming it.
pub fn check_dropout(of: &str, share: f32) -> Result<()> {
    match share {
        share if (0.0..1.0).contains(&share) => Ok(()),
        _ => Err(Error::Config(format!("dropout of {of} is {share}, expected 0 up to 1"))),
    }
}

/// Refuses a margin that ranks nothing.
///
/// **Errors** [`Error::Config`].
pub fn check_margin(margin: f32) -> Result<()> {
    match margin {
        margin if margin.is_finite() && margin > 0.0 => Ok(()),
        _ => Err(Error::Config(format!("margin is {margin}, expected above 0"))),
    }
}

/// Refuses sentences that cannot be read.
///
/// **Errors** [`Error::Config`].
pub fn check_sentences(sentences: &[&[usize]], vocabulary_size: usize) -> Result<()> {
    if sentences.iter().any(|words| words.is_empty()) {
        return Err(Error::Config("a sentence has no words".to_owned()));
    }
    match sentences.iter().copied().flatten().find(|&&id| id >= vocabulary_size) {
        Some(id) => Err(Error::Config(format!("word {id}, expected one below {vocabulary_size}"))),
        None => Ok(()),
    }
}
