//! The paper's second table: the lower bound on training and on test pictures.

use anyhow::Result;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::{Measured, kept::Kept};
use crate::checkpoint::{decode, parse_safetensors};
use crate::data::source::Source;
use crate::eval::bound::{Bound, Estimate};
use crate::eval::sharpened::Sharpened;
use crate::model::{OnCpu, Trainable};
use crate::platform::block_on;
use crate::systems::SystemVisitor;

/// Captions that the bound is averaged over.
const CAPTIONS: usize = 2_000;

/// The lower bound of two parts, nats.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Bounds {
    /// On training pictures.
    pub train: Bound,
    /// On test pictures.
    pub test: Bound,
    /// Numbers of a picture, channels and pixels.
    pub values: usize,
    /// Of test pictures, the means sharpened; none where no sharpener was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sharpened: Option<f64>,
}

/// The bounds; none for models without a likelihood.
pub fn measure(measured: &Measured, kept: &Kept) -> Result<Option<Bounds>> {
    let Measured { args, manifest, weights, folder, .. } = measured;
    let bounds = kept.or_measure(&format!("bound-{}-{}", args.seed, args.importance), || {
        let parts = [folder.train.as_ref(), folder.test.as_ref()];
        let visitor = OfParts { weights, parts, seed: args.seed, importance: args.importance };
        Ok(manifest.system.visit(visitor)?)
    })?;
    let Some((bounds, sharpener)) = bounds.clone().zip(measured.sharpener) else { return Ok(bounds) };
    let sharpened = kept.or_measure(&format!("bound-{}-{}", args.seed, sharpener.hash), || {
        let measure = Sharpened {
            sharpening: &sharpener.sharpening,
            vocabulary: &manifest.vocabulary,
            images: CAPTIONS,
            seed: args.seed,
        };
        Ok(manifest.system.visit(Sharper { weights, measure, part: folder.test.as_ref() })?)
    })?;
    Ok(Some(Bounds { sharpened, ..bounds }))
}

struct Sharper<'a> {
    weights: &'a [u8],
    measure: Sharpened<'a>,
    part: &'a dyn Source,
}

impl SystemVisitor for Sharper<'_> {
    type Output = crate::error::Result<Option<f64>>;

    fn visit<M: Trainable>(self, config: &M::Config) -> Self::Output {
        let model = decode(M::init(config, 0, &Device::flex()), &parse_safetensors(self.weights)?)?;
        block_on(self.measure.bound(&model, config, self.part))
    }
}

struct OfParts<'a, S> {
    weights: &'a [u8],
    parts: [&'a S; 2],
    seed: u64,
    importance: usize,
}

impl<S: Source> SystemVisitor for OfParts<'_, S> {
    type Output = crate::error::Result<Option<Bounds>>;

    fn visit<M: Trainable>(self, config: &M::Config) -> Self::Output {
        use crate::model::Config;
        if !M::BOUND {
            return Ok(None);
        }
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let model = decode(M::init(config, 0, &Device::flex()), &parse_safetensors(self.weights)?)?;
        let mut model = OnCpu::new(&model, config, threads);
        let [train, test] = self.parts.map(|part| {
            let (seed, importance) = (self.seed, self.importance);
            Estimate { model: &mut model, images: CAPTIONS, seed, importance }.of(part)
        });
        let values = config.image_size().len();
        Ok(train.zip(test).map(|(train, test)| Bounds { train, test, values, sharpened: None }))
    }
}
