//! Captioners on a folder of photos: BLEU against what people said, perplexity.

use std::collections::BTreeSet;

use anyhow::Result;
use burn::tensor::Device;
use serde::Serialize;

use super::super::eyes::open_photos;
use super::descriptions::Perplexity;
use super::{Args, print_head};
use crate::checkpoint::Manifest;
use crate::cli::output::{note, progress, say};
use crate::data::cider::Cider;
use crate::data::folder::photos::PhotoPart;
use crate::describe::{Describer, Description, Search};
use crate::eval::bleu::{Bleu, Compared};
use crate::platform::block_on;

/// Photos described at once.
const BATCH: usize = 25;
/// Length normalisations that are tried on the validation photos.
pub const POWERS: [f32; 8] = [0.0, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0];

/// What is written as JSON.
#[derive(Serialize)]
pub struct Evaluation {
    model: String,
    weights_sha256: String,
    /// Photos described.
    photos: usize,
    beam: usize,
    /// The one of a few that gave the highest BLEU-4 on the validation photos.
    length_normalisation: f32,
    /// On the test photos.
    bleu: Bleu,
    /// CIDEr-D of the same, 0 to 10, n-grams counted over the references of the test photos.
    cider: f64,
    /// BLEU, taking the likeliest word every time.
    greedy: Bleu,
    /// On the validation photos, which the length normalisation was chosen on.
    validation: Bleu,
    /// On the same, with each length normalisation that was tried.
    tried: Vec<Tried>,
    /// Sentences that are said of one photo or several.
    distinct_sentences: usize,
    /// `e` to the nats of a word, the end of a sentence counted as one, over captions of the test photos.
    perplexity: f64,
}

/// What a length normalisation gives.
#[derive(Clone, Copy, Default, Serialize)]
struct Tried {
    length_normalisation: f32,
    bleu: Bleu,
}

/// Describes the test photos of a folder.
pub fn evaluate(args: &Args, manifest: Manifest, weights: &[u8]) -> Result<Evaluation> {
    let describer = Describer::load(&manifest, weights, &Device::flex())?;
    let (photos, _) = open_photos(args.data.as_deref(), &args.models, Some(manifest.vocabulary.clone()), 0)?;
    let most = args.samples.map_or(usize::MAX, |samples| samples as usize);
    let search = Search::default();
    let validated = Sentences::of(&describer, &photos.validation, most, &search)?;
    let tried = validated.tried(&photos.validation);
    let better = |a: &Tried, b: &Tried| a.bleu.bleu[3].total_cmp(&b.bleu.bleu[3]);
    let Tried { length_normalisation, bleu: validation } =
        tried.iter().copied().max_by(better).unwrap_or_default();
    note!("length normalisation {length_normalisation}, chosen on {} photos", validated.0.len());
    let found = Sentences::of(&describer, &photos.test, most, &search)?;
    let greedy = Sentences::of(&describer, &photos.test, most, &Search { beam: 1, ..search })?;
    let said = found.said(length_normalisation);
    let captions = photos.test.len().min(most.saturating_mul(5));
    let perplexity = manifest.system.visit(Perplexity {
        weights,
        source: photos.test.as_ref(),
        held_out: false,
        captions,
        seed: args.seed,
    })?;
    let evaluation = Evaluation {
        model: manifest.name.clone(),
        weights_sha256: manifest.weights.sha256.clone(),
        photos: said.len(),
        beam: search.beam,
        length_normalisation,
        bleu: bleu(&said, &photos.test),
        cider: cider(&said, &photos.test),
        greedy: bleu(&greedy.said(length_normalisation), &photos.test),
        validation,
        tried,
        distinct_sentences: said.iter().collect::<BTreeSet<_>>().len(),
        perplexity,
    };
    if !args.json {
        print(&evaluation);
    }
    Ok(evaluation)
}

/// Of each photo, or region, the sentences that a search found.
pub struct Sentences(pub Vec<Vec<Description>>);

impl Sentences {
    /// Of the first photos of a part, at most `most`.
    fn of(describer: &Describer, part: &PhotoPart, most: usize, search: &Search) -> Result<Self> {
        let count = part.photos.len().min(most);
        let bar = progress(count as u64);
        let mut found = Vec::with_capacity(count);
        for start in (0..count).step_by(BATCH) {
            let features = part.features(start..count.min(start + BATCH));
            found.extend(block_on(describer.describe(features, search))?);
            bar.set_position(found.len() as u64);
        }
        bar.finish_and_clear();
        Ok(Self(found))
    }

    /// The best sentence of each photo at a length normalisation: it ranks what the search found, and does not
    /// change what that is.
    pub fn said(&self, length_normalisation: f32) -> Vec<String> {
        let search = Search { length_normalisation, ..Search::default() };
        let score = |found: &Description| search.score(found.log_prob, found.words.len() + 1);
        let best = |found: &Vec<Description>| {
            found.iter().max_by(|a, b| score(a).total_cmp(&score(b))).map(Description::text)
        };
        self.0.iter().map(|found| best(found).unwrap_or_default()).collect()
    }

    /// BLEU with each length normalisation.
    fn tried(&self, part: &PhotoPart) -> Vec<Tried> {
        let of = |length_normalisation| Tried {
            length_normalisation,
            bleu: bleu(&self.said(length_normalisation), part),
        };
        POWERS.map(of).to_vec()
    }
}

/// BLEU of sentences about the first photos of a part.
fn bleu(said: &[String], part: &PhotoPart) -> Bleu {
    let compared = said.iter().zip(&part.photos).map(|(said, photo)| Compared {
        candidate: said.split_whitespace().collect(),
        references: photo.captions.iter().map(|words| words.iter().map(String::as_str).collect()).collect(),
    });
    Bleu::of(&compared.collect::<Vec<_>>())
}

/// The mean CIDEr-D of sentences about the first photos of a part.
fn cider(said: &[String], part: &PhotoPart) -> f64 {
    let references: Vec<Vec<Vec<String>>> =
        part.photos[..said.len()].iter().map(|photo| photo.captions.clone()).collect();
    let cider = Cider::of(&references);
    let score = |(at, said): (usize, &String)| {
        cider.score(&said.split_whitespace().map(str::to_owned).collect::<Vec<_>>(), at)
    };
    said.iter().enumerate().map(score).sum::<f64>() / said.len().max(1) as f64
}

fn print(e: &Evaluation) {
    print_head(&e.model, &e.weights_sha256, 1.0);
    say!("{:<44}{:>7}{:>7}{:>7}{:>7}", "BLEU", 1, 2, 3, 4);
    let beam = format!("beam {}, length normalisation {}", e.beam, e.length_normalisation);
    let rows =
        [(beam.as_str(), &e.bleu), ("likeliest words", &e.greedy), ("validation photos", &e.validation)];
    for (name, bleu) in rows {
        let [one, two, three, four] = bleu.bleu.map(|share| 100.0 * share);
        say!("{name:<44}{one:>7.1}{two:>7.1}{three:>7.1}{four:>7.1}");
    }
    say!("{:<44}{:>7.1}", "CIDEr-D, times 100", 100.0 * e.cider);
    say!("{} photos, {} distinct sentences", e.photos, e.distinct_sentences);
    say!("{:<44}{:>7.2}", "perplexity of a word", e.perplexity);
}
