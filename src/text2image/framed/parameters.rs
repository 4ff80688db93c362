//! The parameters of the framed painter and how they start.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};

use super::FramedConfig;
use super::order::{Order, WordAttention};
use crate::nn::start::{FAINT, Start};

/// The weights of the framed painter. Matrices are input × output, gates in the order i, f, g, o.
#[derive(Module, Debug)]
pub struct Framed {
    /// Word → embedding [V, embedding].
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
    /// Word state → hidden layer of the frame [2L, F].
    pub frame_hidden: Param<Tensor<2>>,
    /// Its bias [F].
    pub frame_hidden_bias: Param<Tensor<1>>,
    /// Hidden layer → raw frame (x, y, size) [F, 3].
    pub frame: Param<Tensor<2>>,
    /// Its bias [3].
    pub frame_bias: Param<Tensor<1>>,
    /// Word state → log standard deviation of the frame's latent, above its start [2L, 2].
    pub frame_prior: Param<Tensor<2>>,
    /// Its bias [2].
    pub frame_prior_bias: Param<Tensor<1>>,
    /// Glimpse of the frame → hidden layer of its posterior [CG², F].
    pub frame_posterior_hidden: Param<Tensor<2>>,
    /// Its bias [F].
    pub frame_posterior_hidden_bias: Param<Tensor<1>>,
    /// Hidden layer → mean, then log standard deviation above its start [F, 4].
    pub frame_posterior: Param<Tensor<2>>,
    /// Its bias [4].
    pub frame_posterior_bias: Param<Tensor<1>>,
    /// Initial hidden state of the inference LSTM [E].
    pub inference_initial_hidden: Param<Tensor<1>>,
    /// Initial hidden state of the generative LSTM [D].
    pub generative_initial_hidden: Param<Tensor<1>>,
    /// Decoder state → prior, mean then log standard deviation, before tanh [D, 2Z].
    pub prior: Param<Tensor<2>>,
    /// Its bias [2Z].
    pub prior_bias: Param<Tensor<1>>,
    /// Drawn word → prior [V, 2Z].
    pub prior_words: Param<Tensor<2>>,
    /// Decoder state → raw read window [D, 5].
    pub read_window: Param<Tensor<2>>,
    /// Its bias [5].
    pub read_window_bias: Param<Tensor<1>>,
    /// Decoder state → raw write window [D, 5].
    pub write_window: Param<Tensor<2>>,
    /// Its bias [5].
    pub write_window_bias: Param<Tensor<1>>,
    /// Decoder state → patch [D, CN²].
    pub write_patch: Param<Tensor<2>>,
    /// Its bias [CN²].
    pub write_patch_bias: Param<Tensor<1>>,
    /// Glimpse, decoder state and its own state → gates of the inference LSTM [2CN²+D+E, 4E].
    pub inference_input: Param<Tensor<2>>,
    /// Its bias [4E].
    pub inference_bias: Param<Tensor<1>>,
    /// Drawn word → gates of the inference LSTM [V, 4E].
    pub inference_words: Param<Tensor<2>>,
    /// Encoder state → posterior mean, then twice its log standard deviation [E, 2Z].
    pub posterior: Param<Tensor<2>>,
    /// Its bias [2Z].
    pub posterior_bias: Param<Tensor<1>>,
    /// Latent and own state → gates of the generative LSTM [Z+D, 4D].
    pub generative_input: Param<Tensor<2>>,
    /// Its bias [4D].
    pub generative_bias: Param<Tensor<1>>,
    /// Drawn word → gates of the generative LSTM [V, 4D].
    pub generative_words: Param<Tensor<2>>,
    /// The learned initial canvas, logits [C, height, width].
    pub initial_canvas: Param<Tensor<3>>,
    /// Of a learned order: which word a step draws.
    pub attention: Option<WordAttention>,
}

/// The write window's raw log γ starts here: a patch is added 1/γ = 12 times as strong, as much as a patch
/// cell that spreads over several pixels needs to be seen. At 0 nothing is drawn for hundreds of updates.
const WRITE_LOG_INTENSITY: f32 = -2.5;
impl Framed {
    /// Fresh weights from a seed.
    pub fn fresh(config: &FramedConfig, seed: u64, device: &Device) -> Self {
        let c = config;
        let (v, l, f, z) = (c.vocabulary_size, c.word_size, c.frame_size, c.latent_size);
        let (e, d, planes) = (c.encoder_size, c.decoder_size, c.channels);
        let glimpse = planes * c.frame_read_size * c.frame_read_size;
        let mut start = Start::new(seed, device);
        let lstm = 1.0 / (l as f32).sqrt();
        let (frame_hidden, frame_hidden_bias) = start.layer(2 * l, f);
        let (frame, _) = start.layer(f, 3);
        let (frame_prior, frame_prior_bias) = start.faint(2 * l, 2);
        let (frame_posterior_hidden, frame_posterior_hidden_bias) = start.layer(glimpse, f);
        let (frame_posterior, frame_posterior_bias) = start.faint(f, 4);
        let (prior, prior_bias) = start.layer(d, 2 * z);
        let (read_window, read_window_bias) = start.faint(d, 5);
        let (write_window, _) = start.layer(d, 5);
        let (write_patch, write_patch_bias) = start.layer(d, planes * c.write_size * c.write_size);
        let (inference_input, inference_bias) = start.layer(c.glimpse_len() + d + e, 4 * e);
        let (posterior, posterior_bias) = start.layer(e, 2 * z);
        let (generative_input, generative_bias) = start.layer(z + d, 4 * d);
        Self {
            word_embedding: start.normal([v, c.embedding_size], 1.0),
            caption_forward_input: start.uniform([c.embedding_size, 4 * l], lstm),
            caption_forward_recurrent: start.uniform([l, 4 * l], lstm),
            caption_forward_bias: start.uniform([4 * l], lstm),
            caption_backward_input: start.uniform([c.embedding_size, 4 * l], lstm),
            caption_backward_recurrent: start.uniform([l, 4 * l], lstm),
            caption_backward_bias: start.uniform([4 * l], lstm),
            frame_hidden,
            frame_hidden_bias,
            frame,
            frame_bias: start.constant([3], 0.0),
            frame_prior,
            frame_prior_bias,
            frame_posterior_hidden,
            frame_posterior_hidden_bias,
            frame_posterior,
            frame_posterior_bias,
            inference_initial_hidden: start.constant([e], 0.0),
            generative_initial_hidden: start.constant([d], 0.0),
            prior,
            prior_bias,
            prior_words: start.normal([v, 2 * z], FAINT),
            read_window,
            read_window_bias,
            write_window,
            write_window_bias: start.tensor(vec![0.0, 0.0, 0.0, 0.0, WRITE_LOG_INTENSITY], [5]),
            write_patch,
            write_patch_bias,
            inference_input,
            inference_bias,
            inference_words: start.normal([v, 4 * e], 0.05),
            posterior,
            posterior_bias,
            generative_input,
            generative_bias,
            generative_words: start.uniform([v, 4 * d], 1.0),
            initial_canvas: start.constant([planes, c.height, c.width], c.initial_canvas),
            attention: (c.order == Order::Learned).then(|| WordAttention::fresh(c, &mut start)),
        }
    }
}
