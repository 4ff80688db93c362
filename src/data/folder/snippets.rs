//! Parts of captions and the regions of photos that they are about, as a captioner of regions learns from them.

use std::borrow::Cow;
use std::sync::Arc;

use super::lengths::of_one_length;
use super::photos::PhotoPart;
use crate::data::batch::CaptionBatch;
use crate::data::noise::Noise;
use crate::data::source::Source;

/// What is said of a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet {
    /// Which of the part's photos.
    pub photo: usize,
    /// Which of its regions.
    pub region: usize,
    /// Words, 1 or more.
    pub ids: Vec<usize>,
}

/// The features of a region: of a photo's features and the number of the region.
pub type RegionFeatures = fn(&[f32], usize) -> Vec<f32>;

/// Snippets of the photos of a part.
pub struct Snippets {
    part: Arc<PhotoPart>,
    look: RegionFeatures,
    /// Snippets by number of words.
    by_length: Vec<Vec<Snippet>>,
}

impl Snippets {
    /// Those of a part.
    pub fn new(part: Arc<PhotoPart>, look: RegionFeatures, snippets: Vec<Snippet>) -> Self {
        let longest = snippets.iter().map(|snippet| snippet.ids.len()).max().unwrap_or(0);
        let mut by_length = vec![Vec::new(); longest + 1];
        snippets.into_iter().for_each(|snippet| by_length[snippet.ids.len()].push(snippet));
        Self { part, look, by_length }
    }

    /// Snippets.
    pub fn len(&self) -> usize {
        self.by_length.iter().map(Vec::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, the shorter ones first.
    pub fn iter(&self) -> impl Iterator<Item = &Snippet> {
        self.by_length.iter().flatten()
    }

    /// The features of a region.
    pub fn features(&self, photo: usize, region: usize) -> Vec<f32> {
        (self.look)(&self.part.features(photo..photo + 1), region)
    }
}

impl Source for Snippets {
    fn batch(&self, size: usize, noise: &mut Noise) -> CaptionBatch<'static> {
        let (mut ids, mut images, mut words) = (Vec::new(), Vec::new(), 1);
        for Snippet { photo, region, ids: said } in of_one_length(&self.by_length, size, noise) {
            words = said.len();
            ids.extend(said);
            images.extend(self.features(*photo, *region));
        }
        CaptionBatch::of_words(Cow::Owned(ids), words, Cow::Owned(images))
    }

    fn held_out_batch(&self, _: usize, _: &mut Noise) -> Option<CaptionBatch<'static>> {
        None
    }
}
