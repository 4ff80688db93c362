//! The pointwise half of an LSTM step; the products with the weights are the caller's, so that
//! inputs which do not change are multiplied once.

use burn::module::Param;
use burn::tensor::{Tensor, activation::sigmoid};

use super::affine;

/// State of an LSTM, both [batch, hidden].
#[derive(Clone, Debug)]
pub struct LstmState {
    /// h.
    pub hidden: Tensor<2>,
    /// c.
    pub cell: Tensor<2>,
}

impl LstmState {
    /// One row of the batch.
    pub fn picture(&self, at: usize) -> Self {
        Self { hidden: self.hidden.clone().narrow(0, at, 1), cell: self.cell.clone().narrow(0, at, 1) }
    }

    /// A learned initial hidden row, repeated over the batch, and a cell of zeros.
    pub fn initial(hidden: Tensor<1>, batch: usize) -> Self {
        let [size] = hidden.dims();
        let cell = Tensor::zeros([batch, size], &hidden.device());
        Self { hidden: hidden.unsqueeze::<2>().repeat_dim(0, batch), cell }
    }

    /// One step.
    ///
    /// **Equation** `c' = σ(f)·c + σ(i)·tanh(g)`, `h' = σ(o)·tanh(c')`, no peepholes.
    ///
    /// **Shapes** `gates` [batch, 4·hidden], pre-activations in the order i, f, g, o.
    pub fn step(self, gates: Tensor<2>) -> Self {
        let [i, f, g, o]: [Tensor<2>; 4] =
            gates.chunk(4, 1).try_into().expect("four gates in a row of 4·hidden");
        let cell = sigmoid(f) * self.cell + sigmoid(i) * g.tanh();
        Self { hidden: sigmoid(o) * cell.clone().tanh(), cell }
    }
}

/// A direction of an LSTM over embedded words.
pub struct OverWords<'a> {
    /// Embedding → gates [embedding, 4·hidden].
    pub input: &'a Param<Tensor<2>>,
    /// State → gates [hidden, 4·hidden].
    pub recurrent: &'a Param<Tensor<2>>,
    /// Gate bias [4·hidden].
    pub bias: &'a Param<Tensor<1>>,
    /// Whether it reads from right to left.
    pub backward: bool,
}

/// States of a bidirectional LSTM at every word [sentence · word, 2·hidden]: those of `[forward, backward]` side by
/// side. `embedded` is [sentence · word, embedding].
pub fn both_ways(ways: [OverWords; 2], embedded: &Tensor<2>, sentences: usize, words: usize) -> Tensor<2> {
    let states = ways.map(|way| way.states(embedded, sentences, words));
    Tensor::cat(states.to_vec(), 2).flatten(0, 1)
}

impl OverWords<'_> {
    /// Its states at every word [sentence, word, hidden], from the embeddings [sentence · word, embedding].
    pub fn states(&self, embedded: &Tensor<2>, sentences: usize, words: usize) -> Tensor<3> {
        let [size, gates] = self.recurrent.val().dims();
        let inputs = affine(embedded, self.input, self.bias).reshape([sentences, words, gates]);
        let mut state = LstmState::initial(Tensor::zeros([size], &embedded.device()), sentences);
        let mut hidden = Vec::with_capacity(words);
        for step in 0..words {
            let word = if self.backward { words - 1 - step } else { step };
            let input = inputs.clone().narrow(1, word, 1).squeeze_dim::<2>(1);
            state = state.clone().step(input + state.hidden.matmul(self.recurrent.val()));
            hidden.push(state.hidden.clone());
        }
        if self.backward {
            hidden.reverse();
        }
        Tensor::stack::<3>(hidden, 1)
    }
}
