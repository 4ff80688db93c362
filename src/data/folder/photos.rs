//! A folder of captioned photos as captioners learn from it: features of another network in the place of pixels.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::features::{FeatureCache, name};
use super::lengths::of_one_length;
use super::{
    Entry, Index, Split, check_enough, crops, known_words, pixels, split, with_usable_captions, words,
};
use crate::data::batch::{CaptionBatch, NO_WORD};
use crate::data::noise::Noise;
use crate::data::source::Source;
use crate::data::vocabulary::Vocabulary;
use crate::error::Result;

/// Words of a caption that are learned; what comes after them is not (Karpathy's NeuralTalk has as many).
pub const MOST_WORDS: usize = 20;
/// How often a word must be said to be known by itself (NeuralTalk).
pub const LEAST_MENTIONS: usize = 5;
/// Photos that are looked at together.
const TOGETHER: usize = 8;

/// The network that turns photos into features, and where these are kept.
pub struct Looking<'a> {
    /// Side of the squares that photos are squeezed into, pixels.
    pub side: usize,
    /// Random parts of each photo that are learned from besides the whole.
    pub crops: usize,
    /// Features of a photo.
    pub len: usize,
    /// The largest feature; the least is 0. Features are kept as bytes, 255 standing for this.
    pub most: f32,
    /// Planar pixels of squeezed photos [photo, 3, side, side] to [photo, feature].
    pub look: &'a dyn Fn(&[u8]) -> Result<Vec<f32>>,
    /// Where features are kept; the network's weights are part of the name.
    pub cache: Option<&'a Path>,
    /// Told how many photos have been looked at, of how many.
    pub progress: &'a dyn Fn(usize, usize),
}

/// A photo and what people said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// Path below `images/`.
    pub file: String,
    /// The number of its features.
    pub(super) at: usize,
    /// The words of every caption, whole.
    pub captions: Vec<Vec<String>>,
}

/// The photos of one part.
pub struct PhotoPart {
    /// The photos.
    pub photos: Vec<Described>,
    /// Of all parts.
    features: Arc<Features>,
    /// Of each photo's features the ids of its captions, [`NO_WORD`] for unknown words.
    references: HashMap<usize, Vec<Vec<usize>>>,
    /// Captions by number of words: the number of the features and the word ids of each.
    pub(super) by_length: Vec<Vec<(usize, Vec<usize>)>>,
    /// Of each photo's features those of its crops, where there are any.
    pub(super) crops: HashMap<usize, Vec<usize>>,
}

/// Features of photos as bytes.
struct Features {
    bytes: Vec<u8>,
    len: usize,
    /// What a byte is multiplied by.
    unit: f32,
}

impl Features {
    fn of(&self, at: usize) -> impl Iterator<Item = f32> {
        self.bytes[at * self.len..][..self.len].iter().map(|&byte| f32::from(byte) * self.unit)
    }
}

/// A folder that was read.
pub struct Photos {
    /// The words that are said often enough, and [`super::UNKNOWN`].
    pub vocabulary: Vocabulary,
    /// What is trained on.
    pub train: Arc<PhotoPart>,
    /// What is validated on.
    pub validation: Arc<PhotoPart>,
    /// What is measured on.
    pub test: Arc<PhotoPart>,
    /// What was passed over and why.
    pub skipped: Vec<String>,
    /// Which files were used, and what was done about the parts.
    pub notes: Vec<String>,
}

impl Photos {
    /// Reads a folder and looks at its photos. `vocabulary` is that of a run which goes on or of a model: words
    /// that it does not know stay unknown.
    ///
    /// **Errors** as [`super::Folder::read`]; those of `looking`.
    pub fn read(folder: &Path, looking: &Looking, vocabulary: Option<Vocabulary>) -> Result<Self> {
        let Index { entries, mut skipped, mut notes, .. } = Index::read(folder)?;
        let entries = with_usable_captions(folder, entries, &mut skipped, &notes)?;
        let cache = looking.cache.map(|folder| FeatureCache::new(folder, looking.len));
        let mut waiting = Waiting { looking, cache: cache.as_ref(), photos: Vec::new(), pixels: Vec::new() };
        let (entries, mut features) = look_at(folder, entries, &mut waiting, &mut skipped)?;
        check_enough(folder, entries.len(), &skipped)?;
        let splits = split::parts(&entries, &mut notes);
        let crops = crops::look(folder, &entries, &splits, &mut waiting, &mut features, &mut skipped)?;
        let vocabulary = vocabulary.unwrap_or_else(|| Vocabulary {
            max_words: MOST_WORDS,
            ..known_words(&entries, &splits, LEAST_MENTIONS)
        });
        let ids = vocabulary.ids();
        let known = |said: &[String], unknown: usize| -> Vec<usize> {
            let known = said.iter().map(|word| ids.get(word.as_str()).copied().unwrap_or(unknown));
            known.take(MOST_WORDS).collect()
        };
        let unit = looking.most / 255.0;
        let features = Arc::new(Features { bytes: features, len: looking.len, unit });
        let part = |wanted: Split| {
            let mut by_length = vec![Vec::new(); MOST_WORDS + 1];
            let (mut photos, mut references) = (Vec::new(), HashMap::new());
            for (at, entry) in entries.iter().enumerate().filter(|(at, _)| splits[*at] == wanted) {
                let captions: Vec<Vec<String>> = entry.captions.iter().map(|said| words(said)).collect();
                for said in &captions {
                    let known = known(said, 0);
                    by_length[known.len()].push((at, known));
                }
                references.insert(at, captions.iter().map(|said| known(said, NO_WORD)).collect());
                photos.push(Described { file: entry.file.clone(), at, captions });
            }
            // The features of crops come after those of all whole photos.
            let of_part = crops.iter().enumerate().filter(|_| wanted == Split::Train);
            let mut crops: HashMap<usize, Vec<usize>> = HashMap::new();
            for (at, crop) in of_part.map(|(at, crop)| (entries.len() + at, crop)) {
                crops.entry(crop.entry).or_default().push(at);
                let said = entries[crop.entry].captions.iter();
                let said: Vec<Vec<usize>> =
                    said.map(|said| known(&crop.said(words(said)), NO_WORD)).collect();
                // Rare words are learned from whole photos alone.
                for known in said.iter().filter(|said| !said.contains(&NO_WORD)) {
                    by_length[known.len()].push((at, known.clone()));
                }
                references.insert(at, said);
            }
            Arc::new(PhotoPart { photos, features: features.clone(), references, by_length, crops })
        };
        let (train, validation, test) = (part(Split::Train), part(Split::Validation), part(Split::Test));
        Ok(Self { vocabulary, train, validation, test, skipped, notes })
    }
}

/// The entries whose photos can be read, and the features of these, [photo, feature]. Broken ones are named in
/// `skipped`.
fn look_at(
    folder: &Path,
    entries: Vec<Entry>,
    waiting: &mut Waiting,
    skipped: &mut Vec<String>,
) -> Result<(Vec<Entry>, Vec<u8>)> {
    let (all, looking) = (entries.len(), waiting.looking);
    let (mut used, mut features) = (Vec::with_capacity(all), Vec::with_capacity(all * looking.len));
    for (done, entry) in entries.into_iter().enumerate() {
        let read = pixels::bytes_of(&folder.join(&entry.path)).and_then(|photo| {
            let pixels = || Ok(pixels::squeezed(&pixels::upright(&photo)?.image, looking.side));
            waiting.add(name(&photo), &mut features, pixels)
        });
        match read {
            Ok(()) => used.push(entry),
            Err(why) => skipped.push(format!("{}: {why}", entry.file)),
        }
        if waiting.look_if_many(&mut features)? {
            (looking.progress)(done + 1, all);
        }
    }
    waiting.look(&mut features)?;
    Ok((used, features))
}

/// Photos that are to be looked at together.
pub(super) struct Waiting<'a> {
    pub looking: &'a Looking<'a>,
    cache: Option<&'a FeatureCache>,
    /// The name of each, and where its features begin.
    photos: Vec<(String, usize)>,
    pixels: Vec<u8>,
}

impl Waiting<'_> {
    /// Adds the features of a photo to all others: those that are kept, or none yet, its pixels waiting to be looked at.
    ///
    /// **Errors** those of `pixels`.
    pub fn add(
        &mut self,
        name: String,
        features: &mut Vec<u8>,
        pixels: impl FnOnce() -> std::result::Result<Vec<u8>, String>,
    ) -> std::result::Result<(), String> {
        if let Some(kept) = self.cache.and_then(|cache| cache.get(&name)) {
            features.extend(kept);
            return Ok(());
        }
        self.pixels.extend(pixels()?);
        self.photos.push((name, features.len()));
        features.resize(features.len() + self.looking.len, 0);
        Ok(())
    }

    /// Looks at those that wait, when they are many; says whether they were.
    pub fn look_if_many(&mut self, features: &mut [u8]) -> Result<bool> {
        let many = self.photos.len() >= TOGETHER;
        if many {
            self.look(features)?;
        }
        Ok(many)
    }

    /// Looks at those that wait.
    pub fn look(&mut self, features: &mut [u8]) -> Result<()> {
        if self.photos.is_empty() {
            return Ok(());
        }
        let Looking { len, most, look, .. } = *self.looking;
        let found = look(&self.pixels)?;
        for ((name, start), values) in self.photos.drain(..).zip(found.chunks_exact(len)) {
            let place = &mut features[start..start + len];
            for (byte, value) in place.iter_mut().zip(values) {
                *byte = (value / most * 255.0).round() as u8;
            }
            if let Some(cache) = self.cache {
                cache.put(&name, place)?;
            }
        }
        self.pixels.clear();
        Ok(())
    }
}

impl PhotoPart {
    /// Captions.
    pub fn len(&self) -> usize {
        self.by_length.iter().map(Vec::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Features [photo, feature] of some of its photos.
    pub fn features(&self, photos: std::ops::Range<usize>) -> Vec<f32> {
        self.photos[photos].iter().flat_map(|photo| self.features.of(photo.at)).collect()
    }

    /// Features by their number.
    pub(super) fn features_at(&self, at: usize) -> impl Iterator<Item = f32> {
        self.features.of(at)
    }

    fn batch_of<'a>(&self, captions: impl Iterator<Item = &'a (usize, Vec<usize>)>) -> CaptionBatch<'static> {
        let (mut ids, mut words, mut images) = (Vec::new(), 1, Vec::new());
        let mut references = Vec::new();
        for (at, said) in captions {
            words = said.len();
            ids.extend(said);
            images.extend(self.features.of(*at));
            references.extend(self.references.get(at).cloned());
        }
        CaptionBatch::of_words(Cow::Owned(ids), words, Cow::Owned(images)).with_references(references)
    }
}

impl Source for PhotoPart {
    fn batch(&self, size: usize, noise: &mut Noise) -> CaptionBatch<'static> {
        self.batch_of(of_one_length(&self.by_length, size, noise).into_iter())
    }

    fn held_out_batch(&self, _: usize, _: &mut Noise) -> Option<CaptionBatch<'static>> {
        None
    }
}
