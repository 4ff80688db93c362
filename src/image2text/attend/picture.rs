//! What Show, Attend and Tell looks at.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// A convolution with ReLU; its padding keeps the size at stride 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Convolution {
    /// Channels that it makes.
    pub channels: usize,
    /// Side of its kernel, odd.
    pub kernel: usize,
    /// Cells between two of its places.
    pub stride: usize,
}

/// What is looked at.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Picture {
    /// Pixels, through a convolutional network that is trained with the captioner.
    Pixels {
        /// Colour planes: 1 or 3.
        channels: usize,
        /// Pixels.
        height: usize,
        /// Pixels.
        width: usize,
        /// The network; the channels of its last layer are the size of an annotation.
        convolutions: Vec<Convolution>,
    },
    /// Features that another network made, planar [channel, row, column], with attention through an affine layer with
    /// ReLU.
    Features {
        /// Features of a cell.
        channels: usize,
        /// Rows of cells.
        rows: usize,
        /// Columns of cells.
        columns: usize,
        /// What they are multiplied by first: the reciprocal of twice their standard deviation, say.
        scale: f32,
        /// Size of an annotation; without attention it is the number of features.
        annotation_size: usize,
    },
}

impl Picture {
    /// Refuses what nobody can look at.
    ///
    /// **Errors** [`Error::Config`].
    pub fn check(&self) -> Result<()> {
        let refuse = |what: String| Err(Error::Config(what));
        match self {
            Self::Pixels { channels, .. } if *channels != 1 && *channels != 3 => {
                refuse(format!("channels is {channels}, expected 1 or 3"))
            }
            Self::Pixels { convolutions, .. } if convolutions.is_empty() => {
                refuse("convolutions is empty, expected at least one".to_owned())
            }
            Self::Pixels { convolutions, .. } => {
                match convolutions.iter().find(|layer| layer.kernel % 2 == 0 || layer.kernel > 15) {
                    Some(layer) => {
                        refuse(format!("a kernel is {}, expected an odd side up to 15", layer.kernel))
                    }
                    None => Ok(()),
                }
            }
            Self::Features { scale, .. } if !(scale.is_finite() && *scale > 0.0) => {
                refuse(format!("the scale of the features is {scale}, expected above 0"))
            }
            Self::Features { .. } => Ok(()),
        }
    }
}
