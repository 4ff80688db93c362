//! Any folder of captioned images: `images/` beside `captions.jsonl`, MS-COCO's JSON or Karpathy's.

mod index;
mod pixels;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

pub use self::index::{Entry, Index};
use super::batch::CaptionBatch;
use super::noise::Noise;
use super::source::Source;
use super::vocabulary::{Vocabulary, split};
use crate::error::{Error, Result};

/// Words of the longest caption that is used; the paper's is 29.
const MOST_WORDS: usize = 29;
/// How often a word must be said to be known by itself.
const LEAST_MENTIONS: usize = 3;
/// What a rarer word is heard as.
pub const UNKNOWN: &str = "<unk>";

/// A part of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// Trained on.
    Train,
    /// Validated on.
    Validation,
    /// Measured on.
    Test,
}

/// The images of one part, with captions as word ids.
pub struct Part {
    /// Floats of one image.
    image_len: usize,
    /// Pixels [image, CHW].
    pixels: Arc<Vec<u8>>,
    /// Captions by number of words: the image and the word ids of each.
    by_length: Vec<Vec<(usize, Vec<usize>)>>,
}

/// A folder that was read.
pub struct Folder {
    /// The words that are said often enough, and [`UNKNOWN`].
    pub vocabulary: Vocabulary,
    /// What is trained on.
    pub train: Arc<Part>,
    /// What is validated on.
    pub validation: Arc<Part>,
    /// What is measured on.
    pub test: Arc<Part>,
    /// Images that are used.
    pub images: usize,
    /// Captions that are used.
    pub captions: usize,
    /// What was passed over and why.
    pub skipped: Vec<String>,
}

/// The words of a caption, without its full stop.
fn words(caption: &str) -> Vec<String> {
    split(caption).into_iter().filter(|word| word != ".").collect()
}

impl Folder {
    /// Reads a folder; images are cut to squares of `side` pixels. The pixels are kept in `cache`, if
    /// given, and taken from there as long as no image changed.
    ///
    /// **Errors** [`Error::Data`] when there is no index, or fewer than three images are usable.
    pub fn read(folder: &Path, side: usize, cache: Option<&Path>) -> Result<Self> {
        let Index { entries, mut skipped } = Index::read(folder)?;
        let (entries, pixels) = pixels::load(folder, entries, side, cache, &mut skipped)?;
        let splits: Vec<Split> = entries.iter().enumerate().map(|(at, entry)| part_of(entry, at)).collect();
        for wanted in [Split::Train, Split::Validation, Split::Test] {
            if !splits.contains(&wanted) {
                let (path, count) = (folder.display(), entries.len());
                let what = format!("{path} has {count} usable images, none of them for {wanted:?}");
                return Err(Error::Data(format!("{what}; {}", skipped.join("; "))));
            }
        }
        let vocabulary = vocabulary(&entries, &splits);
        let pixels = Arc::new(pixels);
        let mut captions = 0;
        let mut part = |wanted: Split| {
            let mut by_length = vec![Vec::new(); MOST_WORDS + 1];
            for (image, entry) in entries.iter().enumerate().filter(|(at, _)| splits[*at] == wanted) {
                for caption in &entry.captions {
                    let ids: Vec<usize> =
                        words(caption).iter().map(|word| vocabulary.id(word).unwrap_or(0)).collect();
                    match by_length.get_mut(ids.len()) {
                        Some(of_length) if !ids.is_empty() => of_length.push((image, ids)),
                        _ => {
                            let (file, words) = (&entry.file, ids.len());
                            skipped.push(format!("{file}: a caption of {words} words, at most {MOST_WORDS}"));
                        }
                    }
                }
            }
            captions += by_length.iter().map(Vec::len).sum::<usize>();
            Arc::new(Part { image_len: 3 * side * side, pixels: pixels.clone(), by_length })
        };
        let (train, validation, test) = (part(Split::Train), part(Split::Validation), part(Split::Test));
        Ok(Self { vocabulary, train, validation, test, images: entries.len(), captions, skipped })
    }
}

/// The part that an image belongs to: as its makers say, else eight of ten are trained on.
fn part_of(entry: &Entry, at: usize) -> Split {
    entry.split.unwrap_or(match at % 10 {
        8 => Split::Validation,
        9 => Split::Test,
        _ => Split::Train,
    })
}

/// The words that are said often enough in the captions that are trained on, the most frequent first.
fn vocabulary(entries: &[Entry], splits: &[Split]) -> Vocabulary {
    let mut mentions = BTreeMap::<String, usize>::new();
    let trained = || entries.iter().zip(splits).filter(|(_, split)| **split == Split::Train);
    for caption in trained().flat_map(|(entry, _)| &entry.captions) {
        for word in words(caption) {
            *mentions.entry(word).or_default() += 1;
        }
    }
    let mut known: Vec<_> =
        mentions.into_iter().filter(|(_, mentions)| *mentions >= LEAST_MENTIONS).collect();
    known.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let known = known.into_iter().map(|(word, _)| word);
    let mut vocabulary = Vocabulary {
        words: std::iter::once(UNKNOWN.to_owned()).chain(known).collect(),
        aliases: BTreeMap::new(),
        full_stop: None,
        max_words: MOST_WORDS,
        example: String::new(),
        alternatives: Vec::new(),
    };
    let sayable = |caption: &&String| vocabulary.tokens(caption.trim_end_matches([' ', '.'])).is_ok();
    let example = trained().flat_map(|(entry, _)| &entry.captions).find(sayable).cloned();
    vocabulary.example = example.map_or_else(
        || vocabulary.words.last().cloned().unwrap_or_default(),
        |caption| words(&caption).join(" "),
    );
    vocabulary
}

impl Part {
    /// Captions.
    pub fn len(&self) -> usize {
        self.by_length.iter().map(Vec::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Word ids of each caption with the number of its image, by length: what sentence vectors are learned
    /// from.
    pub fn captions(&self) -> impl Iterator<Item = (usize, Vec<usize>)> {
        self.by_length.iter().flatten().cloned()
    }
}

impl Source for Part {
    fn batch(&self, size: usize, noise: &mut Noise) -> CaptionBatch<'static> {
        // A caption at random decides the length of all.
        let mut at = noise.below(self.len().max(1));
        let of_length = self.by_length.iter().find(|of_length| {
            let found = at < of_length.len();
            at = at.saturating_sub(of_length.len());
            found
        });
        let mut batch = CaptionBatch::of_words(Cow::Owned(vec![]), 1, Cow::Owned(vec![]));
        let Some(of_length) = of_length else { return batch };
        batch.size = size;
        for _ in 0..size {
            let (image, ids) = &of_length[noise.below(of_length.len())];
            batch.words = ids.len();
            batch.ids.to_mut().extend(ids);
            let pixels = &self.pixels[image * self.image_len..][..self.image_len];
            batch.images.to_mut().extend(pixels.iter().map(|&pixel| f32::from(pixel) / 255.0));
        }
        batch
    }

    fn held_out_batch(&self, _: usize, _: &mut Noise) -> Option<CaptionBatch<'static>> {
        None
    }
}
