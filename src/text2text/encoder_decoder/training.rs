//! The encoder-decoder in training.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor};

use super::{EncoderDecoder, EncoderDecoderConfig, presets};
use crate::data::batch::TrainBatch;
use crate::image2text::dropout::Masks;
use crate::model::{Terms, Trainable};
use crate::nn::indices;
use crate::options::Preset;

impl Trainable for EncoderDecoder {
    type Config = EncoderDecoderConfig;

    fn init(config: &EncoderDecoderConfig, seed: u64, device: &Device) -> Self {
        Self::fresh(config, seed, device)
    }

    fn term_names(_: &EncoderDecoderConfig) -> Vec<&'static str> {
        vec!["words"]
    }

    fn presets() -> Vec<Preset<EncoderDecoderConfig>> {
        presets::all()
    }

    /// **Equation** `−Σ_i log p(y_i | y_<i, sentence)`, nats a caption, its end included.
    fn terms(&self, config: &EncoderDecoderConfig, item: &TrainBatch) -> Terms<Tensor<1>> {
        let device = self.device();
        let (batch, words, ids) = (item.batch.len(), item.batch.words, &item.batch.ids);
        let mut masks = Masks::of(item);
        let (read, mut state) = self.read(&item.batch.read_sentences(), &mut masks, config.dropout.words);
        // [step, caption]: the words before steps 1, 2, …; nothing stands before the first.
        let before: Vec<usize> =
            (0..words).flat_map(|at| (0..batch).map(move |caption| ids[caption * words + at])).collect();
        let nothing = Tensor::zeros([batch, config.embedding_size], &device);
        let embedded = Tensor::cat(vec![nothing, self.embed(&before)], 0);
        let embedded = masks.drop(embedded, config.dropout.words);
        let (mut states, mut contexts) = (Vec::with_capacity(words + 1), Vec::with_capacity(words + 1));
        for word in self.word_gates(embedded.clone()).chunk(words + 1, 0) {
            let told = self.told(&read, &state);
            state = self.advance(word, &told, state);
            states.push(state.clone());
            contexts.push(told.context);
        }
        let (states, contexts) = (Tensor::cat(states, 0), Tensor::cat(contexts, 0));
        let logits = self.logits(states, embedded, contexts, &mut masks, config.dropout.hidden);
        let targets = before.into_iter().chain(std::iter::repeat_n(config.vocabulary_size, batch)).collect();
        let targets: Tensor<2, Int> = indices(targets, &device).unsqueeze_dim(1);
        let said = log_softmax(logits, 1).gather(1, targets).reshape([words + 1, batch]);
        Terms(vec![("words", said.sum_dim(0).squeeze_dim::<1>(0) * -1.0)])
    }
}
