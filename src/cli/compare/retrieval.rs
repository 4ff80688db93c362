//! The paper's first table: each caption is asked which of the test pictures it was said of, by the bound.

use std::time::Instant;

use anyhow::Result;
use burn::tensor::Device;
use serde::{Deserialize, Serialize};

use super::{Measured, Queries, kept::Kept};
use crate::checkpoint::{decode, parse_safetensors};
use crate::cli::output::{note, progress};
use crate::data::batch::TrainBatch;
use crate::data::folder::Part;
use crate::eval::ranking::{Ranking, Recall, without_easiness};
use crate::eval::regression::ColourRegression;
use crate::model::{Bounded, Config, OnCpu, Trainable};
use crate::systems::SystemVisitor;

/// Pictures of a batch; their noise depends on it.
const BATCH: usize = 250;

/// How near the top the right picture stands.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Retrieval {
    /// By the bound itself.
    pub raw: Recall,
    /// By the bound without each picture's easiness.
    pub corrected: Recall,
}

/// Ranks the pictures for every caption; none for models without a likelihood. The noise of a picture is the same for
/// every caption.
pub fn measure(measured: &Measured, kept: &Kept) -> Result<Option<Retrieval>> {
    let Measured { args, manifest, weights, folder, queries, .. } = measured;
    let visitor = Bounds { weights, part: &folder.test, queries, kept, seed: args.seed };
    let Some(bounds) = manifest.system.visit(visitor)? else { return Ok(None) };
    let pictures = queries.pictures.len();
    let owners: Vec<usize> = queries.captions.iter().map(|(picture, _)| *picture).collect();
    let ranking = |scores: &[f32]| Ranking::of(scores, &owners, pictures).search;
    Ok(Some(Retrieval { raw: ranking(&bounds), corrected: ranking(&without_easiness(&bounds, pictures)) }))
}

/// The same by linear regression from the words to the colours of the training pictures.
pub fn by_regression(Measured { manifest, folder, queries, .. }: &Measured) -> Option<Recall> {
    let size = manifest.system.image_size();
    let captions: Vec<(usize, Vec<usize>)> = folder.train.captions().collect();
    let words = manifest.vocabulary.words.len();
    let model = ColourRegression::fit(&captions, |at| folder.train.image(at), size, words)?;
    let (owners, said): (Vec<usize>, Vec<&[usize]>) =
        queries.captions.iter().map(|(picture, ids)| (*picture, ids.as_slice())).unzip();
    let pictures: Vec<Vec<f32>> = queries.pictures.iter().map(|&at| folder.test.image(at)).collect();
    let scores = without_easiness(&model.scores(&said, &pictures, size), pictures.len());
    Some(Ranking::of(&scores, &owners, pictures.len()).search)
}

/// Computes the bound of every picture under every caption, [caption, picture].
struct Bounds<'a> {
    weights: &'a [u8],
    part: &'a Part,
    queries: &'a Queries,
    kept: &'a Kept,
    seed: u64,
}

impl SystemVisitor for Bounds<'_> {
    type Output = Result<Option<Vec<f32>>>;

    fn visit<M: Trainable>(self, config: &M::Config) -> Self::Output {
        if !M::BOUND {
            return Ok(None);
        }
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let model = decode(M::init(config, 0, &Device::flex()), &parse_safetensors(self.weights)?)?;
        let mut model = OnCpu::new(&model, config, threads);
        let pictures = &self.queries.pictures;
        let item = |(index, images): (usize, &[usize])| {
            TrainBatch::measured(self.part.pairs(&[0], images), self.seed.wrapping_add(1 + index as u64))
        };
        let mut items: Vec<TrainBatch> = pictures.chunks(BATCH).enumerate().map(item).collect();
        let mut rows = self.kept.rows(&format!("retrieval-{}-{BATCH}", self.seed), pictures.len())?;
        let known = rows.values.len() / pictures.len();
        let bar = progress(self.queries.captions.len() as u64);
        bar.set_position(known as u64);
        let begun = Instant::now();
        for (_, caption) in self.queries.captions.iter().skip(known) {
            let mut row = Vec::with_capacity(pictures.len());
            for item in &mut items {
                item.batch.say(caption);
                row.extend(model.image_bounds(item).into_iter().map(|bound| bound as f32));
            }
            rows.push(&row)?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        let computed = (self.queries.captions.len() - known) * pictures.len();
        if computed > 0 {
            let seconds = begun.elapsed().as_secs_f64();
            note!("  {computed} pairs in {seconds:.0} s: {:.0} a second", computed as f64 / seconds);
        }
        Ok(Some(rows.values))
    }
}
