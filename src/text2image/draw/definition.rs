//! alignDRAW in burn tensors: the model as the paper writes it, for any device and for autodiff.
//! GPUs train and draw with this; the CPU's fused form in `cpu` is tested against it.

use burn::tensor::{Int, Tensor, activation::sigmoid};

use super::{Draw, DrawConfig, WriteMode};
use crate::nn::softplus;
use crate::nn::{
    additive_attention::{align, attend},
    filterbank::FilterBanks,
    gaussian::Gaussian,
    lstm::LstmState,
};

/// What every step needs of a caption and no step changes.
#[derive(Clone, Debug)]
pub struct EncodedCaption {
    /// `U h_j + b` [batch, word, align].
    pub keys: Tensor<3>,
    /// What is attended to, projected into the gates of the generative LSTM [batch, word, 4D].
    pub values: Tensor<3>,
}

/// A drawing between two steps.
#[derive(Clone, Debug)]
pub struct State {
    /// Logits [batch, channel, height, width].
    pub canvas: Tensor<4>,
    /// StepBuffer drawn.
    steps: usize,
    decoder: LstmState,
    encoder: LstmState,
    prior: Gaussian,
}

impl State {
    /// One picture of the batch.
    pub fn picture(&self, at: usize) -> Self {
        Self {
            canvas: self.canvas.clone().narrow(0, at, 1),
            steps: self.steps,
            decoder: self.decoder.picture(at),
            encoder: self.encoder.picture(at),
            prior: Gaussian {
                mean: self.prior.mean.clone().narrow(0, at, 1),
                log_std: self.prior.log_std.clone().narrow(0, at, 1),
            },
        }
    }
}

/// What a step shows besides the new state.
#[derive(Clone, Debug)]
pub struct Step {
    /// α_t [batch, word].
    pub alignment: Tensor<2>,
    /// Raw write window [batch, 5].
    pub write_raw: Tensor<2>,
    /// KL of the posterior from the prior [batch], nats; zero when painting.
    pub kl: Option<Tensor<1>>,
}

impl Draw {
    /// Reads captions in both directions (§1.3 of the paper's supplement: h_j = [h_j→ ; h_j←]).
    ///
    /// **Shapes** `ids` [batch, word].
    pub fn encode(&self, config: &DrawConfig, ids: Tensor<2, Int>) -> EncodedCaption {
        let [batch, words] = ids.dims();
        let direction = |input: &Tensor<2>, recurrent: &Tensor<2>, bias: &Tensor<1>, backward: bool| {
            let [_, gates] = input.dims();
            let inputs = input.clone().select(0, ids.clone().reshape([batch * words]));
            let inputs = (inputs + bias.clone().unsqueeze()).reshape([batch, words, gates]);
            let mut state = LstmState::initial(self.caption_initial_hidden.val(), batch);
            let mut hidden = Vec::with_capacity(words);
            for step in 0..words {
                let word = if backward { words - 1 - step } else { step };
                let input = inputs.clone().narrow(1, word, 1).squeeze_dim::<2>(1);
                state = state.clone().step(input + state.hidden.matmul(recurrent.clone()));
                hidden.push(state.hidden.clone());
            }
            if backward {
                hidden.reverse();
            }
            Tensor::stack::<3>(hidden, 1)
        };
        let forward = direction(
            &self.caption_forward_input.val(),
            &self.caption_forward_recurrent.val(),
            &self.caption_forward_bias.val(),
            false,
        );
        let backward = direction(
            &self.caption_backward_input.val(),
            &self.caption_backward_recurrent.val(),
            &self.caption_backward_bias.val(),
            true,
        );
        let states = Tensor::cat(vec![forward, backward], 2);
        EncodedCaption {
            keys: states.clone().matmul(self.align_key.val().unsqueeze::<3>())
                + self.align_bias.val().reshape([1, 1, -1]),
            values: self.attended_values(config, ids, states),
        }
    }

    /// What is attended to, projected into the gates of the generative LSTM [batch, word, 4D].
    fn attended_values(&self, config: &DrawConfig, ids: Tensor<2, Int>, states: Tensor<3>) -> Tensor<3> {
        let (words, features) = config.attended_rows();
        let projection = self.generative_caption.val();
        let of_words = (words > 0).then(|| {
            let [batch, words] = ids.dims();
            let rows = projection.clone().select(0, ids.reshape([batch * words]));
            rows.reshape([batch as i32, words as i32, -1])
        });
        let of_states =
            (features > 0).then(|| states.matmul(projection.narrow(0, words, features).unsqueeze::<3>()));
        of_words.into_iter().chain(of_states).reduce(|a, b| a + b).expect("words, states or both")
    }

    /// An empty canvas and the learned initial states.
    pub fn begin(&self, config: &DrawConfig, batch: usize) -> State {
        let device = self.initial_canvas.val().device();
        let zeros = || Tensor::zeros([batch, config.latent_size], &device);
        State {
            canvas: self.initial_canvas.val().unsqueeze::<4>().repeat_dim(0, batch),
            steps: 0,
            decoder: LstmState::initial(self.generative_initial_hidden.val(), batch),
            encoder: LstmState::initial(self.inference_initial_hidden.val(), batch),
            prior: Gaussian { mean: zeros(), log_std: zeros() },
        }
    }

    /// One step t. With `image` [batch, channel, height, width] the latent comes from the posterior,
    /// without it from the prior. `noise` [batch, latent] is fresh at every step.
    pub fn step(
        &self,
        config: &DrawConfig,
        caption: &EncodedCaption,
        state: State,
        image: Option<&Tensor<4>>,
        noise: Tensor<2>,
    ) -> (State, Step) {
        let State { canvas, steps, decoder, mut encoder, prior } = state;
        let [batch, channels, _, _] = canvas.dims();
        let mut kl = None;
        let latent = match image {
            None => prior.sample(noise),
            Some(image) => {
                // r_t = γ [read(x) ; read(x − σ(c))]
                let raw = affine(&decoder.hidden, self.read_window.val(), self.read_window_bias.val());
                let banks = FilterBanks::new(config.read_geometry(), raw);
                let error_image = image.clone() - sigmoid(canvas.clone());
                let read = |image: Tensor<4>| {
                    (banks.read(image) * banks.intensity.clone()).reshape([batch as i32, -1])
                };
                let glimpse = vec![read(image.clone()), read(error_image), decoder.hidden.clone()];
                let gates =
                    affine(&Tensor::cat(glimpse, 1), self.inference_input.val(), self.inference_bias.val());
                let recurrent = encoder.hidden.clone().matmul(self.inference_recurrent.val());
                encoder = encoder.step(gates + recurrent);
                let posterior = Gaussian {
                    mean: affine(&encoder.hidden, self.posterior_mean.val(), self.posterior_mean_bias.val()),
                    log_std: affine(
                        &encoder.hidden,
                        self.posterior_log_std.val(),
                        self.posterior_log_std_bias.val(),
                    ) * 0.5,
                };
                kl = Some(posterior.kl(&prior));
                posterior.sample(noise)
            }
        };

        let query = decoder.hidden.clone().matmul(self.align_query.val());
        let alignment = align(caption.keys.clone(), query, self.align_score.val());
        let attended = attend(alignment.clone(), caption.values.clone());
        let recurrent = decoder.hidden.clone().matmul(self.generative_recurrent.val());
        let gates = affine(&latent, self.generative_latent.val(), self.generative_bias.val());
        let decoder = decoder.step(gates + attended + recurrent);

        let prior = affine(&decoder.hidden, self.prior.val(), self.prior_bias.val()).tanh();
        let prior = Gaussian {
            mean: prior.clone().narrow(1, 0, config.latent_size),
            log_std: prior.narrow(1, config.latent_size, config.latent_size),
        };

        // c_t = c_{t−1} + (1/γ) F_yᵀ K F_x
        let write_raw = affine(&decoder.hidden, self.write_window.val(), self.write_window_bias.val());
        let size = config.write_size;
        let banks = FilterBanks::new(config.write_geometry(steps), write_raw.clone());
        let patch = affine(&decoder.hidden, self.write_patch.val(), self.write_patch_bias.val());
        let patch = patch.reshape([batch, config.patch_planes(), size, size]);
        let canvas = match config.write_mode {
            WriteMode::Add => canvas + banks.write(patch) / banks.intensity,
            WriteMode::Composite => {
                let depth = softplus(patch.clone().narrow(1, channels, 1));
                let kept = (banks.write(depth) / banks.intensity.clone()).neg().exp();
                canvas * kept + banks.write(patch.narrow(1, 0, channels)) / banks.intensity
            }
        };
        (State { canvas, steps: steps + 1, decoder, encoder, prior }, Step { alignment, write_raw, kl })
    }

    /// The terms of the bound for each image, nats: reconstruction and KL, both [batch].
    ///
    /// **Shapes** `ids` [batch, word], `images` [batch, channel, height, width], `noise`
    /// [batch, step, latent].
    pub fn bound(
        &self,
        config: &DrawConfig,
        ids: Tensor<2, Int>,
        images: Tensor<4>,
        noise: Tensor<3>,
    ) -> (Tensor<1>, Tensor<1>) {
        let [batch, _] = ids.dims();
        let caption = self.encode(config, ids);
        let mut state = self.begin(config, batch);
        let mut total = Tensor::zeros([batch], &images.device());
        for t in 0..config.num_steps {
            let noise = noise.clone().narrow(1, t, 1).squeeze_dim::<2>(1);
            let (next, step) = self.step(config, &caption, state, Some(&images), noise);
            state = next;
            if let Some(kl) = step.kl {
                total = total + kl;
            }
        }
        // softplus(c) − x·c, from logits
        let canvas = state.canvas;
        let nats =
            (softplus(canvas.clone()) - images * canvas).flatten::<2>(1, 3).sum_dim(1).squeeze_dim::<1>(1);
        (nats, total)
    }
}

fn affine(x: &Tensor<2>, weight: Tensor<2>, bias: Tensor<1>) -> Tensor<2> {
    x.clone().matmul(weight) + bias.unsqueeze()
}
