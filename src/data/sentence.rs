//! Sentences that are typed, for models that have learned what an unknown word is.

use super::vocabulary::Vocabulary;
use super::words::{UNKNOWN, words as cut};
use crate::error::{Error, Result};

/// A sentence as a model reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// Word ids.
    pub ids: Vec<usize>,
    /// The words.
    pub words: Vec<String>,
    /// Those of them that the model does not know, and reads as [`UNKNOWN`].
    pub unknown: Vec<String>,
}

impl Sentence {
    /// Reads a sentence with a vocabulary. Words that are not known are read as [`UNKNOWN`], where there is such a word, as long
    /// as any word is known.
    ///
    /// **Errors** those of [`Vocabulary::tokens`].
    pub fn read(vocabulary: &Vocabulary, sentence: &str) -> Result<Self> {
        let (tokens, unknown) = match vocabulary.tokens(sentence) {
            Err(Error::UnknownWords(unknown)) if vocabulary.id(UNKNOWN).is_some() => {
                let is_unknown = |word: &str| unknown.iter().any(|unknown| unknown.word == word);
                let words = cut(sentence);
                if words.iter().all(|word| is_unknown(&word.text)) {
                    return Err(Error::UnknownWords(unknown));
                }
                let read = words.iter().map(|word| if is_unknown(&word.text) { UNKNOWN } else { &word.text });
                let read: Vec<&str> = read.collect();
                let unknown = unknown.into_iter().map(|unknown| unknown.word).collect();
                (vocabulary.tokens(&read.join(" "))?, unknown)
            }
            tokens => (tokens?, Vec::new()),
        };
        let mut names = unknown.iter();
        let name = |word: String| match word == UNKNOWN {
            true => names.next().cloned().unwrap_or(word),
            false => word,
        };
        Ok(Self { ids: tokens.ids, words: tokens.written.into_iter().map(name).collect(), unknown })
    }
}
