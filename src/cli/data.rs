//! `aligndraw data`: what a folder of captioned images holds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::Args as ClapArgs;
use serde::Serialize;

use super::files::{json, read_model};
use super::open::shorten;
use super::picture;
use crate::cli::output::{self, say, write_and_note};
use crate::data::folder::{Folder, Part};
use crate::model::ImageSize;

/// Images of the contact sheet.
const SHEET: usize = 100;

#[derive(ClapArgs)]
pub struct Args {
    /// The folder: images/ and captions.jsonl, metadata.jsonl, MS-COCO's JSON or Karpathy's dataset_*.json
    folder: PathBuf,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Where to write a contact sheet of the first images, a PNG
    #[arg(long, value_name = "FILE")]
    sheet: Option<PathBuf>,
    /// Side of the squares that images are cut to, pixels
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(8..=512))]
    side: u32,
    /// Say which words this model does not know (default: those said fewer than three times)
    #[arg(long, value_name = "NAME")]
    model: Option<String>,
    /// Folder of the models
    #[arg(long, default_value = "models")]
    models: PathBuf,
}

/// One part of the data.
#[derive(Serialize)]
struct PartSummary {
    images: usize,
    captions: usize,
    /// Captions by their number of words.
    lengths: BTreeMap<usize, usize>,
}

impl PartSummary {
    fn of(part: &Arc<Part>) -> Self {
        Self { images: part.images(), captions: part.len(), lengths: part.lengths() }
    }
}

/// Widths and heights of the pictures, pixels, by their number of pixels.
#[derive(Serialize)]
struct SizeSummary {
    smallest: (u32, u32),
    median: (u32, u32),
    largest: (u32, u32),
}

impl SizeSummary {
    fn of(mut sizes: Vec<(u32, u32)>) -> Option<Self> {
        sizes.sort_by_key(|&(width, height)| u64::from(width) * u64::from(height));
        let median = *sizes.get(sizes.len() / 2)?;
        Some(Self { smallest: *sizes.first()?, median, largest: *sizes.last()? })
    }
}

/// What a folder holds.
#[derive(Serialize)]
struct Summary {
    folder: String,
    sizes: Option<SizeSummary>,
    train: PartSummary,
    validation: PartSummary,
    test: PartSummary,
    words_known: usize,
    /// Words that are read as unknown, with how often they are said, the most frequent first.
    words_unknown: Vec<(String, usize)>,
    notes: Vec<String>,
    passed_over: Vec<String>,
}

pub fn run(args: Args) -> Result<()> {
    let vocabulary = match &args.model {
        Some(model) => Some(read_model(&args.models, model)?.0.vocabulary),
        None => None,
    };
    let side = args.side as usize;
    let read = Folder::read(&args.folder, side, None, vocabulary);
    let read = read.with_context(|| args.folder.display().to_string())?;
    let summary = Summary {
        folder: args.folder.display().to_string(),
        sizes: SizeSummary::of(read.sizes.clone()),
        train: PartSummary::of(&read.train),
        validation: PartSummary::of(&read.validation),
        test: PartSummary::of(&read.test),
        words_known: read.vocabulary.words.len(),
        words_unknown: read.unknown.clone(),
        notes: read.notes.clone(),
        passed_over: read.skipped.clone(),
    };
    if let Some(path) = &args.sheet {
        let images: Vec<Vec<f32>> = (0..read.images.min(SHEET)).map(|at| read.train.image(at)).collect();
        let images: Vec<&[f32]> = images.iter().map(Vec::as_slice).collect();
        let size = ImageSize { channels: 3, height: side, width: side };
        write_and_note(path, &picture::grid(&images, size, 1)?)?;
    }
    if args.json {
        return output::write(Path::new("-"), json(&summary)?.as_bytes());
    }
    print(&summary);
    Ok(())
}

fn print(summary: &Summary) {
    say!("{}", summary.folder);
    for (name, part) in
        [("train", &summary.train), ("validation", &summary.validation), ("test", &summary.test)]
    {
        let lengths = || part.lengths.keys();
        let (least, most) = (lengths().min().unwrap_or(&0), lengths().max().unwrap_or(&0));
        say!("{name:<12}{:>8} images{:>9} captions of {least} to {most} words", part.images, part.captions);
    }
    if let Some(SizeSummary { smallest, median, largest }) = &summary.sizes {
        let size = |(width, height): &(u32, u32)| format!("{width}×{height}");
        say!("pictures    smallest {}, median {}, largest {}", size(smallest), size(median), size(largest));
    }
    let unknown = &summary.words_unknown;
    let some: Vec<&str> = unknown.iter().take(12).map(|(word, _)| word.as_str()).collect();
    say!("words       {:>8} known  {:>9} unknown: {}", summary.words_known, unknown.len(), some.join(", "));
    summary.notes.iter().for_each(|note| say!("{note}"));
    say!("{} passed over", summary.passed_over.len());
    shorten(&summary.passed_over).iter().for_each(|what| say!("  {what}"));
}
