//! `aligndraw train-judge`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use burn::tensor::Device;
use clap::Args as ClapArgs;

use super::files::{HARDENED, JUDGE, JudgeManifest, write_json};
use crate::checkpoint::WeightsRecord;
use crate::cli::output::say;
use crate::data::noise::Noise;
use crate::data::scene_pictures::ScenePictures;
use crate::data::scenes::{Bans, Scene};
use crate::eval::judge::{JudgeTraining, SceneJudge, train};
use crate::eval::scene_fidelity::Factors;
use crate::train::checkpoints::write_atomically;

/// Percent of each factor on test renders below which what a judge says is provisional.
pub const LEAST_ACCURACY: f64 = 99.0;
/// Test renders.
const TEST: usize = 5_000;
/// The seed of the test renders.
const TEST_SEED: u64 = 0x7e57;

#[derive(ClapArgs)]
pub struct Args {
    /// Folder of the models
    #[arg(long, default_value = "models")]
    models: PathBuf,
    /// Times 10 000 renders
    #[arg(long, default_value_t = 40)]
    epochs: usize,
    /// First learning rate
    #[arg(long, default_value_t = 1.5e-3)]
    lr: f64,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Percent of each factor on test renders below which nothing is written; `eval` says so of a judge
    /// that reads less than 99
    #[arg(long, default_value_t = LEAST_ACCURACY)]
    least: f64,
    /// Go on from this weights file, that of a judge that was not good enough, say
    #[arg(long)]
    from: Option<PathBuf>,
    /// Train the hardened judge instead, which also sees blurred, averaged and half-painted pictures and is to recognise
    /// nothing there
    #[arg(long)]
    hardened: bool,
}

pub fn run(args: Args) -> Result<()> {
    let begun = Instant::now();
    let pictures = Arc::new(ScenePictures::new(Bans::draw(1)));
    let scratch = std::env::temp_dir().join(format!("aligndraw-judge-{}", std::process::id()));
    let from = match &args.from {
        Some(path) => Some(std::fs::read(path).with_context(|| format!("reading {}", path.display()))?),
        None => None,
    };
    let Args { epochs, lr, seed, hardened, .. } = args;
    let training = JudgeTraining { epochs, learning_rate: lr, seed, hardened };
    let judge = train(pictures.clone(), from.as_deref(), training, &scratch)?;
    let _ = std::fs::remove_dir_all(&scratch);
    let bytes = judge.encode()?;
    // What is judged by is what is shipped: the weights after rounding to half precision.
    let device = Device::flex();
    let rounded = SceneJudge::decode(&bytes, &device)?;
    let accuracy = on_renders(&rounded, hardened, &pictures, &device);
    for (name, share) in accuracy.rows() {
        say!("{name:<12}{:>8.2} % of {} test renders", share.percent(), share.of);
    }
    let refused = hardened.then(|| rounded.refused(&pictures, TEST, &mut Noise::new(TEST_SEED), &device));
    if let Some(share) = refused {
        say!("nothing seen in {:.2} % of {} spoiled pictures", share.percent(), share.of);
    }
    if accuracy.least() < args.least {
        let path = std::env::temp_dir().join("unfinished-judge.safetensors");
        write_atomically(&path, &bytes).with_context(|| format!("writing {}", path.display()))?;
        bail!(
            "a judge must read {} % of each: go on with `--from {}` and another --seed and a smaller --lr",
            args.least,
            path.display()
        );
    }
    let name = if hardened { HARDENED } else { JUDGE };
    let file = format!("{name}.safetensors");
    let path = args.models.join(&file);
    write_atomically(&path, &bytes).with_context(|| format!("writing {}", path.display()))?;
    let manifest = JudgeManifest {
        name: name.to_owned(),
        reads: "colour scenes, 64×64 RGB in 0–1".to_owned(),
        accuracy_on_test_renders: accuracy,
        refused_of_spoiled: refused,
        epochs,
        seed,
        seconds: begun.elapsed().as_secs_f64().round(),
        weights: WeightsRecord::of(file, &bytes),
    };
    write_json(&args.models.join(format!("{name}.json")), &manifest)
}

/// How well a judge reads fresh renders of all combinations.
fn on_renders(judge: &SceneJudge, hardened: bool, pictures: &ScenePictures, device: &Device) -> Factors {
    let mut noise = Noise::new(TEST_SEED);
    let scenes: Vec<Scene> = (0..TEST).map(|_| Scene::sample(&mut noise)).collect();
    let pixels: Vec<f32> = scenes.iter().flat_map(|scene| pictures.paint(scene, &mut noise)).collect();
    let mut verdicts = judge.judge(&scenes, &pixels, device);
    if hardened {
        let recognised = judge.recognised(&scenes, &pixels, device);
        verdicts.iter_mut().zip(recognised).for_each(|(verdict, object)| verdict.object = object);
    }
    Factors::count(&verdicts)
}
