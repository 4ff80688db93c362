//! `aligndraw train`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};
use burn::train::Interrupter;
use clap::{Args as ClapArgs, ValueEnum};

use super::data::{Opened, open};
use super::files::{read_model, write_json, write_model};
use crate::checkpoint::{DataRecord, Manifest, Precision, WeightsRecord};
use crate::data::source::DataSet;
use crate::data::vocabulary::Vocabulary;
use crate::text2image::draw::{AttentionInput, DrawConfig, Initializer, ParameterValues, WindowLimit};
use crate::train::report::read_log;
use crate::train::schedule::Schedule;
use crate::train::{Compute, OptimizerKind, Start, StepCurriculum, TrainOptions, train};

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Preset {
    /// The paper's sizes, initialisation, RMSProp and schedule
    Paper,
    /// The model that the page ships: the paper's sizes, attention to words, Adam
    Digits,
    /// Colour scenes, 64×64
    Scenes,
    /// The paper's sizes for MS-COCO, initialisation, RMSProp and schedule, on colour scenes
    PaperScenes,
    /// The model of `scenes` on a folder of captioned images, named by --data
    Folder,
    /// A toy for trying the command out, seconds on one core
    Tiny,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Optimizer {
    Rmsprop,
    Adam,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ScheduleName {
    /// Constant, a tenth after 110/150 of the run
    Step,
    /// Warm-up, constant, half a cosine
    Cosine,
}

/// A device name and, for GPUs, which of them.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum DeviceName {
    Cpu,
    Wgpu,
    Vulkan,
}

#[derive(ClapArgs)]
pub struct Args {
    /// Folder of the run: checkpoints, log.jsonl, curves.png and the finished model
    #[arg(long, default_value = "runs/digits")]
    out: PathBuf,
    /// What to start from; the other flags change it
    #[arg(long, value_enum, default_value = "digits")]
    preset: Preset,
    /// Go on from the last checkpoint in --out, with the options it was started with
    #[arg(long)]
    resume: bool,
    /// Begin with the weights of a model, the path of its manifest without .json, not with random ones;
    /// its patches may be coarser
    #[arg(long, conflicts_with = "resume")]
    from: Option<String>,
    /// Epochs in all
    #[arg(long)]
    epochs: Option<usize>,
    /// Images a batch
    #[arg(long)]
    batch: Option<usize>,
    /// Batches an epoch
    #[arg(long)]
    batches: Option<usize>,
    /// StepBuffer of a drawing
    #[arg(long)]
    steps: Option<usize>,
    /// Windows stay below a share of the canvas' longer side after so many steps; finer still later on:
    /// 6:0.5,12:0.33
    #[arg(long, value_name = "STEPS:SHARE", value_delimiter = ',', value_parser = window_limit, alias = "detail")]
    window_limits: Option<Vec<WindowLimit>>,
    /// First learning rate
    #[arg(long)]
    lr: Option<f64>,
    #[arg(long, value_enum)]
    optimizer: Option<Optimizer>,
    #[arg(long, value_enum)]
    schedule: Option<ScheduleName>,
    /// Largest L2 norm of each tensor's gradient
    #[arg(long)]
    clip: Option<f32>,
    /// Decay of the average of the weights that is shipped (0: the weights themselves)
    #[arg(long)]
    average: Option<f64>,
    /// Stop after so many epochs without a better validation bound
    #[arg(long)]
    patience: Option<usize>,
    /// Seed of weights, samples and noise
    #[arg(long)]
    seed: Option<u64>,
    /// Seed of the compositions that are held out
    #[arg(long)]
    bans_seed: Option<u64>,
    /// Where to compute
    #[arg(long, value_enum, default_value = "cpu")]
    device: DeviceName,
    /// Indices of the GPUs to train on together
    #[arg(long, value_delimiter = ',', default_value = "0")]
    devices: Vec<usize>,
    /// Threads on the CPU (default: one a core)
    #[arg(long)]
    threads: Option<usize>,
    /// Folder of the data: of MNIST (default: data/mnist), or of captioned images (images/ and
    /// captions.jsonl, MS-COCO's JSON or Karpathy's dataset_*.json)
    #[arg(long)]
    data: Option<PathBuf>,
    /// Side of the square that the images of a folder are cut to, pixels
    #[arg(long, value_parser = clap::value_parser!(u32).range(8..=512))]
    side: Option<u32>,
    /// Name of the finished model
    #[arg(long, default_value = "digits")]
    name: String,
}

/// The words of a run, in its folder.
pub const VOCABULARY: &str = "vocabulary.json";

/// The preset of the model that the page ships.
fn digits() -> TrainOptions {
    let paper = TrainOptions::paper();
    let mut config = paper.config.clone();
    config.initializer = Initializer::Scaled;
    config.attention_input = AttentionInput::Words;
    TrainOptions {
        preset: "digits".to_owned(),
        config,
        epochs: 150,
        optimizer: OptimizerKind::Adam,
        learning_rate: 2e-3,
        schedule: Schedule::Cosine { warmup: 200, constant_until: 0.3 },
        average_decay: 0.995,
        temperature: 0.5,
        step_curriculum: Some(StepCurriculum { num_steps: 16, until: 0.75 }),
        ..paper
    }
}

/// The preset of the colour scenes.
fn scenes_preset() -> TrainOptions {
    TrainOptions {
        preset: "scenes".to_owned(),
        data: DataSet::Scenes,
        config: DrawConfig::scenes(),
        epochs: 170,
        step_curriculum: Some(StepCurriculum { num_steps: 10, until: 0.6 }),
        ..digits()
    }
}

/// STEPS:SHARE.
fn window_limit(text: &str) -> std::result::Result<WindowLimit, String> {
    let read = text.split_once(':').and_then(|(after, limit)| {
        Some(WindowLimit { after: after.trim().parse().ok()?, limit: limit.trim().parse().ok()? })
    });
    read.ok_or_else(|| "expected steps and a share of the canvas, like 6:0.5".to_owned())
}

impl Args {
    fn options(&self) -> TrainOptions {
        let mut options = match self.preset {
            Preset::Paper => TrainOptions::paper(),
            Preset::Digits => digits(),
            Preset::Scenes => scenes_preset(),
            Preset::PaperScenes => TrainOptions {
                preset: "paper-scenes".to_owned(),
                data: DataSet::Scenes,
                config: DrawConfig { vocabulary_size: 256, height: 64, width: 64, ..DrawConfig::coco() },
                schedule: Schedule::Step { drop_after: 11.0 / 18.0 },
                ..TrainOptions::paper()
            },
            Preset::Folder => {
                TrainOptions { preset: "folder".to_owned(), data: DataSet::Folder, ..scenes_preset() }
            }
            Preset::Tiny => TrainOptions::tiny(),
        };
        let set = |to: &mut usize, from: Option<usize>| *to = from.unwrap_or(*to);
        set(&mut options.epochs, self.epochs);
        set(&mut options.batch_size, self.batch);
        set(&mut options.batches_per_epoch, self.batches);
        if let (Some(side), DataSet::Folder) = (self.side, options.data) {
            [options.config.height, options.config.width] = [side as usize; 2];
        }
        if let Some(steps) = self.steps {
            options.config.num_steps = steps;
            options.step_curriculum = None;
        }
        if let Some(limits) = &self.window_limits {
            options.config.window_limits.clone_from(limits);
        }
        options.learning_rate = self.lr.unwrap_or(options.learning_rate);
        options.clip = self.clip.unwrap_or(options.clip);
        options.average_decay = self.average.unwrap_or(options.average_decay);
        options.patience = self.patience.or(options.patience);
        options.seed = self.seed.unwrap_or(options.seed);
        options.bans_seed = self.bans_seed.unwrap_or(options.bans_seed);
        match self.optimizer {
            Some(Optimizer::Rmsprop) => options.optimizer = OptimizerKind::Rmsprop,
            Some(Optimizer::Adam) => options.optimizer = OptimizerKind::Adam,
            None => {}
        }
        match self.schedule {
            Some(ScheduleName::Step) => options.schedule = Schedule::Step { drop_after: 110.0 / 150.0 },
            Some(ScheduleName::Cosine) => {
                options.schedule = Schedule::Cosine { warmup: 200, constant_until: 0.3 };
            }
            None => {}
        }
        options
    }

    fn compute(&self) -> Result<Compute> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        match self.device {
            DeviceName::Cpu => {
                let devices = vec![burn::tensor::Device::flex()];
                Ok(Compute { devices, cpu_threads: Some(self.threads.unwrap_or(cores)) })
            }
            DeviceName::Wgpu => gpu::devices(&self.devices, false),
            DeviceName::Vulkan => gpu::devices(&self.devices, true),
        }
    }
}

#[cfg(feature = "wgpu")]
mod gpu {
    use super::{Compute, Result};
    use burn::tensor::{Device, DeviceKind};

    pub fn devices(indices: &[usize], vulkan: bool) -> Result<Compute> {
        let device = |&index: &usize| {
            let kind = DeviceKind::DiscreteGpu(index);
            #[cfg(feature = "vulkan")]
            if vulkan {
                return Device::vulkan(kind);
            }
            Device::wgpu(kind)
        };
        if vulkan && !cfg!(feature = "vulkan") {
            anyhow::bail!("this binary has no Vulkan: build with `cargo build --release --features vulkan`");
        }
        Ok(Compute { devices: indices.iter().map(device).collect(), cpu_threads: None })
    }
}

#[cfg(not(feature = "wgpu"))]
mod gpu {
    use super::{Compute, Result};

    pub fn devices(_: &[usize], vulkan: bool) -> Result<Compute> {
        let feature = if vulkan { "vulkan" } else { "wgpu" };
        anyhow::bail!(
            "this binary computes on the CPU alone: build with `cargo build --release --features {feature}`"
        )
    }
}

/// The manifest of a model of a run; the weights' record is filled in when they are written.
pub fn manifest(
    name: &str,
    options: &TrainOptions,
    vocabulary: Vocabulary,
    epochs: usize,
    run: &Path,
) -> Manifest {
    // Seconds of training, summed over the sessions of the run: each begins again at zero.
    let lines = read_log(&run.join("log.jsonl"));
    let sessions = lines.windows(2).filter(|pair| pair[1].seconds < pair[0].seconds);
    let earlier: f64 = sessions.map(|pair| pair[0].seconds).sum();
    let seconds = earlier + lines.last().map_or(0.0, |line| line.seconds);
    Manifest {
        name: name.to_owned(),
        system: "align-draw".to_owned(),
        config: options.config.clone(),
        temperature: options.temperature,
        vocabulary,
        data: DataRecord { name: options.data, bans: options.data.held_out(options.bans_seed) },
        training: serde_json::json!({ "options": options, "epochs": epochs, "seconds": seconds.round() }),
        weights: WeightsRecord { file: String::new(), sha256: String::new(), bytes: 0 },
    }
}

/// Trains, then writes the model beside the checkpoints.
pub fn run(args: Args) -> Result<()> {
    let record = args.out.join("run.json");
    let mut options: TrainOptions = if args.resume {
        let json = std::fs::read(&record)
            .with_context(|| format!("--resume needs the record of a run, {}", record.display()))?;
        serde_json::from_slice(&json).with_context(|| record.display().to_string())?
    } else {
        if record.exists() {
            bail!(
                "{} holds a run already: add --resume, or name another folder with --out",
                args.out.display()
            );
        }
        args.options()
    };
    let side = options.config.width;
    let cache = args.out.join("pixels.bin");
    let Opened { data, vocabulary, .. } =
        open(options.data, args.data.as_deref(), options.bans_seed, side, Some(&cache))?;
    options.config.vocabulary_size = options.config.vocabulary_size.max(vocabulary.words.len());
    options.check()?;
    let compute = args.compute()?;
    let start = match &args.from {
        _ if args.resume => Start::Checkpoint,
        None => Start::Weights(ParameterValues::init(&options.config, options.seed).into()),
        Some(model) => {
            let (manifest, host) = read_model(Path::new("."), model)?;
            let host = host.upsample_to(&manifest.config, &options.config);
            let host = host.with_context(|| format!("--from {model}"))?;
            options.started_from = Some(manifest.weights.sha256);
            Start::Weights(host.into())
        }
    };
    if !args.resume {
        write_json(&args.out.join(VOCABULARY), &vocabulary)?;
        write_json(&record, &options)?;
    }

    let stop = Arc::new(AtomicBool::new(false));
    let interrupter = Interrupter::new();
    let (asked, at_once) = (stop.clone(), interrupter.clone());
    ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::Relaxed) {
            at_once.stop(Some("interrupted twice"));
        } else {
            eprintln!("finishing the epoch, then saving; Ctrl-C again stops at once, at the last checkpoint");
        }
    })
    .context("catching Ctrl-C")?;

    let outcome = train(&options, start, data, &args.out, &compute, stop, interrupter)?;
    if outcome.skipped > 0 {
        println!("{} steps were skipped: their loss was not finite", outcome.skipped);
    }
    let out = args.out.display();
    if outcome.stopped {
        println!(
            "stopped after epoch {} of {}: go on with `--resume --out {out}`",
            outcome.epochs, options.epochs
        );
    }
    let manifest = manifest(&args.name, &options, vocabulary, outcome.epochs, &args.out);
    let manifest = write_model(&args.out, manifest, &outcome.host, Precision::Half)?;
    println!(
        "{out}/{}: {} bytes, after {} epochs",
        manifest.weights.file, manifest.weights.bytes, outcome.epochs
    );
    Ok(())
}
