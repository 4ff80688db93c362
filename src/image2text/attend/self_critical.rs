//! Sentences that the model says itself, learned by what they are worth (Rennie et al. 2017, *Self-Critical Sequence
//! Training for Image Captioning*).

use burn::tensor::Tensor;
use burn::tensor::activation::log_softmax;

use super::definition::{focused, indices};
use super::training::Masks;
use super::{Attend, AttendConfig};
use crate::data::batch::TrainBatch;
use crate::data::cider::Cider;
use crate::data::noise::Noise;
use crate::nn::lstm::LstmState;
use crate::nn::{floats, on_device};

/// Stream of a batch's noise seed.
const STREAM: u64 = 4;

/// The next word, drawn by the model's probabilities; the likeliest without noise.
fn choose(log_probs: &[f32], noise: Option<&mut Noise>) -> usize {
    let last = log_probs.len() - 1;
    let Some(noise) = noise else {
        return (0..=last).max_by(|&a, &b| log_probs[a].total_cmp(&log_probs[b])).unwrap_or(last);
    };
    let mut left = noise.uniform();
    let passed = |log_prob: &f32| {
        left -= log_prob.exp();
        left < 0.0
    };
    log_probs.iter().position(passed).unwrap_or(last)
}

/// Sentences that were said.
struct Spoken {
    /// The words of each, its end among them if it came.
    ids: Vec<Vec<usize>>,
    /// log p(sentence), nats.
    log_prob: Tensor<1>,
}

/// The terms of a batch.
pub struct Worth {
    /// −(mean CIDEr-D of the sentences that were said of each picture), without a gradient [batch].
    pub cider: Tensor<1>,
    /// A term whose gradient is REINFORCE's [batch].
    pub reinforce: Tensor<1>,
}

impl Attend {
    /// Says sentences of each picture and tells what they are worth; measured on, the likeliest words of one sentence.
    ///
    /// **Equation** `−1/K Σ_k (r_k − b_k) log p(sentence_k)`, r CIDEr-D, the end of a sentence counted as a word, so that one
    /// which breaks off is worth less.
    ///
    /// **Deviations** The baseline b_k is the mean worth of the picture's other sentences (Luo 2020, *A Better Variant of
    /// Self-Critical Sequence Training*); the paper's is that of the likeliest sentence, which must be said besides. In
    /// how many pictures' captions an n-gram stands is counted in the batch; theirs in the whole data set.
    pub fn worth(&self, config: &AttendConfig, item: &TrainBatch, images: Tensor<4>) -> Worth {
        let learns = item.is_learned_from();
        let copies = if learns { config.self_critical } else { 1 };
        let references = references(item, config.vocabulary_size);
        let spoken = self.speak(config, item, images, copies, longest(&references));
        let cider = Cider::of(&references);
        let worth = |(row, ids): (usize, &Vec<usize>)| cider.score(ids, row / copies) as f32;
        let worths: Vec<f32> = spoken.ids.iter().enumerate().map(worth).collect();
        let (mut means, mut advantages) = (Vec::new(), Vec::new());
        for worths in worths.chunks(copies) {
            let sum: f32 = worths.iter().sum();
            means.push(-sum / copies as f32);
            let others = copies.max(2) as f32 - 1.0;
            advantages.extend(worths.iter().map(|worth| worth - (sum - worth) / others));
        }
        let (batch, device) = (item.batch.len(), self.device());
        let reinforce = match learns {
            true => (spoken.log_prob * on_device(advantages, [batch * copies], &device) * -1.0)
                .reshape([batch, copies])
                .mean_dim(1)
                .squeeze_dim::<1>(1),
            false => Tensor::zeros([batch], &device),
        };
        Worth { cider: on_device(means, [batch], &device), reinforce }
    }

    /// Says as many sentences of each picture as there are to be copies, of `longest` words at most.
    fn speak(
        &self,
        config: &AttendConfig,
        item: &TrainBatch,
        images: Tensor<4>,
        copies: usize,
        longest: usize,
    ) -> Spoken {
        let (device, end, mut masks) = (self.device(), config.vocabulary_size, Masks::of(item));
        let mut noise = item.is_learned_from().then(|| Noise::stream(item.noise_seed, STREAM));
        let rows = item.batch.len() * copies;
        let pictures = indices(&(0..rows).map(|row| row / copies).collect::<Vec<_>>(), &device);
        let (looked, state) = self.look(config, images);
        let looked = looked.select(&pictures);
        let of = |all: Tensor<2>| all.select(0, pictures.clone());
        let mut state = LstmState { hidden: of(state.hidden), cell: of(state.cell) };
        let mut embedded = Tensor::zeros([rows, config.embedding_size], &device);
        let mut ids = vec![Vec::new(); rows];
        let mut log_prob = Tensor::zeros([rows], &device);
        for _ in 0..=longest {
            let word = masks.drop(embedded, config.dropout.words);
            let attended = self.attend(&looked, &state, |alignment| focused(config, alignment));
            state = self.advance(self.word_gates.forward(word.clone()), attended.as_ref(), state);
            let hidden = masks.drop(state.hidden.clone(), config.dropout.hidden);
            let below = self.below_words(hidden, word, attended.map(|attended| attended.context));
            let log_probs = log_softmax(self.logits(masks.drop(below, config.dropout.words)), 1);
            let on_host = floats(log_probs.clone().into_data());
            let goes_on: Vec<bool> = ids.iter().map(|said: &Vec<usize>| said.last() != Some(&end)).collect();
            let mut next = vec![end; rows];
            for (row, log_probs) in on_host.chunks(end + 1).enumerate().filter(|(row, _)| goes_on[*row]) {
                next[row] = choose(log_probs, noise.as_mut());
                ids[row].push(next[row]);
            }
            let counts: Vec<f32> = goes_on.iter().map(|&goes_on| f32::from(u8::from(goes_on))).collect();
            let chosen =
                log_probs.gather(1, indices(&next, &device).unsqueeze_dim::<2>(1)).squeeze_dim::<1>(1);
            log_prob = log_prob + chosen * on_device(counts, [rows], &device);
            if next.iter().all(|&id| id == end) {
                break;
            }
            embedded = self.embedding.val().select(0, indices(&next, &device));
        }
        Spoken { ids, log_prob }
    }
}

/// The captions of each picture with their ends; where one is known, that one.
fn references(item: &TrainBatch, end: usize) -> Vec<Vec<Vec<usize>>> {
    let batch = &item.batch;
    let of_picture = |at: usize| {
        let own = || vec![batch.ids[at * batch.words..][..batch.words].to_vec()];
        let mut captions = batch.references.get(at).cloned().unwrap_or_else(own);
        captions.iter_mut().for_each(|caption| caption.push(end));
        captions
    };
    (0..batch.len()).map(of_picture).collect()
}

/// Words of the longest reference, its end among them.
fn longest(references: &[Vec<Vec<usize>>]) -> usize {
    references.iter().flatten().map(Vec::len).max().unwrap_or(0)
}
