//! The words a model can hear, and captions turned into word ids.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::words::{Word, words as cut};
use crate::error::{Error, Result, UnknownWord};

/// How many near words an error suggests.
const SUGGESTIONS: usize = 3;

/// The words a model can hear. Stored in its manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Vocabulary {
    /// Words in the order of their ids.
    pub words: Vec<String>,
    /// What else may be typed, one word or several with a space between, and what it is read as: a word ("7" for
    /// "seven"), several ("small dog" for "puppy"), or nothing.
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
    /// Words that are unknown, with known ones of the nearest meaning, to suggest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub meanings: BTreeMap<String, Vec<String>>,
}

/// A caption as the model hears it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    /// Word ids.
    pub ids: Vec<usize>,
    /// The words as written, full stop included.
    pub written: Vec<String>,
    /// Where each stands in the caption, in UTF-16 units; a full stop that was added is empty, at the end.
    pub spans: Vec<[usize; 2]>,
}

fn utf16(text: &str) -> usize {
    text.encode_utf16().count()
}

impl Vocabulary {
    /// The id of a word or of one of its other spellings, in lower case.
    pub fn id(&self, word: &str) -> Option<usize> {
        let word = self.aliases.get(word).map_or(word, String::as_str);
        self.words.iter().position(|known| known == word)
    }

    /// The ids of all words, to look up many of them.
    pub fn ids(&self) -> BTreeMap<&str, usize> {
        self.words.iter().enumerate().map(|(id, word)| (word.as_str(), id)).collect()
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
        let mut words = cut(caption);
        // Where a full stop is no word, it never matters.
        if self.id(".").is_none() {
            words.retain(|word| word.text != ".");
        }
        let mut words = self.read(words);
        let mut typed = None;
        if let Some(stop) = &self.full_stop {
            while words.last().is_some_and(|word| word.text == *stop) {
                typed = words.pop();
            }
        }
        // A model without words draws without a caption.
        if words.is_empty() && self.words.is_empty() {
            return Ok(Tokens { ids: Vec::new(), written: Vec::new(), spans: Vec::new() });
        }
        if words.is_empty() {
            return Err(Error::EmptyCaption { example: self.example.clone() });
        }
        let unknown: Vec<_> = words
            .iter()
            .filter(|word| self.id(&word.text).is_none())
            .map(|word| UnknownWord { word: word.text.clone(), suggestions: self.suggest(&word.text) })
            .collect();
        if !unknown.is_empty() {
            return Err(Error::UnknownWords(unknown));
        }
        let end = utf16(caption);
        let span = typed.map_or([end, end], |stop| stop.span);
        words.extend(self.full_stop.clone().map(|text| Word { text, span }));
        if words.len() > self.max_words {
            let stop = usize::from(self.full_stop.is_some());
            return Err(Error::LongCaption { words: words.len() - stop, most: self.max_words - stop });
        }
        let ids = words.iter().filter_map(|word| self.id(&word.text)).collect();
        let (written, spans) = words.into_iter().map(|word| (word.text, word.span)).unzip();
        Ok(Tokens { ids, written, spans })
    }

    /// Words as they are read: phrases by their aliases, and what is unknown by its parts ("red-and-white") or
    /// without its ending ("dog's"). What is read as several words has their one place in the caption.
    fn read(&self, words: Vec<Word>) -> Vec<Word> {
        let longest = self.aliases.keys().map(|phrase| phrase.split(' ').count()).max().unwrap_or(1);
        let mut read = Vec::with_capacity(words.len());
        let mut at = 0;
        while at < words.len() {
            let rest = &words[at..];
            let phrase = (2..=longest.min(rest.len())).rev().find_map(|len| {
                let typed: Vec<&str> = rest[..len].iter().map(|word| word.text.as_str()).collect();
                Some((len, self.aliases.get(&typed.join(" "))?.clone()))
            });
            let (len, meaning) = phrase.unwrap_or_else(|| (1, self.meaning(&rest[0].text)));
            let span = [rest[0].span[0], rest[len - 1].span[1]];
            read.extend(meaning.split_whitespace().map(|word| Word { text: word.to_owned(), span }));
            at += len;
        }
        read
    }

    /// What a single word is read as: itself, where it is known or nothing else fits.
    fn meaning(&self, word: &str) -> String {
        match self.aliases.get(word) {
            // One word for another keeps its spelling.
            Some(one) if !one.is_empty() && !one.contains(' ') => return word.to_owned(),
            Some(phrase) => return phrase.clone(),
            None => {}
        }
        if self.words.iter().any(|known| known == word) {
            return word.to_owned();
        }
        let is_read =
            |part: &str| self.words.iter().any(|known| known == part) || self.aliases.contains_key(part);
        if word.contains('-') && word.split('-').all(is_read) {
            // "red-and-white" says both of one thing.
            let parts = word.split('-').filter(|part| *part != "and");
            return parts.map(|part| self.meaning(part)).collect::<Vec<_>>().join(" ");
        }
        match word.strip_suffix("'s") {
            Some(owner) if is_read(owner) => self.meaning(owner),
            _ => word.to_owned(),
        }
    }

    /// Words of a meaning near to that of `word`, where some are known; else those that are spelled like it,
    /// nearest first.
    pub fn suggest(&self, word: &str) -> Vec<String> {
        if let Some(near) = self.meanings.get(word) {
            return near.clone();
        }
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
        if self.max_words > most || (self.max_words == 0 && !self.words.is_empty()) {
            return refuse(format!("max_words is {}, expected 1 to {most}", self.max_words));
        }
        let targets = self.aliases.iter().flat_map(|(alias, phrase)| {
            phrase.split_whitespace().map(move |word| (format!("the alias \"{alias}\""), word))
        });
        let stop = self.full_stop.iter().map(|word| ("fullStop".to_owned(), word.as_str()));
        let groups = self.alternatives.iter().flatten();
        let groups = groups.map(|word| ("alternatives".to_owned(), word.as_str()));
        let meanings = self.meanings.values().flatten();
        let meanings = meanings.map(|word| ("meanings".to_owned(), word.as_str()));
        if let Some((field, word)) =
            targets.chain(stop).chain(groups).chain(meanings).find(|(_, w)| self.id(w).is_none())
        {
            return refuse(format!("{field} names \"{word}\", which is not one of its words"));
        }
        // A model without words has no caption to draw.
        if self.words.is_empty() {
            return Ok(());
        }
        match self.tokens(&self.example) {
            Ok(_) => Ok(()),
            Err(error) => refuse(format!("its example cannot be drawn: {error}")),
        }
    }
}
