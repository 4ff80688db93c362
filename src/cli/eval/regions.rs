//! Captioners on regions of photos: BLEU against the parts of captions that a ranker places there.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::{Result, bail};
use burn::tensor::Device;
use serde::Serialize;

use super::photos::{POWERS, Sentences};
use super::{Args, print_head};
use crate::checkpoint::Manifest;
use crate::cli::output::{progress, say};
use crate::cli::snippets::{Aligned, open_aligned, snippets};
use crate::data::folder::photos::PhotoPart;
use crate::data::folder::snippets::Snippet;
use crate::data::vocabulary::Vocabulary;
use crate::describe::{Describer, Search};
use crate::eval::bleu::{Bleu, Compared};
use crate::eyes::Eyes;
use crate::model::PictureInput;
use crate::platform::block_on;
use crate::rank::Matcher;

/// Regions described at once.
const BATCH: usize = 100;

/// What is written as JSON.
#[derive(Serialize)]
pub struct Evaluation {
    model: String,
    weights_sha256: String,
    photos: usize,
    /// Regions that something is said of.
    regions: usize,
    /// What is said of them, parts of captions.
    snippets: usize,
    /// Words of such a part, on average.
    words: f64,
    beam: usize,
    /// The one of a few that gave the highest BLEU-2 on the regions of the validation photos.
    length_normalisation: f32,
    /// On the regions of the test photos.
    bleu: Bleu,
    /// What is said of a region, compared with what is said of another one of the same photo.
    other_region: Bleu,
    /// Descriptions of one region or several.
    distinct: usize,
}

/// A region that something is said of.
struct Region {
    photo: usize,
    features: Vec<f32>,
    /// The parts of captions, in words.
    references: Vec<Vec<String>>,
}

/// Describes the regions of a folder's test photos.
pub fn evaluate(args: &Args, manifest: Manifest, weights: &[u8]) -> Result<Evaluation> {
    let describer = Describer::load(&manifest, weights, &Device::flex())?;
    let Aligned { aligner, photos, .. } = open_aligned(args.data.as_deref(), &args.models, None)?;
    let most = args.samples.map_or(usize::MAX, |samples| samples as usize);
    let of = |part| regions(&aligner, &photos.vocabulary, part, most);
    let (validation, regions) = (of(&photos.validation)?, of(&photos.test)?);
    let search = Search::default();
    let validated = describe(&describer, &validation, &search)?;
    // Few have the four words that BLEU-4 asks for.
    let two = |power: &f32| bleu(validated.said(*power).iter().zip(&validation)).bleu[1];
    let better = |a: &f32, b: &f32| two(a).total_cmp(&two(b));
    let length_normalisation = POWERS.into_iter().max_by(better).unwrap_or(search.length_normalisation);
    let said = describe(&describer, &regions, &search)?.said(length_normalisation);
    let snippets: Vec<&Vec<String>> = regions.iter().flat_map(|region| &region.references).collect();
    let evaluation = Evaluation {
        model: manifest.name.clone(),
        weights_sha256: manifest.weights.sha256.clone(),
        photos: photos.test.photos.len().min(most),
        regions: regions.len(),
        snippets: snippets.len(),
        words: snippets.iter().map(|words| words.len()).sum::<usize>() as f64 / snippets.len().max(1) as f64,
        beam: search.beam,
        length_normalisation,
        bleu: bleu(said.iter().zip(&regions)),
        other_region: bleu(others(&said, &regions)),
        distinct: said.iter().collect::<BTreeSet<_>>().len(),
    };
    if !args.json {
        print(&evaluation);
    }
    Ok(evaluation)
}

/// The regions of the first photos of a part that something is said of, photo by photo.
fn regions(
    aligner: &Matcher,
    vocabulary: &Vocabulary,
    part: &Arc<PhotoPart>,
    most: usize,
) -> Result<Vec<Region>> {
    let found = snippets(aligner, part.clone(), most)?;
    let mut of_region: BTreeMap<(usize, usize), Vec<Vec<String>>> = BTreeMap::new();
    for Snippet { photo, region, ids } in found.iter() {
        let words = ids.iter().map(|&id| vocabulary.words[id].clone()).collect();
        of_region.entry((*photo, *region)).or_default().push(words);
    }
    let region =
        |((photo, region), references)| Region { photo, features: found.features(photo, region), references };
    Ok(of_region.into_iter().map(region).collect())
}

/// Describes each region. A captioner of whole photos sees one that is everywhere like the region.
fn describe(describer: &Describer, regions: &[Region], search: &Search) -> Result<Sentences> {
    let cells = match describer.captioner().input() {
        input if input.is_region() => 1,
        PictureInput::Features(size) if size == Eyes::SIZE => size.height * size.width,
        _ => bail!("regions are measured with captioners of photos"),
    };
    let bar = progress(regions.len() as u64);
    let mut found = Vec::with_capacity(regions.len());
    for some in regions.chunks(BATCH) {
        let shown = some.iter().flat_map(|region| &region.features);
        let shown = shown.flat_map(|&feature| std::iter::repeat_n(feature, cells)).collect();
        found.extend(block_on(describer.describe(shown, search))?);
        bar.set_position(found.len() as u64);
    }
    bar.finish_and_clear();
    Ok(Sentences(found))
}

/// Descriptions with the next region of the same photo, where there are several.
fn others<'a>(said: &'a [String], regions: &'a [Region]) -> impl Iterator<Item = (&'a String, &'a Region)> {
    let photos = regions.chunk_by(|one, next| one.photo == next.photo);
    let next = photos.flat_map(|photo| photo.iter().cycle().skip(1).take(photo.len()).zip(photo));
    said.iter()
        .zip(next)
        .filter(|(_, (other, own))| !std::ptr::eq(*other, *own))
        .map(|(said, (other, _))| (said, other))
}

fn bleu<'a>(said: impl Iterator<Item = (&'a String, &'a Region)>) -> Bleu {
    let compared = said.map(|(said, region)| Compared {
        candidate: said.split_whitespace().collect(),
        references: region
            .references
            .iter()
            .map(|words| words.iter().map(String::as_str).collect())
            .collect(),
    });
    Bleu::of(&compared.collect::<Vec<_>>())
}

fn print(e: &Evaluation) {
    print_head(&e.model, &e.weights_sha256, 1.0);
    say!("{:<44}{:>7}{:>7}{:>7}{:>7}", "BLEU", 1, 2, 3, 4);
    let beam = format!("beam {}, length normalisation {}", e.beam, e.length_normalisation);
    for (name, bleu) in [(beam.as_str(), &e.bleu), ("  of another region of the photo", &e.other_region)] {
        let [one, two, three, four] = bleu.bleu.map(|share| 100.0 * share);
        say!("{name:<44}{one:>7.1}{two:>7.1}{three:>7.1}{four:>7.1}");
    }
    say!("{} regions of {} photos, {} snippets of {:.1} words", e.regions, e.photos, e.snippets, e.words);
    say!("{} distinct descriptions", e.distinct);
}
