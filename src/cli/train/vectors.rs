//! Word vectors of a file as a model's first embeddings.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::checkpoint::{NamedTensor, float_tensors, with_values};
use crate::cli::output::note;
use crate::data::vocabulary::Vocabulary;
use crate::error::Error;
use crate::model::Trainable;

/// The tensor that holds the embeddings, a row a word; parts of a model have it under their own name.
const EMBEDDING: &str = "word_embedding";

/// Vectors by word.
pub struct WordVectors(HashMap<String, Vec<f32>>);

impl WordVectors {
    /// Reads a file of a word and its numbers a line.
    ///
    /// **Errors** when it cannot be read, a number is none, or lines differ in length.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
        Self::parse(&text).with_context(|| path.display().to_string())
    }

    fn parse(text: &str) -> Result<Self> {
        let mut vectors = HashMap::new();
        let mut size = None;
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let mut parts = line.split_whitespace();
            let word = parts.next().unwrap_or_default().to_owned();
            let numbers: Vec<f32> = parts
                .map(str::parse)
                .collect::<Result<_, _>>()
                .with_context(|| format!("line {}: expected a word and numbers", at + 1))?;
            let expected = *size.get_or_insert(numbers.len());
            if numbers.len() != expected || numbers.is_empty() {
                bail!("line {} has {} numbers, expected {expected} as the first", at + 1, numbers.len());
            }
            if numbers.iter().any(|x| !x.is_finite()) {
                bail!("line {}: a number is not finite", at + 1);
            }
            vectors.insert(word, numbers);
        }
        if vectors.is_empty() {
            bail!("it has no word vectors, expected a word and its numbers a line");
        }
        Ok(Self(vectors))
    }

    /// A model whose embeddings are these where the file has the word.
    ///
    /// **Errors** [`Error::Config`] for a model without embeddings, or whose embeddings have another length.
    pub fn begin<M: Trainable>(&self, model: M, vocabulary: &Vocabulary) -> Result<M> {
        let mut own: Vec<NamedTensor> = float_tensors(&model);
        own.reverse();
        let mut taken = None;
        let model = with_values(model, |name, shape| {
            let mut values = own.pop().map(|tensor| tensor.values).unwrap_or_default();
            if name.rsplit('.').next() == Some(EMBEDDING) {
                taken = Some(self.fill(&mut values, shape, vocabulary)?);
            }
            Ok(values)
        })?;
        let Some(taken) = taken else {
            bail!(Error::Config("--word-vectors: the model has no word embeddings".to_owned()));
        };
        note!("{taken} of {} words begin with vectors of the file", vocabulary.words.len());
        Ok(model)
    }

    /// Replaces rows of embeddings; how many.
    fn fill(&self, rows: &mut [f32], shape: &[usize], vocabulary: &Vocabulary) -> Result<usize, Error> {
        let size = shape.last().copied().unwrap_or(0);
        let given = self.0.values().next().map_or(0, Vec::len);
        if given != size {
            return Err(Error::Config(format!(
                "--word-vectors: the file has vectors of {given} numbers, the model embeddings of {size}: \
                 --set embedding_size={given}"
            )));
        }
        let mut taken = 0;
        for (row, word) in rows.chunks_exact_mut(size).zip(&vocabulary.words) {
            if let Some(vector) = self.0.get(word) {
                row.copy_from_slice(vector);
                taken += 1;
            }
        }
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::data::mnist_captions;
    use crate::text2image::deconv::{Deconv, DeconvConfig};

    #[test]
    fn rows_of_known_words_are_replaced() {
        let vocabulary = mnist_captions::vocabulary();
        let (word, words) = (vocabulary.words[2].clone(), vocabulary.words.len());
        let config = DeconvConfig { vocabulary_size: words, embedding_size: 3, ..DeconvConfig::tiny() };
        let vectors = WordVectors::parse(&format!("{word} 1 -2.5 3e-1\nunheard 0 0 0\n")).expect("vectors");
        let fresh = Deconv::init(&config, 1, &Device::flex());
        let begun = vectors.begin(fresh.clone(), &vocabulary).expect("it has embeddings");
        let of = |model: &Deconv| float_tensors(model).into_iter().map(|t| t.values).collect::<Vec<_>>();
        let (before, after) = (of(&fresh), of(&begun));
        assert_eq!(after[0][6..9], [1.0, -2.5, 0.3]);
        assert_eq!((&before[0][..6], &before[0][9..]), (&after[0][..6], &after[0][9..]));
        assert_eq!(before[1..], after[1..]);
        let other = DeconvConfig { embedding_size: 4, ..config };
        let error = vectors.begin(Deconv::init(&other, 1, &Device::flex()), &vocabulary).err();
        assert!(error.expect("refused").to_string().contains("--set embedding_size=3"));
    }

    #[test]
    fn other_files_are_refused() {
        for (text, says) in [
            ("", "no word vectors"),
            ("a 1 2\nb 1", "line 2 has 1 numbers, expected 2"),
            ("a", "line 1 has 0 numbers"),
            ("a 1 x", "line 1: expected a word and numbers"),
            ("a 1 NaN", "line 1: a number is not finite"),
        ] {
            let error = WordVectors::parse(text).err().expect("refused").to_string();
            assert!(error.contains(says), "{text:?}: {error}");
        }
    }
}
