//! A gated recurrent unit as its first paper and skip-thought have it: the reset gate acts on the state
//! before the product, which burn's own has the other way round by default.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData, activation::sigmoid};

use super::floats;
use crate::data::noise::Noise;

/// The weights of a GRU (Cho et al. 2014).
#[derive(Module, Debug)]
pub struct Gru {
    /// Input → reset gate, update gate, candidate [input, 3H].
    input: Param<Tensor<2>>,
    /// State → reset gate, update gate [H, 2H].
    recurrent: Param<Tensor<2>>,
    /// Reset state → candidate [H, H].
    candidate: Param<Tensor<2>>,
    /// Bias of all three [3H].
    bias: Param<Tensor<1>>,
}

/// A matrix, uniform in ±1/√rows.
pub fn uniform_matrix(rows: usize, columns: usize, noise: &mut Noise, device: &Device) -> Param<Tensor<2>> {
    let bound = 1.0 / (rows as f32).sqrt();
    let values: Vec<f32> = (0..rows * columns).map(|_| bound * (2.0 * noise.uniform() - 1.0)).collect();
    Param::from_data(TensorData::new(values, [rows, columns]), device)
}

/// A bias of zeros.
pub fn zero_bias(size: usize, device: &Device) -> Param<Tensor<1>> {
    Param::from_data(TensorData::new(vec![0.0f32; size], [size]), device)
}

impl Gru {
    /// Fresh weights, uniform in ±1/√fan-in.
    pub fn init(input: usize, hidden: usize, noise: &mut Noise, device: &Device) -> Self {
        Self {
            input: uniform_matrix(input, 3 * hidden, noise, device),
            recurrent: uniform_matrix(hidden, 2 * hidden, noise, device),
            candidate: uniform_matrix(hidden, hidden, noise, device),
            bias: zero_bias(3 * hidden, device),
        }
    }

    /// The same with a bias of its update gates: below 0, more of the state is kept at first, so that the last state
    /// learns from the first words (as the forget bias of an LSTM does).
    #[must_use]
    pub fn with_update_bias(self, update: f32) -> Self {
        let bias = self.bias.val();
        let [gates] = bias.dims();
        let values =
            (0..gates).map(|at| if at * 3 / gates == 1 { update } else { 0.0 }).collect::<Vec<f32>>();
        Self { bias: Param::from_data(TensorData::new(values, [gates]), &bias.device()), ..self }
    }

    /// Input, recurrent, candidate and bias on the host; only for devices that can be read at once.
    pub fn to_host(&self) -> [Vec<f32>; 4] {
        let matrix = |weight: &Param<Tensor<2>>| floats(weight.val().into_data());
        let bias = floats(self.bias.val().into_data());
        [matrix(&self.input), matrix(&self.recurrent), matrix(&self.candidate), bias]
    }

    /// A state of zeros [batch, H].
    pub fn initial(&self, batch: usize) -> Tensor<2> {
        let candidate = self.candidate.val();
        let [hidden, _] = candidate.dims();
        Tensor::zeros([batch, hidden], &candidate.device())
    }

    /// What the input adds to the gates, for all words at once: [rows, input] → [rows, 3H].
    pub fn project(&self, input: Tensor<2>) -> Tensor<2> {
        input.matmul(self.input.val()) + self.bias.val().unsqueeze::<2>()
    }

    /// One step.
    ///
    /// **Equation** `r = σ(x_r + U_r h)`, `z = σ(x_z + U_z h)`, `h̃ = tanh(x_h + U (r ⊙ h))`,
    /// `h' = (1 − z) h + z h̃`.
    ///
    /// **Shapes** `projected` [batch, 3H] from [`Self::project`], `state` [batch, H].
    pub fn step(&self, projected: Tensor<2>, state: Tensor<2>) -> Tensor<2> {
        let [_, hidden] = state.dims();
        let recurrent = state.clone().matmul(self.recurrent.val());
        let gates = sigmoid(projected.clone().narrow(1, 0, 2 * hidden) + recurrent);
        let reset = gates.clone().narrow(1, 0, hidden);
        let update = gates.narrow(1, hidden, hidden);
        let recurrent = (reset * state.clone()).matmul(self.candidate.val());
        let candidate = (projected.narrow(1, 2 * hidden, hidden) + recurrent).tanh();
        state.clone() + update * (candidate - state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One unit by hand: h = 0.5, x = (0.1, 0.2, 0.3), U_r = 1, U_z = 2, U = 3: r = σ(0.6) = 0.645656,
    /// z = σ(1.2) = 0.768525, h̃ = tanh(0.3 + 3·0.322828) = 0.853386, h' = 0.771586.
    #[test]
    fn a_step_by_hand() {
        let device = Device::flex();
        let row =
            |values: &[f32]| Param::from_data(TensorData::new(values.to_vec(), [1, values.len()]), &device);
        let gru = Gru {
            input: row(&[0.0; 3]),
            recurrent: row(&[1.0, 2.0]),
            candidate: row(&[3.0]),
            bias: zero_bias(3, &device),
        };
        let projected = Tensor::from_floats([[0.1, 0.2, 0.3]], &device);
        let state = gru.step(projected, Tensor::from_floats([[0.5]], &device));
        let found = state.into_data().try_into_vec::<f32>().expect("floats")[0];
        assert!((found - 0.771_586).abs() < 1e-5, "{found}");
    }
}
