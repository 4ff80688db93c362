//! The framed painter in burn tensors: its steps, for painting and for the bound.

use burn::tensor::{Tensor, TensorData, activation::sigmoid};

use super::caption::{Encoded, Slots};
use super::window::{frame_glimpse, stroke};
use super::{Framed, FramedConfig};
use crate::nn::filterbank::FilterBanks;
use crate::nn::gaussian::Gaussian;
use crate::nn::lstm::LstmState;
use crate::nn::{affine, indices};

/// Log standard deviation with which the posterior of a frame's latent starts, half-canvases.
const POSTERIOR_LOG_STD: f32 = -3.5;

/// Between two steps.
#[derive(Clone, Debug)]
pub struct State {
    /// Logits [batch, channel, height, width].
    pub canvas: Tensor<4>,
    decoder: LstmState,
    encoder: LstmState,
    /// The slot that each picture's states belong to.
    slots: Vec<usize>,
}

impl State {
    /// One picture of the batch.
    pub fn picture(&self, at: usize) -> Self {
        Self {
            canvas: self.canvas.clone().narrow(0, at, 1),
            decoder: self.decoder.picture(at),
            encoder: self.encoder.picture(at),
            slots: vec![self.slots[at]],
        }
    }
}

/// What the drawn words give to every step: frames and ids, [batch · slot].
pub struct Words {
    /// Raw frames with their latents [batch · slot, 3].
    pub frames: Tensor<2>,
    /// Word ids, of unused slots the first drawn word's.
    pub ids: Vec<usize>,
    /// Slots of a caption.
    pub slots: usize,
}

impl Words {
    /// Rows of the words drawn in `slots`, one for each picture.
    fn rows(&self, slots: &[usize]) -> Vec<usize> {
        slots.iter().enumerate().map(|(b, slot)| b * self.slots + slot).collect()
    }
}

/// What a step shows besides the new state.
pub struct Step {
    /// Raw frame (3), then raw write window (5), [batch, 8].
    pub window: Tensor<2>,
    /// KL of the posterior from the prior [batch], nats; none when painting.
    pub kl: Option<Tensor<1>>,
}

impl Framed {
    /// An empty canvas; states belong to no slot yet.
    pub fn begin(&self, batch: usize) -> State {
        State {
            canvas: self.initial_canvas.val().unsqueeze::<4>().repeat_dim(0, batch),
            decoder: LstmState::initial(self.generative_initial_hidden.val(), batch),
            encoder: LstmState::initial(self.inference_initial_hidden.val(), batch),
            slots: vec![0; batch],
        }
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

    /// One step. With `image` [batch, channel, height, width] the latent comes from the posterior, without it
    /// from the prior. `slots` names the word that each picture draws; `noise` [batch, latent] is fresh at
    /// every step.
    pub fn step(
        &self,
        config: &FramedConfig,
        words: &Words,
        state: State,
        slots: Vec<usize>,
        image: Option<&Tensor<4>>,
        noise: Tensor<2>,
    ) -> (State, Step) {
        let device = noise.device();
        let State { canvas, decoder, encoder, slots: before } = self.next_words(state, &slots);
        debug_assert_eq!(before, slots);
        let rows = words.rows(&slots);
        let ids: Vec<usize> = rows.iter().map(|&row| words.ids[row]).collect();
        let ids = indices(ids, &device);
        let frames = words.frames.clone().select(0, indices(rows, &device));

        let prior = affine(&decoder.hidden, &self.prior, &self.prior_bias)
            + self.prior_words.val().select(0, ids.clone());
        let prior = Gaussian::side_by_side(prior.tanh());
        let (latent, encoder, kl) = match image {
            None => (prior.sample(noise), encoder, None),
            Some(image) => {
                let words = self.inference_words.val().select(0, ids.clone());
                let glimpse = self.glimpse(config, &frames, &decoder, image, &canvas);
                let inputs = vec![glimpse, decoder.hidden.clone(), encoder.hidden.clone()];
                let gates = affine(&Tensor::cat(inputs, 1), &self.inference_input, &self.inference_bias);
                let encoder = encoder.step(gates + words);
                let raw =
                    Gaussian::side_by_side(affine(&encoder.hidden, &self.posterior, &self.posterior_bias));
                let posterior = Gaussian { mean: raw.mean, log_std: raw.log_std * 0.5 };
                let kl = posterior.kl(&prior);
                (posterior.sample(noise), encoder, Some(kl))
            }
        };

        let inputs = Tensor::cat(vec![latent, decoder.hidden.clone()], 1);
        let gates = affine(&inputs, &self.generative_input, &self.generative_bias);
        let decoder = decoder.step(gates + self.generative_words.val().select(0, ids));

        // c_t = c_{t−1} + (1/γ) F_yᵀ K F_x
        let raw = affine(&decoder.hidden, &self.write_window, &self.write_window_bias);
        let banks = stroke(config, config.write_size, &frames, &raw);
        let patch = affine(&decoder.hidden, &self.write_patch, &self.write_patch_bias);
        let [batch, _] = patch.dims();
        let patch = patch.reshape([batch, config.channels, config.write_size, config.write_size]);
        let canvas = canvas + banks.write(patch) / banks.intensity;
        let window = Tensor::cat(vec![frames, raw], 1);
        (State { canvas, decoder, encoder, slots }, Step { window, kl })
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

    /// Pictures that go on to another word begin with fresh states.
    fn next_words(&self, state: State, slots: &[usize]) -> State {
        if state.slots == slots {
            return state;
        }
        let device = state.canvas.device();
        let fresh: Vec<f32> =
            state.slots.iter().zip(slots).map(|(before, now)| f32::from(before != now)).collect();
        let batch = fresh.len();
        let fresh = Tensor::<2>::from_data(TensorData::new(fresh, [batch, 1]), &device);
        let mix = |old: Tensor<2>, new: Tensor<2>| old * (fresh.clone() * -1.0 + 1.0) + new * fresh.clone();
        let renew = |old: LstmState, initial: Tensor<1>| {
            let new = LstmState::initial(initial, batch);
            LstmState { hidden: mix(old.hidden, new.hidden), cell: mix(old.cell, new.cell) }
        };
        State {
            decoder: renew(state.decoder, self.generative_initial_hidden.val()),
            encoder: renew(state.encoder, self.inference_initial_hidden.val()),
            canvas: state.canvas,
            slots: slots.to_vec(),
        }
    }
}

/// Raw frames whose centres are moved, [batch · slot, 3] by [batch · slot, 2].
pub fn moved(frames: &Tensor<2>, by: Tensor<2>) -> Tensor<2> {
    let centers = frames.clone().narrow(1, 0, 2) + by;
    Tensor::cat(vec![centers, frames.clone().narrow(1, 2, 1)], 1)
}

/// The words of a batch's slots, their frames given.
pub fn words(config: &FramedConfig, ids: &[usize], length: usize, slots: &Slots, frames: Tensor<2>) -> Words {
    let of = |(b, drawn): (usize, &Vec<usize>)| -> Vec<usize> {
        (0..config.max_drawn).map(|k| ids[b * length + drawn.get(k).unwrap_or(&drawn[0])]).collect()
    };
    let ids = slots.positions.iter().enumerate().flat_map(of).collect();
    Words { frames, ids, slots: config.max_drawn }
}
