//! Show, Attend and Tell in burn tensors: what is looked at, a word's step, and the words' logits. Training and
//! description run the same code.

use burn::module::Module;
use burn::nn::conv::Conv2d;
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::{Device, Int, Tensor, TensorData};

use super::{Attend, AttendConfig, Picture};
use crate::nn::additive_attention::ExponentialKeys;
use crate::nn::lstm::LstmState;

/// What is known of a batch of pictures before a word is said.
#[derive(Clone, Debug)]
pub struct Looked {
    /// a_i [picture, cell, A].
    annotations: Tensor<3>,
    /// Keys of the attention [picture, cell, align]; none without attention.
    keys: Option<ExponentialKeys>,
}

impl Looked {
    /// These pictures of the batch, in this order.
    pub fn select(&self, pictures: &Tensor<1, Int>) -> Self {
        let annotations = self.annotations.clone().select(0, pictures.clone());
        Self { annotations, keys: self.keys.as_ref().map(|keys| keys.select(pictures)) }
    }
}

/// Where a word is looked for.
#[derive(Clone, Debug)]
pub struct Attended {
    /// α_t [batch, cell].
    pub alignment: Tensor<2>,
    /// What the context is the mean by: α_t, or what replaced it [batch, cell].
    pub used: Tensor<2>,
    /// β_t ẑ_t [batch, A].
    pub context: Tensor<2>,
}

/// Ids on a device.
pub fn indices(ids: &[usize], device: &Device) -> Tensor<1, Int> {
    let values: Vec<i64> = ids.iter().map(|&id| id as i64).collect();
    Tensor::from_data(TensorData::new(values, [ids.len()]), device)
}

/// The alignment [batch, cell] that a sentence is said with, where it is not as it is learned.
///
/// **Equation** `α_i^p / Σ_j α_j^p`, p the focus.
pub fn focused(config: &AttendConfig, alignment: &Tensor<2>) -> Option<Tensor<2>> {
    let powers = (config.focus > 1.0).then(|| alignment.clone().powf_scalar(config.focus))?;
    let sum = powers.clone().sum_dim(1);
    Some(powers / sum)
}

/// What the convolutions make of pixels, or features as they are scaled [picture, channel, row, column].
fn maps(trunk: &[Conv2d], config: &AttendConfig, pictures: Tensor<4>) -> Tensor<4> {
    match &config.picture {
        // Centred, as the judge of scenes has it.
        Picture::Pixels { .. } => {
            trunk.iter().fold(pictures * 2.0 - 1.0, |maps, layer| relu(layer.forward(maps)))
        }
        Picture::Features { scale, .. } => pictures * *scale,
    }
}

impl Attend {
    /// The device that holds it.
    pub fn device(&self) -> Device {
        self.word_bias.val().device()
    }

    /// Annotations of pictures [picture, channel, row, column], and the state before the first word.
    ///
    /// **Equation** `h_0, c_0 = tanh(W mean(a) + b)`; without attention `x_{−1} = W a + b` is fed to a state of zeros
    /// (Show and Tell, eq. 10), a the annotation of the average of all cells.
    pub fn look(&self, config: &AttendConfig, pictures: Tensor<4>) -> (Looked, LstmState) {
        self.look_at(config, maps(&self.trunk, config, pictures))
    }

    /// [`Self::look`] by convolutions that are not learned. They are computed without autodiff: a graph that no
    /// backward pass consumes would stay in memory.
    pub fn look_frozen(&self, config: &AttendConfig, pictures: Tensor<4>) -> (Looked, LstmState) {
        let autodiff = pictures.is_autodiff();
        let maps = maps(&self.trunk.valid(), config, pictures.inner());
        self.look_at(config, if autodiff { Tensor::from_inner(maps) } else { maps })
    }

    /// [`Self::look`] at what [`maps`] gives.
    fn look_at(&self, config: &AttendConfig, maps: Tensor<4>) -> (Looked, LstmState) {
        let [batch, channels, rows, columns] = maps.dims();
        let mut annotations = maps.reshape([batch, channels, rows * columns]).swap_dims(1, 2);
        if self.attention.is_none() {
            // Nothing is looked at cell by cell: one product a picture, not one a cell.
            annotations = annotations.mean_dim(1);
        }
        if let Some(average) = &self.average {
            annotations = average.forward(annotations);
        }
        if let Some(layer) = &self.annotation {
            annotations = relu(layer.forward(annotations));
        }
        let mean = annotations.clone().mean_dim(1).squeeze_dim::<2>(1);
        if let (Some(positions), Some(_)) = (&self.positions, &self.attention) {
            annotations = annotations + positions.val().unsqueeze();
        }
        let keys = self.attention.as_ref().map(|attention| attention.key.forward(annotations.clone()));
        let keys = keys.map(ExponentialKeys::new);
        let state = self.initial_state(config, mean);
        (Looked { annotations, keys }, state)
    }

    /// The state before the first word, of mean annotations [picture, A].
    fn initial_state(&self, config: &AttendConfig, mean: Tensor<2>) -> LstmState {
        let ([batch, _], size) = (mean.dims(), config.hidden_size);
        if let Some(attention) = &self.attention {
            let both = attention.initial.forward(mean).tanh();
            return LstmState { hidden: both.clone().narrow(1, 0, size), cell: both.narrow(1, size, size) };
        }
        let state = LstmState::initial(Tensor::zeros([size], &mean.device()), batch);
        match &self.picture {
            Some(layer) => state.step(self.word_gates.forward(layer.forward(mean))),
            None => state,
        }
    }

    /// Where the next word is looked for; none without attention. `hard` replaces the alignment by one that
    /// has a single cell.
    ///
    /// **Equation** `e_i = v · tanh(U a_i + W h_{t−1} + b)`, `α = softmax(e)`, `β = σ(w · h_{t−1} + b)`,
    /// `ẑ = β Σ_i α_i a_i`.
    pub fn attend(
        &self,
        looked: &Looked,
        state: &LstmState,
        hard: impl FnOnce(&Tensor<2>) -> Option<Tensor<2>>,
    ) -> Option<Attended> {
        let (weights, keys) = (self.attention.as_ref()?, looked.keys.as_ref()?);
        let query = state.hidden.clone().matmul(weights.query.val());
        let alignment = keys.align(query, weights.score.val());
        let used = hard(&alignment).unwrap_or_else(|| alignment.clone());
        let context =
            used.clone().unsqueeze_dim::<3>(1).matmul(looked.annotations.clone()).squeeze_dim::<2>(1);
        let gate = sigmoid(weights.gate.forward(state.hidden.clone()));
        Some(Attended { alignment, used, context: context * gate })
    }

    /// The state after a word, from what the word gives to the gates [batch, 4H].
    pub fn advance(&self, word: Tensor<2>, attended: Option<&Attended>, state: LstmState) -> LstmState {
        let mut gates = word + state.hidden.clone().matmul(self.recurrent.val());
        if let (Some(weights), Some(attended)) = (&self.attention, attended) {
            gates = gates + attended.context.clone().matmul(weights.context_gates.val());
        }
        state.step(gates)
    }

    /// The layer below the words [batch, E] (Pascanu et al. 2014, deep output).
    ///
    /// **Equation** `tanh(W_h h_t + E y_{t−1} + W_z ẑ_t + b)`.
    pub fn below_words(&self, hidden: Tensor<2>, word: Tensor<2>, context: Option<Tensor<2>>) -> Tensor<2> {
        let mut sum = self.output.forward(hidden) + word;
        if let (Some(weights), Some(context)) = (&self.attention, context) {
            sum = sum + context.matmul(weights.context_output.val());
        }
        sum.tanh()
    }

    /// Logits of all words and of the end [batch, V + 1], from the layer below [batch, E].
    pub fn logits(&self, below: Tensor<2>) -> Tensor<2> {
        let scores = match &self.words {
            Some(words) => below.matmul(words.val()),
            None => below.matmul(self.embedding.val().transpose()),
        };
        scores + self.word_bias.val().unsqueeze()
    }
}
