//! The parameters of Show, Attend and Tell and how they start.

use burn::module::{Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{Linear, PaddingConfig2d};
use burn::tensor::{Device, Tensor, TensorData};

use super::{AttendConfig, Attention, Picture};
use crate::data::noise::Noise;
use crate::nn::gru::{uniform_matrix, zero_bias};
use crate::nn::standardize::Standardize;

/// The weights of the attention.
#[derive(Module, Debug)]
pub struct AttentionWeights {
    /// Annotation → key [A, align].
    pub key: Linear,
    /// State → query [H, align].
    pub query: Param<Tensor<2>>,
    /// Hidden layer → energy [align].
    pub score: Param<Tensor<1>>,
    /// State → gate of the context, β [H, 1].
    pub gate: Linear,
    /// Context → gates of the LSTM [A, 4H].
    pub context_gates: Param<Tensor<2>>,
    /// Context → layer below the words [A, E].
    pub context_output: Param<Tensor<2>>,
    /// Mean annotation → first state and cell, before tanh [A, 2H].
    pub initial: Linear,
}

/// The weights of a captioner. Matrices are input × output, gates in the order i, f, g, o.
#[derive(Module, Debug)]
pub struct Attend {
    /// Pixels → annotations, a layer after the other.
    pub trunk: Vec<Conv2d>,
    /// The average of all cells' features, without attention: photos differ less than what they share.
    pub average: Option<Standardize>,
    /// Features → annotations.
    pub annotation: Option<Linear>,
    /// What is added to the annotation of each cell [L, A].
    pub positions: Option<Param<Tensor<2>>>,
    /// The attention.
    pub attention: Option<AttentionWeights>,
    /// Mean annotation → what is fed once, before the first word [A, E].
    pub picture: Option<Linear>,
    /// Word → embedding; the last row is the end of a sentence [V + 1, E].
    pub embedding: Param<Tensor<2>>,
    /// Embedding → gates [E, 4H].
    pub word_gates: Linear,
    /// State → gates [H, 4H].
    pub recurrent: Param<Tensor<2>>,
    /// State → layer below the words [H, E].
    pub output: Linear,
    /// Layer below the words → words [E, V + 1]; none where the embeddings do it.
    pub words: Option<Param<Tensor<2>>>,
    /// Bias of the words [V + 1].
    pub word_bias: Param<Tensor<1>>,
}

fn linear(from: usize, to: usize, noise: &mut Noise, device: &Device) -> Linear {
    Linear { weight: uniform_matrix(from, to, noise, device), bias: Some(zero_bias(to, device)) }
}

/// Uniform with the variance that keeps that of the layers below through ReLU (He et al. 2015).
fn convolution(from: usize, layer: &super::Convolution, noise: &mut Noise, device: &Device) -> Conv2d {
    let (to, side, padding) = (layer.channels, layer.kernel, layer.kernel / 2);
    let bound = (6.0 / (from * side * side) as f32).sqrt();
    let values: Vec<f32> =
        (0..to * from * side * side).map(|_| bound * (2.0 * noise.uniform() - 1.0)).collect();
    let mut conv = Conv2dConfig::new([from, to], [side, side])
        .with_stride([layer.stride, layer.stride])
        .with_padding(PaddingConfig2d::Explicit(padding, padding, padding, padding))
        .init(device);
    conv.weight = Param::from_data(TensorData::new(values, [to, from, side, side]), device);
    conv.bias = Some(zero_bias(to, device));
    conv
}

impl Attend {
    /// Fresh weights from a seed: uniform in ±1/√fan-in, a forget bias of 1, biases of 0.
    pub fn fresh(config: &AttendConfig, seed: u64, device: &Device) -> Self {
        let noise = &mut Noise::new(seed);
        let (a, e, h) = (config.annotation_size(), config.embedding_size, config.hidden_size);
        let (align, rows) = (config.align_size, config.vocabulary_size + 1);
        let attends = config.attention != Attention::None;
        let (mut trunk, mut annotation, mut average) = (Vec::new(), None, None);
        match &config.picture {
            Picture::Pixels { channels, convolutions, .. } => {
                let mut from = *channels;
                for layer in convolutions {
                    trunk.push(convolution(from, layer, noise, device));
                    from = layer.channels;
                }
            }
            Picture::Features { channels, .. } if attends => {
                annotation = Some(linear(*channels, a, noise, device));
            }
            Picture::Features { channels, .. } => average = Some(Standardize::identity(*channels, device)),
        }
        let positions = config.positions.then(|| {
            let values: Vec<f32> = noise.normals(config.cells() * a).iter().map(|x| 0.1 * x).collect();
            Param::from_data(TensorData::new(values, [config.cells(), a]), device)
        });
        let attention = attends.then(|| AttentionWeights {
            key: linear(a, align, noise, device),
            query: uniform_matrix(h, align, noise, device),
            score: score(align, noise, device),
            gate: linear(h, 1, noise, device),
            context_gates: uniform_matrix(a, 4 * h, noise, device),
            context_output: uniform_matrix(a, e, noise, device),
            initial: linear(a, 2 * h, noise, device),
        });
        let picture = (!attends).then(|| linear(a, e, noise, device));
        let mut gate_bias = vec![0.0f32; 4 * h];
        gate_bias[h..2 * h].fill(1.0);
        let word_gates = Linear {
            weight: uniform_matrix(e, 4 * h, noise, device),
            bias: Some(Param::from_data(TensorData::new(gate_bias, [4 * h]), device)),
        };
        Self {
            trunk,
            average,
            annotation,
            positions,
            attention,
            picture,
            embedding: embedding(rows, e, noise, device),
            word_gates,
            recurrent: uniform_matrix(h, 4 * h, noise, device),
            output: linear(h, e, noise, device),
            words: (!config.tied).then(|| uniform_matrix(e, rows, noise, device)),
            word_bias: zero_bias(rows, device),
        }
    }
}

/// Uniform in ±1/√fan-in.
fn score(size: usize, noise: &mut Noise, device: &Device) -> Param<Tensor<1>> {
    let bound = (size as f32).sqrt().recip();
    let values: Vec<f32> = (0..size).map(|_| bound * (2.0 * noise.uniform() - 1.0)).collect();
    Param::from_data(TensorData::new(values, [size]), device)
}

/// Rows of about unit length, so that tied embeddings give logits of about 1.
fn embedding(rows: usize, size: usize, noise: &mut Noise, device: &Device) -> Param<Tensor<2>> {
    let scale = (size as f32).sqrt().recip();
    let values: Vec<f32> = noise.normals(rows * size).iter().map(|x| scale * x).collect();
    Param::from_data(TensorData::new(values, [rows, size]), device)
}
