//! The one place that compares sentences with pictures: the command line runs it, for every ranker, on any device.
//! Vectors become scores here, and words find their regions. No other code of a comparison waits for a device.

use std::ops::Range;

use burn::tensor::{Device, Tensor};

use crate::checkpoint::{Manifest, decode, parse_safetensors};
use crate::data::sentence::Sentence;
use crate::data::vocabulary::Vocabulary;
use crate::error::{Error, Result};
use crate::image2text::align::smoothing::smooth;
use crate::model::{ImageTextMatching, Ranker, Values};
use crate::nn::matching::scores;
use crate::platform;
use crate::systems::RankerVisitor;

/// Pictures, and sentences, that are scored at once: their products lie in memory together.
const TOGETHER: usize = 100;

/// Builds the ranker of a manifest's system.
struct Load<'a> {
    weights: &'a [u8],
    device: &'a Device,
}

impl RankerVisitor for Load<'_> {
    type Output = Result<Box<dyn Ranker>>;

    fn visit<M: ImageTextMatching>(self, config: &M::Config) -> Self::Output {
        if !platform::HAS_BURN_TENSORS {
            return Err(Error::Device("this engine has the fused passes of painters alone".into()));
        }
        let fresh = M::init(config, 0, self.device);
        Ok(decode(fresh, &parse_safetensors(self.weights)?)?.ranker(config, self.device))
    }
}

/// A model ready to compare: words and scores around a ranker.
pub struct Matcher {
    vocabulary: Vocabulary,
    ranker: Box<dyn Ranker>,
}

/// Where the words of a sentence are in a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Alignment {
    /// `v_i · s_t` [word, region].
    pub similarities: Vec<f32>,
    /// The region of each word.
    pub regions: Vec<usize>,
    /// The sentence's score for the picture.
    pub score: f32,
}

impl Alignment {
    /// Neighbouring words that share a region, and the region of each such phrase.
    pub fn phrases(&self) -> Vec<(Range<usize>, usize)> {
        let mut start = 0;
        let of = |phrase: &[usize]| {
            let words = start..start + phrase.len();
            start = words.end;
            (words, phrase[0])
        };
        self.regions.chunk_by(|before, after| before == after).map(of).collect()
    }
}

impl Matcher {
    /// A matcher of a manifest and its weights file, whose hash the caller has checked.
    ///
    /// **Errors** [`Error::Model`], naming the tensor that is missing or of another shape, or when the model
    /// does not compare.
    pub fn load(manifest: &Manifest, weights: &[u8], device: &Device) -> Result<Self> {
        let ranker = manifest.system.visit_ranker(Load { weights, device })??;
        Ok(Self::new(ranker, manifest.vocabulary.clone()))
    }

    /// A matcher around a ranker that was made elsewhere.
    pub fn new(ranker: Box<dyn Ranker>, vocabulary: Vocabulary) -> Self {
        Self { vocabulary, ranker }
    }

    /// The model that it compares with.
    pub fn ranker(&self) -> &dyn Ranker {
        self.ranker.as_ref()
    }

    /// Reads a sentence. Words that are not known are read as [`crate::data::words::UNKNOWN`], where the model has learned what that
    /// means, as long as any word is known.
    ///
    /// **Errors** those of [`Vocabulary::tokens`].
    pub fn read(&self, sentence: &str) -> Result<Sentence> {
        Sentence::read(&self.vocabulary, sentence)
    }

    /// Vectors of pictures [picture, channel, row, column], as [picture, region, size].
    ///
    /// **Errors** [`Error::Config`] when these are not pictures of the model's size.
    pub fn pictures(&self, pictures: Vec<f32>) -> Result<Tensor<3>> {
        self.ranker.pictures(pictures)
    }

    /// Scores of sentences, as word ids, for pictures' vectors: [sentence, picture].
    ///
    /// **Errors** [`Error::Config`] for sentences that cannot be read; [`Error::Device`].
    pub async fn scores(&self, pictures: &Tensor<3>, sentences: &[&[usize]]) -> Result<Vec<f32>> {
        let [count, _, _] = pictures.dims();
        let mut all = Vec::with_capacity(sentences.len() * count);
        for sentences in sentences.chunks(TOGETHER) {
            let read = self.ranker.sentences(sentences)?;
            let owners = read.owners();
            let mut parts = Vec::new();
            for start in (0..count).step_by(TOGETHER) {
                let some = pictures.clone().narrow(0, start, TOGETHER.min(count - start));
                parts.push(scores(some, read.vectors.clone(), &owners, sentences.len()).transpose());
            }
            if !parts.is_empty() {
                all.extend(Values::from(Tensor::cat(parts, 1)).read().await?);
            }
        }
        Ok(all)
    }

    /// Where the words of a sentence, as word ids, are in a picture of which the vectors are given
    /// ([`Matcher::pictures`], of one); β rewards neighbouring words that share a region ([`smooth`]).
    ///
    /// **Errors** [`Error::Config`] for a model without regions, a β below 0, what cannot be read;
    /// [`Error::Device`].
    pub async fn align(&self, picture: Tensor<3>, ids: &[usize], beta: f32) -> Result<Alignment> {
        let Some(places) = self.ranker.regions() else {
            let what = "the model compares whole sentences with whole pictures: its words have no regions";
            return Err(Error::Config(what.to_owned()));
        };
        if !(beta.is_finite() && beta >= 0.0) {
            return Err(Error::Config(format!("beta is {beta}, expected 0 or more")));
        }
        let [count, each, size] = picture.dims();
        if count != 1 {
            return Err(Error::Config(format!("{count} pictures, expected one")));
        }
        let words = self.ranker.sentences(&[ids])?.vectors;
        let products = words.matmul(picture.reshape([each, size]).transpose());
        let similarities = Values::from(products).read().await?;
        let best = |row: &[f32]| row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let score = similarities.chunks_exact(places.len()).map(best).sum();
        let regions = smooth(&similarities, places.len(), beta);
        Ok(Alignment { similarities, regions, score })
    }
}
