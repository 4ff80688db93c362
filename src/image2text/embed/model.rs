//! The embedding: its parameters, vectors of pictures and of sentences, and its loss.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::{Device, Tensor};

use super::{EmbedConfig, presets};
use crate::data::batch::TrainBatch;
use crate::data::noise::Noise;
use crate::error::Result;
use crate::image2text::dropout::Masks;
use crate::image2text::starts::{embedding, linear};
use crate::model::{Terms, Trainable};
use crate::nn::gru::Gru;
use crate::nn::indices;
use crate::nn::matching::{ranking_loss, scores, unit};
use crate::nn::packed::Packed;
use crate::options::Preset;

/// What the update gates begin with: σ(−1), a quarter, of the state is replaced by a word.
const UPDATE_BIAS: f32 = -1.0;

/// The weights of an embedding. Matrices are input × output.
#[derive(Module, Debug)]
pub struct Embed {
    /// Average of a picture's features → its vector [channel, size].
    picture: Linear,
    /// Word → embedding [V, word].
    embedding: Param<Tensor<2>>,
    /// Reads a sentence; its last state is the sentence's vector.
    gru: Gru,
}

impl Embed {
    /// The device that holds it.
    pub fn device(&self) -> Device {
        self.embedding.val().device()
    }

    /// Vectors of pictures [picture, size], of length 1: `W f / |W f|`, f the average of all cells.
    ///
    /// **Deviations** The authors' training code leaves pictures at the length that they have and their encoder does
    /// not; here both are of length 1.
    ///
    /// **Errors** [`crate::error::Error::Config`] when these are not whole pictures.
    pub fn pictures(&self, config: &EmbedConfig, pictures: &[f32], masks: &mut Masks) -> Result<Tensor<2>> {
        let device = self.device();
        let cells = config.features.rows * config.features.columns;
        let weights = Tensor::<2>::ones([cells, 1], &device) / cells as f32;
        let averages = config.features.averages(pictures, &weights, &device)?.squeeze_dim::<2>(1);
        // Dropping features would drop the large part that all pictures share, too: a noise above what differs.
        Ok(unit(masks.drop(self.picture.forward(averages), config.dropout.picture)))
    }

    /// Vectors of sentences [sentence, size], of length 1: the GRU's state after the last word.
    pub fn sentences(&self, config: &EmbedConfig, packed: &Packed, masks: &mut Masks) -> Tensor<2> {
        let ids = indices(packed.ids().to_vec(), &self.device());
        let words = masks.drop(self.embedding.val().select(0, ids), config.dropout.words);
        let states =
            packed.forward(&self.gru.project(words), config.size, |word, state| self.gru.step(word, state));
        unit(packed.last(&states))
    }
}

impl Trainable for Embed {
    type Config = EmbedConfig;

    fn init(config: &EmbedConfig, seed: u64, device: &Device) -> Self {
        let noise = &mut Noise::new(seed);
        Self {
            picture: linear(config.features.channels, config.size, noise, device),
            embedding: embedding(config.vocabulary_size, config.word_size, noise, device),
            gru: Gru::init(config.word_size, config.size, noise, device).with_update_bias(UPDATE_BIAS),
        }
    }

    fn term_names(_: &EmbedConfig) -> Vec<&'static str> {
        vec!["ranking"]
    }

    fn presets() -> Vec<Preset<EmbedConfig>> {
        presets::all()
    }

    /// **Equation** `Σ_{l ≠ k} max(0, s_kl − s_kk + m) + Σ_{l ≠ k} max(0, s_lk − s_kk + m)` of each picture k, s the
    /// cosine, over the pictures and captions of the batch.
    fn terms(&self, config: &EmbedConfig, item: &TrainBatch) -> Terms<Tensor<1>> {
        let mut masks = Masks::of(item);
        let packed = Packed::new(&item.batch.sentences());
        let sentences = self.sentences(config, &packed, &mut masks);
        let pictures = self
            .pictures(config, &item.batch.images, &mut masks)
            .expect("a source gives pictures of the model's size");
        let owners: Vec<usize> = (0..packed.len()).collect();
        let scores = scores(pictures.unsqueeze_dim(1), sentences, &owners, packed.len());
        Terms(vec![("ranking", ranking_loss(scores, config.margin))])
    }
}
