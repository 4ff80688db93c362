//! Rankers on a folder of photos: recall and median rank, from photos to sentences and from sentences to photos.

use anyhow::{Result, bail};
use burn::tensor::{Device, Tensor};
use serde::Serialize;

use super::super::eyes::open_photos;
use super::{Args, print_head};
use crate::checkpoint::Manifest;
use crate::cli::output::{progress, say};
use crate::data::folder::pairs::Pairs;
use crate::eval::ranking::{Ranking, Recall};
use crate::platform::block_on;
use crate::rank::Matcher;

/// Photos, or sentences, that are compared between two signs of progress.
const TOGETHER: usize = 100;

/// What is written as JSON.
#[derive(Serialize)]
pub struct Evaluation {
    model: String,
    weights_sha256: String,
    /// Photos that are measured on.
    photos: usize,
    /// Sentences about them, each a query.
    sentences: usize,
    /// On the test photos.
    test: Ranking,
    /// On the validation photos.
    validation: Ranking,
}

/// Ranks the test photos of a folder, and what is said of them.
pub fn evaluate(args: &Args, manifest: Manifest, weights: &[u8]) -> Result<Evaluation> {
    let matcher = Matcher::load(&manifest, weights, &Device::flex())?;
    let (photos, _) = open_photos(args.data.as_deref(), &args.models, Some(manifest.vocabulary.clone()), 0)?;
    let most = args.samples.map_or(usize::MAX, |samples| samples as usize);
    let (validation, _) = rank(&matcher, &Pairs::new(photos.validation), most)?;
    let test = Pairs::new(photos.test);
    let (ranking, sentences) = rank(&matcher, &test, most)?;
    let evaluation = Evaluation {
        model: manifest.name.clone(),
        weights_sha256: manifest.weights.sha256.clone(),
        photos: test.part.photos.len().min(most),
        sentences,
        test: ranking,
        validation,
    };
    if !args.json {
        print(&evaluation);
    }
    Ok(evaluation)
}

/// Recall on the first photos of a part, and the number of sentences about them.
fn rank(matcher: &Matcher, pairs: &Pairs, most: usize) -> Result<(Ranking, usize)> {
    let count = pairs.part.photos.len().min(most);
    if count == 0 {
        bail!("the folder has no photos to measure on");
    }
    let mut vectors = Vec::new();
    for start in (0..count).step_by(TOGETHER) {
        let features = pairs.part.features(start..count.min(start + TOGETHER));
        vectors.push(matcher.pictures(features)?);
    }
    let vectors = Tensor::cat(vectors, 0);
    let said: Vec<(usize, &[usize])> =
        (0..count).flat_map(|photo| pairs.captions(photo).map(move |said| (photo, said))).collect();
    let bar = progress(said.len() as u64);
    let mut scores = Vec::with_capacity(said.len() * count);
    for some in said.chunks(TOGETHER) {
        let sentences: Vec<&[usize]> = some.iter().map(|(_, said)| *said).collect();
        scores.extend(block_on(matcher.scores(&vectors, &sentences))?);
        bar.inc(some.len() as u64);
    }
    bar.finish_and_clear();
    let owners: Vec<usize> = said.iter().map(|(photo, _)| *photo).collect();
    Ok((Ranking::of(&scores, &owners, count), said.len()))
}

fn print(e: &Evaluation) {
    print_head(&e.model, &e.weights_sha256, 1.0);
    say!("{:<44}{:>7}{:>7}{:>7}{:>8}", "", "R@1", "R@5", "R@10", "Med r");
    let row = |name: &str, recall: &Recall| {
        let Recall { first, first_five, first_ten, median_rank, .. } = recall;
        say!("{name:<44}{first:>7.1}{first_five:>7.1}{first_ten:>7.1}{median_rank:>8}");
    };
    row("photo → sentence", &e.test.annotation);
    row("sentence → photo", &e.test.search);
    row("photo → sentence, validation photos", &e.validation.annotation);
    row("sentence → photo, validation photos", &e.validation.search);
    say!("{} photos, {} sentences", e.photos, e.sentences);
}
