//! Captions: which words are drawn when, and the frames that the sentence gives them.

use burn::tensor::Tensor;

use super::{Framed, FramedConfig};
use crate::error::{Error, Result};
use crate::model::CaptionIds;
use crate::nn::lstm::{OverWords, both_ways};
use crate::nn::{affine, indices};

/// The drawn words of a batch of captions, in the order of the sentence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slots {
    /// For each caption the positions of its drawn words, 1 to K of them.
    pub positions: Vec<Vec<usize>>,
}

impl Slots {
    /// Finds the drawn words.
    ///
    /// **Errors** [`Error::Undrawable`] when a caption has none, or more than the model draws.
    pub fn of(config: &FramedConfig, captions: &CaptionIds) -> Result<Self> {
        if captions.words == 0 {
            return Err(Error::Config(
                "there is no caption, expected one that names what is drawn".to_owned(),
            ));
        }
        let positions = captions.ids.chunks(captions.words).map(|ids| {
            let drawn = ids.iter().enumerate().filter(|(_, id)| config.drawn.contains(id));
            let drawn: Vec<usize> = drawn.map(|(at, _)| at).collect();
            match drawn.len() {
                0 => Err(Error::Undrawable("the caption names nothing that this model draws".to_owned())),
                count if count > config.max_drawn => Err(Error::Undrawable(format!(
                    "the caption names {count} things to draw, expected at most {}",
                    config.max_drawn
                ))),
                _ => Ok(drawn),
            }
        });
        Ok(Self { positions: positions.collect::<Result<_>>()? })
    }

    /// Of each caption the slot that is drawn at a step (from 0) of `steps`: equal shares.
    pub fn at(&self, step: usize, steps: usize) -> Vec<usize> {
        self.positions.iter().map(|drawn| step * drawn.len() / steps).collect()
    }
}

/// What frames are computed from. Every drawn word is read as the first of its class, so that a frame cannot know *what*
/// is drawn; sentences that are then equal are there once.
pub struct Sentences {
    /// Word ids [sentence, word].
    pub ids: Vec<usize>,
    /// Words of each.
    pub words: usize,
    /// Which word of which sentence each slot is, sentence · words + word [caption · slot]; unused slots repeat the first.
    pub rows: Vec<usize>,
}

impl Sentences {
    /// Those of captions.
    pub fn of(config: &FramedConfig, captions: &CaptionIds, slots: &Slots) -> Self {
        let class = config.drawn.first().copied().unwrap_or(0);
        let plain = |id: &usize| if config.drawn.contains(id) { class } else { *id };
        let words = captions.words;
        let mut ids: Vec<usize> = Vec::new();
        let mut rows = Vec::with_capacity(captions.batch * config.max_drawn);
        for (caption, drawn) in captions.ids.chunks(words).zip(&slots.positions) {
            let sentence: Vec<usize> = caption.iter().map(plain).collect();
            let known = ids.chunks(words).position(|other| *other == sentence);
            let at = known.unwrap_or_else(|| {
                ids.extend(sentence);
                ids.len() / words - 1
            });
            rows.extend((0..config.max_drawn).map(|k| at * words + drawn.get(k).unwrap_or(&drawn[0])));
        }
        Self { ids, words, rows }
    }
}

/// What the sentences say of their drawn words, [batch · slot, …]; unused slots repeat the first.
pub struct Encoded {
    /// Raw frames (x, y, size) [batch · slot, 3].
    pub frames: Tensor<2>,
    /// Log standard deviations of the frames' latents [batch · slot, 2].
    pub frame_log_std: Tensor<2>,
    /// States of the words [batch · slot, 2L].
    pub states: Tensor<2>,
}

/// Log standard deviation with which a frame's latent starts, half-canvases.
pub const FRAME_LOG_STD: f32 = -3.0;

impl Framed {
    /// Frames of the drawn words, as [`Sentences`] reads them.
    pub fn encode(&self, config: &FramedConfig, captions: &CaptionIds, slots: &Slots) -> Encoded {
        let device = self.frame_bias.val().device();
        let Sentences { ids, words, rows } = Sentences::of(config, captions, slots);
        let sentences = ids.len() / words;
        let words = self.word_states(ids, sentences, words);
        let states = words.select(0, indices(rows, &device));
        let hidden = affine(&states, &self.frame_hidden, &self.frame_hidden_bias).tanh();
        Encoded {
            frames: affine(&hidden, &self.frame, &self.frame_bias),
            frame_log_std: affine(&states, &self.frame_prior, &self.frame_prior_bias) + FRAME_LOG_STD,
            states,
        }
    }

    /// States of a bidirectional LSTM at every word [sentence · word, 2L].
    fn word_states(&self, ids: Vec<usize>, sentences: usize, words: usize) -> Tensor<2> {
        let device = self.frame_bias.val().device();
        let embedded = self.word_embedding.val().select(0, indices(ids, &device));
        let forward = OverWords {
            input: &self.caption_forward_input,
            recurrent: &self.caption_forward_recurrent,
            bias: &self.caption_forward_bias,
            backward: false,
        };
        let backward = OverWords {
            input: &self.caption_backward_input,
            recurrent: &self.caption_backward_recurrent,
            bias: &self.caption_backward_bias,
            backward: true,
        };
        both_ways([forward, backward], &embedded, sentences, words)
    }
}
