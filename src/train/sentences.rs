//! Training of sentence vectors on captions of the same picture.

use burn::grad_clipping::GradientClippingConfig;
use burn::module::Module;
use burn::optim::{AdamConfig, GradientsParams, ModuleOptimizer};
use burn::tensor::Device;

use crate::data::noise::Noise;
use crate::data::paraphrases::Paraphrases;
use crate::error::{Error, Result};
use crate::nn::floats;
use crate::sentence::encoder::{Padded, SentenceEncoder};
use crate::sentence::skip_thought::{SkipThought, SkipThoughtConfig};

/// What decides the numbers of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct SentenceTraining {
    /// Sizes.
    pub config: SkipThoughtConfig,
    /// Updates.
    pub updates: usize,
    /// Pairs of captions a batch; 64 in the paper.
    pub batch_size: usize,
    /// Learning rate of Adam; the last third of the run has a tenth of it.
    pub learning_rate: f64,
    /// Whether a caption is among the targets that are predicted from it. Where a picture has two captions
    /// alone, each would else have the other for its only target, the two would share none, and nothing
    /// would draw their vectors together.
    pub own_caption: bool,
    /// Seed of weights and batches.
    pub seed: u64,
}

impl SentenceTraining {
    /// Minutes on one core for captions of a few hundred different words.
    pub fn small(vocabulary_size: usize) -> Self {
        let config = SkipThoughtConfig::small(vocabulary_size);
        Self { config, updates: 1_500, batch_size: 64, learning_rate: 2e-3, own_caption: true, seed: 1 }
    }

    fn optimizer() -> ModuleOptimizer {
        AdamConfig::new().with_grad_clipping(Some(GradientClippingConfig::Norm(5.0))).init()
    }

    /// Trains an encoder; `report` gets the number of each update and its loss, nats per caption of the
    /// two decoders together.
    ///
    /// **Errors** [`Error::Config`]; [`Error::Data`] when no picture has two captions; [`Error::Model`]
    /// when the loss is not finite.
    pub fn run(&self, captions: &Paraphrases, mut report: impl FnMut(usize, f64)) -> Result<SentenceEncoder> {
        self.config.check()?;
        if captions.pictures.is_empty() {
            return Err(Error::Data("no picture has two different captions to learn from".to_owned()));
        }
        let device = Device::flex().autodiff();
        let mut model = SkipThought::init(&self.config, self.seed, &device);
        let mut optimizer = Self::optimizer();
        for update in 0..self.updates {
            let mut noise = Noise::stream(self.seed, update as u64);
            let pairs: Vec<_> =
                (0..self.batch_size).map(|_| captions.pair(self.own_caption, &mut noise)).collect();
            let (sources, targets): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
            let (source, target) = (Padded::new(&sources, &device), Padded::new(&targets, &device));
            let loss = model.nats(&source, &target).mean();
            let nats = f64::from(floats(loss.clone().into_data())[0]);
            if !nats.is_finite() {
                return Err(Error::Model(format!(
                    "the loss of the sentence vectors is not finite at update {update}: lower the learning rate"
                )));
            }
            report(update, nats);
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            let late = 3 * update >= 2 * self.updates;
            let rate = if late { 0.1 * self.learning_rate } else { self.learning_rate };
            model = optimizer.step(rate, model, gradients);
        }
        Ok(model.valid().encoder)
    }
}

/// Vectors [caption, size] of all captions, to be judged by retrieval.
pub fn vectors(model: &SentenceEncoder, captions: &Paraphrases) -> Vec<f32> {
    let device = model.device();
    let batches = captions.captions.chunks(100).flat_map(|part| {
        let part: Vec<&[usize]> = part.iter().map(Vec::as_slice).collect();
        floats(model.vectors(&Padded::new(&part, &device)).into_data())
    });
    batches.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::mnist_captions::{self, Bans};
    use crate::eval::retrieval::Retrieval;
    use crate::sentence::encoder::EncoderConfig;

    fn digits() -> (Paraphrases, Paraphrases) {
        let bans = Bans::default();
        Paraphrases::of_digits(&bans).split(0.2, 3)
    }

    /// A paraphrase swaps the digits and the direction. What was learned of some pairs serves those that
    /// were held back; a bag of words finds "the digit 5 is on the left of the digit 3" first.
    #[test]
    fn vectors_find_the_other_wording_of_captions_that_were_held_back() {
        let (train, held_back) = digits();
        let words = mnist_captions::vocabulary().words.len();
        let encoder = EncoderConfig { vocabulary_size: words, embedding_size: 16, sentence_size: 64 };
        let config = SkipThoughtConfig { encoder, decoder_size: 48 };
        let run = SentenceTraining {
            config,
            updates: 500,
            batch_size: 32,
            learning_rate: 5e-3,
            ..SentenceTraining::small(words)
        };
        let mut losses = Vec::new();
        let model = run.run(&train, |_, nats| losses.push(nats)).expect("trains");
        let (first, last) = (losses[0], losses[490..].iter().sum::<f64>() / 10.0);
        let found = Retrieval::of(&held_back, &vectors(&model, &held_back));
        let bags = Retrieval::of_bags_of_words(&held_back);
        println!("{first:.2} nats, then {last:.2}; {found:?}, bags of words {bags:?}");
        assert!(last < 0.3 * first, "{first} nats, then {last}");
        assert!(found.first.right > 2 * bags.first.right, "{found:?}, bags of words {bags:?}");
    }

    #[test]
    fn halves_have_length_1_and_what_was_filled_up_does_not_count() {
        let device = Device::flex();
        let config = EncoderConfig { vocabulary_size: 9, embedding_size: 5, sentence_size: 12 };
        let model = SentenceEncoder::init(&config, &mut Noise::new(1), &device);
        let alone = floats(model.vectors(&Padded::new(&[&[1, 2]], &device)).into_data());
        let beside = floats(model.vectors(&Padded::new(&[&[1, 2], &[3, 4, 5, 6]], &device)).into_data());
        for (a, b) in alone.iter().zip(&beside[..12]) {
            assert!((a - b).abs() < 1e-6, "{alone:?} {beside:?}");
        }
        for half in beside.chunks_exact(6) {
            let length: f32 = half.iter().map(|x| x * x).sum();
            assert!((length - 1.0).abs() < 1e-5, "{half:?}");
        }
        let other = floats(model.vectors(&Padded::new(&[&[2, 1]], &device)).into_data());
        assert_ne!(alone, other, "the order of the words counts");
    }

    #[test]
    fn nothing_to_learn_from_is_an_error() {
        let run = SentenceTraining::small(9);
        assert!(matches!(run.run(&Paraphrases::default(), |_, _| ()), Err(Error::Data(_))));
        let encoder = EncoderConfig { sentence_size: 6, ..run.config.encoder };
        let config = SkipThoughtConfig { encoder, ..run.config.clone() };
        assert!(matches!(
            SentenceTraining { config, ..run }.run(&digits().0, |_, _| ()),
            Err(Error::Config(_))
        ));
    }
}
