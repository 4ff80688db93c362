//! Photos with a caption each, as rankers learn from them: the other photos of a batch are what a caption does not
//! say, so that no photo may be in it twice.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::photos::PhotoPart;
use crate::data::batch::{CaptionBatch, NO_WORD};
use crate::data::noise::Noise;
use crate::data::source::Source;

/// The photos of a part and the captions of each.
pub struct Pairs {
    /// The photos.
    pub part: Arc<PhotoPart>,
    /// Of each photo where its captions are: their length, and which of that length.
    captions: Vec<Vec<(usize, usize)>>,
}

impl Pairs {
    /// Those of a part.
    pub fn new(part: Arc<PhotoPart>) -> Self {
        let mut of_photo: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
        for (length, captions) in part.by_length.iter().enumerate().filter(|(length, _)| *length > 0) {
            for (at, (photo, _)) in captions.iter().enumerate() {
                of_photo.entry(*photo).or_default().push((length, at));
            }
        }
        let captions =
            part.photos.iter().map(|photo| of_photo.remove(&photo.at).unwrap_or_default()).collect();
        Self { part, captions }
    }

    /// The captions of a photo as word ids, of at most [`super::photos::MOST_WORDS`] words.
    pub fn captions(&self, photo: usize) -> impl Iterator<Item = &[usize]> {
        self.captions[photo].iter().map(|&(length, at)| self.part.by_length[length][at].1.as_slice())
    }

    /// At most `size` different photos that have a caption, and one caption of each.
    fn draw(&self, size: usize, noise: &mut Noise) -> Vec<(usize, &[usize])> {
        let mut photos: Vec<usize> =
            (0..self.captions.len()).filter(|&photo| !self.captions[photo].is_empty()).collect();
        for at in 0..size.min(photos.len()) {
            let other = at + noise.below(photos.len() - at);
            photos.swap(at, other);
        }
        photos.truncate(size);
        let caption = |photo: usize| {
            let (length, at) = self.captions[photo][noise.below(self.captions[photo].len())];
            (photo, self.part.by_length[length][at].1.as_slice())
        };
        photos.into_iter().map(caption).collect()
    }
}

impl Source for Pairs {
    /// Captions of all lengths, filled up with [`NO_WORD`]: scores must compare long sentences with short ones.
    fn batch(&self, size: usize, noise: &mut Noise) -> CaptionBatch<'static> {
        let drawn = self.draw(size, noise);
        let words = drawn.iter().map(|(_, said)| said.len()).max().unwrap_or(1);
        let (mut ids, mut images) = (Vec::with_capacity(drawn.len() * words), Vec::new());
        for (photo, said) in drawn {
            ids.extend(said);
            ids.resize(ids.len() + words - said.len(), NO_WORD);
            images.extend(self.part.features_of(photo));
        }
        CaptionBatch::of_words(Cow::Owned(ids), words, Cow::Owned(images))
    }

    fn held_out_batch(&self, _: usize, _: &mut Noise) -> Option<CaptionBatch<'static>> {
        None
    }
}
