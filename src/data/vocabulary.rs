//! The words a model can hear, and captions turned into word ids.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result, UnknownWord};

/// How many near words an error suggests.
const SUGGESTIONS: usize = 3;

/// The words a model can hear. Stored in its manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Vocabulary {
    /// Words in the order of their ids.
    pub words: Vec<String>,
    /// Other spellings of a word: "seven" for "7".
    pub aliases: BTreeMap<String, String>,
    /// The token that ends every caption, added when it was not typed.
    pub full_stop: Option<String>,
    /// The longest caption, the full stop included.
    pub max_words: usize,
    /// A caption that the model can draw.
    pub example: String,
    /// Groups of words of which one can stand for another: colours, say.
    #[serde(default)]
    pub alternatives: Vec<Vec<String>>,
}

/// A caption as the model hears it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// Word ids.
    pub ids: Vec<usize>,
    /// The words as written, full stop included.
    pub written: Vec<String>,
}

/// Splits a caption into words and full stops, in lower case.
pub(super) fn split(caption: &str) -> Vec<String> {
    let spaced = caption.to_lowercase().replace('.', " . ");
    let trimmed = spaced
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| matches!(c, ',' | ';' | ':' | '!' | '?' | '"' | '“' | '”')));
    trimmed.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

impl Vocabulary {
    /// The id of a word or of one of its other spellings, in lower case.
    pub fn id(&self, word: &str) -> Option<usize> {
        let word = self.aliases.get(word).map_or(word, String::as_str);
        self.words.iter().position(|known| known == word)
    }

    /// Everything that may be typed: words and aliases, without the full stop.
    pub fn spellings(&self) -> impl Iterator<Item = &str> {
        let stop = self.full_stop.as_deref();
        let words = self.words.iter().map(String::as_str).filter(move |word| Some(*word) != stop);
        words.chain(self.aliases.keys().map(String::as_str))
    }

    /// Turns a caption into ids: any case, with or without the final stop.
    ///
    /// **Errors** [`Error::EmptyCaption`], [`Error::UnknownWords`] (all of them, with suggestions),
    /// [`Error::LongCaption`].
    pub fn tokens(&self, caption: &str) -> Result<Tokens> {
        let mut written = split(caption);
        if let Some(stop) = &self.full_stop {
            while written.last() == Some(stop) {
                written.pop();
            }
        }
        if written.is_empty() {
            return Err(Error::EmptyCaption { example: self.example.clone() });
        }
        let unknown: Vec<_> = written
            .iter()
            .filter(|word| self.id(word).is_none())
            .map(|word| UnknownWord { word: word.clone(), suggestions: self.suggest(word) })
            .collect();
        if !unknown.is_empty() {
            return Err(Error::UnknownWords(unknown));
        }
        written.extend(self.full_stop.clone());
        if written.len() > self.max_words {
            let stop = usize::from(self.full_stop.is_some());
            return Err(Error::LongCaption { words: written.len() - stop, most: self.max_words - stop });
        }
        let ids = written.iter().filter_map(|word| self.id(word)).collect();
        Ok(Tokens { ids, written })
    }

    /// Words that are spelled like `word`, nearest first.
    pub fn suggest(&self, word: &str) -> Vec<String> {
        let mut near: Vec<_> = self
            .spellings()
            .map(|known| (strsim::jaro_winkler(word, known), known))
            .filter(|(likeness, _)| *likeness > 0.7)
            .collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
        near.into_iter().take(SUGGESTIONS).map(|(_, known)| known.to_owned()).collect()
    }
}

impl Vocabulary {
    /// Refuses a vocabulary that names words which it does not have, or that no caption fits.
    ///
    /// **Errors** [`Error::Model`], naming the field and the word.
    pub fn check(&self) -> Result<()> {
        let known: std::collections::HashSet<&str> = self.words.iter().map(String::as_str).collect();
        let refuse = |what: String| Err(Error::Model(format!("the manifest's vocabulary: {what}")));
        if known.len() != self.words.len() {
            return refuse("a word stands in it twice".into());
        }
        let most = 1 << 16;
        if !(1..=most).contains(&self.max_words) {
            return refuse(format!("max_words is {}, expected 1 to {most}", self.max_words));
        }
        let targets = self.aliases.iter().map(|(alias, word)| (format!("the alias \"{alias}\""), word));
        let stop = self.full_stop.iter().map(|word| ("fullStop".to_owned(), word));
        let groups = self.alternatives.iter().flatten().map(|word| ("alternatives".to_owned(), word));
        if let Some((field, word)) = targets.chain(stop).chain(groups).find(|(_, w)| self.id(w).is_none()) {
            return refuse(format!("{field} names \"{word}\", which is not one of its words"));
        }
        match self.tokens(&self.example) {
            Ok(_) => Ok(()),
            Err(error) => refuse(format!("its example cannot be drawn: {error}")),
        }
    }
}
