//! A LAPGAN in training: both players' losses in one sum.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::networks::judged_len;
use super::parameters::{halved, resized};
use super::{Lapgan, LapganConfig, presets};
use crate::data::batch::TrainBatch;
use crate::data::noise::Noise;
use crate::error::{Error, Result};
use crate::model::{CaptionIds, DIVERSITY, Painter, Terms, TextToImage, Trainable};
use crate::nn::{on_device, softplus};
use crate::options::Preset;
use crate::text2image::feedforward::{Feedforward, FeedforwardPainter, Inputs};

/// The terms: both players' losses over all levels, nats per image, and the diversity of the smallest pictures.
const TERMS: [&str; 3] = ["discriminator", "generator", DIVERSITY];
/// How true a discriminator is to call a true picture.
const TRUE: f32 = 0.9;
/// Share of the numbers before a verdict that dropout leaves.
const KEPT: f32 = 0.5;
/// Added to distances that are divided by.
const LEAST_DISTANCE: f32 = 1e-2;
/// The stream of a batch's noise seed that dropout has, before those of instance noise; below it are those of its images.
const DROPOUT_STREAM: u64 = 1 << 40;

/// Cross entropy of verdicts, logits [batch], against how true they should be.
fn cross_entropy(logits: Tensor<1>, truth: f32) -> Tensor<1> {
    softplus(logits.clone()) - logits * truth
}

/// What a level shows its discriminator.
struct Shown {
    /// True pictures [batch, channel, height, width].
    real: Tensor<4>,
    /// Drawn ones; their gradient reaches the generator.
    drawn: Tensor<4>,
    /// Dropout's factors [batch, …]; none: nothing is dropped.
    keep: Option<Tensor<2>>,
}

/// Losses of both players [batch] each, from the verdicts of a discriminator and of its copy without gradients.
fn losses(
    shown: &Shown,
    [said, other]: [&Tensor<2>; 2],
    judge: impl Fn(&Tensor<4>, &Tensor<2>) -> Tensor<1>,
    judge_still: impl Fn(&Tensor<4>, &Tensor<2>) -> Tensor<1>,
) -> [Tensor<1>; 2] {
    let real = cross_entropy(judge(&shown.real, said), TRUE);
    let drawn = cross_entropy(judge(&shown.drawn.clone().detach(), said), 0.0);
    let mismatched = cross_entropy(judge(&shown.real, other), 0.0);
    let discriminator = real + (drawn + mismatched) * 0.5;
    [discriminator, cross_entropy(judge_still(&shown.drawn, &said.clone().detach()), 1.0)]
}

/// Each caption beside the next one's picture.
fn rotated(said: &Tensor<2>) -> Tensor<2> {
    let [batch, _] = said.dims();
    let (first, rest) = (said.clone().narrow(0, 0, 1), said.clone().narrow(0, 1.min(batch - 1), batch - 1));
    if batch == 1 { first } else { Tensor::cat(vec![rest, first], 0) }
}

/// Mean variance of a colour value over pictures [batch, channel, height, width], one number.
fn variance(pictures: Tensor<4>) -> Tensor<1> {
    let flat = pictures.flatten::<2>(1, 3);
    let mean = flat.clone().mean_dim(0);
    (flat - mean).square().mean()
}

impl Lapgan {
    /// The losses of pictures [batch, channel, height, width]; `noise` is standard normal [batch, …], as for painting;
    /// `drop` gives dropout's seed, none drops nothing.
    pub fn losses(
        &self,
        config: &LapganConfig,
        captions: &CaptionIds,
        images: Tensor<4>,
        noise: &Tensor<2>,
        drop: Option<u64>,
    ) -> Terms<Tensor<1>> {
        let (device, batch) = (images.device(), captions.batch);
        let said = self.said(captions);
        let (heard, other) = (said.clone().detach(), rotated(&said));
        let mut kept = drop.map(|seed| Noise::stream(seed, DROPOUT_STREAM));
        let mut keep = |len: usize| -> Option<Tensor<2>> {
            let noise = kept.as_mut()?;
            let factor = |noise: &mut Noise| if noise.uniform() < KEPT { 1.0 / KEPT } else { 0.0 };
            let factors = (0..batch * len).map(|_| factor(noise)).collect();
            Some(on_device(factors, [batch, len], &device))
        };
        let mut real = vec![images];
        for _ in 1..config.levels {
            let smaller = real.last().cloned().map(halved);
            real.extend(smaller);
        }
        real.reverse();
        let latent = noise.clone().narrow(1, 0, config.noise_size);
        let drawn = self.smallest(config, latent.clone(), &heard);
        let alike = self.alike(config, &drawn, &latent, &heard);
        let still = self.clone().no_grad();
        let blurred = |pictures: Tensor<4>, stream: u64| match drop {
            Some(seed) => {
                let dims = pictures.dims();
                let noise = Noise::stream(seed, stream).normals(dims.iter().product());
                pictures + on_device::<4>(noise, dims, &device) * config.instance_noise
            }
            None => pictures,
        };
        let shown = Shown {
            real: blurred(real[0].clone(), DROPOUT_STREAM + 1),
            drawn: blurred(drawn, DROPOUT_STREAM + 2),
            keep: keep(config.hidden_size),
        };
        let [mut discriminator, generator] = losses(
            &shown,
            [&said, &other],
            |pictures, said| self.smallest_discriminator.judge(pictures, said, shown.keep.as_ref()),
            |pictures, said| still.smallest_discriminator.judge(pictures, said, shown.keep.as_ref()),
        );
        let mut generator = generator + alike * config.mode_seeking;
        let mut used = config.noise_size;
        for (at, size) in config.sizes().into_iter().enumerate().skip(1) {
            let [height, width] = size;
            let map = noise.clone().narrow(1, used, height * width).reshape([batch, 1, height, width]);
            used += height * width;
            let blurry = resized(real[at - 1].clone(), size);
            let drawn = self.residuals[at - 1].sharpen(blurry, &heard, map);
            let shown = Shown { real: real[at].clone(), drawn, keep: keep(judged_len(config, size)) };
            let [judged, fooled] = losses(
                &shown,
                [&said, &other],
                |pictures, said| self.discriminators[at - 1].judge(pictures, said, shown.keep.as_ref()),
                |pictures, said| still.discriminators[at - 1].judge(pictures, said, shown.keep.as_ref()),
            );
            (discriminator, generator) = (discriminator + judged, generator + fooled);
        }
        let diversity = still.diversity(config, &heard, latent, &real[0]).repeat_dim(0, batch);
        Terms(TERMS.into_iter().zip([discriminator, generator, diversity]).collect())
    }

    /// How much less the smallest pictures of one caption differ than their noise does [batch]: the ratio of mean
    /// distances, noise over picture, between each picture and one from the next one's noise.
    fn alike(
        &self,
        config: &LapganConfig,
        drawn: &Tensor<4>,
        noise: &Tensor<2>,
        said: &Tensor<2>,
    ) -> Tensor<1> {
        let other = rotated(noise);
        let apart = |a: Tensor<2>, b: Tensor<2>| (a - b).abs().mean_dim(1).squeeze_dim::<1>(1);
        let pictures = self.smallest(config, other.clone(), said).flatten::<2>(1, 3);
        let differ = apart(drawn.clone().flatten::<2>(1, 3), pictures);
        apart(noise.clone(), other) / (differ + LEAST_DISTANCE)
    }

    /// Variance of the smallest pictures of the batch's first caption over that of true ones of all captions [1]:
    /// pictures that ignore the noise have 0, and so have those that are all alike.
    fn diversity(
        &self,
        config: &LapganConfig,
        said: &Tensor<2>,
        noise: Tensor<2>,
        real: &Tensor<4>,
    ) -> Tensor<1> {
        let [batch, _] = noise.dims();
        let one = said.clone().narrow(0, 0, 1).repeat_dim(0, batch);
        variance(self.smallest(config, noise, &one)).detach() / variance(real.clone()).clamp_min(1e-6)
    }
}

impl Trainable for Lapgan {
    type Config = LapganConfig;

    const BOUND: bool = false;

    fn init(config: &LapganConfig, seed: u64, device: &Device) -> Self {
        Self::fresh(config, seed, device)
    }

    fn term_names(_: &LapganConfig) -> Vec<&'static str> {
        TERMS.to_vec()
    }

    fn presets() -> Vec<Preset<LapganConfig>> {
        presets::all()
    }

    /// For a pyramid that goes on above the smallest pictures: their networks and the caption's are taken over, those of the
    /// other levels are fresh.
    fn adapt(self, from: &LapganConfig, to: &LapganConfig) -> Result<Self> {
        let LapganConfig { height, width, levels, maps, instance_noise, mode_seeking, .. } = *to;
        let grown =
            LapganConfig { height, width, levels, maps, instance_noise, mode_seeking, ..from.clone() };
        if grown != *to || from.sizes().first() != to.sizes().first() {
            return Err(Error::Config(
                "the sizes of the weights differ from those of the run in more than the pictures above the smallest"
                    .to_owned(),
            ));
        }
        Ok(self.grown(to))
    }

    fn terms(&self, config: &LapganConfig, item: &TrainBatch) -> Terms<Tensor<1>> {
        let Inputs { captions, images, noise } =
            Inputs::of(item, config, Self::noise_len(config), &self.device());
        let drop = item.is_learned_from().then_some(item.noise_seed);
        self.losses(config, &captions, images, &noise, drop)
    }
}

impl TextToImage for Lapgan {
    fn painter(self, config: &LapganConfig, device: &Device) -> Box<dyn Painter> {
        Box::new(FeedforwardPainter::new(config, self, device))
    }
}
