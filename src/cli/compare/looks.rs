//! How a model's pictures look beside the true ones of their captions.

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::super::eyes::read_eyes;
use super::{Measured, NamedSharpener, kept::Kept};
use crate::cli::output::progress;
use crate::data::folder::{Part, pixels};
use crate::data::vocabulary::Tokens;
use crate::eval::appearance::Pictures;
use crate::eval::{frechet, ssim::ssim};
use crate::eyes::Eyes;
use crate::model::CaptionIds;
use crate::nn::floats;
use crate::paint::{Engine, Pipeline};
use crate::platform::block_on;

/// Pictures that the eyes look at together.
const TOGETHER: usize = 8;

/// Means over the first caption of each picture.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Looks {
    /// Structural similarity of a sample to the true picture: the paper's SSI.
    pub similarity: f64,
    /// The same with samples of another picture's caption.
    pub similarity_of_others: f64,
    /// Gradient energy of samples over that of the true pictures: 1 is as sharp.
    pub sharpness: f64,
    /// Mean distance of two samples of one caption over that of two true pictures of different captions.
    pub diversity: f64,
    /// Fréchet distance of one sample a caption from the true pictures, in the pooled features of the eyes.
    pub frechet: Option<f64>,
    /// The same of training pictures: what true pictures that are others have.
    pub frechet_floor: Option<f64>,
    /// Samples of each caption.
    pub samples: u32,
    /// Captions.
    pub captions: usize,
}

/// Paints the first caption of each picture, and sharpens the samples where `sharpener` is named.
pub fn measure(measured: &Measured, kept: &Kept, sharpener: Option<&NamedSharpener>) -> Result<Looks> {
    let (args, manifest) = (measured.args, measured.manifest);
    let temperature = manifest.temperature;
    let by = sharpener.map_or(String::new(), |sharpener| format!("-{}", sharpener.hash));
    kept.or_measure(&format!("looks-{}-{}-{temperature}{by}", args.seed, args.samples), || {
        let pipeline = Pipeline::load(manifest, measured.weights, &Engine::Cpu)?;
        look(measured, &pipeline, sharpener)
    })
}

/// The first caption of each picture, by its place.
fn first_captions(measured: &Measured) -> Vec<Vec<usize>> {
    let mut first: Vec<Vec<usize>> = vec![Vec::new(); measured.queries.pictures.len()];
    for (at, ids) in &measured.queries.captions {
        if first[*at].is_empty() {
            first[*at].clone_from(ids);
        }
    }
    first
}

fn look(measured: &Measured, pipeline: &Pipeline, sharpener: Option<&NamedSharpener>) -> Result<Looks> {
    let (args, part) = (measured.args, measured.folder.test.as_ref());
    let side = pipeline.painter().image_size().width;
    let len = 3 * side * side;
    let truth: Vec<Vec<f32>> = measured.queries.pictures.iter().map(|&picture| part.image(picture)).collect();
    let captions = first_captions(measured);
    let bar = progress(captions.len() as u64);
    let (mut similarity, mut others, mut energy, mut spread) = (0.0, 0.0, [0.0; 2], 0.0);
    let mut one_each = Vec::with_capacity(captions.len());
    let sharpening =
        sharpener.map(|named| (&named.sharpening, named.sharpening.ids_of(pipeline.vocabulary())));
    for (at, ids) in captions.iter().enumerate() {
        let mut samples = paint(pipeline, ids, args.samples, args.seed)?;
        if let Some((sharpening, known)) = &sharpening {
            let said: Vec<usize> = ids.iter().map(|&id| known[id]).collect();
            let batch = args.samples as usize;
            let captions = CaptionIds { ids: said.repeat(batch), batch, words: said.len() };
            samples = block_on(sharpening.sharpen(&captions, samples))?;
        }
        let (own, other) = (&truth[at], &truth[(at + 1) % truth.len()]);
        let mean = |truth: &[f32]| {
            let each = samples.chunks_exact(len).filter_map(|sample| ssim(sample, truth, side, side));
            each.sum::<f64>() / f64::from(args.samples)
        };
        similarity += mean(own);
        others += mean(other);
        let of = |pixels| Pictures { pixels, len, width: side };
        energy[0] += of(&samples).gradient_energy();
        energy[1] += of(own).gradient_energy();
        spread += of(&samples).spread();
        one_each.push(samples[..len].to_vec());
        bar.inc(1);
    }
    bar.finish_and_clear();
    let count = captions.len() as f64;
    let distances = Distances::of(measured, &one_each, &truth)?;
    Ok(Looks {
        similarity: similarity / count,
        similarity_of_others: others / count,
        sharpness: energy[0] / energy[1],
        diversity: spread / count / Pictures { pixels: &truth.concat(), len, width: side }.spread(),
        frechet: distances.painted,
        frechet_floor: distances.floor,
        samples: args.samples,
        captions: captions.len(),
    })
}

/// Samples of a caption, [sample, 3, side, side].
fn paint(pipeline: &Pipeline, ids: &[usize], samples: u32, seed: u64) -> Result<Vec<f32>> {
    let tokens = Tokens { ids: ids.to_vec(), written: Vec::new(), spans: Vec::new() };
    let seeds: Vec<u64> = (0..u64::from(samples)).map(|at| seed.wrapping_add(at)).collect();
    let begun = pipeline.begin_batch(&vec![tokens; seeds.len()], &seeds)?;
    let frames = block_on(pipeline.finish(begun))?;
    Ok(frames.into_iter().flat_map(|frame| frame.image).collect())
}

/// Fréchet distances from the true pictures.
struct Distances {
    painted: Option<f64>,
    floor: Option<f64>,
}

impl Distances {
    fn of(measured: &Measured, painted: &[Vec<f32>], truth: &[Vec<f32>]) -> Result<Self> {
        let (_, eyes) = read_eyes(&measured.args.folder)?;
        let train: &Part = measured.folder.train.as_ref();
        let mut numbers: Vec<usize> = train.captions().map(|(picture, _)| picture).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let others: Vec<Vec<f32>> =
            numbers.iter().take(truth.len()).map(|&picture| train.image(picture)).collect();
        let [painted, truth, others] =
            [painted, truth, others.as_slice()].map(|pictures| pooled(&eyes, pictures));
        let (painted, truth, others) = (painted?, truth?, others?);
        Ok(Self { painted: frechet::distance(&painted, &truth), floor: frechet::distance(&others, &truth) })
    }
}

/// The mean over all cells of the eyes' features, of square planar pictures, which are made larger.
fn pooled(eyes: &Eyes, pictures: &[Vec<f32>]) -> Result<Vec<Vec<f32>>> {
    let mut all = Vec::with_capacity(pictures.len());
    let bar = progress(pictures.len() as u64);
    for some in pictures.chunks(TOGETHER) {
        let enlarged = |picture: &Vec<f32>| pixels::resized(picture, (picture.len() / 3).isqrt(), Eyes::SIDE);
        let large: Vec<u8> = some.iter().flat_map(enlarged).collect();
        let features = floats(eyes.features(&large)?.into_data());
        let cells = Eyes::SIZE.height * Eyes::SIZE.width;
        let mean = |map: &[f32]| map.iter().sum::<f32>() / cells as f32;
        let of_picture = features.chunks_exact(Eyes::SIZE.len());
        all.extend(of_picture.map(|maps| maps.chunks_exact(cells).map(mean).collect::<Vec<f32>>()));
        bar.inc(some.len() as u64);
    }
    bar.finish_and_clear();
    Ok(all)
}
