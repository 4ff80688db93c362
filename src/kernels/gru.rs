//! One step of a GRU over a batch, on slices.
//!
//! **Equation** `r = σ(x_r + U_r h)`, `z = σ(x_z + U_z h)`, `h̃ = tanh(x_h + U (r ⊙ h))`, `h' = (1 − z) h + z h̃` (Cho et
//! al. 2014), gates in the order r, z, h̃.

use super::math::{sigmoid, tanh};
use super::matmul::{Mat, matmul};

/// What the state is multiplied with.
#[derive(Clone, Copy)]
pub struct Recurrent<'a> {
    /// State → reset gate, update gate [H, 2H].
    pub gates: &'a [f32],
    /// Reset state → candidate [H, H].
    pub candidate: &'a [f32],
}

/// Advances the states [batch, H] by one step.
///
/// **Shapes** `projected` [batch, 3H]: what the input and the bias add to the gates.
pub fn step(recurrent: Recurrent, projected: &[f32], hidden: usize, state: &mut [f32]) {
    let batch = state.len() / hidden;
    let mut gates = vec![0.0; batch * 2 * hidden];
    let weights = Mat::new(recurrent.gates, hidden, 2 * hidden);
    matmul(&mut gates, 2 * hidden, false, Mat::new(state, batch, hidden), weights);
    let mut reset = vec![0.0; batch * hidden];
    for (b, gates) in gates.chunks_exact_mut(2 * hidden).enumerate() {
        let projected = &projected[b * 3 * hidden..][..2 * hidden];
        gates.iter_mut().zip(projected).for_each(|(gate, x)| *gate = sigmoid(*gate + x));
        let state = &state[b * hidden..][..hidden];
        let reset = &mut reset[b * hidden..][..hidden];
        reset.iter_mut().zip(state).zip(&gates[..hidden]).for_each(|((to, h), r)| *to = h * r);
    }
    let mut candidate = vec![0.0; batch * hidden];
    let weights = Mat::new(recurrent.candidate, hidden, hidden);
    matmul(&mut candidate, hidden, false, Mat::new(&reset, batch, hidden), weights);
    for (b, state) in state.chunks_exact_mut(hidden).enumerate() {
        let projected = &projected[b * 3 * hidden + 2 * hidden..][..hidden];
        let update = &gates[b * 2 * hidden + hidden..][..hidden];
        let candidate = &candidate[b * hidden..][..hidden];
        for k in 0..hidden {
            state[k] += update[k] * (tanh(candidate[k] + projected[k]) - state[k]);
        }
    }
}
