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
    /// Of each photo the whole, then its crops.
    views: Vec<Vec<View>>,
}

/// A photo or a crop of it.
struct View {
    /// The number of its features.
    at: usize,
    /// Where its captions are: their length, and which of that length.
    captions: Vec<(usize, usize)>,
}

impl Pairs {
    /// Those of a part.
    pub fn new(part: Arc<PhotoPart>) -> Self {
        let mut captions: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
        for (length, of_length) in part.by_length.iter().enumerate().filter(|(length, _)| *length > 0) {
            for (number, (at, _)) in of_length.iter().enumerate() {
                captions.entry(*at).or_default().push((length, number));
            }
        }
        let mut view = |at: usize| View { at, captions: captions.remove(&at).unwrap_or_default() };
        let of_photo = |at: usize| -> Vec<View> {
            let whole = view(at);
            let crops = part.crops.get(&at).into_iter().flatten().map(|&at| view(at));
            let crops = crops.filter(|crop| !crop.captions.is_empty());
            std::iter::once(whole).chain(crops).collect()
        };
        let views = part.photos.iter().map(|photo| photo.at).map(of_photo).collect();
        Self { part, views }
    }

    /// The captions of a photo as word ids, of at most [`super::photos::MOST_WORDS`] words.
    pub fn captions(&self, photo: usize) -> impl Iterator<Item = &[usize]> {
        let whole = self.views[photo].first();
        whole.into_iter().flat_map(|view| &view.captions).map(|&place| self.said(place))
    }

    fn said(&self, (length, number): (usize, usize)) -> &[usize] {
        &self.part.by_length[length][number].1
    }

    /// At most `size` different photos that have a caption: of each the features of the whole or of a crop, and a caption
    /// of it.
    fn draw(&self, size: usize, noise: &mut Noise) -> Vec<(usize, &[usize])> {
        let has_caption = |photo: &usize| !self.views[*photo][0].captions.is_empty();
        let mut photos: Vec<usize> = (0..self.views.len()).filter(has_caption).collect();
        for at in 0..size.min(photos.len()) {
            let other = at + noise.below(photos.len() - at);
            photos.swap(at, other);
        }
        photos.truncate(size);
        let caption = |photo: usize| {
            let views = &self.views[photo];
            let view = if views.len() > 1 { &views[noise.below(views.len())] } else { &views[0] };
            (view.at, self.said(view.captions[noise.below(view.captions.len())]))
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
        for (at, said) in drawn {
            ids.extend(said);
            ids.resize(ids.len() + words - said.len(), NO_WORD);
            images.extend(self.part.features_at(at));
        }
        CaptionBatch::of_words(Cow::Owned(ids), words, Cow::Owned(images))
    }

    fn held_out_batch(&self, _: usize, _: &mut Noise) -> Option<CaptionBatch<'static>> {
        None
    }
}
