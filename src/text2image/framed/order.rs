//! Which of its drawn words a step draws: in the order of the sentence, or by learned attention.

use burn::module::{Module, Param};
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::FramedConfig;
use super::caption::Slots;
use crate::nn::additive_attention::{attend, energies};
use crate::nn::layer::Layer;
use crate::nn::lstm::LstmState;
use crate::nn::on_device;
use crate::nn::start::Start;

/// How it is chosen which word a step draws.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// One after the other, as the sentence names them.
    #[default]
    Sentence,
    /// By attention to the words' states, which is learned.
    Learned,
}

/// Energy of a word that has had its share of the steps.
const NEVER: f32 = -1e9;

/// Attention over the drawn words, one of which it chooses.
///
/// **Equation** `e_j = v · tanh(U h_j + b + W q_{t−1})` (Bahdanau et al. 2015) over the words that have not had their
/// share of the steps, `q_t = LSTM(q_{t−1}, Σ_j α_j h_j)`. The α of a step is 1 at the highest energy and 0 elsewhere; its
/// gradient is that of the softmax (straight-through Gumbel softmax, Jang et al. 2017).
#[derive(Module, Debug)]
pub struct WordAttention {
    /// Word state → key [2L, A].
    key: Layer,
    /// Query state → query [A, A].
    query: Param<Tensor<2>>,
    /// v [A].
    score: Param<Tensor<1>>,
    /// What was attended, and the query state → gates [2L + A, 4A].
    input: Layer,
}

impl WordAttention {
    /// Fresh weights.
    pub fn fresh(config: &FramedConfig, start: &mut Start) -> Self {
        let (states, size) = (2 * config.word_size, config.attention_size);
        let bound = 1.0 / (size as f32).sqrt();
        Self {
            key: Layer::fresh(states, size, start),
            query: start.uniform([size, size], bound),
            score: start.uniform([size], bound),
            input: Layer::fresh(states + size, 4 * size, start),
        }
    }

    /// A query that has seen nothing.
    pub fn begin(&self, batch: usize) -> LstmState {
        let [size] = self.score.dims();
        LstmState::initial(Tensor::zeros([size], &self.score.device()), batch)
    }

    /// Keys of word states [batch · slot, 2L], [batch, slot, A].
    pub fn keys(&self, states: &Tensor<2>, slots: usize) -> Tensor<3> {
        let keys = self.key.forward(states);
        let [rows, size] = keys.dims();
        keys.reshape([rows / slots, slots, size])
    }

    /// The word of a step, 1 for it and 0 for the others [batch, slot]: the highest energy, the first of equal ones, of
    /// those that are `free`, 1 or 0 [batch, slot]. `noise` [batch, slot] is added to the energies.
    pub fn choose(
        &self,
        keys: &Tensor<3>,
        query: &LstmState,
        free: Tensor<2>,
        noise: Option<Tensor<2>>,
    ) -> Tensor<2> {
        let query = query.hidden.clone().matmul(self.query.val());
        let energies = energies(keys.clone(), query, self.score.val());
        let energies = match noise {
            Some(noise) => energies + noise,
            None => energies,
        };
        let energies = energies * free.clone() + (free * -1.0 + 1.0) * NEVER;
        let [_, slots] = energies.dims();
        // Without an argmax, whose whole numbers would be most of what the engine grows by.
        let fixed = energies.clone().detach();
        let best = (fixed.clone() - fixed.max_dim(1)).greater_equal_elem(0.0).float();
        let after: Vec<f32> = (0..slots * slots).map(|at| f32::from(at / slots < at % slots)).collect();
        let before = best.clone().matmul(on_device(after, [slots, slots], &best.device()));
        let hard = best * (before * -1.0 + 1.0).clamp_min(0.0);
        let soft = softmax(energies, 1);
        hard + (soft.clone() - soft.detach())
    }

    /// The query after a step that attended so; `states` [batch, slot, 2L].
    pub fn next(&self, query: LstmState, alignment: &Tensor<2>, states: &Tensor<3>) -> LstmState {
        let attended = attend(alignment.clone(), states.clone());
        let gates = self.input.forward(&Tensor::cat(vec![attended, query.hidden.clone()], 1));
        query.step(gates)
    }
}

/// States of an LSTM for each drawn word, of which a step advances one.
#[derive(Clone, Debug)]
pub struct WordStates {
    /// h [batch, slot, hidden].
    hidden: Tensor<3>,
    /// c [batch, slot, hidden].
    cell: Tensor<3>,
}

impl WordStates {
    /// A learned initial hidden row for every word, and cells of zeros.
    pub fn initial(hidden: Tensor<1>, batch: usize, slots: usize) -> Self {
        let [size] = hidden.dims();
        let LstmState { hidden, cell } = LstmState::initial(hidden, batch * slots);
        Self { hidden: hidden.reshape([batch, slots, size]), cell: cell.reshape([batch, slots, size]) }
    }

    /// Those of one picture.
    pub fn picture(&self, at: usize) -> Self {
        Self { hidden: self.hidden.clone().narrow(0, at, 1), cell: self.cell.clone().narrow(0, at, 1) }
    }

    /// That of the word that is attended to [batch, slot].
    pub fn of(&self, alignment: &Tensor<2>) -> LstmState {
        let of = |table: &Tensor<3>| attend(alignment.clone(), table.clone());
        LstmState { hidden: of(&self.hidden), cell: of(&self.cell) }
    }

    /// With another state of that word.
    pub fn with(self, alignment: &Tensor<2>, state: &LstmState) -> Self {
        let share = alignment.clone().unsqueeze_dim::<3>(2);
        let put = |old: Tensor<3>, new: &Tensor<2>| {
            old * (share.clone() * -1.0 + 1.0) + new.clone().unsqueeze_dim::<3>(1) * share.clone()
        };
        Self { hidden: put(self.hidden, &state.hidden), cell: put(self.cell, &state.cell) }
    }
}

impl Slots {
    /// 1 for the word that the sentence has drawn at a step (from 0) of `steps`, else 0 [caption · slot].
    pub fn in_order(&self, step: usize, steps: usize, slots: usize) -> Vec<f32> {
        let now = self.at(step, steps);
        now.into_iter().flat_map(|now| (0..slots).map(move |slot| f32::from(slot == now))).collect()
    }

    /// Steps that each word is drawn in: equal shares, 0 for unused slots [caption · slot].
    pub fn shares(&self, steps: usize, slots: usize) -> Vec<f32> {
        let mut shares = vec![0.0; self.positions.len() * slots];
        for step in 0..steps {
            shares.iter_mut().zip(self.in_order(step, steps, slots)).for_each(|(share, now)| *share += now);
        }
        shares
    }

    /// Where in its caption each word is, 1 there and 0 elsewhere [caption, slot, word].
    pub fn places(&self, words: usize, slots: usize, device: &Device) -> Tensor<3> {
        let mut places = vec![0.0; self.positions.len() * slots * words];
        for (caption, drawn) in self.positions.iter().enumerate() {
            for (slot, word) in drawn.iter().enumerate() {
                places[(caption * slots + slot) * words + word] = 1.0;
            }
        }
        on_device(places, [self.positions.len(), slots, words], device)
    }
}
