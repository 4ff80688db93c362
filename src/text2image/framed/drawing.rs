//! The framed painter in burn tensors: its steps, for painting and for the bound.

use burn::module::Param;
use burn::tensor::{Tensor, activation::sigmoid};

use super::caption::{Encoded, Slots};
use super::order::WordStates;
use super::window::{frame_glimpse, stroke};
use super::{Framed, FramedConfig};
use crate::model::CaptionIds;
use crate::nn::additive_attention::attend;
use crate::nn::filterbank::FilterBanks;
use crate::nn::gaussian::Gaussian;
use crate::nn::lstm::LstmState;
use crate::nn::{affine, indices, on_device};

/// Log standard deviation with which the posterior of a frame's latent starts, half-canvases.
pub const POSTERIOR_LOG_STD: f32 = -3.5;

/// Between two steps.
#[derive(Clone, Debug)]
pub struct State {
    /// Logits [batch, channel, height, width].
    pub canvas: Tensor<4>,
    decoder: WordStates,
    encoder: WordStates,
    /// Steps that each word was drawn in [batch, slot].
    drawn: Tensor<2>,
    /// Where a learned order stands.
    query: Option<LstmState>,
}

impl State {
    /// One picture of the batch.
    pub fn picture(&self, at: usize) -> Self {
        Self {
            canvas: self.canvas.clone().narrow(0, at, 1),
            decoder: self.decoder.picture(at),
            encoder: self.encoder.picture(at),
            drawn: self.drawn.clone().narrow(0, at, 1),
            query: self.query.as_ref().map(|query| query.picture(at)),
        }
    }
}

/// What the drawn words give to every step.
pub struct Words {
    slots: Slots,
    /// Raw frames with their latents [batch, slot, 3].
    frames: Tensor<3>,
    /// What each gives to the prior [batch, slot, 2Z].
    prior: Tensor<3>,
    /// … to the gates of the inference LSTM [batch, slot, 4E].
    inference: Tensor<3>,
    /// … to the gates of the generative LSTM [batch, slot, 4D].
    generative: Tensor<3>,
    /// Of a learned order the words' states [batch, slot, 2L], their keys [batch, slot, A], and the steps that each has
    /// [batch, slot].
    attended: Option<(Tensor<3>, Tensor<3>, Tensor<2>)>,
}

/// What a step shows besides the new state.
pub struct Step {
    /// Raw frame (3), then raw write window (5), [batch, 8].
    pub window: Tensor<2>,
    /// KL of the posterior from the prior [batch], nats; none when painting.
    pub kl: Option<Tensor<1>>,
    /// 1 for the word that is drawn, 0 for the others [batch, slot].
    pub alignment: Tensor<2>,
}

/// The random numbers of a step.
pub struct StepNoise {
    /// Standard normal, of the latents [batch, latent].
    pub of_latents: Tensor<2>,
    /// What is added to the energies of a learned order [batch, slot]; none when painting.
    pub of_order: Option<Tensor<2>>,
}

impl Framed {
    /// An empty canvas; no word has been drawn.
    pub fn begin(&self, config: &FramedConfig, batch: usize) -> State {
        let states = |hidden: Tensor<1>| WordStates::initial(hidden, batch, config.max_drawn);
        State {
            canvas: self.initial_canvas.val().unsqueeze::<4>().repeat_dim(0, batch),
            decoder: states(self.generative_initial_hidden.val()),
            encoder: states(self.inference_initial_hidden.val()),
            drawn: Tensor::zeros([batch, config.max_drawn], &self.initial_canvas.device()),
            query: self.attention.as_ref().map(|attention| attention.begin(batch)),
        }
    }

    /// What the drawn words of captions give to every step, in these raw frames [batch · slot, 3].
    pub fn words(
        &self,
        config: &FramedConfig,
        captions: &CaptionIds,
        slots: &Slots,
        encoded: &Encoded,
        frames: Tensor<2>,
    ) -> Words {
        let (device, k) = (frames.device(), config.max_drawn);
        let of = |(b, drawn): (usize, &Vec<usize>)| -> Vec<usize> {
            (0..k).map(|k| captions.ids[b * captions.words + drawn.get(k).unwrap_or(&drawn[0])]).collect()
        };
        let ids = indices(slots.positions.iter().enumerate().flat_map(of).collect(), &device);
        let each = |table: Tensor<2>| {
            let [_, size] = table.dims();
            table.reshape([captions.batch, k, size])
        };
        let table = |of: &Param<Tensor<2>>| each(of.val().select(0, ids.clone()));
        let attended = self.attention.as_ref().map(|attention| {
            let shares = on_device(slots.shares(config.num_steps, k), [captions.batch, k], &device);
            (each(encoded.states.clone()), attention.keys(&encoded.states, k), shares)
        });
        Words {
            frames: each(frames),
            prior: table(&self.prior_words),
            inference: table(&self.inference_words),
            generative: table(&self.generative_words),
            slots: slots.clone(),
            attended,
        }
    }

    /// The word that each picture draws at step `at` (from 0), 1 for it and 0 for the others [batch, slot], and where a
    /// learned order then stands.
    fn attend(
        &self,
        config: &FramedConfig,
        words: &Words,
        state: &State,
        at: usize,
        noise: Option<Tensor<2>>,
    ) -> (Tensor<2>, Option<LstmState>) {
        let (Some(attention), Some((states, keys, shares)), Some(query)) =
            (&self.attention, &words.attended, &state.query)
        else {
            let shape = state.drawn.dims();
            let alignment = words.slots.in_order(at, config.num_steps, config.max_drawn);
            return (on_device(alignment, shape, &state.drawn.device()), None);
        };
        let free = (shares.clone() - state.drawn.clone()).clamp(0.0, 1.0);
        let alignment = attention.choose(keys, query, free, noise);
        let query = attention.next(query.clone(), &alignment, states);
        (alignment, Some(query))
    }

    /// Frames painted from the prior: `noise` [batch · slot, 2].
    pub fn prior_frames(&self, encoded: &Encoded, noise: Tensor<2>) -> Tensor<2> {
        moved(&encoded.frames, encoded.frame_log_std.clone().exp() * noise)
    }

    /// Frames from the posterior, which looks at the image in the frame that the sentence gives, and the KL of
    /// each from its prior, nats [batch, slot].
    pub fn posterior_frames(
        &self,
        config: &FramedConfig,
        encoded: &Encoded,
        images: &Tensor<4>,
        noise: Tensor<2>,
    ) -> (Tensor<2>, Tensor<2>) {
        let [rows, _] = encoded.frames.dims();
        let [batch, channels, height, width] = images.dims();
        let slots = rows / batch;
        let repeated = images.clone().unsqueeze_dim::<5>(1).repeat_dim(1, slots);
        let repeated = repeated.reshape([rows, channels, height, width]);
        let glimpse = frame_glimpse(config, &encoded.frames).read(repeated).reshape([rows as i32, -1]);
        let hidden = affine(&glimpse, &self.frame_posterior_hidden, &self.frame_posterior_hidden_bias).tanh();
        let raw = affine(&hidden, &self.frame_posterior, &self.frame_posterior_bias);
        let posterior =
            Gaussian { mean: raw.clone().narrow(1, 0, 2), log_std: raw.narrow(1, 2, 2) + POSTERIOR_LOG_STD };
        let prior = Gaussian {
            mean: Tensor::zeros([rows, 2], &images.device()),
            log_std: encoded.frame_log_std.clone(),
        };
        let kl = posterior.kl(&prior).reshape([batch, slots]);
        (moved(&encoded.frames, posterior.sample(noise)), kl)
    }

    /// Step `at`, from 0. With `image` [batch, channel, height, width] the latent comes from the posterior, without it from
    /// the prior.
    pub fn step(
        &self,
        config: &FramedConfig,
        words: &Words,
        state: State,
        at: usize,
        image: Option<&Tensor<4>>,
        noise: StepNoise,
    ) -> (State, Step) {
        let StepNoise { of_latents: noise, of_order } = noise;
        let (alignment, query) = self.attend(config, words, &state, at, of_order);
        let of_word = |table: &Tensor<3>| attend(alignment.clone(), table.clone());
        let State { canvas, decoder: decoders, encoder: encoders, drawn, .. } = state;
        let (decoder, encoder) = (decoders.of(&alignment), encoders.of(&alignment));
        let frames = of_word(&words.frames);

        let prior = affine(&decoder.hidden, &self.prior, &self.prior_bias) + of_word(&words.prior);
        let prior = Gaussian::side_by_side(prior.tanh());
        let (latent, encoders, kl) = match image {
            None => (prior.sample(noise), encoders, None),
            Some(image) => {
                let glimpse = self.glimpse(config, &frames, &decoder, image, &canvas);
                let inputs = vec![glimpse, decoder.hidden.clone(), encoder.hidden.clone()];
                let gates = affine(&Tensor::cat(inputs, 1), &self.inference_input, &self.inference_bias);
                let encoder = encoder.step(gates + of_word(&words.inference));
                let raw =
                    Gaussian::side_by_side(affine(&encoder.hidden, &self.posterior, &self.posterior_bias));
                let posterior = Gaussian { mean: raw.mean, log_std: raw.log_std * 0.5 };
                let kl = posterior.kl(&prior);
                (posterior.sample(noise), encoders.with(&alignment, &encoder), Some(kl))
            }
        };

        let inputs = Tensor::cat(vec![latent, decoder.hidden.clone()], 1);
        let gates = affine(&inputs, &self.generative_input, &self.generative_bias);
        let decoder = decoder.step(gates + of_word(&words.generative));

        // c_t = c_{t−1} + (1/γ) F_yᵀ K F_x
        let raw = affine(&decoder.hidden, &self.write_window, &self.write_window_bias);
        let banks = stroke(config, config.write_size, &frames, &raw);
        let patch = affine(&decoder.hidden, &self.write_patch, &self.write_patch_bias);
        let [batch, _] = patch.dims();
        let patch = patch.reshape([batch, config.channels, config.write_size, config.write_size]);
        let canvas = canvas + banks.write(patch) / banks.intensity;
        let window = Tensor::cat(vec![frames, raw], 1);
        let decoders = decoders.with(&alignment, &decoder);
        let drawn = drawn + alignment.clone().detach();
        (State { canvas, decoder: decoders, encoder: encoders, drawn, query }, Step { window, kl, alignment })
    }

    /// `r_t = γ [read(x) ; read(x − σ(c))]` [batch, glimpse], inside the frame.
    fn glimpse(
        &self,
        config: &FramedConfig,
        frames: &Tensor<2>,
        decoder: &LstmState,
        image: &Tensor<4>,
        canvas: &Tensor<4>,
    ) -> Tensor<2> {
        let raw = affine(&decoder.hidden, &self.read_window, &self.read_window_bias);
        let banks: FilterBanks = stroke(config, config.read_size, frames, &raw);
        let error_image = image.clone() - sigmoid(canvas.clone());
        let both = Tensor::cat(vec![image.clone(), error_image], 1);
        let [batch, ..] = both.dims();
        (banks.read(both) * banks.intensity.clone()).reshape([batch as i32, -1])
    }
}

/// Raw frames whose centres are moved, [batch · slot, 3] by [batch · slot, 2].
fn moved(frames: &Tensor<2>, by: Tensor<2>) -> Tensor<2> {
    let centers = frames.clone().narrow(1, 0, 2) + by;
    Tensor::cat(vec![centers, frames.clone().narrow(1, 2, 1)], 1)
}
