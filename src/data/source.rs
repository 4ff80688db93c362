//! Where batches come from: what every data set promises.

use serde::{Deserialize, Serialize};

use super::{batch::CaptionBatch, mnist_captions, noise::Noise, scenes, vocabulary::Vocabulary};

/// A data set that batches are drawn from.
pub trait Source: Send + Sync {
    /// A batch of fresh samples, none of them held out.
    fn batch(&self, size: usize, noise: &mut Noise) -> CaptionBatch<'static>;

    /// A batch of fresh samples of held-out combinations; none when nothing is held out.
    fn held_out_batch(&self, size: usize, noise: &mut Noise) -> Option<CaptionBatch<'static>>;
}

/// The data sets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataSet {
    /// One or two handwritten digits and where they are.
    #[default]
    MnistCaptions,
    /// Rendered scenes in colour.
    Scenes,
    /// A folder of captioned images.
    Folder,
}

/// The combinations that are never trained on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum HeldOut {
    /// A digit for each slot.
    Digits(mnist_captions::Bans),
    /// Pairs of an object with a colour, a place or a number.
    Scenes(scenes::Bans),
    /// Nothing.
    Nothing,
}

impl DataSet {
    /// The words of its captions, where they are known without reading it.
    pub fn vocabulary(self) -> Option<Vocabulary> {
        match self {
            Self::MnistCaptions => Some(mnist_captions::vocabulary()),
            Self::Scenes => Some(scenes::caption::vocabulary()),
            Self::Folder => None,
        }
    }

    /// What a seed holds out.
    pub fn held_out(self, seed: u64) -> HeldOut {
        match self {
            Self::MnistCaptions => HeldOut::Digits(mnist_captions::Bans::draw(seed)),
            Self::Scenes => HeldOut::Scenes(scenes::Bans::draw(seed)),
            Self::Folder => HeldOut::Nothing,
        }
    }
}
