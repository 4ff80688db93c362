//! `aligndraw describe`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use burn::tensor::Device;
use clap::Args as ClapArgs;
use serde::Serialize;

use super::files::{json, read_model};
use super::heat::{self, HeatMaps};
use super::look::Reader;
use super::output;
use super::regions;
use crate::cli::output::{say, write_and_note};
use crate::describe::{Describer, Description, MOST_BEAM, Sampling, Search};
use crate::platform::block_on;

#[derive(ClapArgs)]
pub struct Args {
    /// Pictures: JPEG, PNG, WebP, GIF or BMP; models of photos look at the whole, others at the middle square
    #[arg(required = true)]
    pub pictures: Vec<PathBuf>,
    #[command(flatten)]
    search: SearchArgs,
    /// Sentences of each picture, the best first (default: 1); of a model of regions, 5 regions
    #[arg(short = 'n', long, value_parser = clap::value_parser!(u64).range(1..=MOST_BEAM as u64))]
    pub number: Option<u64>,
    /// Print JSON: sentences with their log-probabilities, and each word's attention or region
    #[arg(long)]
    pub json: bool,
    /// Also write where each word was looked for, over the picture: a sheet (.png) or one after another (.gif)
    #[arg(long, value_name = "FILE")]
    pub map: Option<PathBuf>,
    /// Name of the model
    #[arg(long, default_value = "describe-photos")]
    pub model: String,
    /// Folder of the models
    #[arg(long, default_value = "models")]
    pub models: PathBuf,
}

/// How sentences are searched.
#[derive(ClapArgs)]
pub struct SearchArgs {
    /// Hypotheses that are kept; 1 takes the likeliest word every time
    #[arg(long, default_value_t = Search::default().beam)]
    beam: usize,
    /// Sentences are ranked by log-probability / words^this: 0 prefers short ones
    #[arg(long, value_name = "POWER", default_value_t = Search::default().length_normalisation)]
    length_normalisation: f32,
    /// Draw the words at random instead: 1 as the model says, lower is more typical
    #[arg(long, conflicts_with = "beam")]
    temperature: Option<f32>,
    /// Seed of the drawn words
    #[arg(long, default_value_t = 0, requires = "temperature")]
    seed: u64,
}

impl SearchArgs {
    /// The search for `number` sentences.
    pub fn search(&self, number: usize) -> Result<Search> {
        let seed = self.seed;
        let sampling = self.temperature.map(|temperature| Sampling { temperature, seed });
        let search = Search { beam: self.beam, length_normalisation: self.length_normalisation, sampling };
        search.check()?;
        // As many hypotheses as sentences are asked for.
        let beam = if sampling.is_some() { number } else { self.beam.max(number) };
        Ok(Search { beam, ..search })
    }
}

/// A described picture, as JSON has it.
#[derive(Serialize)]
struct Described<'a> {
    picture: &'a Path,
    /// Rows and columns of the attention.
    grid: Option<[usize; 2]>,
    sentences: Vec<Sentence<'a>>,
}

#[derive(Serialize)]
struct Sentence<'a> {
    text: String,
    #[serde(flatten)]
    description: &'a Description,
}

/// What is written as a map.
enum Map<'a> {
    Sheet(&'a Path),
    Animation(&'a Path),
}

/// The map that is asked for.
fn map<'a>(args: &'a Args, describer: &Describer) -> Result<Option<(Map<'a>, [usize; 2])>> {
    let Some(path) = &args.map else { return Ok(None) };
    if args.pictures.len() > 1 {
        bail!("--map is of one picture, {} are named", args.pictures.len());
    }
    let Some(grid) = describer.captioner().grid() else {
        bail!("{} has no attention: there is no map", args.model);
    };
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "png" => Ok(Some((Map::Sheet(path), grid))),
        "gif" => Ok(Some((Map::Animation(path), grid))),
        _ => bail!("{}: a map is a .png or a .gif", path.display()),
    }
}

/// Describes in memory first: when a picture is broken, or anything else is, nothing is written.
pub fn run(args: Args) -> Result<()> {
    let (manifest, weights) = read_model(&args.models, &args.model)?;
    let describer = Describer::load(&manifest, &weights, &Device::flex())?;
    if describer.captioner().input().is_region() {
        return regions::run(&args, &describer, &args.search.search(1)?);
    }
    let number = args.number.map_or(1, |number| number as usize);
    let search = args.search.search(number)?;
    let map = map(&args, &describer)?;
    let reader = Reader::new(describer.captioner().input(), &args.models)?;
    let pictures: Vec<Vec<f32>> =
        args.pictures.iter().map(|path| reader.read(path)).collect::<Result<_>>()?;
    let mut found = block_on(describer.describe(pictures.concat(), &search))?;
    found.iter_mut().for_each(|sentences| sentences.truncate(number));

    let drawn = match &map {
        Some((map, grid)) => {
            let pixels = reader.shown(&args.pictures[0], heat::SIDE as usize)?;
            let description = found[0].first().context("nothing was said")?;
            let maps = HeatMaps { pixels: &pixels, description, grid: *grid };
            Some(match map {
                Map::Sheet(path) => (*path, maps.sheet()?),
                Map::Animation(path) => (*path, maps.animation()?),
            })
        }
        None => None,
    };
    if args.json {
        output::write(Path::new("-"), described(&args, &describer, &found)?.as_bytes())?;
    } else {
        print(&args, &found);
    }
    if let Some((path, bytes)) = drawn {
        write_and_note(path, &bytes)?;
    }
    Ok(())
}

fn described(args: &Args, describer: &Describer, found: &[Vec<Description>]) -> Result<String> {
    let grid = describer.captioner().grid();
    let of = |(picture, sentences): (&'_ PathBuf, &'_ Vec<Description>)| -> serde_json::Value {
        let sentences =
            sentences.iter().map(|description| Sentence { text: description.text(), description }).collect();
        serde_json::json!(Described { picture, grid, sentences })
    };
    let pictures: Vec<_> = args.pictures.iter().zip(found).map(of).collect();
    json(&serde_json::json!({ "model": args.model, "pictures": pictures }))
}

fn print(args: &Args, found: &[Vec<Description>]) {
    for (path, sentences) in args.pictures.iter().zip(found) {
        for sentence in sentences {
            match args.pictures.len() {
                1 => say!("{}", sentence.text()),
                _ => say!("{}: {}", path.display(), sentence.text()),
            }
        }
    }
}
