//! The parameters of alignDRAW: one table that gives the burn module, its initial values, the names
//! in a weights file and the host copies that the CPU path computes with.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};

use super::config::{DrawConfig, Initializer};
use crate::data::noise::Noise;
use crate::nn::floats;

/// What a parameter is, which decides how it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A matrix, input × output.
    Weight,
    /// A matrix of which one row is taken for each word.
    Words,
    /// Rows as of [`Role::Words`], then rows as of [`Role::Weight`], as many as the configuration says.
    Attended,
    /// A bias of zeros.
    Bias,
    /// The bias of an LSTM's four gates i, f, g, o.
    Gates,
    /// A learned initial state, zeros.
    State,
    /// The learned initial canvas, logits.
    Canvas,
}

macro_rules! parameters {
    ($($(#[doc = $doc:expr])+ $name:ident: $rank:literal $role:ident |$c:ident| [$($size:expr),+];)+) => {
        /// The weights of alignDRAW as a burn module. Matrices are input × output, gates in the
        /// order i, f, g, o; the tensor names in a weights file are the field names.
        #[derive(Module, Debug)]
        pub struct Draw {
            $($(#[doc = $doc])+ pub $name: Param<Tensor<$rank>>,)+
        }

        /// One host vector for each parameter: weights or gradients, row-major.
        #[derive(Clone, Debug, PartialEq)]
        pub struct ParameterValues {
            $($(#[doc = $doc])+ pub $name: Vec<f32>,)+
        }

        impl DrawConfig {
            /// Name, role and shape of every parameter, in the order of the table.
            pub fn parameters(&self) -> Vec<(&'static str, Role, Vec<usize>)> {
                vec![$({ let $c = self; (stringify!($name), Role::$role, vec![$($size),+]) },)+]
            }
        }

        impl ParameterValues {
            /// The vectors in the order of [`DrawConfig::parameters`].
            pub fn vectors(&self) -> Vec<&Vec<f32>> {
                vec![$(&self.$name,)+]
            }

            /// The vectors in the order of [`DrawConfig::parameters`], to write.
            pub fn vectors_mut(&mut self) -> Vec<&mut Vec<f32>> {
                vec![$(&mut self.$name,)+]
            }

            /// The vectors in the order of [`DrawConfig::parameters`], taken.
            pub fn into_vectors(self) -> Vec<Vec<f32>> {
                vec![$(self.$name,)+]
            }

            /// Takes vectors in the order of [`DrawConfig::parameters`].
            fn from_vectors(vectors: Vec<Vec<f32>>) -> Self {
                let mut vectors = vectors.into_iter();
                Self { $($name: vectors.next().expect("a vector for each parameter"),)+ }
            }
        }

        impl Draw {
            /// A module with these values on `device`.
            pub fn from_host(config: &DrawConfig, host: ParameterValues, device: &Device) -> Self {
                let mut shapes = config.parameters().into_iter().map(|(_, _, shape)| shape);
                Self { $($name: {
                    let shape = shapes.next().expect("a shape for each parameter");
                    Param::from_data(TensorData::new(host.$name, shape), device)
                },)+ }
            }

            /// Copies the values to the host; only for devices that can be read at once (not WebGPU
            /// in a browser).
            pub fn to_host(&self) -> ParameterValues {
                ParameterValues { $($name: floats(self.$name.val().into_data()),)+ }
            }
        }
    };
}

parameters! {
    /// Word → gates, read from left to right [V, 4L].
    caption_forward_input: 2 Words |c| [c.vocabulary_size, 4 * c.word_size];
    /// State → gates, read from left to right [L, 4L].
    caption_forward_recurrent: 2 Weight |c| [c.word_size, 4 * c.word_size];
    /// Gate bias, read from left to right [4L].
    caption_forward_bias: 1 Gates |c| [4 * c.word_size];
    /// Word → gates, read from right to left [V, 4L].
    caption_backward_input: 2 Words |c| [c.vocabulary_size, 4 * c.word_size];
    /// State → gates, read from right to left [L, 4L].
    caption_backward_recurrent: 2 Weight |c| [c.word_size, 4 * c.word_size];
    /// Gate bias, read from right to left [4L].
    caption_backward_bias: 1 Gates |c| [4 * c.word_size];
    /// Initial hidden state of both directions [L].
    caption_initial_hidden: 1 State |c| [c.word_size];
    /// U of the alignment: word state → key [2L, align].
    align_key: 2 Weight |c| [2 * c.word_size, c.align_size];
    /// W of the alignment: decoder state → query [D, align].
    align_query: 2 Weight |c| [c.decoder_size, c.align_size];
    /// b of the alignment [align].
    align_bias: 1 Bias |c| [c.align_size];
    /// v of the alignment [align].
    align_score: 1 Weight |c| [c.align_size];
    /// Glimpse and decoder state → gates of the inference LSTM [2CN²+D, 4E].
    inference_input: 2 Weight |c| [c.glimpse_len() + c.decoder_size, 4 * c.encoder_size];
    /// State → gates of the inference LSTM [E, 4E].
    inference_recurrent: 2 Weight |c| [c.encoder_size, 4 * c.encoder_size];
    /// Gate bias of the inference LSTM [4E].
    inference_bias: 1 Gates |c| [4 * c.encoder_size];
    /// Initial hidden state of the inference LSTM [E].
    inference_initial_hidden: 1 State |c| [c.encoder_size];
    /// Encoder state → posterior mean [E, Z].
    posterior_mean: 2 Weight |c| [c.encoder_size, c.latent_size];
    /// Bias of the posterior mean [Z].
    posterior_mean_bias: 1 Bias |c| [c.latent_size];
    /// Encoder state → twice the posterior's log standard deviation [E, Z].
    posterior_log_std: 2 Weight |c| [c.encoder_size, c.latent_size];
    /// Bias of twice the posterior's log standard deviation [Z].
    posterior_log_std_bias: 1 Bias |c| [c.latent_size];
    /// Decoder state → next step's prior, mean then log standard deviation, before tanh [D, 2Z].
    prior: 2 Weight |c| [c.decoder_size, 2 * c.latent_size];
    /// Bias of the prior [2Z].
    prior_bias: 1 Bias |c| [2 * c.latent_size];
    /// Attended word, its state, or both → gates of the generative LSTM [V, 2L or V + 2L, 4D].
    generative_caption: 2 Attended |c| [c.attended_rows().0 + c.attended_rows().1, 4 * c.decoder_size];
    /// Latent → gates of the generative LSTM [Z, 4D].
    generative_latent: 2 Weight |c| [c.latent_size, 4 * c.decoder_size];
    /// State → gates of the generative LSTM [D, 4D].
    generative_recurrent: 2 Weight |c| [c.decoder_size, 4 * c.decoder_size];
    /// Gate bias of the generative LSTM [4D].
    generative_bias: 1 Gates |c| [4 * c.decoder_size];
    /// Initial hidden state of the generative LSTM [D].
    generative_initial_hidden: 1 State |c| [c.decoder_size];
    /// Decoder state → raw read window [D, 5].
    read_window: 2 Weight |c| [c.decoder_size, 5];
    /// Bias of the raw read window [5].
    read_window_bias: 1 Bias |_c| [5];
    /// Decoder state → raw write window [D, 5].
    write_window: 2 Weight |c| [c.decoder_size, 5];
    /// Bias of the raw write window [5].
    write_window_bias: 1 Bias |_c| [5];
    /// Decoder state → patch [D, CN²], or [D, (C+1)N²] if it is composited.
    write_patch: 2 Weight |c| [c.decoder_size, c.patch_len()];
    /// Bias of the patch [CN²], or [(C+1)N²].
    write_patch_bias: 1 Bias |c| [c.patch_len()];
    /// The learned initial canvas, logits [C, height, width].
    initial_canvas: 3 Canvas |c| [c.channels, c.height, c.width];
}

/// Bound of the attended words' initial weights: while nothing is known about where to look, the
/// alignment averages a dozen words, and one word's share must still be heard.
const ATTENDED_WORD: f32 = 4.0;

impl ParameterValues {
    /// Zeros of the right sizes.
    pub fn zeros(config: &DrawConfig) -> Self {
        let table = config.parameters();
        Self::from_vectors(table.iter().map(|(_, _, shape)| vec![0.0; shape.iter().product()]).collect())
    }

    /// Initial values from a seed, as [`Initializer`] says.
    pub fn init(config: &DrawConfig, seed: u64) -> Self {
        let mut noise = Noise::new(seed);
        let vectors = config.parameters().into_iter().map(|(_, role, shape)| {
            let len = shape.iter().product::<usize>();
            match (role, config.initializer) {
                (Role::Weight | Role::Words | Role::Attended, Initializer::Paper) => {
                    (0..len).map(|_| 0.01 * noise.normal()).collect()
                }
                (Role::Weight | Role::Words | Role::Attended, Initializer::Scaled) => {
                    let (words, states) = config.attended_rows();
                    let bound = |at: usize| match role {
                        Role::Attended if at < words * shape[1] => ATTENDED_WORD,
                        Role::Attended => 1.0 / (states as f32).sqrt(),
                        // A row of a word matrix is the whole input: its fan-in is one word.
                        Role::Words => 1.0,
                        _ => 1.0 / (shape[0] as f32).sqrt(),
                    };
                    (0..len).map(|at| bound(at) * (2.0 * noise.uniform() - 1.0)).collect()
                }
                (Role::Gates, Initializer::Scaled) => {
                    let gate = len / 4;
                    (0..len).map(|k| if (gate..2 * gate).contains(&k) { 1.0 } else { 0.0 }).collect()
                }
                (Role::Canvas, _) => vec![config.initial_canvas; len],
                (Role::Bias | Role::State | Role::Gates, _) => vec![0.0; len],
            }
        });
        Self::from_vectors(vectors.collect())
    }

    /// Takes vectors by name.
    ///
    /// **Errors** [`crate::error::Error::Model`] when a tensor is missing or of another size.
    pub fn from_named(
        config: &DrawConfig,
        mut take: impl FnMut(&str, &[usize]) -> crate::error::Result<Vec<f32>>,
    ) -> crate::error::Result<Self> {
        let vectors: crate::error::Result<Vec<_>> =
            config.parameters().iter().map(|(name, _, shape)| take(name, shape)).collect();
        Ok(Self::from_vectors(vectors?))
    }

    /// How many numbers there are.
    pub fn count(&self) -> usize {
        self.vectors().iter().map(|vector| vector.len()).sum()
    }

    /// Whether every number is finite.
    pub fn is_finite(&self) -> bool {
        self.vectors().into_iter().flatten().all(|x| x.is_finite())
    }

    /// `self += other`.
    pub fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.vectors_mut().into_iter().zip(other.vectors()) {
            crate::kernels::math::add_rows(mine, theirs, theirs.len());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_model_has_the_published_number_of_parameters() {
        let count = |config: DrawConfig| ParameterValues::zeros(&config).count();
        assert_eq!(count(DrawConfig::mnist_captions()), 2_371_746);
        assert_eq!(count(DrawConfig::coco()), 33_098_147);
        // MS-COCO 32×32, models of the same paper.
        let coco = DrawConfig {
            vocabulary_size: 25_323,
            height: 32,
            width: 32,
            channels: 3,
            encoder_size: 550,
            decoder_size: 550,
            latent_size: 275,
            read_size: 9,
            write_size: 9,
            ..DrawConfig::mnist_captions()
        };
        assert_eq!(count(coco), 33_098_147);
    }

    #[test]
    fn a_module_keeps_the_host_values() {
        let config = DrawConfig::tiny();
        let host = ParameterValues::init(&config, 3);
        let module = Draw::from_host(&config, host.clone(), &Device::flex());
        assert_eq!(module.to_host(), host);
        assert_eq!(module.num_params(), host.count());
    }
}
