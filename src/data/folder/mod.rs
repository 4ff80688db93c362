//! Any folder of captioned images: `images/` beside `captions.jsonl`, MS-COCO's JSON or Karpathy's, Hugging Face's
//! `metadata.jsonl`. Painters learn from pixels ([`Folder`]), captioners of photos from features
//! ([`photos::Photos`]).

mod crops;
mod encoding;
mod features;
mod index;
mod layouts;
mod lengths;
pub mod pairs;
pub mod photos;
mod pictures;
pub mod pixels;
mod record;
pub mod said;
pub mod snippets;
mod split;
mod store;
mod text;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

pub use self::index::{Entry, Index};
use self::lengths::of_one_length;
use self::store::Squares;
use super::batch::CaptionBatch;
use super::noise::Noise;
use super::source::Source;
use super::vocabulary::Vocabulary;
pub use super::words::UNKNOWN;
use super::words::words as cut;
use crate::error::{Error, Result};

/// Words of the longest caption that is used; the paper's is 29.
const MOST_WORDS: usize = 29;
/// Images without which there is no part to train, to validate and to measure on.
const LEAST_IMAGES: usize = 3;
/// How often a word must be said to be known by itself.
const LEAST_MENTIONS: usize = 3;

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
    pixels: Arc<Squares>,
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
    /// Width and height of each picture that was decoded, pixels; none where all came from the cache.
    pub sizes: Vec<(u32, u32)>,
    /// What was passed over and why.
    pub skipped: Vec<String>,
    /// Words that are read as [`UNKNOWN`], with how often they are said, the most frequent first.
    pub unknown: Vec<(String, usize)>,
    /// Which files were used, and what was done about the parts.
    pub notes: Vec<String>,
}

/// The words of a caption, without its full stops.
fn words(caption: &str) -> Vec<String> {
    cut(&text::clean(caption)).into_iter().map(|word| word.text).filter(|word| word != ".").collect()
}

impl Folder {
    /// Reads a folder; images are cut to squares of `side` pixels. The pixels are kept in `cache`, if
    /// given, and taken from there as long as no image changed. `vocabulary` is that of a run which goes on:
    /// words that it does not know stay unknown.
    ///
    /// **Errors** [`Error::Data`] when there is no index, or fewer than three images are usable;
    /// [`Error::NoCaptions`].
    pub fn read(
        folder: &Path,
        side: usize,
        cache: Option<&Path>,
        vocabulary: Option<Vocabulary>,
    ) -> Result<Self> {
        let Index { entries, mut skipped, mut notes, .. } = Index::read(folder)?;
        let entries = with_usable_captions(folder, entries, &mut skipped, &notes)?;
        let pixels::Loaded { entries, pixels, sizes } =
            pixels::load(folder, entries, side, cache, &mut skipped, &mut notes)?;
        check_enough(folder, entries.len(), &skipped)?;
        let splits = split::parts(&entries, &mut notes);
        let vocabulary = vocabulary.unwrap_or_else(|| known_words(&entries, &splits, LEAST_MENTIONS));
        let pixels = Arc::new(pixels);
        let part = |wanted: Split| {
            let mut by_length = vec![Vec::new(); MOST_WORDS + 1];
            for (image, entry) in entries.iter().enumerate().filter(|(at, _)| splits[*at] == wanted) {
                for caption in &entry.captions {
                    let ids: Vec<usize> =
                        words(caption).iter().map(|word| vocabulary.id(word).unwrap_or(0)).collect();
                    by_length[ids.len()].push((image, ids));
                }
            }
            Arc::new(Part { image_len: 3 * side * side, pixels: pixels.clone(), by_length })
        };
        let (train, validation, test) = (part(Split::Train), part(Split::Validation), part(Split::Test));
        let captions = train.len() + validation.len() + test.len();
        let unknown = unknown_words(&entries, &vocabulary);
        let images = entries.len();
        Ok(Self { vocabulary, train, validation, test, images, captions, sizes, skipped, unknown, notes })
    }
}

/// Refuses too few images.
///
/// **Errors** [`Error::Data`].
fn check_enough(folder: &Path, images: usize, skipped: &[String]) -> Result<()> {
    if images >= LEAST_IMAGES {
        return Ok(());
    }
    let first: Vec<&str> = skipped.iter().take(3).map(String::as_str).collect();
    let what = format!("{} has {images} usable images, expected at least {LEAST_IMAGES}", folder.display());
    Err(Error::Data(format!("{what}: {} passed over: {}", skipped.len(), first.join("; "))))
}

/// The entries with those of their captions that have 1 to [`MOST_WORDS`] words.
///
/// **Errors** [`Error::NoCaptions`].
fn with_usable_captions(
    folder: &Path,
    entries: Vec<Entry>,
    skipped: &mut Vec<String>,
    notes: &[String],
) -> Result<Vec<Entry>> {
    let mut used = Vec::with_capacity(entries.len());
    for mut entry in entries {
        entry.captions.retain(|caption| {
            let count = words(caption).len();
            let usable = (1..=MOST_WORDS).contains(&count);
            if !usable {
                let file = &entry.file;
                skipped.push(format!("{file}: a caption of {count} words, expected 1 to {MOST_WORDS}"));
            }
            usable
        });
        if !entry.captions.is_empty() {
            used.push(entry);
        }
    }
    if used.is_empty() {
        let first: Vec<&str> = skipped.iter().take(3).map(String::as_str).collect();
        let reasons = match first.as_slice() {
            [] if notes.is_empty() => String::new(),
            [] => format!(" ({})", notes.join("; ")),
            first => format!(" ({} passed over: {})", skipped.len(), first.join("; ")),
        };
        let folder = folder.display().to_string();
        return Err(Error::NoCaptions { folder, reasons, most: MOST_WORDS });
    }
    Ok(used)
}

/// The words that a vocabulary does not have, the most frequent first.
fn unknown_words(entries: &[Entry], vocabulary: &Vocabulary) -> Vec<(String, usize)> {
    let mut mentions = BTreeMap::<String, usize>::new();
    for word in entries.iter().flat_map(|entry| &entry.captions).flat_map(|caption| words(caption)) {
        if vocabulary.id(&word).is_none() {
            *mentions.entry(word).or_default() += 1;
        }
    }
    let mut unknown: Vec<_> = mentions.into_iter().collect();
    unknown.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    unknown
}

/// The words that are said often enough in the captions that are trained on, the most frequent first.
fn known_words(entries: &[Entry], splits: &[Split], least_mentions: usize) -> Vocabulary {
    let mut mentions = BTreeMap::<String, usize>::new();
    let trained = || entries.iter().zip(splits).filter(|(_, split)| **split == Split::Train);
    for caption in trained().flat_map(|(entry, _)| &entry.captions) {
        for word in words(caption) {
            *mentions.entry(word).or_default() += 1;
        }
    }
    let mut known: Vec<_> =
        mentions.into_iter().filter(|(_, mentions)| *mentions >= least_mentions).collect();
    known.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    let known = known.into_iter().map(|(word, _)| word);
    let mut vocabulary = Vocabulary {
        words: std::iter::once(UNKNOWN.to_owned()).chain(known).collect(),
        aliases: BTreeMap::new(),
        full_stop: None,
        max_words: MOST_WORDS,
        example: String::new(),
        alternatives: Vec::new(),
        meanings: BTreeMap::new(),
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

    /// Images with a caption.
    pub fn images(&self) -> usize {
        let all = self.by_length.iter().flatten().map(|(image, _)| *image);
        all.collect::<std::collections::BTreeSet<usize>>().len()
    }

    /// Captions by their number of words.
    pub fn lengths(&self) -> BTreeMap<usize, usize> {
        let counts = self.by_length.iter().map(Vec::len).enumerate();
        counts.filter(|(_, captions)| *captions > 0).collect()
    }

    /// Pixels in [0, 1] of an image of the folder, whatever its part.
    pub fn image(&self, at: usize) -> Vec<f32> {
        let pixels = &self.pixels[at * self.image_len..][..self.image_len];
        pixels.iter().map(|&pixel| f32::from(pixel) / 255.0).collect()
    }

    /// A batch of one caption with several images of the folder: is it said of them?
    pub fn pairs(&self, caption: &[usize], images: &[usize]) -> CaptionBatch<'static> {
        let pixels = images.iter().flat_map(|&image| self.image(image)).collect();
        CaptionBatch::of_words(Cow::Owned(caption.repeat(images.len())), caption.len(), Cow::Owned(pixels))
    }

    /// Word ids of each caption with the number of its image, by length: what sentence vectors are learned
    /// from.
    pub fn captions(&self) -> impl Iterator<Item = (usize, Vec<usize>)> {
        self.by_length.iter().flatten().cloned()
    }
}

impl Source for Part {
    fn batch(&self, size: usize, noise: &mut Noise) -> CaptionBatch<'static> {
        let mut batch = CaptionBatch::of_words(Cow::Owned(vec![]), 1, Cow::Owned(vec![]));
        for (image, ids) in of_one_length(&self.by_length, size, noise) {
            batch.size += 1;
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
