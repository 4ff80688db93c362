//! The weights of a framed painter, or their gradients, on the host.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::Tensor;

use super::super::{Framed, FramedConfig, Order};
use crate::error::Result;
use crate::model::TakeTensor;
use crate::nn::floats;

macro_rules! name {
    ($field:ident) => {
        stringify!($field)
    };
    ($field:ident $name:literal) => {
        $name
    };
}

macro_rules! values {
    ($($field:ident $(= $name:literal)? |$c:ident| [$($size:expr),+];)+) => {
        /// A vector for each parameter of [`Framed`], row-major, under its name there; empty where the model has none.
        #[derive(Clone, Debug, Default)]
        #[allow(missing_docs)]
        pub struct FramedValues { $(pub $field: Vec<f32>,)+ }

        impl FramedValues {
            /// Name and shape of each parameter, in the order in which the module visits them.
            fn table(config: &FramedConfig) -> Vec<(&'static str, Vec<usize>)> {
                vec![$({ let $c = config; (name!($field $($name)?), vec![$($size),+]) },)+]
            }

            /// Takes vectors, one for each row of the table.
            fn from_rows(rows: Vec<Vec<f32>>) -> Self {
                let mut rows = rows.into_iter();
                Self { $($field: rows.next().unwrap_or_default(),)+ }
            }

            /// The vectors in that order.
            pub fn vectors_mut(&mut self) -> Vec<&mut Vec<f32>> {
                let all = vec![$(&mut self.$field,)+];
                all.into_iter().filter(|vector| !vector.is_empty()).collect()
            }

            /// The vectors in that order, taken.
            pub fn into_vectors(self) -> Vec<Vec<f32>> {
                let all = vec![$(self.$field,)+];
                all.into_iter().filter(|vector| !vector.is_empty()).collect()
            }
        }
    };
}

values! {
    word_embedding |c| [c.vocabulary_size, c.embedding_size];
    caption_forward_input |c| [c.embedding_size, 4 * c.word_size];
    caption_forward_recurrent |c| [c.word_size, 4 * c.word_size];
    caption_forward_bias |c| [4 * c.word_size];
    caption_backward_input |c| [c.embedding_size, 4 * c.word_size];
    caption_backward_recurrent |c| [c.word_size, 4 * c.word_size];
    caption_backward_bias |c| [4 * c.word_size];
    frame_hidden |c| [2 * c.word_size, c.frame_size];
    frame_hidden_bias |c| [c.frame_size];
    frame |c| [c.frame_size, 3];
    frame_bias |_c| [3];
    frame_prior |c| [2 * c.word_size, 2];
    frame_prior_bias |_c| [2];
    frame_posterior_hidden |c| [c.frame_glimpse_len(), c.frame_size];
    frame_posterior_hidden_bias |c| [c.frame_size];
    frame_posterior |c| [c.frame_size, 4];
    frame_posterior_bias |_c| [4];
    inference_initial_hidden |c| [c.encoder_size];
    generative_initial_hidden |c| [c.decoder_size];
    prior |c| [c.decoder_size, 2 * c.latent_size];
    prior_bias |c| [2 * c.latent_size];
    prior_words |c| [c.vocabulary_size, 2 * c.latent_size];
    read_window |c| [c.decoder_size, 5];
    read_window_bias |_c| [5];
    write_window |c| [c.decoder_size, 5];
    write_window_bias |_c| [5];
    write_patch |c| [c.decoder_size, c.patch_len()];
    write_patch_bias |c| [c.patch_len()];
    inference_input |c| [c.glimpse_len() + c.decoder_size + c.encoder_size, 4 * c.encoder_size];
    inference_bias |c| [4 * c.encoder_size];
    inference_words |c| [c.vocabulary_size, 4 * c.encoder_size];
    posterior |c| [c.encoder_size, 2 * c.latent_size];
    posterior_bias |c| [2 * c.latent_size];
    generative_input |c| [c.latent_size + c.decoder_size, 4 * c.decoder_size];
    generative_bias |c| [4 * c.decoder_size];
    generative_words |c| [c.vocabulary_size, 4 * c.decoder_size];
    initial_canvas |c| [c.channels, c.height, c.width];
    attention_key = "attention.key.weight" |c| [2 * c.word_size, c.query_size()];
    attention_key_bias = "attention.key.bias" |c| [c.query_size()];
    attention_query = "attention.query" |c| [c.query_size(), c.query_size()];
    attention_score = "attention.score" |c| [c.query_size()];
    attention_input = "attention.input.weight" |c| [2 * c.word_size + c.query_size(), 4 * c.query_size()];
    attention_input_bias = "attention.input.bias" |c| [4 * c.query_size()];
}

impl FramedConfig {
    /// Units of the query of a learned order; 0 where the sentence gives the order.
    pub(super) fn query_size(&self) -> usize {
        if self.order == Order::Learned { self.attention_size } else { 0 }
    }
}

/// The values of a module's parameters, in visiting order.
struct Collect(Vec<Vec<f32>>);

impl ModuleVisitor for Collect {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        self.0.push(floats(parameter.val().into_data()));
    }
}

impl FramedValues {
    /// Takes the vectors by name and shape.
    ///
    /// **Errors** those of `take`.
    pub fn from_named(config: &FramedConfig, take: &mut TakeTensor) -> Result<Self> {
        let row = |(name, shape): (&str, Vec<usize>)| {
            if shape.contains(&0) { Ok(Vec::new()) } else { take(name, &shape) }
        };
        Ok(Self::from_rows(Self::table(config).into_iter().map(row).collect::<Result<_>>()?))
    }

    /// Those of a module, on a device that can be read at once.
    pub fn of(config: &FramedConfig, model: &Framed) -> Self {
        let mut all = Collect(Vec::new());
        model.visit(&mut all);
        let mut all = all.0.into_iter();
        let row = |(_, shape): (&str, Vec<usize>)| {
            if shape.contains(&0) { Vec::new() } else { all.next().unwrap_or_default() }
        };
        Self::from_rows(Self::table(config).into_iter().map(row).collect())
    }

    /// Zeros of the right sizes.
    pub fn zeros(config: &FramedConfig) -> Self {
        let row = |(_, shape): (&str, Vec<usize>)| vec![0.0; shape.iter().product()];
        Self::from_rows(Self::table(config).into_iter().map(row).collect())
    }

    /// `self += other`.
    pub fn add(&mut self, mut other: Self) {
        for (mine, theirs) in self.vectors_mut().into_iter().zip(other.vectors_mut()) {
            crate::kernels::math::add_rows(mine, theirs, theirs.len());
        }
    }
}
