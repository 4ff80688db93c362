//! `aligndraw eval`.

mod digits;
mod folder;
mod scenes;

use std::path::PathBuf;

use anyhow::Result;
use clap::Args as ClapArgs;

use super::files::{read_model, write_json};
use crate::checkpoint::Manifest;
use crate::data::source::{HeldOut, Source};
use crate::eval::bound::{Bound, Estimate};
use crate::eval::share::Share;
use crate::text2image::draw::ParameterValues;
use crate::text2image::draw::cpu::Weights;

/// Images for each of the two bounds.
const BOUND_IMAGES: usize = 2_000;

#[derive(ClapArgs)]
pub struct Args {
    /// Name of the model, or the path of its manifest without .json
    #[arg(long, default_value = "digits")]
    model: String,
    /// Folder of the models
    #[arg(long, default_value = "models")]
    models: PathBuf,
    /// Pictures painted: of digits for each of the 440 captions (default 10), of scenes in all for
    /// seen combinations and for held-out ones (default 2000)
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    samples: Option<u32>,
    /// Seed of captions and pictures
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Scale of the prior's standard deviation (default: the model's own)
    #[arg(long)]
    temperature: Option<f32>,
    /// Also estimate the importance-weighted bound, with so many samples an image
    #[arg(long, value_name = "SAMPLES", default_value_t = 0)]
    importance: usize,
    /// Where to write the JSON (default: <models>/<model>.eval.json)
    #[arg(long)]
    out: Option<PathBuf>,
    /// Folder of the data: of MNIST (default: data/mnist), or of captioned images
    #[arg(long)]
    data: Option<PathBuf>,
}

pub fn run(args: Args) -> Result<()> {
    let (manifest, host) = read_model(&args.models, &args.model)?;
    let out = args.out.clone().unwrap_or_else(|| args.models.join(format!("{}.eval.json", args.model)));
    match manifest.data.bans.clone() {
        HeldOut::Digits(bans) => write_json(&out, &digits::evaluate(&args, manifest, host, bans)?),
        HeldOut::Nothing => write_json(&out, &folder::evaluate(&args, manifest, host)?),
        HeldOut::Scenes(bans) => write_json(&out, &scenes::evaluate(&args, manifest, host, bans)?),
    }
}

/// The bound on fresh samples, seen and held out.
fn bounds(
    args: &Args,
    manifest: &Manifest,
    host: &ParameterValues,
    source: &dyn Source,
) -> [Option<Bound>; 2] {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let weights = Weights::new(&manifest.config, host.clone());
    let estimate = Estimate {
        weights: &weights,
        images: BOUND_IMAGES,
        seed: args.seed,
        threads,
        importance: args.importance,
    };
    [estimate.of(source), estimate.over(|size, noise| source.held_out_batch(size, noise))]
}

fn print_head(name: &str, sha256: &str, temperature: f32) {
    println!("model {name} ({}) at temperature {temperature}", &sha256[..12.min(sha256.len())]);
}

fn print_columns() {
    println!("{:<34}{:>10}{:>12}", "", "seen", "held out");
}

fn print_shares(name: &str, seen: Share, held_out: Share) {
    println!("{name:<34}{:>8.1} %{:>10.1} %", seen.percent(), held_out.percent());
}

fn print_bounds(seen: &Option<Bound>, held_out: &Option<Bound>) {
    let row = |name: &str, of: fn(&Bound) -> f64| {
        let text =
            |bound: &Option<Bound>| bound.as_ref().map_or("none".to_owned(), |b| format!("{:.2}", of(b)));
        println!("{name:<34}{:>10}{:>12}", text(seen), text(held_out));
    };
    row("lower bound, nats", |bound| bound.bound);
    row("  reconstruction", |bound| bound.reconstruction);
    row("  KL", |bound| bound.kl);
    if let Some(importance) = seen.as_ref().and_then(|bound| bound.importance) {
        let name = format!("  importance-weighted, {} samples", importance.samples);
        row(&name, |bound| bound.importance.map_or(f64::NAN, |importance| importance.bound));
    }
    row("  entropy floor of the pixels", |bound| bound.entropy_floor);
}
