//! What is said of a folder's images, without the images: sentences of the same image say the same in other words.

use std::path::{Path, PathBuf};

use super::photos::{LEAST_MENTIONS, MOST_WORDS};
use super::{Entry, Index, Split, check_enough, known_words, split, with_usable_captions, words};
use crate::data::paraphrases::Paraphrases;
use crate::data::vocabulary::Vocabulary;
use crate::error::Result;

/// An image, which was not opened, and what people said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captioned {
    /// Where it lies.
    pub path: PathBuf,
    /// The words of every caption, whole.
    pub captions: Vec<Vec<String>>,
}

/// The captions of a folder that was read.
pub struct Said {
    /// The words that are said often enough, and [`super::UNKNOWN`].
    pub vocabulary: Vocabulary,
    /// What is trained on.
    pub train: Paraphrases,
    /// What is validated on.
    pub validation: Paraphrases,
    /// What is measured on.
    pub test: Paraphrases,
    /// The images that are validated on.
    pub validation_images: Vec<Captioned>,
    /// The images that are measured on.
    pub test_images: Vec<Captioned>,
    /// What was passed over and why.
    pub skipped: Vec<String>,
    /// Which files were used, and what was done about the parts.
    pub notes: Vec<String>,
}

impl Said {
    /// Reads the captions of a folder. `vocabulary` is that of a run which goes on or of a model: words that it does not
    /// know stay unknown. Of a caption the first [`MOST_WORDS`] words are learned.
    ///
    /// **Errors** as [`super::Folder::read`], but that no image is opened.
    pub fn read(folder: &Path, vocabulary: Option<Vocabulary>) -> Result<Self> {
        let Index { entries, mut skipped, mut notes, .. } = Index::read(folder)?;
        let entries = with_usable_captions(folder, entries, &mut skipped, &notes)?;
        check_enough(folder, entries.len(), &skipped)?;
        let splits = split::parts(&entries, &mut notes);
        let vocabulary = vocabulary.unwrap_or_else(|| Vocabulary {
            max_words: MOST_WORDS,
            ..known_words(&entries, &splits, LEAST_MENTIONS)
        });
        let part = |wanted: Split| -> Vec<Captioned> {
            let entries = entries.iter().zip(&splits).filter(|(_, split)| **split == wanted);
            let captioned = |(entry, _): (&Entry, _)| Captioned {
                path: folder.join(&entry.path),
                captions: entry.captions.iter().map(|said| words(said)).collect(),
            };
            entries.map(captioned).collect()
        };
        let (train, validation_images, test_images) =
            (part(Split::Train), part(Split::Validation), part(Split::Test));
        let [train, validation, test] =
            [&train, &validation_images, &test_images].map(|images| learned(images, &vocabulary));
        Ok(Self { vocabulary, train, validation, test, validation_images, test_images, skipped, notes })
    }
}

/// Captions as ids, of the images that have two or more.
fn learned(images: &[Captioned], vocabulary: &Vocabulary) -> Paraphrases {
    let known = vocabulary.ids();
    let said = images.iter().enumerate().flat_map(|(image, captioned)| {
        let ids = |words: &Vec<String>| {
            words.iter().take(MOST_WORDS).map(|word| known.get(word.as_str()).copied().unwrap_or(0)).collect()
        };
        captioned.captions.iter().map(ids).map(move |ids: Vec<usize>| (image, ids)).collect::<Vec<_>>()
    });
    Paraphrases::of_pictures(said)
}
