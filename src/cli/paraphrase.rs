//! `aligndraw paraphrase`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use burn::tensor::Device;
use clap::Args as ClapArgs;
use serde::Serialize;

use super::describe::SearchArgs;
use super::files::{json, read_model};
use super::matrix::AlignmentMatrix;
use super::output;
use crate::cli::output::{note, say, write_and_note};
use crate::describe::{Description, MOST_BEAM};
use crate::paraphrase::Rephraser;
use crate::platform::block_on;

#[derive(ClapArgs)]
pub struct Args {
    /// What is to be said in other words
    sentence: String,
    #[command(flatten)]
    search: SearchArgs,
    /// Paraphrases, the best first
    #[arg(short = 'n', long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=MOST_BEAM as u64))]
    number: u64,
    /// Print JSON: paraphrases with their log-probabilities, and each word's attention
    #[arg(long)]
    json: bool,
    /// Also write which words each word of the best paraphrase attends to, a PNG: a row for each word that is said, a
    /// column for each that was read
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Name of the model
    #[arg(long, default_value = "paraphrase-scenes")]
    model: String,
    /// Folder of the models
    #[arg(long, default_value = "models")]
    models: PathBuf,
}

/// A paraphrase, as JSON has it.
#[derive(Serialize)]
struct Paraphrase<'a> {
    text: String,
    #[serde(flatten)]
    description: &'a Description,
}

/// Paraphrases in memory first: when anything is wrong, nothing is written.
pub fn run(args: Args) -> Result<()> {
    let (manifest, weights) = read_model(&args.models, &args.model)?;
    let rephraser = Rephraser::load(&manifest, &weights, &Device::flex())?;
    if args.out.is_some() && !rephraser.paraphraser().attends() {
        bail!("{} has no attention: there is no alignment to write", args.model);
    }
    let number = args.number as usize;
    let search = args.search.search(number)?;
    let read = rephraser.read(&args.sentence)?;
    if !read.unknown.is_empty() {
        note!("not known to the model, and read as any word: {}", read.unknown.join(", "));
    }
    let mut found = block_on(rephraser.rephrase(&[&read.ids], &search))?.concat();
    found.truncate(number);
    let best = found.first().context("nothing was said")?;
    let drawn = match &args.out {
        Some(path) => Some((path, AlignmentMatrix { read: &read.words, said: best }.png()?)),
        None => None,
    };
    if args.json {
        let paraphrases: Vec<Paraphrase> =
            found.iter().map(|description| Paraphrase { text: description.text(), description }).collect();
        let report = serde_json::json!({
            "model": args.model, "words": read.words, "unknown": read.unknown, "paraphrases": paraphrases,
        });
        output::write(Path::new("-"), json(&report)?.as_bytes())?;
    } else {
        found.iter().for_each(|paraphrase| say!("{}", paraphrase.text()));
    }
    match drawn {
        Some((path, bytes)) => write_and_note(path, &bytes),
        None => Ok(()),
    }
}
