//! Sentences in other words, with the search of `describe` around a paraphraser; the only other place that waits for a
//! device which says words.

use burn::tensor::Device;

use crate::checkpoint::{Manifest, decode, parse_safetensors};
use crate::data::sentence::Sentence;
use crate::data::vocabulary::Vocabulary;
use crate::data::words::UNKNOWN;
use crate::describe::{Description, Search, Speaker};
use crate::error::{Error, Result};
use crate::model::{Paraphraser, TextToText};
use crate::platform;
use crate::systems::ParaphraserVisitor;

/// Builds the paraphraser of a manifest's system.
struct Load<'a> {
    weights: &'a [u8],
    device: &'a Device,
}

impl ParaphraserVisitor for Load<'_> {
    type Output = Result<Box<dyn Paraphraser>>;

    fn visit<M: TextToText>(self, config: &M::Config) -> Self::Output {
        if !platform::HAS_BURN_TENSORS {
            return Err(Error::Device("this engine has the fused passes of painters alone".into()));
        }
        let fresh = M::init(config, 0, self.device);
        Ok(decode(fresh, &parse_safetensors(self.weights)?)?.paraphraser(config, self.device))
    }
}

/// A model ready to say sentences in other words.
pub struct Rephraser {
    speaker: Speaker,
    paraphraser: Box<dyn Paraphraser>,
}

impl Rephraser {
    /// A rephraser of a manifest and its weights file, whose hash the caller has checked.
    ///
    /// **Errors** [`Error::Model`], naming the tensor that is missing or of another shape, or when the model does not
    /// paraphrase.
    pub fn load(manifest: &Manifest, weights: &[u8], device: &Device) -> Result<Self> {
        let paraphraser = manifest.system.visit_paraphraser(Load { weights, device })??;
        Ok(Self::new(paraphraser, manifest.vocabulary.clone()))
    }

    /// A rephraser around a paraphraser that was made elsewhere.
    pub fn new(paraphraser: Box<dyn Paraphraser>, vocabulary: Vocabulary) -> Self {
        Self { speaker: Speaker::new(vocabulary, paraphraser.vocabulary_size()), paraphraser }
    }

    /// Its words.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.speaker.vocabulary
    }

    /// The model that it paraphrases with.
    pub fn paraphraser(&self) -> &dyn Paraphraser {
        self.paraphraser.as_ref()
    }

    /// Reads a sentence. Words that are not known are read as [`UNKNOWN`], as long as any word is known.
    ///
    /// **Errors** those of [`Vocabulary::tokens`].
    pub fn read(&self, sentence: &str) -> Result<Sentence> {
        Sentence::read(&self.speaker.vocabulary, sentence)
    }

    /// The ids of words, of which those that are unknown are read as [`UNKNOWN`]; no more than a sentence may have.
    pub fn ids(&self, words: &[String]) -> Vec<usize> {
        let Vocabulary { max_words, .. } = &self.speaker.vocabulary;
        let known = self.speaker.vocabulary.ids();
        let unknown = known.get(UNKNOWN).copied().unwrap_or(0);
        let id = |word: &String| known.get(word.as_str()).copied().unwrap_or(unknown);
        words.iter().take(*max_words).map(id).collect()
    }

    /// Says sentences, of a word or more each, in other words: of each its paraphrases, the best first. Their attention
    /// is over the words that were read.
    ///
    /// **Errors** [`Error::Config`] for a search or sentences that cannot be; [`Error::Device`].
    pub async fn rephrase(&self, sentences: &[&[usize]], search: &Search) -> Result<Vec<Vec<Description>>> {
        search.check()?;
        let begun = self.paraphraser.read(sentences)?;
        let mut found = self.speaker.speak(begun, sentences.len(), search).await?;
        for (read, paraphrases) in sentences.iter().zip(&mut found) {
            let words = paraphrases.iter_mut().flat_map(|paraphrase| &mut paraphrase.words);
            words
                .filter_map(|word| word.attention.as_mut())
                .for_each(|attention| attention.truncate(read.len()));
        }
        Ok(found)
    }
}
