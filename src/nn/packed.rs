//! Sentences of different lengths as recurrent networks read them: step by step, those that have ended left out. So
//! nothing is filled up, and nothing has to be masked.

use burn::tensor::{Device, Tensor};

use super::indices;

/// A batch of sentences, packed: first the first word of every sentence, then the second word of those that have
/// one, and so on; the longest sentence comes first in each step.
#[derive(Clone, Debug)]
pub struct Packed {
    /// Sentences, the longest first.
    order: Vec<usize>,
    /// How many sentences have a word at each step.
    live: Vec<usize>,
    /// The words in packed order.
    ids: Vec<usize>,
    /// Of each word in packed order its sentence.
    owners: Vec<usize>,
}

impl Packed {
    /// Packs sentences, each as word ids.
    pub fn new(sentences: &[&[usize]]) -> Self {
        let mut order: Vec<usize> = (0..sentences.len()).collect();
        order.sort_by_key(|&at| std::cmp::Reverse(sentences[at].len()));
        let steps = order.first().map_or(0, |&longest| sentences[longest].len());
        let (mut live, mut ids, mut owners) = (Vec::with_capacity(steps), Vec::new(), Vec::new());
        for step in 0..steps {
            let speaking = order.iter().take_while(|&&at| sentences[at].len() > step);
            let before = ids.len();
            for &at in speaking {
                ids.push(sentences[at][step]);
                owners.push(at);
            }
            live.push(ids.len() - before);
        }
        Self { order, live, ids, owners }
    }

    /// The words in packed order.
    pub fn ids(&self) -> &[usize] {
        &self.ids
    }

    /// Of each word in packed order its sentence.
    pub fn owners(&self) -> &[usize] {
        &self.owners
    }

    /// Number of sentences.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    /// Where in packed order each word is, sentence after sentence.
    pub fn sentence_after_sentence(&self) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.ids.len()).collect();
        // Stable: the words of a sentence keep their order.
        places.sort_by_key(|&place| self.owners[place]);
        places
    }

    /// What words give to a network [word, input], in packed order, step by step.
    fn steps(&self, inputs: &Tensor<2>) -> Vec<Tensor<2>> {
        let mut start = 0;
        let step = |&live: &usize| {
            start += live;
            inputs.clone().narrow(0, start - live, live)
        };
        self.live.iter().map(step).collect()
    }

    /// The states after each word, read from the first to the last, from states of zeros.
    ///
    /// **Shapes** `inputs` [word, input] in packed order, `step` from inputs [sentence, input] and states
    /// [sentence, size] to states; returns the states of each step.
    pub fn forward(
        &self,
        inputs: &Tensor<2>,
        size: usize,
        step: impl Fn(Tensor<2>, Tensor<2>) -> Tensor<2>,
    ) -> States {
        let mut state = Tensor::zeros([self.len(), size], &inputs.device());
        let states = self.steps(inputs).into_iter().map(|input| {
            let [live, _] = input.dims();
            state = step(input, state.clone().narrow(0, 0, live));
            state.clone()
        });
        States(states.collect())
    }

    /// [`Self::forward`], each sentence read from its last word to its first.
    pub fn backward(
        &self,
        inputs: &Tensor<2>,
        size: usize,
        step: impl Fn(Tensor<2>, Tensor<2>) -> Tensor<2>,
    ) -> States {
        let device = inputs.device();
        let mut state: Option<Tensor<2>> = None;
        let mut states = Vec::with_capacity(self.live.len());
        for input in self.steps(inputs).into_iter().rev() {
            let [live, _] = input.dims();
            let begun = state.as_ref().map_or(0, |state| state.dims()[0]);
            // Those whose last word this is begin here.
            let fresh = (live > begun).then(|| Tensor::zeros([live - begun, size], &device));
            let before: Vec<Tensor<2>> = state.into_iter().chain(fresh).collect();
            let after = step(input, Tensor::cat(before, 0));
            states.push(after.clone());
            state = Some(after);
        }
        states.reverse();
        States(states)
    }

    /// The state after the last word of each sentence [sentence, size], in the order in which they were given.
    ///
    /// Every sentence must have a word.
    pub fn last(&self, states: &States) -> Tensor<2> {
        let mut ended = Vec::with_capacity(states.0.len());
        for (at, state) in states.0.iter().enumerate().rev() {
            let going_on = self.live.get(at + 1).copied().unwrap_or(0);
            if self.live[at] > going_on {
                ended.push(state.clone().narrow(0, going_on, self.live[at] - going_on));
            }
        }
        let mut place = vec![0; self.len()];
        // From the last step to the first, the longest come first; among those of a step the order is that of `order`.
        self.order.iter().enumerate().for_each(|(rank, &at)| place[at] = rank);
        let ended = Tensor::cat(ended, 0);
        let device: Device = ended.device();
        ended.select(0, indices(place, &device))
    }
}

/// The states of each step: [sentence, size], those that have a word at the step.
pub struct States(Vec<Tensor<2>>);

impl States {
    /// All of them [word, size], in packed order.
    pub fn packed(self) -> Tensor<2> {
        Tensor::cat(self.0, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::floats;

    const SENTENCES: [&[usize]; 3] = [&[1, 2], &[3, 4, 5, 6], &[7]];

    /// A network that writes what it reads behind what it knows, as digits.
    fn digits(input: Tensor<2>, state: Tensor<2>) -> Tensor<2> {
        state * 10.0 + input
    }

    fn inputs(packed: &Packed) -> Tensor<2> {
        let words: Vec<f32> = packed.ids().iter().map(|&id| id as f32).collect();
        Tensor::<1>::from_floats(words.as_slice(), &Device::flex()).unsqueeze_dim(1)
    }

    #[test]
    fn both_directions_read_every_sentence_alone() {
        let packed = Packed::new(&SENTENCES);
        assert_eq!(packed.ids(), [3, 1, 7, 4, 2, 5, 6]);
        assert_eq!(packed.owners(), [1, 0, 2, 1, 0, 1, 1]);
        let words = inputs(&packed);
        let forward = packed.forward(&words, 1, digits);
        assert_eq!(floats(packed.last(&forward).into_data()), [12.0, 3456.0, 7.0]);
        assert_eq!(floats(forward.packed().into_data()), [3.0, 1.0, 7.0, 34.0, 12.0, 345.0, 3456.0]);
        let backward = packed.backward(&words, 1, digits).packed();
        assert_eq!(floats(backward.into_data()), [6543.0, 21.0, 7.0, 654.0, 2.0, 65.0, 6.0]);
    }

    #[test]
    fn words_are_found_sentence_after_sentence() {
        let packed = Packed::new(&SENTENCES);
        let found: Vec<usize> =
            packed.sentence_after_sentence().into_iter().map(|place| packed.ids()[place]).collect();
        assert_eq!(found, SENTENCES.concat());
    }
}
