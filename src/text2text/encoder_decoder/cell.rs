//! The cell of the decoder: a GRU that is told a context at every step.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, activation::sigmoid};

use crate::data::noise::Noise;
use crate::nn::gru::{uniform_matrix, zero_bias};

/// The weights of a GRU with a context (Cho et al. 2014, appendix A.1.1).
///
/// **Deviations** Biases, which the paper leaves out.
#[derive(Module, Debug)]
pub struct ContextGru {
    /// Word → reset gate, update gate, candidate [word, 3H].
    input: Param<Tensor<2>>,
    /// State → the same [H, 3H].
    recurrent: Param<Tensor<2>>,
    /// Context → the same [context, 3H].
    context: Param<Tensor<2>>,
    /// Bias of all three [3H].
    bias: Param<Tensor<1>>,
}

impl ContextGru {
    /// Fresh weights, uniform in ±1/√fan-in.
    pub fn init(word: usize, context: usize, hidden: usize, noise: &mut Noise, device: &Device) -> Self {
        Self {
            input: uniform_matrix(word, 3 * hidden, noise, device),
            recurrent: uniform_matrix(hidden, 3 * hidden, noise, device),
            context: uniform_matrix(context, 3 * hidden, noise, device),
            bias: zero_bias(3 * hidden, device),
        }
    }

    /// What words add to the gates, for all of them at once: [rows, word] → [rows, 3H].
    pub fn project(&self, words: Tensor<2>) -> Tensor<2> {
        words.matmul(self.input.val()) + self.bias.val().unsqueeze::<2>()
    }

    /// What contexts add to the gates: [rows, context] → [rows, 3H].
    pub fn project_context(&self, contexts: Tensor<2>) -> Tensor<2> {
        contexts.matmul(self.context.val())
    }

    /// One step.
    ///
    /// **Equation** `r = σ(W_r e + U_r h + C_r c)`, `z = σ(W_z e + U_z h + C_z c)`,
    /// `h̃ = tanh(W e + r ⊙ (U h + C c))`, `h' = z h + (1 − z) h̃`.
    ///
    /// **Shapes** `word` and `context` [batch, 3H] from [`Self::project`] and [`Self::project_context`], `state`
    /// [batch, H].
    pub fn step(&self, word: Tensor<2>, context: Tensor<2>, state: Tensor<2>) -> Tensor<2> {
        let [_, hidden] = state.dims();
        let told = state.clone().matmul(self.recurrent.val()) + context;
        let gates = sigmoid(word.clone().narrow(1, 0, 2 * hidden) + told.clone().narrow(1, 0, 2 * hidden));
        let reset = gates.clone().narrow(1, 0, hidden);
        let update = gates.narrow(1, hidden, hidden);
        let candidate =
            (word.narrow(1, 2 * hidden, hidden) + reset * told.narrow(1, 2 * hidden, hidden)).tanh();
        candidate.clone() + update * (state - candidate)
    }
}
