//! The parameters of the layered painter and how they start.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use super::LayeredConfig;
use super::config::CHANNELS;
use super::place::PlaceCodes;
use super::window::{FRAME, STROKE};
use crate::nn::start::{FAINT, Start};

/// The weights of the layered painter. Matrices are input × output, gates in the order i, f, g, o.
#[derive(Module, Debug)]
pub struct Layered {
    /// Word → embedding, for *where* [V, embedding].
    pub word_embedding: Param<Tensor<2>>,
    /// Embedding → gates, read from left to right [embedding, 4L].
    pub caption_forward_input: Param<Tensor<2>>,
    /// State → gates, read from left to right [L, 4L].
    pub caption_forward_recurrent: Param<Tensor<2>>,
    /// Gate bias, read from left to right [4L].
    pub caption_forward_bias: Param<Tensor<1>>,
    /// Embedding → gates, read from right to left [embedding, 4L].
    pub caption_backward_input: Param<Tensor<2>>,
    /// State → gates, read from right to left [L, 4L].
    pub caption_backward_recurrent: Param<Tensor<2>>,
    /// Gate bias, read from right to left [4L].
    pub caption_backward_bias: Param<Tensor<1>>,
    /// A layer's word state, and its own state → gates of the LSTM that places the layers [2L+P, 4P].
    pub place_input: Param<Tensor<2>>,
    /// Gate bias [4P].
    pub place_bias: Param<Tensor<1>>,
    /// Placing state → raw frame (x, y, size) [P, 3].
    pub frame: Param<Tensor<2>>,
    /// Its bias [3].
    pub frame_bias: Param<Tensor<1>>,
    /// Placing state → log standard deviations of the frame's latents, above their start [P, 3].
    pub frame_prior: Param<Tensor<2>>,
    /// Its bias [3].
    pub frame_prior_bias: Param<Tensor<1>>,
    /// Placing state → hidden layer of what changes a frame, rectified [P, P].
    pub frame_hidden: Param<Tensor<2>>,
    /// Its bias [P].
    pub frame_hidden_bias: Param<Tensor<1>>,
    /// What a layer is said to be → the same hidden layer [H, P].
    pub frame_own: Param<Tensor<2>>,
    /// What the other of two things is said to be → the same [H, P].
    pub frame_other: Param<Tensor<2>>,
    /// Hidden layer → how far a frame is moved (x, y, log size), change of its log standard deviations, and how far it
    /// deviates with the one before [P, 9].
    pub frame_change: Param<Tensor<2>>,
    /// Its bias [9].
    pub frame_change_bias: Param<Tensor<1>>,
    /// Where each of n of a kind stands to their middle, for n = 1, 2, … in turn [K(K+1)/2, 2].
    pub anchors: Param<Tensor<2>>,
    /// Word → what it says of a layer [V, H].
    pub said: Param<Tensor<2>>,
    /// Word of a thing → the place where it is at home [V, H].
    pub home: Param<Tensor<2>>,
    /// Word → change of the picture's colours, a 3 × 3 matrix and an offset [V, 12].
    pub style: Param<Tensor<2>>,
    /// Initial hidden state of the inference LSTM, of a place, then of a thing [2, E].
    pub inference_initial_hidden: Param<Tensor<2>>,
    /// Initial hidden state of the generative LSTM, of a place, then of a thing [2, D].
    pub generative_initial_hidden: Param<Tensor<2>>,
    /// Decoder state → prior, mean then log standard deviation, before tanh [D, 2Z].
    pub prior: Param<Tensor<2>>,
    /// Its bias [2Z].
    pub prior_bias: Param<Tensor<1>>,
    /// What is said → prior [H, 2Z].
    pub prior_said: Param<Tensor<2>>,
    /// Glimpse, decoder state and its own state → gates of the inference LSTM [6R²+D+E, 4E].
    pub inference_input: Param<Tensor<2>>,
    /// Its bias [4E].
    pub inference_bias: Param<Tensor<1>>,
    /// What is said → gates of the inference LSTM [H, 4E].
    pub inference_said: Param<Tensor<2>>,
    /// Encoder state → posterior mean, then twice its log standard deviation [E, 2Z].
    pub posterior: Param<Tensor<2>>,
    /// Its bias [2Z].
    pub posterior_bias: Param<Tensor<1>>,
    /// Latent and own state → gates of the generative LSTM [Z+D, 4D].
    pub generative_input: Param<Tensor<2>>,
    /// Its bias [4D].
    pub generative_bias: Param<Tensor<1>>,
    /// What is said → gates of the generative LSTM [H, 4D].
    pub generative_said: Param<Tensor<2>>,
    /// Decoder state → raw stroke [D, 3].
    pub stroke: Param<Tensor<2>>,
    /// Its bias [3].
    pub stroke_bias: Param<Tensor<1>>,
    /// Decoder state → hidden layer of the patch, rectified [D, D].
    pub patch_hidden: Param<Tensor<2>>,
    /// Its bias [D].
    pub patch_hidden_bias: Param<Tensor<1>>,
    /// Hidden layer → patch, colours then cover, before the logistic function [D, 4N²].
    pub patch: Param<Tensor<2>>,
    /// Its bias [4N²].
    pub patch_bias: Param<Tensor<1>>,
    /// Draws the place, where it is drawn in codes.
    pub place_codes: Option<PlaceCodes>,
    /// Log standard deviation of a pixel's error [1].
    pub log_error: Param<Tensor<1>>,
}

/// Raw cover with which patches start.
const COVER: f32 = -1.0;
/// Log standard deviation of a pixel's error at the start: that of pictures to a grey canvas.
const LOG_ERROR: f32 = -1.3;
/// How far apart several of a kind start, before tanh.
const APART: f32 = 0.6;

/// Where n of a kind start: two side by side, more in two rows, each from left to right.
fn anchors(most: usize) -> Vec<f32> {
    let in_row = |at: usize, len: usize| match len {
        1 => 0.0,
        _ => APART * (2.0 * at as f32 / (len - 1) as f32 - 1.0),
    };
    let of = |n: usize, i: usize| match n {
        1 | 2 => [in_row(i, n), 0.0],
        _ if i < n.div_ceil(2) => [in_row(i, n.div_ceil(2)), -APART],
        _ => [in_row(i - n.div_ceil(2), n / 2), APART],
    };
    (1..=most).flat_map(|n| (0..n).flat_map(move |i| of(n, i))).collect()
}

/// Fresh weights of the place's codes, where there are any.
fn place_codes(config: &LayeredConfig, start: &mut Start) -> Option<PlaceCodes> {
    let (codes, cells) = (config.place_codes?, config.place_cells()?);
    Some(PlaceCodes::fresh(&codes, cells, config.said_size, start))
}

/// A weight and its bias.
type Affine = (Param<Tensor<2>>, Param<Tensor<1>>);

/// Fresh patches: decoder state → hidden layer, hidden layer → cells.
fn patches(config: &LayeredConfig, start: &mut Start) -> [Affine; 2] {
    let hidden = start.layer(config.decoder_size, config.decoder_size);
    let (patch, _) = start.layer(config.decoder_size, config.patch_len());
    let cells = config.write_size * config.write_size;
    let bias = [vec![0.0; CHANNELS * cells], vec![COVER; cells]].concat();
    [hidden, (patch, start.tensor(bias, [config.patch_len()]))]
}

impl Layered {
    /// The same with fresh codes of places.
    pub fn with_place_codes(self, config: &LayeredConfig) -> Self {
        let device = self.frame_bias.val().device();
        Self { place_codes: place_codes(config, &mut Start::new(1, &device)), ..self }
    }

    /// Fresh weights from a seed.
    pub fn fresh(config: &LayeredConfig, seed: u64, device: &Device) -> Self {
        let c = config;
        let (v, l, p, h) = (c.vocabulary_size, c.word_size, c.place_size, c.said_size);
        let (e, d, z) = (c.encoder_size, c.decoder_size, c.latent_size);
        let mut start = Start::new(seed, device);
        let lstm = 1.0 / (l as f32).sqrt();
        let (place_input, place_bias) = start.layer(2 * l + p, 4 * p);
        let (frame, frame_bias) = start.faint(p, FRAME);
        let (frame_prior, frame_prior_bias) = start.faint(p, FRAME);
        let (frame_hidden, frame_hidden_bias) = start.layer(p, p);
        let (frame_change, frame_change_bias) = start.faint(p, 3 * FRAME);
        let (prior, prior_bias) = start.layer(d, 2 * z);
        let (inference_input, inference_bias) = start.layer(c.glimpse_len() + d + e, 4 * e);
        let (posterior, posterior_bias) = start.layer(e, 2 * z);
        let (generative_input, generative_bias) = start.layer(z + d, 4 * d);
        let (stroke, stroke_bias) = start.faint(d, STROKE);
        let [(patch_hidden, patch_hidden_bias), (patch, patch_bias)] = patches(c, &mut start);
        let of_said = 1.0 / (h as f32).sqrt();
        let pairs = c.max_things * (c.max_things + 1) / 2;
        Self {
            word_embedding: start.normal([v, c.embedding_size], 1.0),
            caption_forward_input: start.uniform([c.embedding_size, 4 * l], lstm),
            caption_forward_recurrent: start.uniform([l, 4 * l], lstm),
            caption_forward_bias: start.uniform([4 * l], lstm),
            caption_backward_input: start.uniform([c.embedding_size, 4 * l], lstm),
            caption_backward_recurrent: start.uniform([l, 4 * l], lstm),
            caption_backward_bias: start.uniform([4 * l], lstm),
            place_input,
            place_bias,
            frame,
            frame_bias,
            frame_prior,
            frame_prior_bias,
            frame_hidden,
            frame_hidden_bias,
            frame_own: start.uniform([h, p], of_said),
            frame_other: start.uniform([h, p], of_said),
            frame_change,
            frame_change_bias,
            anchors: start.tensor(anchors(c.max_things), [pairs, 2]),
            said: start.normal([v, h], 1.0),
            home: start.normal([v, h], 1.0),
            style: start.constant([v, 12], 0.0),
            inference_initial_hidden: start.normal([2, e], FAINT),
            generative_initial_hidden: start.normal([2, d], FAINT),
            prior,
            prior_bias,
            prior_said: start.normal([h, 2 * z], FAINT),
            inference_input,
            inference_bias,
            inference_said: start.uniform([h, 4 * e], 0.3 * of_said),
            posterior,
            posterior_bias,
            generative_input,
            generative_bias,
            generative_said: start.uniform([h, 4 * d], of_said),
            stroke,
            stroke_bias,
            patch_hidden,
            patch_hidden_bias,
            patch,
            patch_bias,
            place_codes: place_codes(c, &mut start),
            log_error: start.constant([1], LOG_ERROR),
        }
    }

    /// The same with fresh patches.
    pub fn with_patches(self, config: &LayeredConfig) -> Self {
        let device = self.frame_bias.val().device();
        let [(patch_hidden, patch_hidden_bias), (patch, patch_bias)] =
            patches(config, &mut Start::new(1, &device));
        Self { patch_hidden, patch_hidden_bias, patch, patch_bias, ..self }
    }

    /// The same with so many more words, their rows 0.
    pub fn with_words(self, more: usize) -> Self {
        let grow = |table: Param<Tensor<2>>| {
            table.map(|rows| {
                let [_, width] = rows.dims();
                let empty = Tensor::zeros([more, width], &rows.device());
                Tensor::cat(vec![rows, empty], 0)
            })
        };
        Self {
            word_embedding: grow(self.word_embedding),
            said: grow(self.said),
            home: grow(self.home),
            style: grow(self.style),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_of_a_kind_start_apart_from_each_other() {
        let all = anchors(5);
        let of = |n: usize| -> Vec<&[f32]> { all.chunks(2).skip(n * (n - 1) / 2).take(n).collect() };
        assert_eq!(of(1), [[0.0, 0.0]]);
        assert_eq!(of(2), [[-APART, 0.0], [APART, 0.0]]);
        assert_eq!(
            of(5),
            [[-APART, -APART], [0.0, -APART], [APART, -APART], [-APART, APART], [APART, APART]]
        );
    }
}
