//! The sizes of a model of the DRAW family, and the presets.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::kernels::window::Geometry;
use crate::model::{Config as _, MOST_FILTERS};
use crate::sentence::encoder::EncoderConfig;

/// How the weight matrices start.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Initializer {
    /// The paper's code: every matrix N(0, 0.01²), every bias 0.
    Paper,
    /// Uniform in ±1/√fan-in, forget gates biased by 1: the caption is heard from the first epochs.
    Scaled,
}

/// How the caption reaches the generative LSTM, which tells the four models of the family apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conditioning {
    /// alignDRAW: at every step the words weighted by an alignment (Mansimov et al. 2016).
    #[default]
    Attention,
    /// noalignDRAW: the same mean over the words at every step.
    Mean,
    /// skipthoughtDRAW: a fixed vector of the sentence.
    Sentence {
        /// Length of the vector; 4800 in the paper.
        size: usize,
        /// Length of the word embeddings of the frozen encoder that is part of the model; without one the
        /// vectors are given with the captions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        embedding_size: Option<usize>,
    },
    /// DRAW (Gregor et al. 2015): no caption; the prior is N(0, I) at every step.
    None,
}

/// What the alignment's weighted sum is taken of: the conditioning of the generative LSTM.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AttentionInput {
    /// The paper's: its state in the bidirectional encoder, which knows the whole sentence.
    States,
    /// The word's embedding alone; the encoder's states only decide the alignment. Learned faster; it
    /// does not make compositions come out right that were never seen (`docs/models.md`).
    Words,
    /// The word's embedding and its state: the embeddings are learned at once, and the states tell
    /// which colour belongs to which object and what stands to the left of what, which words alone
    /// cannot say while the attention lies on several of them.
    WordsAndStates,
}

/// How a patch meets what the canvas holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WriteMode {
    /// The paper's: it is added.
    #[default]
    Add,
    /// It is composited over the canvas: a further plane of the patch, the optical depth
    /// `m = (1/γ) F_yᵀ softplus(M) F_x`, first attenuates what lies beneath,
    /// `c_t = e^{−m} c_{t−1} + (1/γ) F_yᵀ K F_x` (Beer–Lambert law). What is painted need not know
    /// the background that it hides.
    #[serde(alias = "cover")]
    Composite,
}

/// A limit on the size of the write window: what is learned of an object then serves it wherever it
/// stands, and more than one object takes more than one stroke.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowLimit {
    /// Steps, from the first, that it leaves alone.
    pub after: usize,
    /// What the span of the write window stays below, a share of the canvas' longer side.
    pub limit: f32,
}

/// Sizes of a model of the DRAW family (Mansimov et al. 2016; symbols of the paper in brackets). Sizes
/// that its conditioning has no use for are not looked at, 0 in the presets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrawConfig {
    /// Words of the vocabulary, unused ids included (V).
    pub vocabulary_size: usize,
    /// Canvas height, pixels.
    pub height: usize,
    /// Canvas width, pixels.
    pub width: usize,
    /// Colour planes: 1 or 3.
    pub channels: usize,
    /// LSTM units of each direction of the caption encoder.
    pub word_size: usize,
    /// Width of the alignment's hidden layer (l).
    pub align_size: usize,
    /// LSTM units of the inference network.
    pub encoder_size: usize,
    /// LSTM units of the generative network.
    pub decoder_size: usize,
    /// Latent variables a step (Z).
    pub latent_size: usize,
    /// Filters along each axis of the read window (N).
    pub read_size: usize,
    /// Filters along each axis of the write window (N).
    pub write_size: usize,
    /// Steps of a drawing (T).
    pub num_steps: usize,
    /// Where every pixel of the learned initial canvas starts, a logit.
    pub initial_canvas: f32,
    /// How the caption is heard. Models before there was a choice have attention.
    #[serde(default)]
    pub conditioning: Conditioning,
    /// How the weights start.
    pub initializer: Initializer,
    /// What the alignment's weighted sum is taken of.
    #[serde(alias = "attended")]
    pub attention_input: AttentionInput,
    /// How a patch meets what the canvas holds.
    #[serde(default, alias = "writing")]
    pub write_mode: WriteMode,
    /// Limits on the write window, the last that applies to a step decides; none in the paper.
    #[serde(default, alias = "detail")]
    pub window_limits: Vec<WindowLimit>,
    /// Standard deviation of a colour value's Gaussian around what is drawn (σ-VAE: Rybkin, Daniilidis & Levine 2021, who set
    /// it to the root of the mean squared error); none: a Bernoulli of that mean, as in the paper. Bounds of one and of the
    /// other do not compare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deviation: Option<f32>,
}

impl DrawConfig {
    /// Rows of the projection of what is attended to, or averaged: those of words, then those of
    /// word-state features.
    pub fn attended_rows(&self) -> (usize, usize) {
        match self.attention_input {
            AttentionInput::States => (0, 2 * self.word_size),
            AttentionInput::Words => (self.vocabulary_size, 0),
            AttentionInput::WordsAndStates => (self.vocabulary_size, 2 * self.word_size),
        }
    }

    /// Length of the sentence vectors that it hears; none where it hears none.
    pub fn sentence_size(&self) -> Option<usize> {
        match self.conditioning {
            Conditioning::Sentence { size, .. } => Some(size),
            Conditioning::Attention | Conditioning::Mean | Conditioning::None => None,
        }
    }

    /// Sizes of the encoder of sentences that is part of the model; none where it has none.
    pub fn sentence_encoder(&self) -> Option<EncoderConfig> {
        let Conditioning::Sentence { size, embedding_size: Some(embedding_size) } = self.conditioning else {
            return None;
        };
        let vocabulary_size = self.vocabulary_size;
        Some(EncoderConfig { vocabulary_size, embedding_size, sentence_size: size })
    }

    /// Whether the words of a caption are read.
    pub fn reads_words(&self) -> bool {
        matches!(self.conditioning, Conditioning::Attention | Conditioning::Mean)
    }

    /// LSTM units of each direction of the caption encoder, 0 without one.
    pub(super) fn reader_size(&self) -> usize {
        if self.reads_words() { self.word_size } else { 0 }
    }

    /// Width of the alignment's hidden layer, 0 without an alignment.
    pub(super) fn alignment_size(&self) -> usize {
        if self.conditioning == Conditioning::Attention { self.align_size } else { 0 }
    }

    /// Latent variables whose prior is learned, 0 where it is N(0, I).
    pub(super) fn prior_size(&self) -> usize {
        if self.conditioning == Conditioning::None { 0 } else { self.latent_size }
    }

    /// Rows of the projection of the caption into the gates of the generative LSTM, 0 without one.
    pub(super) fn conditioning_rows(&self) -> usize {
        let (words, states) = self.attended_rows();
        self.sentence_size().unwrap_or(if self.reads_words() { words + states } else { 0 })
    }

    /// The read window's geometry.
    pub fn read_geometry(&self) -> Geometry {
        Geometry { height: self.height, width: self.width, size: self.read_size, limit: f32::INFINITY }
    }

    /// The write window's geometry at a step, the first being 0.
    pub fn write_geometry(&self, step: usize) -> Geometry {
        let limited = self.window_limits.iter().rfind(|limit| step >= limit.after);
        let limit = limited.map_or(f32::INFINITY, |limit| limit.limit);
        Geometry { height: self.height, width: self.width, size: self.write_size, limit }
    }

    /// Floats of one image, planar: channels · height · width.
    pub fn image_len(&self) -> usize {
        self.channels * self.height * self.width
    }

    /// Floats of one glimpse: the image and the error image, each `channels · read_size²`.
    pub fn glimpse_len(&self) -> usize {
        2 * self.channels * self.read_size * self.read_size
    }

    /// Planes of one patch: its colours and, if it is composited, the optical depth.
    pub fn patch_planes(&self) -> usize {
        self.channels + usize::from(self.write_mode == WriteMode::Composite)
    }

    /// Floats of one patch: `planes · write_size²`.
    pub fn patch_len(&self) -> usize {
        self.patch_planes() * self.write_size * self.write_size
    }

    /// Refuses sizes that no model can have.
    ///
    /// **Errors** [`Error::Config`], naming the field.
    pub fn check(&self) -> Result<()> {
        let words = usize::from(self.reads_words());
        let sizes = [
            ("vocabulary_size", self.vocabulary_size, words),
            ("height", self.height, 2),
            ("width", self.width, 2),
            ("word_size", self.word_size, words),
            ("align_size", self.align_size, usize::from(self.conditioning == Conditioning::Attention)),
            ("conditioning.sentence.size", self.sentence_size().unwrap_or(1), 1),
            ("encoder_size", self.encoder_size, 1),
            ("decoder_size", self.decoder_size, 1),
            ("latent_size", self.latent_size, 1),
            ("read_size", self.read_size, 2),
            ("write_size", self.write_size, 2),
            ("num_steps", self.num_steps, 1),
        ];
        for (name, size, least) in sizes {
            let most =
                if name.ends_with("read_size") || name == "write_size" { MOST_FILTERS } else { 65_536 };
            if !(least..=most).contains(&size) {
                return Err(Error::Config(format!("{name} is {size}, expected {least} to {most}")));
            }
        }
        if !self.window_limits.is_sorted_by_key(|limit| limit.after) {
            return Err(Error::Config(
                "window_limits.after falls, expected windows of later steps after those of earlier ones"
                    .to_owned(),
            ));
        }
        if let Some(limit) = self.window_limits.iter().find(|limit| !(0.05..=1.0).contains(&limit.limit)) {
            return Err(Error::Config(format!("window_limits.limit is {}, expected 0.05 to 1", limit.limit)));
        }
        if let Some(deviation) = self.deviation.filter(|deviation| !(0.001..=1.0).contains(deviation)) {
            return Err(Error::Config(format!("deviation is {deviation}, expected 0.001 to 1")));
        }
        self.sentence_encoder().map_or(Ok(()), |encoder| encoder.check())?;
        self.image_size().check()?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn models_from_before_there_was_a_choice_have_attention() {
        let mut json = serde_json::to_value(DrawConfig::tiny()).expect("serialises");
        let removed = json.as_object_mut().expect("an object").remove("conditioning");
        assert_eq!(removed, Some("attention".into()));
        let read: DrawConfig = serde_json::from_value(json).expect("an old configuration");
        assert_eq!(read, DrawConfig::tiny());
        let sentence = serde_json::to_value(Conditioning::Sentence { size: 7, embedding_size: None })
            .expect("serialises");
        assert_eq!(sentence, serde_json::json!({ "sentence": { "size": 7 } }));
    }

    #[test]
    fn only_the_sizes_that_a_kind_uses_are_asked_for() {
        let words = DrawConfig { word_size: 0, ..DrawConfig::noalign() };
        assert!(words.check().expect_err("refused").to_string().contains("word_size is 0"));
        let align = DrawConfig { align_size: 0, ..DrawConfig::tiny() };
        assert!(align.check().expect_err("refused").to_string().contains("align_size is 0"));
        let sentence = DrawConfig::skipthought(0).check().expect_err("refused").to_string();
        assert!(sentence.contains("conditioning.sentence.size is 0"), "{sentence}");
        let conditioning = Conditioning::Sentence { size: 6, embedding_size: Some(4) };
        let odd = DrawConfig { conditioning, ..DrawConfig::tiny() }.check().expect_err("refused").to_string();
        assert!(odd.contains("sentence_size is 6"), "{odd}");
        assert!(DrawConfig::plain_mnist().check().is_ok());
    }
}
