//! Show, Attend and Tell in training.

use burn::module::Module;
use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::cpu::AttendPasses;
use super::definition::{Attended, focused, indices};
use super::grounding::Grounding;
use super::self_critical::Worth;
use super::{Attend, AttendConfig, Attention, Picture, presets};
use crate::data::batch::{Lesson, Progress, TrainBatch};
use crate::data::noise::Noise;
use crate::data::source::Source;
use crate::error::{Error, Result};
pub use crate::image2text::dropout::Masks;
use crate::model::{Config, FusedPasses, Terms, Trainable};
use crate::nn::on_device;
use crate::options::Preset;

/// Stream of a batch's noise seed.
const HARD_STREAM: u64 = 2;
/// Stream of a run's seed that the photos are drawn from whose averages are measured.
const AVERAGE_STREAM: u64 = 3;
/// Photos of such a batch, and batches.
const AVERAGED: usize = 100;
const AVERAGED_BATCHES: usize = 20;
/// Weight of REINFORCE's term, and of the alignment's entropy, nats (the authors' code).
const REINFORCE_WEIGHT: f32 = 0.1;
const ENTROPY_WEIGHT: f32 = 0.002;

impl Trainable for Attend {
    type Config = AttendConfig;

    fn init(config: &AttendConfig, seed: u64, device: &Device) -> Self {
        Self::fresh(config, seed, device)
    }

    fn term_names(config: &AttendConfig) -> Vec<&'static str> {
        if config.self_critical > 0 {
            return vec!["words", "cider", "reinforce"];
        }
        let mut names = match config.attention {
            Attention::None => return vec!["words"],
            Attention::Soft => vec!["words", "coverage"],
            Attention::Hard => vec!["words", "coverage", "reinforce"],
        };
        names.extend((config.grounding > 0.0).then_some("grounding"));
        names
    }

    fn presets() -> Vec<Preset<AttendConfig>> {
        presets::all()
    }

    fn adapt(self, from: &AttendConfig, to: &AttendConfig) -> Result<Self> {
        if from.fits(to) {
            return Ok(self);
        }
        Err(Error::Config("the sizes of the weights differ from those of the run".to_owned()))
    }

    fn lesson(config: &AttendConfig, progress: Progress) -> Lesson {
        if progress.done < config.as_said_from { Lesson::Everything } else { Lesson::AsSaid }
    }

    fn fused(config: &AttendConfig, _: usize) -> Option<Box<dyn FusedPasses<Self>>> {
        AttendPasses::of(config).map(|passes| Box::new(passes) as Box<dyn FusedPasses<Self>>)
    }

    /// Measures what averages of features have in common, where a photo is heard by its average alone.
    fn fitted(self, config: &AttendConfig, source: &dyn Source, seed: u64) -> Self {
        let (Some(average), Picture::Features { scale, .. }) = (&self.average, &config.picture) else {
            return self;
        };
        let (size, device) = (config.image_size(), self.device());
        let cells = size.height * size.width;
        let mut noise = Noise::stream(seed, AVERAGE_STREAM);
        let averages: Vec<f32> = (0..AVERAGED_BATCHES)
            .flat_map(|_| {
                let batch = source.batch(AVERAGED, &mut noise);
                let mean = |cells: &[f32]| scale * cells.iter().sum::<f32>() / cells.len() as f32;
                batch.images.chunks_exact(cells).map(mean).collect::<Vec<f32>>()
            })
            .collect();
        let rows = averages.len() / size.channels;
        let average = average.clone().fitted(&on_device(averages, [rows, size.channels], &device));
        Self { average: Some(average), ..self }
    }

    /// **Equation** words: `−Σ_t log p(y_t | y_<t, picture)`, nats a caption, its end included; coverage:
    /// `λ Σ_i (1 − Σ_t α_ti)²`. Since `Σ_i Σ_t α_ti` is the number of words, a target other than 1 would change
    /// this by a constant alone.
    ///
    /// **Deviations** The authors' code sums the penalty over the batch and averages it over the cells; here it
    /// is the paper's.
    fn terms(&self, config: &AttendConfig, item: &TrainBatch) -> Terms<Tensor<1>> {
        let device = self.device();
        let (batch, words) = (item.batch.len(), item.batch.words);
        let size = config.image_size();
        let shape = [batch, size.channels, size.height, size.width];
        let images = Tensor::<4>::from_data(TensorData::new(item.batch.images.to_vec(), shape), &device);
        if config.self_critical > 0 {
            let Worth { cider, reinforce } = self.worth(config, item, images.clone());
            let words = self.words_unlearned(config, item, images);
            return Terms(Self::term_names(config).into_iter().zip([words, cider, reinforce]).collect());
        }
        let said = Said::of(&item.batch.ids, batch, words, config.vocabulary_size);
        let told = self.tell(config, item, images, &said);
        let mut terms = match (config.attention, told.total) {
            (Attention::None, _) | (_, None) => vec![told.words],
            (Attention::Soft, Some(total)) => vec![told.words, coverage(config, total)],
            (Attention::Hard, Some(total)) => {
                let sampling = told
                    .sampling
                    .map_or_else(|| Tensor::zeros([batch], &device), |sampling| sampling.term(&told.words));
                vec![told.words, coverage(config, total), sampling]
            }
        };
        terms.extend(told.grounding);
        Terms(Self::term_names(config).into_iter().zip(terms).collect())
    }
}

/// The doubly stochastic penalty of each caption, from `Σ_t α_t` [batch, cell].
fn coverage(config: &AttendConfig, total: Tensor<2>) -> Tensor<1> {
    (total * -1.0 + 1.0).square().sum_dim(1).squeeze_dim::<1>(1) * config.coverage
}

/// Captions step by step, [step, caption]: what is known before each step and what is to be said.
pub struct Said {
    pub batch: usize,
    /// Words of each caption and its end.
    pub steps: usize,
    /// Words before steps 1, 2, … (before step 0 there is none).
    pub before: Vec<usize>,
    /// What is to be said at each step.
    pub targets: Vec<usize>,
}

impl Said {
    /// From ids [caption, word]; `end` ends a sentence.
    pub fn of(ids: &[usize], batch: usize, words: usize, end: usize) -> Self {
        let before: Vec<usize> =
            (0..words).flat_map(|at| (0..batch).map(move |b| ids[b * words + at])).collect();
        let targets = before.iter().copied().chain(std::iter::repeat_n(end, batch)).collect();
        Self { batch, steps: words + 1, before, targets }
    }
}

/// What comes of saying captions.
struct Told {
    /// Cross entropy [batch].
    words: Tensor<1>,
    /// `Σ_t α_t` [batch, cell]; none without attention.
    total: Option<Tensor<2>>,
    /// What REINFORCE needs, where cells were drawn.
    sampling: Option<Sampling>,
    /// How far the attention is from what the words name [batch]; none where it is not taught.
    grounding: Option<Tensor<1>>,
}

/// Cells that were drawn.
struct Sampling {
    /// `Σ_t log α_t` of the drawn cells [batch].
    log_prob: Tensor<1>,
    /// `Σ_t H(α_t)` [batch].
    entropy: Tensor<1>,
}

impl Sampling {
    /// A term whose gradient is REINFORCE's, with the entropy as a bonus.
    ///
    /// **Equation** `−w (R − b) Σ_t log α_t(drawn) − w_H Σ_t H(α_t)`, the reward R being log p(caption).
    ///
    /// **Deviations** The baseline b is the mean reward of the batch's other captions, all of one length; the
    /// paper's is a moving average over batches, a state that a run which is resumed would lack.
    fn term(self, words: &Tensor<1>) -> Tensor<1> {
        let reward = words.clone().detach() * -1.0;
        let [batch] = reward.dims();
        let others = (batch.max(2) - 1) as f32;
        let baseline = (reward.clone().sum() - reward.clone()) / others;
        (reward - baseline) * self.log_prob * -REINFORCE_WEIGHT - self.entropy * ENTROPY_WEIGHT
    }
}

impl Attend {
    /// The captions' cross entropy [batch], without a gradient.
    fn words_unlearned(&self, config: &AttendConfig, item: &TrainBatch, images: Tensor<4>) -> Tensor<1> {
        let said = Said::of(&item.batch.ids, item.batch.len(), item.batch.words, config.vocabulary_size);
        let autodiff = images.is_autodiff();
        let images = if autodiff { images.inner() } else { images };
        let words = self.valid().tell(config, item, images, &said).words;
        if autodiff { Tensor::from_inner(words) } else { words }
    }

    /// Says captions of pictures, each word after the true ones before it.
    fn tell(&self, config: &AttendConfig, item: &TrainBatch, images: Tensor<4>, said: &Said) -> Told {
        let device = self.device();
        let mut masks = Masks::of(item);
        let (batch, steps, e) = (said.batch, said.steps, config.embedding_size);
        let nothing = Tensor::zeros([batch, e], &device);
        let embedded = self.embedding.val().select(0, indices(&said.before, &device));
        let embedded = Tensor::cat(vec![nothing, embedded], 0);
        let embedded = masks.drop(embedded, config.dropout.words);
        let gates = self.word_gates.forward(embedded.clone()).chunk(steps, 0);

        let mut draws = Draws::of(config, item);
        let mut grounding = Grounding::of(config, item, steps, &device);
        let frozen = item.progress.done < config.trunk_frozen_until;
        let (looked, mut state) =
            if frozen { self.look_frozen(config, images) } else { self.look(config, images) };
        let (mut hidden, mut contexts) = (Vec::with_capacity(steps), Vec::with_capacity(steps));
        let mut total: Option<Tensor<2>> = None;
        for (step, word) in gates.into_iter().enumerate() {
            let attended = self.attend(&looked, &state, |alignment| {
                if !item.is_learned_from() {
                    grounding.iter_mut().for_each(|grounding| grounding.count(step, alignment));
                    return focused(config, alignment);
                }
                let kept = grounding.as_mut().and_then(|grounding| grounding.keep(step, alignment));
                let drawn = draws.as_mut().and_then(|draws| draws.draw(kept.as_ref().unwrap_or(alignment)));
                drawn.or(kept)
            });
            state = self.advance(word, attended.as_ref(), state);
            hidden.push(state.hidden.clone());
            if let Some(Attended { alignment, context, .. }) = attended {
                total = Some(total.map_or(alignment.clone(), |total| total + alignment));
                contexts.push(context);
            }
        }
        let hidden = masks.drop(Tensor::cat(hidden, 0), config.dropout.hidden);
        let context = (!contexts.is_empty()).then(|| Tensor::cat(contexts, 0));
        let below = masks.drop(self.below_words(hidden, embedded, context), config.dropout.words);
        let log_probs = log_softmax(self.logits(below), 1);
        let targets: Tensor<2, Int> = indices(&said.targets, &device).unsqueeze_dim(1);
        let nats = log_probs.gather(1, targets).reshape([steps, batch]).sum_dim(0).squeeze_dim::<1>(0) * -1.0;
        Told {
            words: nats,
            total,
            sampling: draws.and_then(|draws| draws.sampling),
            grounding: grounding.filter(|_| config.attention != Attention::None).map(Grounding::term),
        }
    }
}

/// Draws a cell for each word, in every second batch of hard attention.
struct Draws {
    noise: Noise,
    sampling: Option<Sampling>,
}

impl Draws {
    fn of(config: &AttendConfig, item: &TrainBatch) -> Option<Self> {
        let mut noise = Noise::stream(item.noise_seed, HARD_STREAM);
        let draws = config.attention == Attention::Hard && item.is_learned_from() && noise.below(2) == 0;
        draws.then_some(Self { noise, sampling: None })
    }

    /// The alignment with 1 at one cell, drawn by the Gumbel-max method, which needs no value on the host.
    fn draw(&mut self, alignment: &Tensor<2>) -> Option<Tensor<2>> {
        let shape = alignment.dims();
        let gumbel = |uniform: f32| -(-(uniform.max(f32::MIN_POSITIVE)).ln()).ln();
        let values: Vec<f32> = (0..shape[0] * shape[1]).map(|_| gumbel(self.noise.uniform())).collect();
        let log = (alignment.clone() + 1e-12).log();
        let noise = Tensor::<2>::from_data(TensorData::new(values, shape), &alignment.device());
        let scores = log.clone().detach() + noise;
        let drawn = scores.clone().equal(scores.max_dim(1).expand(shape)).float();
        let sum = |values: Tensor<2>| values.sum_dim(1).squeeze_dim::<1>(1);
        let log_prob = sum(drawn.clone() * log.clone());
        let entropy = sum(alignment.clone() * log) * -1.0;
        self.sampling = Some(match self.sampling.take() {
            Some(so_far) => {
                Sampling { log_prob: so_far.log_prob + log_prob, entropy: so_far.entropy + entropy }
            }
            None => Sampling { log_prob, entropy },
        });
        Some(drawn)
    }
}
