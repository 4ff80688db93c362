//! The parameters of the DRAW family: one table that gives the burn module, its initial values, the
//! names in a weights file and the host copies that the CPU path computes with.
//!
//! Which of them a model has depends on its conditioning: where the table gives a size of 0 there is
//! no such parameter, so no tensor and an empty host vector.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor, TensorData};

use super::config::{DrawConfig, Initializer};
use crate::data::noise::Noise;
use crate::nn::floats;
use crate::sentence::encoder::SentenceEncoder;

/// What a parameter is, which decides how it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A matrix, input × output.
    Weight,
    /// A matrix of which one row is taken for each word.
    Words,
    /// Rows as of [`Role::Words`], then rows as of [`Role::Weight`], as many as the configuration says;
    /// or rows that a sentence vector is multiplied with.
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

/// A parameter that only some kinds of conditioning have.
pub type OptionalParam<T> = Option<Param<T>>;

/// The two kinds of fields of the module.
trait Slot<const D: usize>: Sized {
    /// The parameter with these values, or none where a size is 0.
    fn new(values: Vec<f32>, shape: Vec<usize>, device: &Device) -> Self;

    /// The parameter, if there is one.
    fn get(&self) -> Option<&Param<Tensor<D>>>;
}

impl<const D: usize> Slot<D> for Param<Tensor<D>> {
    fn new(values: Vec<f32>, shape: Vec<usize>, device: &Device) -> Self {
        Self::from_data(TensorData::new(values, shape), device)
    }

    fn get(&self) -> Option<&Param<Tensor<D>>> {
        Some(self)
    }
}

impl<const D: usize> Slot<D> for OptionalParam<Tensor<D>> {
    fn new(values: Vec<f32>, shape: Vec<usize>, device: &Device) -> Self {
        (!shape.contains(&0)).then(|| Slot::new(values, shape, device))
    }

    fn get(&self) -> Option<&Param<Tensor<D>>> {
        self.as_ref()
    }
}

macro_rules! parameters {
    ($($(#[doc = $doc:expr])+ $name:ident: $slot:ident<$rank:literal> $role:ident |$c:ident| [$($size:expr),+];)+) => {
        /// The weights of a DRAW as a burn module. Matrices are input × output, gates in the
        /// order i, f, g, o; the tensor names in a weights file are the field names.
        #[derive(Module, Debug)]
        pub struct Draw {
            $($(#[doc = $doc])+ pub $name: $slot<Tensor<$rank>>,)+
            /// Turns captions into the sentence vectors that it hears, frozen; none where it hears none or they
            /// are given. Not in the table: nothing is learned of it here.
            pub sentences: Option<SentenceEncoder>,
        }

        /// One host vector for each parameter: weights or gradients, row-major.
        #[derive(Clone, Debug, PartialEq)]
        pub struct ParameterValues {
            $($(#[doc = $doc])+ pub $name: Vec<f32>,)+
        }

        impl DrawConfig {
            /// Every row of the table; a size of 0 where the model has no such parameter.
            fn table(&self) -> Vec<(&'static str, Role, Vec<usize>)> {
                vec![$({ let $c = self; (stringify!($name), Role::$role, vec![$($size),+]) },)+]
            }

            /// Name, role and shape of every parameter that the model has, in the order of the table.
            pub fn parameters(&self) -> Vec<(&'static str, Role, Vec<usize>)> {
                self.table().into_iter().filter(|(_, _, shape)| !shape.contains(&0)).collect()
            }
        }

        impl ParameterValues {
            /// The vectors in the order of [`DrawConfig::parameters`].
            pub fn vectors(&self) -> Vec<&Vec<f32>> {
                let all = vec![$(&self.$name,)+];
                all.into_iter().filter(|vector| !vector.is_empty()).collect()
            }

            /// The vectors in the order of [`DrawConfig::parameters`], to write.
            pub fn vectors_mut(&mut self) -> Vec<&mut Vec<f32>> {
                let all = vec![$(&mut self.$name,)+];
                all.into_iter().filter(|vector| !vector.is_empty()).collect()
            }

            /// The vectors in the order of [`DrawConfig::parameters`], taken.
            pub fn into_vectors(self) -> Vec<Vec<f32>> {
                let all = vec![$(self.$name,)+];
                all.into_iter().filter(|values| !values.is_empty()).collect()
            }

            /// Takes vectors in the order of [`DrawConfig::parameters`].
            fn from_vectors(config: &DrawConfig, vectors: Vec<Vec<f32>>) -> Self {
                let (mut vectors, mut table) = (vectors.into_iter(), config.table().into_iter());
                Self { $($name: match table.next() {
                    // Without a way to fail, or as many ways out of the function as there are fields.
                    Some((_, _, shape)) if !shape.contains(&0) => vectors.next().unwrap_or_default(),
                    _ => Vec::new(),
                },)+ }
            }
        }

        impl Draw {
            /// A module with these values on `device`, without an encoder of sentences.
            pub fn from_host(config: &DrawConfig, host: ParameterValues, device: &Device) -> Self {
                let mut shapes = config.table().into_iter().map(|(_, _, shape)| shape);
                Self { $($name: {
                    let shape = shapes.next().expect("a shape for each row");
                    Slot::new(host.$name, shape, device)
                },)+ sentences: None }
            }

            /// Copies the values to the host; only for devices that can be read at once (not WebGPU
            /// in a browser).
            pub fn to_host(&self) -> ParameterValues {
                ParameterValues { $($name: {
                    let parameter = Slot::<$rank>::get(&self.$name);
                    parameter.map_or_else(Vec::new, |parameter| floats(parameter.val().into_data()))
                },)+ }
            }
        }
    };
}

parameters! {
    /// Word → gates, read from left to right [V, 4L].
    caption_forward_input: OptionalParam<2> Words |c| [c.vocabulary_size, 4 * c.reader_size()];
    /// State → gates, read from left to right [L, 4L].
    caption_forward_recurrent: OptionalParam<2> Weight |c| [c.reader_size(), 4 * c.reader_size()];
    /// Gate bias, read from left to right [4L].
    caption_forward_bias: OptionalParam<1> Gates |c| [4 * c.reader_size()];
    /// Word → gates, read from right to left [V, 4L].
    caption_backward_input: OptionalParam<2> Words |c| [c.vocabulary_size, 4 * c.reader_size()];
    /// State → gates, read from right to left [L, 4L].
    caption_backward_recurrent: OptionalParam<2> Weight |c| [c.reader_size(), 4 * c.reader_size()];
    /// Gate bias, read from right to left [4L].
    caption_backward_bias: OptionalParam<1> Gates |c| [4 * c.reader_size()];
    /// Initial hidden state of both directions [L].
    caption_initial_hidden: OptionalParam<1> State |c| [c.reader_size()];
    /// U of the alignment: word state → key [2L, align].
    align_key: OptionalParam<2> Weight |c| [2 * c.word_size, c.alignment_size()];
    /// W of the alignment: decoder state → query [D, align].
    align_query: OptionalParam<2> Weight |c| [c.decoder_size, c.alignment_size()];
    /// b of the alignment [align].
    align_bias: OptionalParam<1> Bias |c| [c.alignment_size()];
    /// v of the alignment [align].
    align_score: OptionalParam<1> Weight |c| [c.alignment_size()];
    /// Glimpse and decoder state → gates of the inference LSTM [2CN²+D, 4E].
    inference_input: Param<2> Weight |c| [c.glimpse_len() + c.decoder_size, 4 * c.encoder_size];
    /// State → gates of the inference LSTM [E, 4E].
    inference_recurrent: Param<2> Weight |c| [c.encoder_size, 4 * c.encoder_size];
    /// Gate bias of the inference LSTM [4E].
    inference_bias: Param<1> Gates |c| [4 * c.encoder_size];
    /// Initial hidden state of the inference LSTM [E].
    inference_initial_hidden: Param<1> State |c| [c.encoder_size];
    /// Encoder state → posterior mean [E, Z].
    posterior_mean: Param<2> Weight |c| [c.encoder_size, c.latent_size];
    /// Bias of the posterior mean [Z].
    posterior_mean_bias: Param<1> Bias |c| [c.latent_size];
    /// Encoder state → twice the posterior's log standard deviation [E, Z].
    posterior_log_std: Param<2> Weight |c| [c.encoder_size, c.latent_size];
    /// Bias of twice the posterior's log standard deviation [Z].
    posterior_log_std_bias: Param<1> Bias |c| [c.latent_size];
    /// Decoder state → next step's prior, mean then log standard deviation, before tanh [D, 2Z].
    prior: OptionalParam<2> Weight |c| [c.decoder_size, 2 * c.prior_size()];
    /// Bias of the prior [2Z].
    prior_bias: OptionalParam<1> Bias |c| [2 * c.prior_size()];
    /// What the caption is heard as → gates of the generative LSTM [rows, 4D]: the attended word, its
    /// state, or both (V, 2L or V + 2L rows), or the sentence vector.
    generative_caption: OptionalParam<2> Attended |c| [c.conditioning_rows(), 4 * c.decoder_size];
    /// Latent → gates of the generative LSTM [Z, 4D].
    generative_latent: Param<2> Weight |c| [c.latent_size, 4 * c.decoder_size];
    /// State → gates of the generative LSTM [D, 4D].
    generative_recurrent: Param<2> Weight |c| [c.decoder_size, 4 * c.decoder_size];
    /// Gate bias of the generative LSTM [4D].
    generative_bias: Param<1> Gates |c| [4 * c.decoder_size];
    /// Initial hidden state of the generative LSTM [D].
    generative_initial_hidden: Param<1> State |c| [c.decoder_size];
    /// Decoder state → raw read window [D, 5].
    read_window: Param<2> Weight |c| [c.decoder_size, 5];
    /// Bias of the raw read window [5].
    read_window_bias: Param<1> Bias |_c| [5];
    /// Decoder state → raw write window [D, 5].
    write_window: Param<2> Weight |c| [c.decoder_size, 5];
    /// Bias of the raw write window [5].
    write_window_bias: Param<1> Bias |_c| [5];
    /// Decoder state → patch [D, CN²], or [D, (C+1)N²] if it is composited.
    write_patch: Param<2> Weight |c| [c.decoder_size, c.patch_len()];
    /// Bias of the patch [CN²], or [(C+1)N²].
    write_patch_bias: Param<1> Bias |c| [c.patch_len()];
    /// The learned initial canvas, logits [C, height, width].
    initial_canvas: Param<3> Canvas |c| [c.channels, c.height, c.width];
}

/// Bound of the attended words' initial weights: while nothing is known about where to look, the
/// alignment averages a dozen words, and one word's share must still be heard.
const ATTENDED_WORD: f32 = 4.0;

impl ParameterValues {
    /// Zeros of the right sizes.
    pub fn zeros(config: &DrawConfig) -> Self {
        let table = config.parameters();
        let zeros = table.iter().map(|(_, _, shape)| vec![0.0; shape.iter().product()]).collect();
        Self::from_vectors(config, zeros)
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
                    let sentence = config.sentence_size().is_some();
                    let bound = |at: usize| match role {
                        // A sentence vector has the length √2, whatever its size: its fan-in is as of a word.
                        Role::Attended if sentence => 1.0,
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
        Self::from_vectors(config, vectors.collect())
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
        Ok(Self::from_vectors(config, vectors?))
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
    use super::super::config::Conditioning;
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

    /// The paper's plain DRAW with a read patch of 5×5 has 1 002 475 weights in alignDRAW's code, which
    /// learns neither initial states nor the initial canvas.
    #[test]
    fn the_plain_model_has_the_published_number_of_parameters_and_what_starts_a_drawing() {
        let config = DrawConfig { read_size: 5, ..DrawConfig::plain_mnist() };
        assert_eq!(ParameterValues::zeros(&config).count(), 1_002_475 + 2 * 256 + 28 * 28);
    }

    #[test]
    fn a_kind_has_no_tensors_that_it_does_not_use() {
        let names = |config: DrawConfig| config.parameters().into_iter().map(|(name, _, _)| name);
        let has = |config: DrawConfig, start: &str| names(config).any(|name| name.starts_with(start));
        let kinds = [
            (DrawConfig::mnist_captions(), [true, true, true, true]),
            (DrawConfig::noalign(), [true, false, true, true]),
            (DrawConfig::skipthought(4_800), [false, false, true, true]),
            (DrawConfig::plain_mnist(), [false, false, false, false]),
        ];
        for (config, expected) in kinds {
            config.check().expect("the preset is possible");
            let found = ["caption_", "align_", "prior", "generative_caption"].map(|s| has(config.clone(), s));
            assert_eq!(found, expected, "{:?}", config.conditioning);
        }
    }

    #[test]
    fn a_module_keeps_the_host_values() {
        for conditioning in [
            Conditioning::Attention,
            Conditioning::Mean,
            Conditioning::Sentence { size: 5, embedding_size: None },
            Conditioning::None,
        ] {
            let config = DrawConfig { conditioning, ..DrawConfig::tiny() };
            let host = ParameterValues::init(&config, 3);
            let module = Draw::from_host(&config, host.clone(), &Device::flex());
            assert_eq!(module.to_host(), host);
            assert_eq!(module.num_params(), host.count());
        }
    }
}
