//! Where batches come from: what every data set promises.

use serde::{Deserialize, Serialize};

use super::{
    batch::{CaptionBatch, Lesson},
    binary_mnist, mnist_captions,
    noise::Noise,
    scenes,
    vocabulary::Vocabulary,
};

/// A data set that batches are drawn from.
pub trait Source: Send + Sync {
    /// A batch of fresh samples, none of them held out.
    fn batch(&self, size: usize, noise: &mut Noise) -> CaptionBatch<'static>;

    /// A batch to learn from: as [`Source::batch`], but that what is learned last may be more frequent.
    fn training_batch(&self, size: usize, noise: &mut Noise, _: Lesson) -> CaptionBatch<'static> {
        self.batch(size, noise)
    }

    /// A batch of fresh samples of held-out combinations; none when nothing is held out.
    fn held_out_batch(&self, size: usize, noise: &mut Noise) -> Option<CaptionBatch<'static>>;

    /// How many samples there are, where they are the same every time and can be measured on one by one.
    fn fixed_len(&self) -> Option<usize> {
        None
    }

    /// Samples `start..start + size` of a source with a fixed number of them.
    fn fixed_batch(&self, start: usize, size: usize) -> Option<CaptionBatch<'static>> {
        let _ = (start, size);
        None
    }
}

/// The data sets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataSet {
    /// One or two handwritten digits and where they are.
    #[default]
    MnistCaptions,
    /// The same, with compositions held out of sentence templates, as in the paper, and not of layouts.
    MnistWordings,
    /// Rendered scenes in colour.
    Scenes,
    /// A folder of captioned images.
    Folder,
    /// A folder of captioned photos, as features of another network.
    Photos,
    /// The same, each batch a caption each of different photos, of all lengths: for rankers.
    PhotoPairs,
    /// Parts of captions and the regions of photos that they are about, found by a ranker.
    Snippets,
    /// The captions alone of a folder of captioned images: one of an image, and another one of it.
    Paraphrases,
    /// The same of rendered scenes.
    SceneParaphrases,
    /// Handwritten digits, every pixel 0 or 1, without captions.
    BinaryMnist,
}

/// The combinations that are never trained on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum HeldOut {
    /// A digit for each slot, of layouts or of sentence templates.
    Digits(mnist_captions::Bans),
    /// Pairs of an object with a colour, a place or a number.
    Scenes(scenes::Bans),
    /// Nothing.
    Nothing,
}

impl HeldOut {
    /// Whether a caption, in whatever wording, names a combination that was never trained on.
    pub fn contains(&self, caption: &str) -> bool {
        match self {
            Self::Digits(bans) => {
                let vocabulary = mnist_captions::vocabulary();
                let ids = |caption: &str| vocabulary.tokens(caption).map(|tokens| tokens.ids).ok();
                let said = ids(caption);
                let scenes = mnist_captions::Scene::all();
                said.is_some() && scenes.iter().any(|s| bans.contains(s) && ids(&s.caption()) == said)
            }
            Self::Scenes(bans) => {
                scenes::Scene::parse(caption).is_some_and(|(scene, stated)| stated && bans.contains(&scene))
            }
            Self::Nothing => false,
        }
    }
}

impl DataSet {
    /// The words of its captions, where they are known without reading it.
    pub fn vocabulary(self) -> Option<Vocabulary> {
        match self {
            Self::MnistCaptions | Self::MnistWordings => Some(mnist_captions::vocabulary()),
            Self::Scenes | Self::SceneParaphrases => Some(scenes::caption::vocabulary()),
            Self::Folder | Self::Photos | Self::PhotoPairs | Self::Snippets | Self::Paraphrases => None,
            Self::BinaryMnist => Some(binary_mnist::vocabulary()),
        }
    }

    /// What a seed holds out.
    pub fn held_out(self, seed: u64) -> HeldOut {
        match self {
            Self::MnistCaptions => HeldOut::Digits(mnist_captions::Bans::draw(seed)),
            Self::MnistWordings => HeldOut::Digits(mnist_captions::Bans::draw_wordings(seed)),
            Self::Scenes | Self::SceneParaphrases => HeldOut::Scenes(scenes::Bans::draw(seed)),
            Self::Folder
            | Self::Photos
            | Self::PhotoPairs
            | Self::Snippets
            | Self::Paraphrases
            | Self::BinaryMnist => HeldOut::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_out_captions_are_known_in_any_wording() {
        let bans = mnist_captions::Bans::draw(1);
        let (slot, digit) = bans.slots.first_key_value().expect("something is banned");
        assert_eq!(*slot, mnist_captions::Slot::PairLeft);
        let digits = HeldOut::Digits(bans.clone());
        let other = (digit + 1) % 10;
        assert!(digits.contains(&format!("The digit {digit} is on the left of the digit {other}.")));
        assert!(digits.contains(&format!("the digit {other} is on the right of the digit {digit}")));
        assert!(!digits.contains("the digit"));
        let scenes = DataSet::Scenes.held_out(1);
        assert!(scenes.contains("a stop sign is flying in blue skies"));
        assert!(!scenes.contains("a large commercial airplane flying in blue skies"));
        assert!(!DataSet::Folder.held_out(1).contains("a dog"));
    }
}
