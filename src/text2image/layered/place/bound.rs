//! Places in codes in training: what of the bound is theirs, and how they are learned.

use burn::module::Module;
use burn::tensor::{Int, Tensor};

use super::{Known, PlaceCodes, fit};
use crate::data::batch::Lesson;
use crate::data::noise::Noise;
use crate::data::source::Source;
use crate::model::{CaptionIds, Terms};
use crate::nn::{indices, on_device};
use crate::text2image::layered::caption::Plan;
use crate::text2image::layered::config::CHANNELS;
use crate::text2image::layered::drawing::{Rows, State};
use crate::text2image::layered::training::TERMS;
use crate::text2image::layered::{Layered, LayeredConfig, Layers};

/// The term of places in codes: −log p of the codes.
pub const PLACE: &str = "place";
/// Stream of a seed for the codes of places, beyond those of images and frames.
pub const PLACE_STREAM: u64 = 1 << 41;
/// Pictures of places at once, of which squares are taken to fit the codebook to.
const FIT_BATCH: usize = 32;
/// Share of the codes that others hear wrongly while they learn: what is drawn has mistakes, and after one the rest
/// should go on as the place does.
const MISREAD: f32 = 0.01;

/// The codes, some of them exchanged for others at random.
fn misread(codes: &Tensor<1, Int>, count: usize, noise: &mut Noise) -> Tensor<1, Int> {
    let ([all], device) = (codes.dims(), codes.device());
    let wrong = (0..all).map(|_| f32::from(noise.uniform() < MISREAD)).collect();
    let wrong: Tensor<1> = on_device(wrong, [all], &device);
    let others = indices((0..all).map(|_| noise.below(count)).collect(), &device);
    codes.clone().mask_where(wrong.greater_elem(0.5), others)
}

impl Layered {
    /// The same with a codebook that is fitted to pictures of places, where it is not yet.
    pub fn with_codebook(self, config: &LayeredConfig, source: &dyn Source, seed: u64) -> Self {
        let (Some(sizes), Some(codes)) = (config.place_codes, &self.place_codes) else { return self };
        if codes.codebook.is_fitted() {
            return self;
        }
        let device = self.frame_bias.val().device();
        let mut noise = Noise::stream(seed, PLACE_STREAM);
        let mut pictures = Noise::stream(seed, PLACE_STREAM + 1);
        let images = || -> Tensor<4> {
            let batch = source.training_batch(FIT_BATCH, &mut pictures, Lesson::Places);
            on_device(batch.images.to_vec(), [batch.len(), CHANNELS, config.height, config.width], &device)
        };
        let codebook = fit(&sizes, images, &mut noise);
        Self { place_codes: self.place_codes.map(|codes| PlaceCodes { codebook, ..codes }), ..self }
    }

    /// The codes that the pictures show; none where places are drawn by strokes. Those of a picture whose colours
    /// its caption changes are not known.
    pub fn known_places(&self, config: &LayeredConfig, plan: &[Layers], images: &Tensor<4>) -> Option<Known> {
        let (codes, sizes) = (self.place_codes.as_ref()?, config.place_codes?);
        let known = codes.known(&sizes, images);
        let [all] = known.explained.dims();
        let each = all / plan.len();
        let plain = plan.iter().flat_map(|layers| vec![f32::from(layers.styles.is_empty()); each]).collect();
        let plain: Tensor<1> = on_device(plain, [all], &images.device());
        Some(Known { explained: known.explained * plain, ..known })
    }

    /// KL of the codes from their prior [picture], nats: the posterior takes those that the picture shows, and draws
    /// those that things cover from the prior. What codes look like and where they stand is learned from pictures of
    /// places alone, so no gradient goes through it.
    pub fn nats_of_places(
        &self,
        config: &LayeredConfig,
        table: &Rows,
        state: &State,
        known: &Known,
    ) -> Option<Tensor<1>> {
        let (codes, cells) = (self.place_codes.as_ref()?, config.place_cells()?);
        let drawn = state.place.as_ref()?.codes();
        let nats = codes.prior.nats(&drawn, &drawn, &table.places, cells);
        let each = cells[0] * cells[1];
        let nats = (nats * known.explained.clone()).reshape([-1, each as i32]);
        Some(nats.sum_dim(1).squeeze_dim(1))
    }

    /// The terms of pictures of places alone: the codes' −log p, and nothing of all else.
    pub fn places_alone(
        &self,
        config: &LayeredConfig,
        captions: &CaptionIds,
        plan: &Plan,
        images: Vec<f32>,
        seed: u64,
    ) -> Option<Terms<Tensor<1>>> {
        let (codes, sizes, cells) = (self.place_codes.as_ref()?, config.place_codes?, config.place_cells()?);
        let device = self.frame_bias.val().device();
        let batch = captions.batch;
        let images: Tensor<4> = on_device(images, [batch, CHANNELS, config.height, config.width], &device);
        let said = self.clone().no_grad().said_of_places(config, plan);
        let known = codes.clone().no_grad().known(&sizes, &images);
        let heard = misread(&known.codes, sizes.codes, &mut Noise::stream(seed, PLACE_STREAM));
        let nats = codes.prior.nats(&known.codes, &heard, &said, cells).reshape([batch, cells[0] * cells[1]]);
        let nats = nats.sum_dim(1).squeeze_dim::<1>(1);
        let nothing = || Tensor::<1>::zeros([batch], &device);
        let terms = TERMS.into_iter().map(|term| (term, nothing())).chain([(PLACE, nats)]);
        Some(Terms(terms.collect()))
    }
}
