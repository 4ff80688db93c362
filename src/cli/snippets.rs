//! Captions of photos cut into what is said of each region, as a captioner of regions learns from them: a ranker says
//! which words are where.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use burn::tensor::Device;

use super::eyes::open_photos;
use super::files::read_model;
use crate::cli::output::progress;
use crate::data::folder::pairs::Pairs;
use crate::data::folder::photos::{PhotoPart, Photos};
use crate::data::folder::snippets::{Snippet, Snippets};
use crate::data::vocabulary::Vocabulary;
use crate::image2text::windows::{WINDOWS, average};
use crate::platform::block_on;
use crate::rank::{Alignment, Matcher};

/// The ranker, in the models folder.
const ALIGNER: &str = "align-photos";
/// How much neighbouring words are drawn into one region.
const BETA: f32 = 1.0;
/// How much the last word of a snippet must suit its region: "a man in" ends before "in", which suits none.
const LEAST_SIMILARITY: f32 = 0.3;

/// A folder of photos as its ranker reads it.
pub struct Aligned {
    /// Finds the regions of words.
    pub aligner: Matcher,
    /// The photos, what is said of them in the ranker's words.
    pub photos: Photos,
    /// What was passed over and why.
    pub skipped: Vec<String>,
}

/// Reads the ranker of a models folder and, in its words, a folder of photos.
///
/// **Errors** when the ranker is not there or knows other words than the run that goes on.
pub fn open_aligned(folder: Option<&Path>, models: &Path, vocabulary: Option<Vocabulary>) -> Result<Aligned> {
    let (manifest, weights) = read_model(models, ALIGNER)
        .with_context(|| format!("which words are about which region is learned from {ALIGNER}"))?;
    if vocabulary.is_some_and(|vocabulary| vocabulary.words != manifest.vocabulary.words) {
        bail!("{ALIGNER} in {} knows other words than the run or the model", models.display());
    }
    let aligner = Matcher::load(&manifest, &weights, &Device::flex())?;
    let (photos, opened) = open_photos(folder, models, Some(manifest.vocabulary), 0)?;
    Ok(Aligned { aligner, photos, skipped: opened.skipped })
}

/// The words of a phrase up to the last one that suits its region.
fn spoken(aligned: &Alignment, words: Range<usize>, region: usize) -> Range<usize> {
    let suits = |word: &usize| aligned.similarities[word * WINDOWS.len() + region] >= LEAST_SIMILARITY;
    let end = words.clone().rev().find(suits).map_or(words.start, |last| last + 1);
    words.start..end
}

/// The snippets of a part's photos, of at most `most` of them.
///
/// **Errors** those of the ranker, or when there are none.
pub fn snippets(aligner: &Matcher, part: Arc<PhotoPart>, most: usize) -> Result<Snippets> {
    let pairs = Pairs::new(part.clone());
    let count = part.photos.len().min(most);
    let bar = progress(count as u64);
    let of_photo = |photo: usize| -> Result<Vec<Snippet>> {
        let picture = aligner.pictures(part.features(photo..photo + 1))?;
        let mut found = Vec::new();
        for ids in pairs.captions(photo).filter(|ids| !ids.is_empty()) {
            let aligned = block_on(aligner.align(picture.clone(), ids, BETA))?;
            let of = |(words, region)| {
                let words = spoken(&aligned, words, region);
                (!words.is_empty()).then(|| Snippet { photo, region, ids: ids[words].to_vec() })
            };
            found.extend(aligned.phrases().into_iter().filter_map(of));
        }
        bar.inc(1);
        Ok(found)
    };
    let found: Vec<Vec<Snippet>> = (0..count).map(of_photo).collect::<Result<_>>()?;
    bar.finish_and_clear();
    let look = |features: &[f32], region: usize| average(features, &WINDOWS[region]);
    let found = Snippets::new(part, look, found.concat());
    if found.is_empty() {
        bail!("{ALIGNER} places no word of the captions anywhere: was it trained on photos like these?");
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_ends_with_a_word_that_suits_its_region() {
        let regions = WINDOWS.len();
        let mut similarities = vec![0.0; 4 * regions];
        similarities[regions + 3] = 1.9;
        similarities[3 * regions + 2] = 0.9;
        let aligned = Alignment { similarities, regions: vec![3, 3, 3, 3], score: 0.0 };
        assert_eq!(spoken(&aligned, 0..4, 3), 0..2);
        assert_eq!(spoken(&aligned, 2..4, 3), 2..2);
        assert_eq!(spoken(&aligned, 1..4, 2), 1..4);
    }
}
