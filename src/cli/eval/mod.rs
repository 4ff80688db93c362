//! `aligndraw eval`.

mod appearance;
mod descriptions;
mod digits;
mod folder;
mod paraphrases;
mod photos;
mod placement;
mod ranking;
mod regions;
mod scenes;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use burn::tensor::Device;
use clap::Args as ClapArgs;

use super::files::{json, read_model};
use super::output;
use crate::checkpoint::{Manifest, decode, parse_safetensors};
use crate::cli::output::{note, say};
use crate::data::source::{DataSet, HeldOut, Source};
use crate::eval::bound::{Bound, Estimate};
use crate::eval::share::Share;
use crate::model::{OnCpu, Trainable};
use crate::systems::SystemVisitor;

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
    /// Print the JSON instead of the table
    #[arg(long)]
    json: bool,
    /// Also estimate the importance-weighted bound, with so many samples an image
    #[arg(long, value_name = "SAMPLES", default_value_t = 0)]
    importance: usize,
    /// Measure a captioner of photos on their regions: each is shown as if it were the whole photo
    #[arg(long)]
    regions: bool,
    /// Measure a ranker on colour scenes: whether it finds the words of a caption where what they name stands
    #[arg(long, conflicts_with = "regions")]
    scenes: bool,
    /// With --scenes: how much it is worth that neighbouring words share a region
    #[arg(long, requires = "scenes", default_value_t = 0.0)]
    beta: f32,
    /// Where to write the JSON (default: <models>/<model>.eval.json)
    #[arg(long)]
    out: Option<PathBuf>,
    /// Folder of the data: of MNIST (default: data/mnist), or of captioned images
    #[arg(long)]
    data: Option<PathBuf>,
}

pub fn run(args: Args) -> Result<()> {
    let (manifest, weights) = read_model(&args.models, &args.model)?;
    let out = args.out.clone().unwrap_or_else(|| args.models.join(format!("{}.eval.json", args.model)));
    let text = match manifest.data.bans.clone() {
        _ if args.scenes => json(&placement::evaluate(&args, manifest, &weights)?)?,
        _ if manifest.system.is_ranker() => json(&ranking::evaluate(&args, manifest, &weights)?)?,
        _ if manifest.system.is_paraphraser() => json(&paraphrases::evaluate(&args, manifest, &weights)?)?,
        HeldOut::Scenes(bans) if manifest.system.is_captioner() => {
            json(&descriptions::evaluate(&args, manifest, &weights, bans)?)?
        }
        _ if manifest.data.name == DataSet::Snippets || args.regions => {
            json(&regions::evaluate(&args, manifest, &weights)?)?
        }
        _ if manifest.system.is_captioner() && manifest.data.name == DataSet::Photos => {
            json(&photos::evaluate(&args, manifest, &weights)?)?
        }
        _ if manifest.system.is_captioner() => {
            bail!("{}: captioners are measured on colour scenes and photos", manifest.name)
        }
        HeldOut::Digits(bans) => json(&digits::evaluate(&args, manifest, &weights, bans)?)?,
        HeldOut::Nothing => json(&folder::evaluate(&args, manifest, &weights)?)?,
        HeldOut::Scenes(bans) => json(&scenes::evaluate(&args, manifest, &weights, bans)?)?,
    };
    output::write(&out, text.as_bytes())?;
    if args.json {
        output::write(Path::new("-"), text.as_bytes())?;
    }
    Ok(())
}

/// The bound on fresh samples, seen and held out.
struct Bounds<'a> {
    weights: &'a [u8],
    source: &'a dyn Source,
    seed: u64,
    importance: usize,
}

impl SystemVisitor for Bounds<'_> {
    type Output = crate::error::Result<[Option<Bound>; 2]>;

    fn visit<M: Trainable>(self, config: &M::Config) -> Self::Output {
        if !M::BOUND {
            note!("this model has no likelihood: there is no bound");
            return Ok([None, None]);
        }
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let fresh = M::init(config, 0, &Device::flex());
        let model = decode(fresh, &parse_safetensors(self.weights)?)?;
        let mut model = OnCpu::new(&model, config, threads);
        let (seed, importance) = (self.seed, self.importance);
        let mut estimate = Estimate { model: &mut model, images: BOUND_IMAGES, seed, importance };
        Ok([estimate.of(self.source), estimate.over(|size, noise| self.source.held_out_batch(size, noise))])
    }
}

fn bounds(
    args: &Args,
    manifest: &Manifest,
    weights: &[u8],
    source: &dyn Source,
) -> Result<[Option<Bound>; 2]> {
    Ok(manifest.system.visit(Bounds { weights, source, seed: args.seed, importance: args.importance })?)
}

fn print_head(name: &str, sha256: &str, temperature: f32) {
    say!("model {name} ({}) at temperature {temperature}", &sha256[..12.min(sha256.len())]);
}

fn print_columns() {
    say!("{:<34}{:>10}{:>12}", "", "seen", "held out");
}

fn print_shares(name: &str, seen: Share, held_out: Share) {
    say!("{name:<34}{:>8.1} %{:>10.1} %", seen.percent(), held_out.percent());
}

fn print_bounds(seen: &Option<Bound>, held_out: &Option<Bound>) {
    let row = |name: &str, of: fn(&Bound) -> f64| {
        let text =
            |bound: &Option<Bound>| bound.as_ref().map_or("none".to_owned(), |b| format!("{:.2}", of(b)));
        say!("{name:<34}{:>10}{:>12}", text(seen), text(held_out));
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
