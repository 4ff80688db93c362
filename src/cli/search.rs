//! `aligndraw search`: the pictures that a sentence suits best.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use burn::tensor::{Device, Tensor};
use clap::Args as ClapArgs;
use serde::Serialize;

use super::files::{json, read_model};
use super::look::Reader;
use super::output;
use crate::cli::output::{note, progress, say};
use crate::data::sentence::Sentence;
use crate::platform::block_on;
use crate::rank::Matcher;

/// Pictures whose features lie in memory together.
const TOGETHER: usize = 8;
/// The ends of the names of the files that are looked at in a folder.
const PICTURES: [&str; 6] = ["jpg", "jpeg", "png", "webp", "gif", "bmp"];

#[derive(ClapArgs)]
pub struct Args {
    /// What the picture should show
    sentence: String,
    /// Pictures, and folders of pictures: JPEG, PNG, WebP, GIF or BMP; folders inside of folders are not searched
    #[arg(required = true)]
    pictures: Vec<PathBuf>,
    /// Pictures to name, the best first
    #[arg(short = 'n', long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..))]
    number: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Name of the model
    #[arg(long, default_value = "embed-photos")]
    model: String,
    /// Folder of the models
    #[arg(long, default_value = "models")]
    models: PathBuf,
}

/// A picture that was found.
#[derive(Serialize)]
struct Found<'a> {
    picture: &'a Path,
    score: f32,
}

/// A file to look at.
struct File {
    path: PathBuf,
    /// Whether it was named itself: then it must be a picture.
    named: bool,
}

pub fn run(args: Args) -> Result<()> {
    let (manifest, weights) = read_model(&args.models, &args.model)?;
    let matcher = Matcher::load(&manifest, &weights, &Device::flex())?;
    let sentence = read(&matcher, &args.sentence)?;
    let files = files(&args.pictures)?;
    let reader = Reader::new(matcher.ranker().input(), &args.models)?;
    let (vectors, paths) = look(&matcher, &reader, files)?;
    let scores = block_on(matcher.scores(&vectors, &[&sentence.ids]))?;
    let mut found: Vec<Found> =
        paths.iter().zip(scores).map(|(picture, score)| Found { picture, score }).collect();
    // Stable: what scores the same stays in the order of the names.
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found.truncate(args.number as usize);
    if args.json {
        let Sentence { words, unknown, .. } = &sentence;
        let found = serde_json::json!({
            "model": args.model, "words": words, "unknown": unknown, "searched": paths.len(), "pictures": found,
        });
        return output::write(Path::new("-"), json(&found)?.as_bytes());
    }
    found.iter().for_each(|Found { picture, score }| say!("{score:>8.3}  {}", picture.display()));
    Ok(())
}

/// Reads a sentence, and says what of it is not known.
pub fn read(matcher: &Matcher, sentence: &str) -> Result<Sentence> {
    let sentence = matcher.read(sentence)?;
    if !sentence.unknown.is_empty() {
        note!("not known to the model, and passed over: {}", sentence.unknown.join(", "));
    }
    Ok(sentence)
}

/// The files that are named, and those of the folders, by name.
fn files(named: &[PathBuf]) -> Result<Vec<File>> {
    let mut files = Vec::new();
    for path in named {
        if !path.is_dir() {
            files.push(File { path: path.clone(), named: true });
            continue;
        }
        let reading = || format!("reading {}", path.display());
        let mut inside = Vec::new();
        for entry in std::fs::read_dir(path).with_context(reading)? {
            let path = entry.with_context(reading)?.path();
            let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
            if PICTURES.contains(&extension.to_ascii_lowercase().as_str()) && path.is_file() {
                inside.push(path);
            }
        }
        if inside.is_empty() {
            bail!(
                "{} holds no picture: expected files that end in .{}",
                path.display(),
                PICTURES.join(", .")
            );
        }
        inside.sort();
        files.extend(inside.into_iter().map(|path| File { path, named: false }));
    }
    Ok(files)
}

/// Vectors of the files' pictures, and the paths of these. What is broken in a folder is named and passed over.
fn look(matcher: &Matcher, reader: &Reader, files: Vec<File>) -> Result<(Tensor<3>, Vec<PathBuf>)> {
    let bar = progress(files.len() as u64);
    let (mut vectors, mut paths) = (Vec::new(), Vec::new());
    for some in files.chunks(TOGETHER) {
        let mut features = Vec::new();
        for File { path, named } in some {
            match reader.read(path) {
                Ok(read) => {
                    features.extend(read);
                    paths.push(path.clone());
                }
                Err(error) if *named => return Err(error),
                Err(error) => note!("passed over: {error:#}"),
            }
            bar.inc(1);
        }
        if !features.is_empty() {
            vectors.push(matcher.pictures(features)?);
        }
    }
    bar.finish_and_clear();
    if vectors.is_empty() {
        bail!("none of the {} files is a picture that can be read", files.len());
    }
    Ok((Tensor::cat(vectors, 0), paths))
}
