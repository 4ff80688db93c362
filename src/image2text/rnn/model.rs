//! The generator: its parameters, a word's step, and its loss. Training and description run the same code.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::activation::{log_softmax, relu};
use burn::tensor::{Device, Int, Tensor};

use super::{Context, RnnConfig, presets};
use crate::data::batch::TrainBatch;
use crate::data::noise::Noise;
use crate::error::Result;
use crate::image2text::dropout::Masks;
use crate::image2text::starts::{embedding, linear};
use crate::model::{Terms, Trainable};
use crate::nn::gru::uniform_matrix;
use crate::nn::indices;
use crate::options::Preset;

/// The weights of a generator. Matrices are input × output.
#[derive(Module, Debug)]
pub struct Rnn {
    /// Average of a picture's features → b_v (W_hi) [channel, H].
    picture: Linear,
    /// Word → embedding [V, E].
    embedding: Param<Tensor<2>>,
    /// Embedding → state (W_hx, b_h) [E, H].
    word: Linear,
    /// State → state (W_hh) [H, H].
    recurrent: Param<Tensor<2>>,
    /// State → words and the end (W_oh, b_o) [H, V + 1].
    output: Linear,
}

impl Rnn {
    /// The device that holds it.
    pub fn device(&self) -> Device {
        self.embedding.val().device()
    }

    /// `b_v = W_hi f + b` of pictures [picture, H], f the average of all cells.
    ///
    /// **Errors** [`crate::error::Error::Config`] when these are not whole pictures.
    pub fn look(&self, config: &RnnConfig, pictures: &[f32]) -> Result<Tensor<2>> {
        let device = self.device();
        let cells = config.features.rows * config.features.columns;
        let weights = Tensor::<2>::ones([cells, 1], &device) / cells as f32;
        let averages = config.features.averages(pictures, &weights, &device)?.squeeze_dim::<2>(1);
        Ok(self.picture.forward(averages))
    }

    /// Embeddings of words [word, E].
    pub fn embed(&self, ids: Vec<usize>) -> Tensor<2> {
        self.embedding.val().select(0, indices(ids, &self.device()))
    }

    /// The next state.
    ///
    /// **Equation** `h_t = f(W_hx x_t + W_hh h_{t−1} + b_h + [t = 1] b_v)`, f = ReLU; x_1 = 0, h_0 = 0.
    ///
    /// **Shapes** `word` x_t [batch, E], none at the first step; `state` [batch, H], none there, too; `picture` b_v
    /// [batch, H].
    pub fn step(
        &self,
        config: &RnnConfig,
        word: Option<Tensor<2>>,
        state: Option<Tensor<2>>,
        picture: &Tensor<2>,
    ) -> Tensor<2> {
        let is_first = word.is_none();
        let word = word.unwrap_or_else(|| {
            let [batch, _] = picture.dims();
            Tensor::zeros([batch, config.embedding_size], &self.device())
        });
        let mut sum = self.word.forward(word);
        if let Some(state) = state {
            sum = sum + state.matmul(self.recurrent.val());
        }
        if is_first || config.context == Context::Every {
            sum = sum + picture.clone();
        }
        relu(sum)
    }

    /// Log-probabilities of all words and of the end [batch, V + 1], from states.
    pub fn log_probs(&self, states: Tensor<2>) -> Tensor<2> {
        log_softmax(self.output.forward(states), 1)
    }
}

impl Trainable for Rnn {
    type Config = RnnConfig;

    fn init(config: &RnnConfig, seed: u64, device: &Device) -> Self {
        let noise = &mut Noise::new(seed);
        let (word, hidden, words) = (config.embedding_size, config.hidden_size, config.vocabulary_size);
        Self {
            picture: linear(config.features.channels, hidden, noise, device),
            embedding: embedding(words, word, noise, device),
            word: linear(word, hidden, noise, device),
            recurrent: uniform_matrix(hidden, hidden, noise, device),
            output: linear(hidden, words + 1, noise, device),
        }
    }

    fn term_names(_: &RnnConfig) -> Vec<&'static str> {
        vec!["words"]
    }

    fn presets() -> Vec<Preset<RnnConfig>> {
        presets::all()
    }

    /// **Equation** `−Σ_t log p(y_t | y_<t, picture)`, nats a caption, its end included.
    fn terms(&self, config: &RnnConfig, item: &TrainBatch) -> Terms<Tensor<1>> {
        let (batch, words, ids) = (item.batch.len(), item.batch.words, &item.batch.ids);
        let mut masks = Masks::of(item);
        let picture =
            self.look(config, &item.batch.images).expect("a source gives pictures of the model's size");
        let (mut states, mut targets) = (Vec::with_capacity(words + 1), Vec::new());
        for step in 0..=words {
            let of = |at: usize| (0..batch).map(move |caption| ids[caption * words + at]);
            let word =
                (step > 0).then(|| masks.drop(self.embed(of(step - 1).collect()), config.dropout.words));
            states.push(self.step(config, word, states.last().cloned(), &picture));
            match step < words {
                true => targets.extend(of(step)),
                false => targets.extend(std::iter::repeat_n(config.vocabulary_size, batch)),
            }
        }
        let states = masks.drop(Tensor::cat(states, 0), config.dropout.hidden);
        let targets: Tensor<2, Int> = indices(targets, &self.device()).unsqueeze_dim(1);
        let log_probs = self.log_probs(states).gather(1, targets).reshape([words + 1, batch]);
        Terms(vec![("words", log_probs.sum_dim(0).squeeze_dim::<1>(0) * -1.0)])
    }
}
