//! The DRAW family in burn tensors: the model as the paper writes it, for any device and for autodiff.
//! GPUs train and draw with this; the CPU's fused form in `cpu` is tested against it.

use burn::module::Param;
use burn::tensor::{Device, Int, Tensor, TensorData, activation::sigmoid};

use super::{Conditioning, Draw, DrawConfig, WriteMode};
use crate::data::batch::Captions;
use crate::kernels::gaussian;
use crate::model::Reconstructions;
use crate::nn::softplus;
use crate::nn::{
    additive_attention::{align, attend},
    filterbank::FilterBanks,
    gaussian::Gaussian,
    lstm::LstmState,
};
use crate::sentence::encoder::Padded;

/// Captions in the form that a model hears.
#[derive(Clone, Debug)]
pub enum CaptionInput {
    /// Word ids [batch, word].
    Words(Tensor<2, Int>),
    /// Sentence vectors [batch, sentence].
    Sentence(Tensor<2>),
    /// Nothing.
    None,
}

impl From<Tensor<2, Int>> for CaptionInput {
    fn from(ids: Tensor<2, Int>) -> Self {
        Self::Words(ids)
    }
}

impl CaptionInput {
    /// What a model of this configuration hears of captions on the host.
    pub fn of(config: &DrawConfig, captions: Captions, device: &Device) -> Self {
        match config.conditioning {
            Conditioning::Attention | Conditioning::Mean => {
                let ids: Vec<i64> = captions.ids.iter().map(|&id| id as i64).collect();
                let data = TensorData::new(ids, [captions.size, captions.words]);
                Self::Words(Tensor::from_data(data, device))
            }
            Conditioning::Sentence { size, .. } => {
                let data = TensorData::new(captions.sentences.to_vec(), [captions.size, size]);
                Self::Sentence(Tensor::from_data(data, device))
            }
            Conditioning::None => Self::None,
        }
    }
}

/// Words to be attended to.
#[derive(Clone, Debug)]
pub struct EncodedWords {
    /// `U h_j + b` [batch, word, align].
    pub keys: Tensor<3>,
    /// What is attended to, projected into the gates of the generative LSTM [batch, word, 4D].
    pub values: Tensor<3>,
}

/// What every step needs of a caption and no step changes.
#[derive(Clone, Debug)]
pub enum EncodedCaption {
    /// Words to be attended to.
    Words(Box<EncodedWords>),
    /// The same for every step, projected into the gates of the generative LSTM [batch, 4D].
    Context(Box<Tensor<2>>),
    /// Nothing.
    None,
}

/// A parameter that the table has for this kind of conditioning.
fn val<const D: usize>(parameter: &Option<Param<Tensor<D>>>) -> Tensor<D> {
    parameter.as_ref().expect("the conditioning has this parameter").val()
}

/// A drawing between two steps.
#[derive(Clone, Debug)]
pub struct State {
    /// Logits [batch, channel, height, width].
    pub canvas: Tensor<4>,
    /// Steps drawn.
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
    /// α_t [batch, word]; none without attention.
    pub alignment: Option<Tensor<2>>,
    /// Raw write window [batch, 5].
    pub write_raw: Tensor<2>,
    /// KL of the posterior from the prior [batch], nats; zero when painting.
    pub kl: Option<Tensor<1>>,
}

impl Draw {
    /// Captions as this model hears them: by its own encoder of sentences, which no gradient reaches, or as
    /// [`CaptionInput::of`].
    pub fn caption_input(&self, config: &DrawConfig, captions: Captions, device: &Device) -> CaptionInput {
        let Some(encoder) = &self.sentences else { return CaptionInput::of(config, captions, device) };
        let captions: Vec<&[usize]> = captions.ids.chunks_exact(captions.words).collect();
        CaptionInput::Sentence(encoder.vectors(&Padded::new(&captions, device)).detach())
    }

    /// What the steps hear of captions.
    pub fn encode(&self, config: &DrawConfig, captions: impl Into<CaptionInput>) -> EncodedCaption {
        match (config.conditioning, captions.into()) {
            (Conditioning::Attention, CaptionInput::Words(ids)) => {
                let states = self.read_words(ids.clone());
                EncodedCaption::Words(Box::new(EncodedWords {
                    keys: states.clone().matmul(val(&self.align_key).unsqueeze::<3>())
                        + val(&self.align_bias).reshape([1, 1, -1]),
                    values: self.attended_values(config, ids, states),
                }))
            }
            (Conditioning::Mean, CaptionInput::Words(ids)) => {
                let states = self.read_words(ids.clone());
                let values = self.attended_values(config, ids, states);
                EncodedCaption::Context(Box::new(values.mean_dim(1).squeeze_dim(1)))
            }
            (Conditioning::Sentence { .. }, CaptionInput::Sentence(vectors)) => {
                EncodedCaption::Context(Box::new(vectors.matmul(val(&self.generative_caption))))
            }
            (Conditioning::None, _) => EncodedCaption::None,
            (conditioning, _) => panic!("captions in another form than {conditioning:?} hears"),
        }
    }

    /// Reads captions in both directions (§1.3 of the paper's supplement: h_j = [h_j→ ; h_j←]).
    ///
    /// **Shapes** `ids` [batch, word]; returns the states [batch, word, 2L].
    fn read_words(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        let [batch, words] = ids.dims();
        let direction = |input: &Tensor<2>, recurrent: &Tensor<2>, bias: &Tensor<1>, backward: bool| {
            let [_, gates] = input.dims();
            let inputs = input.clone().select(0, ids.clone().reshape([batch * words]));
            let inputs = (inputs + bias.clone().unsqueeze()).reshape([batch, words, gates]);
            let mut state = LstmState::initial(val(&self.caption_initial_hidden), batch);
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
            &val(&self.caption_forward_input),
            &val(&self.caption_forward_recurrent),
            &val(&self.caption_forward_bias),
            false,
        );
        let backward = direction(
            &val(&self.caption_backward_input),
            &val(&self.caption_backward_recurrent),
            &val(&self.caption_backward_bias),
            true,
        );
        Tensor::cat(vec![forward, backward], 2)
    }

    /// What is attended to, projected into the gates of the generative LSTM [batch, word, 4D].
    fn attended_values(&self, config: &DrawConfig, ids: Tensor<2, Int>, states: Tensor<3>) -> Tensor<3> {
        let (words, features) = config.attended_rows();
        let projection = val(&self.generative_caption);
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

        let (alignment, heard) = self.hear(caption, &decoder.hidden);
        let recurrent = decoder.hidden.clone().matmul(self.generative_recurrent.val());
        let mut gates = affine(&latent, self.generative_latent.val(), self.generative_bias.val());
        if let Some(heard) = heard {
            gates = gates + heard;
        }
        let decoder = decoder.step(gates + recurrent);
        let prior = self.next_prior(config, &decoder.hidden).unwrap_or(prior);

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

    /// The alignment, where there is attention, and what the caption adds to the gates of the
    /// generative LSTM [batch, 4D].
    fn hear(&self, caption: &EncodedCaption, hidden: &Tensor<2>) -> (Option<Tensor<2>>, Option<Tensor<2>>) {
        match caption {
            EncodedCaption::Words(words) => {
                let EncodedWords { keys, values } = &**words;
                let query = hidden.clone().matmul(val(&self.align_query));
                let alignment = align(keys.clone(), query, val(&self.align_score));
                (Some(alignment.clone()), Some(attend(alignment, values.clone())))
            }
            EncodedCaption::Context(context) => (None, Some((**context).clone())),
            EncodedCaption::None => (None, None),
        }
    }

    /// `[μ_p ; λ_p] = tanh(h_dec W_p + b_p)` for the step after this; none where it stays N(0, I).
    fn next_prior(&self, config: &DrawConfig, hidden: &Tensor<2>) -> Option<Gaussian> {
        let (weight, bias) = (self.prior.as_ref()?, self.prior_bias.as_ref()?);
        let prior = affine(hidden, weight.val(), bias.val()).tanh();
        Some(Gaussian {
            mean: prior.clone().narrow(1, 0, config.latent_size),
            log_std: prior.narrow(1, config.latent_size, config.latent_size),
        })
    }

    /// The terms of the bound for each image, nats: reconstruction and KL, both [batch]; see [`Self::reconstruct`].
    pub fn bound(
        &self,
        config: &DrawConfig,
        captions: impl Into<CaptionInput>,
        images: Tensor<4>,
        noise: Tensor<3>,
    ) -> (Tensor<1>, Tensor<1>) {
        let found = self.reconstruct(config, captions, &images, noise);
        let Some(deviation) = config.deviation else {
            let [reconstruction, kl] = found.terms(images);
            return (reconstruction, kl);
        };
        let error = ((images - sigmoid(found.logits)) / deviation).flatten::<2>(1, 3);
        let squares = error.square().sum_dim(1).squeeze_dim::<1>(1) * 0.5;
        let constant = config.image_len() as f64 * gaussian::surprise_of_mean(f64::from(deviation));
        (squares + constant, found.kl)
    }

    /// Images drawn from their posterior.
    ///
    /// **Shapes** `captions` as [`CaptionInput`] says, `images` [batch, channel, height, width], `noise`
    /// [batch, step, latent].
    pub fn reconstruct(
        &self,
        config: &DrawConfig,
        captions: impl Into<CaptionInput>,
        images: &Tensor<4>,
        noise: Tensor<3>,
    ) -> Reconstructions {
        let [batch, ..] = images.dims();
        let caption = self.encode(config, captions);
        let mut state = self.begin(config, batch);
        let mut total = Tensor::zeros([batch], &images.device());
        for t in 0..config.num_steps {
            let noise = noise.clone().narrow(1, t, 1).squeeze_dim::<2>(1);
            let (next, step) = self.step(config, &caption, state, Some(images), noise);
            state = next;
            if let Some(kl) = step.kl {
                total = total + kl;
            }
        }
        Reconstructions { logits: state.canvas, kl: total }
    }
}

fn affine(x: &Tensor<2>, weight: Tensor<2>, bias: Tensor<1>) -> Tensor<2> {
    x.clone().matmul(weight) + bias.unsqueeze()
}
