//! `aligndraw align`: which word of a sentence is where in a picture.

use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use burn::tensor::Device;
use clap::Args as ClapArgs;
use serde::Serialize;

use super::boxes::{self, Phrase};
use super::files::{json, read_model};
use super::look::Reader;
use super::output;
use super::search::read;
use crate::cli::output::{say, write_and_note};
use crate::model::Region;
use crate::platform::block_on;
use crate::rank::{Alignment, Matcher};

#[derive(ClapArgs)]
pub struct Args {
    /// The picture: JPEG, PNG, WebP, GIF or BMP
    picture: PathBuf,
    /// What is said of it
    sentence: String,
    /// How much neighbouring words are drawn into one region: 0 gives each word its own
    #[arg(long, default_value_t = 0.0)]
    beta: f32,
    /// Print JSON: each word's region, and how much each region suits it
    #[arg(long)]
    json: bool,
    /// Also write the picture with the region of each phrase, a PNG
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Name of the model
    #[arg(long, default_value = "align-photos")]
    model: String,
    /// Folder of the models
    #[arg(long, default_value = "models")]
    models: PathBuf,
}

/// A word and where it is.
#[derive(Serialize)]
struct Placed<'a> {
    word: &'a str,
    /// Which of the regions.
    region: usize,
    /// How well each region suits it.
    similarities: &'a [f32],
}

/// Aligns in memory first: when anything is wrong, nothing is written.
pub fn run(args: Args) -> Result<()> {
    let (manifest, weights) = read_model(&args.models, &args.model)?;
    let matcher = Matcher::load(&manifest, &weights, &Device::flex())?;
    let Some(regions) = matcher.ranker().regions() else {
        let name = &args.model;
        bail!(
            "{name} compares whole sentences with whole pictures, its words have no regions: aligndraw search"
        );
    };
    if let Some(path) = args.out.as_deref().filter(|path| !is_png(path)) {
        bail!("{}: the picture with its regions is a .png", path.display());
    }
    let sentence = read(&matcher, &args.sentence)?;
    let reader = Reader::new(matcher.ranker().input(), &args.models)?;
    let picture = matcher.pictures(reader.read(&args.picture)?)?;
    let found = block_on(matcher.align(picture, &sentence.ids, args.beta))?;
    let drawn = match &args.out {
        Some(path) => {
            let pixels = reader.shown(&args.picture, boxes::SIDE as usize)?;
            Some((path, boxes::sheet(&pixels, &phrases(&sentence.words, &found, &regions))?))
        }
        None => None,
    };
    if args.json {
        print_json(&args, &sentence.words, &found, &regions)?;
    } else {
        for Phrase { words, region } in phrases(&sentence.words, &found, &regions) {
            say!("{:<28} {}", words.join(" "), boxes::place(&region));
        }
    }
    match drawn {
        Some((path, bytes)) => write_and_note(path, &bytes),
        None => Ok(()),
    }
}

fn is_png(path: &Path) -> bool {
    path == Path::new("-") || path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png"))
}

/// Neighbouring words of one region, as a phrase.
fn phrases(words: &[String], found: &Alignment, regions: &[Region]) -> Vec<Phrase> {
    let of = |(phrase, region): (Range<usize>, usize)| Phrase {
        words: words[phrase].to_vec(),
        region: regions[region],
    };
    found.phrases().into_iter().map(of).collect()
}

fn print_json(args: &Args, words: &[String], found: &Alignment, regions: &[Region]) -> Result<()> {
    let similarities = found.similarities.chunks_exact(regions.len());
    let placed = words.iter().zip(&found.regions).zip(similarities);
    let words: Vec<Placed> =
        placed.map(|((word, &region), similarities)| Placed { word, region, similarities }).collect();
    let found = serde_json::json!({
        "model": args.model, "picture": args.picture, "beta": args.beta, "score": found.score, "regions": regions,
        "words": words,
    });
    output::write(Path::new("-"), json(&found)?.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_of_one_region_are_a_phrase() {
        let region = |x: f32| Region { x, y: 0.0, width: 0.5, height: 1.0 };
        let found = Alignment { similarities: Vec::new(), regions: vec![0, 0, 1, 0], score: 0.0 };
        let words: Vec<String> = "a b c d".split(' ').map(str::to_owned).collect();
        let found = phrases(&words, &found, &[region(0.0), region(0.5)]);
        let said: Vec<(String, f32)> =
            found.iter().map(|phrase| (phrase.words.join(" "), phrase.region.x)).collect();
        assert_eq!(said, [("a b".to_owned(), 0.0), ("c".to_owned(), 0.5), ("d".to_owned(), 0.0)]);
    }
}
