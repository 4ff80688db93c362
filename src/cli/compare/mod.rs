//! `aligndraw compare`: the paper's two tables for painters of photos, one row a model, each with the command that
//! made the model. What was measured is kept, by the hash of the weights, and not measured again.

mod bounds;
mod kept;
mod looks;
mod retrieval;
mod table;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args as ClapArgs, ValueEnum};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::files::{json, read_model};
use super::output;
use super::train::command::command;
use crate::checkpoint::Manifest;
use crate::cli::output::note;
use crate::data::folder::{Folder, Part};
use crate::eval::ranking::Recall;
use crate::model::Config;
use crate::options::TrainOptions;
use crate::paint::{Engine, Sharpening};
use crate::systems::System;

use bounds::Bounds;
use kept::Kept;
use looks::Looks;
use retrieval::Retrieval;

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Measure {
    /// The lower bound on training and test pictures
    Bound,
    /// Which of the test pictures a caption belongs to, by the bound
    Retrieval,
    /// Structural similarity to the true picture, sharpness, diversity, Fréchet distance
    Looks,
}

#[derive(ClapArgs)]
pub struct Args {
    /// Folder of captioned images: their test part is measured on
    #[arg(long)]
    data: PathBuf,
    /// Names of the models, with commas
    #[arg(long, value_delimiter = ',', required = true)]
    models: Vec<String>,
    /// Folder of the models
    #[arg(long, default_value = "models")]
    folder: PathBuf,
    /// What is measured, with commas
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["bound", "retrieval", "looks"])]
    measures: Vec<Measure>,
    /// Test pictures that are measured on, at most
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(2..))]
    pictures: u32,
    /// Captions of each picture that are queries, at most
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    captions: u32,
    /// Pictures painted for a caption
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..=100))]
    samples: u32,
    /// Samples an image of the importance-weighted bound, for models that have one; 0: it is not estimated
    #[arg(long, default_value_t = 0)]
    importance: usize,
    /// Also measure every model with its pictures sharpened by the last level of this LAPGAN
    #[arg(long, value_name = "MODEL")]
    sharpen: Option<String>,
    /// Seed of noise and pictures
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Where measurements are kept
    #[arg(long, default_value = "runs/compare")]
    cache: PathBuf,
    /// Print JSON instead of the tables
    #[arg(long)]
    json: bool,
    /// Also write the JSON into a file
    #[arg(long)]
    out: Option<PathBuf>,
}

/// A row of the tables.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The model.
    pub model: String,
    /// Its system.
    pub system: &'static str,
    /// Of its weights.
    pub sha256: String,
    /// The command that made it, as far as its manifest tells.
    pub command: String,
    /// The lower bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bound: Option<Bounds>,
    /// Which picture a caption belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retrieval: Option<Retrieval>,
    /// How its pictures look.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub looks: Option<Looks>,
    /// The same after sharpening.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub looks_sharpened: Option<Looks>,
}

/// Both tables.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// The data.
    pub data: String,
    /// Test pictures.
    pub pictures: usize,
    /// Captions that are queries.
    pub queries: usize,
    /// The model that sharpened, where one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sharpened_by: Option<String>,
    /// What blind guessing gives.
    pub chance: Recall,
    /// What linear regression from the captions' words to the photos' colours gives, where retrieval is measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regression: Option<Recall>,
    /// The models.
    pub rows: Vec<Row>,
}

/// The pictures that models are compared on.
pub struct Queries {
    /// Numbers of the pictures in their folder.
    pub pictures: Vec<usize>,
    /// Each query: the place of its picture in `pictures`, and its word ids.
    pub captions: Vec<(usize, Vec<usize>)>,
}

impl Queries {
    /// The first pictures of a part with the first captions of each.
    fn of(part: &Part, pictures: usize, captions: usize) -> Self {
        let mut of_picture = BTreeMap::<usize, Vec<Vec<usize>>>::new();
        for (picture, ids) in part.captions() {
            of_picture.entry(picture).or_default().push(ids);
        }
        let of_picture: Vec<_> = of_picture.into_iter().take(pictures).collect();
        let queries = of_picture.iter().enumerate();
        let queries =
            queries.flat_map(|(at, (_, said))| said.iter().take(captions).map(move |ids| (at, ids.clone())));
        Self {
            captions: queries.collect(),
            pictures: of_picture.iter().map(|(picture, _)| *picture).collect(),
        }
    }

    /// Tells these queries and pictures apart from others.
    fn fingerprint(&self, part: &Part) -> String {
        let mut hash = Sha256::new();
        for &picture in &self.pictures {
            part.image(picture).iter().for_each(|value| hash.update([(value * 255.0).round() as u8]));
        }
        for (at, ids) in &self.captions {
            hash.update(format!("{at}:{ids:?}"));
        }
        hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A model with what it is measured on.
pub struct Measured<'a> {
    args: &'a Args,
    manifest: &'a Manifest,
    weights: &'a [u8],
    folder: &'a Folder,
    queries: &'a Queries,
    sharpener: Option<&'a NamedSharpener>,
}

/// A model whose last level sharpens.
pub struct NamedSharpener {
    /// What it does.
    pub sharpening: Sharpening,
    /// The first digits of its weights' hash.
    pub hash: String,
}

impl NamedSharpener {
    fn read(args: &Args, name: &str) -> Result<Self> {
        let (manifest, weights) = read_model(&args.folder, name)?;
        let hash = manifest.weights.sha256.chars().take(12).collect();
        Ok(Self { sharpening: Sharpening::load(&manifest, &weights, &Engine::Cpu)?, hash })
    }
}

pub fn run(args: Args) -> Result<()> {
    let sharpener = args.sharpen.as_deref().map(|name| NamedSharpener::read(&args, name)).transpose()?;
    let mut rows = Vec::new();
    let mut measured_on = None;
    for name in &args.models {
        let (manifest, weights) = read_model(&args.folder, name)?;
        let (row, on) = row(&args, &manifest, &weights, sharpener.as_ref(), rows.is_empty())?;
        rows.push(row);
        measured_on.get_or_insert(on);
    }
    let Some(MeasuredOn { pictures, queries, regression }) = measured_on else {
        bail!("--models names no model")
    };
    let comparison = Comparison {
        data: args.data.display().to_string(),
        pictures,
        queries,
        sharpened_by: args.sharpen.clone(),
        chance: Recall::by_chance(queries, pictures),
        regression,
        rows,
    };
    let text = json(&comparison)?;
    if let Some(out) = &args.out {
        output::write_and_note(out, text.as_bytes())?;
    }
    if args.json {
        return output::write(Path::new("-"), text.as_bytes());
    }
    table::print(&comparison);
    Ok(())
}

/// What a model was measured on.
struct MeasuredOn {
    pictures: usize,
    queries: usize,
    /// What linear regression gives there, of the first model's words.
    regression: Option<Recall>,
}

/// Measures one model, and says on what.
fn row(
    args: &Args,
    manifest: &Manifest,
    weights: &[u8],
    sharpener: Option<&NamedSharpener>,
    first: bool,
) -> Result<(Row, MeasuredOn)> {
    let size = manifest.system.image_size();
    if manifest.system.is_captioner() || size.channels != 3 || size.width != size.height {
        bail!("{}: expected a painter of square colour pictures", manifest.name);
    }
    let pixels = args.cache.join(format!("pixels-{}.bin", size.width));
    let folder = Folder::read(&args.data, size.width, Some(&pixels), Some(manifest.vocabulary.clone()))
        .with_context(|| args.data.display().to_string())?;
    let queries = Queries::of(&folder.test, args.pictures as usize, args.captions as usize);
    let measured = Measured { args, manifest, weights, folder: &folder, queries: &queries, sharpener };
    let kept = Kept::new(&args.cache, &manifest.weights.sha256, &queries.fingerprint(&folder.test));
    let wanted = |measure| args.measures.contains(&measure);
    note!("{}: {} pictures, {} captions", manifest.name, queries.pictures.len(), queries.captions.len());
    let row = Row {
        model: manifest.name.clone(),
        system: manifest.system.name(),
        sha256: manifest.weights.sha256.clone(),
        command: trained_by(manifest, &args.data),
        bound: wanted(Measure::Bound).then(|| bounds::measure(&measured, &kept)).transpose()?.flatten(),
        retrieval: wanted(Measure::Retrieval)
            .then(|| retrieval::measure(&measured, &kept))
            .transpose()?
            .flatten(),
        looks: wanted(Measure::Looks).then(|| looks::measure(&measured, &kept, None)).transpose()?,
        looks_sharpened: sharpener
            .filter(|_| wanted(Measure::Looks))
            .map(|sharpener| looks::measure(&measured, &kept, Some(sharpener)))
            .transpose()?,
    };
    let regression =
        (first && wanted(Measure::Retrieval)).then(|| retrieval::by_regression(&measured)).flatten();
    Ok((row, MeasuredOn { pictures: queries.pictures.len(), queries: queries.captions.len(), regression }))
}

/// The command that trained a model, from the options in its manifest, which are read as those of a run are: a second
/// way of reading them would be tens of kilobytes of code.
fn trained_by(manifest: &Manifest, data: &Path) -> String {
    let options = manifest.training["options"].to_string();
    match serde_json::from_slice::<TrainOptions<System>>(options.as_bytes()) {
        Ok(options) => command(&options, Some(data)),
        Err(error) => format!("unknown: {error}"),
    }
}
