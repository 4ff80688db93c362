//! `aligndraw roundtrip`: caption → picture → caption.

mod photos;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use burn::tensor::Device;
use clap::Args as ClapArgs;
use serde::Serialize;

use crate::cli::describe::SearchArgs;
use crate::cli::eyes::read_eyes;
use crate::cli::files::{JUDGE, json, read_judge, read_model};
use crate::cli::output;
use crate::cli::output::{progress, say, write_and_note};
use crate::data::folder::pixels::resized;
use crate::data::noise::Noise;
use crate::data::scene_pictures::ScenePictures;
use crate::data::scenes::Scene;
use crate::data::source::HeldOut;
use crate::describe::{Describer, Search};
use crate::error::Error;
use crate::eval::bleu::{Bleu, Compared};
use crate::eval::judge::{SceneJudge, Verdict};
use crate::eval::scene_description::verdict;
use crate::eval::scene_fidelity::Factors;
use crate::eval::share::Share;
use crate::eyes::Eyes;
use crate::model::PictureInput;
use crate::nn::floats;
use crate::paint::{Engine, Pipeline};
use crate::platform::block_on;
use photos::Photos;

/// Captions of one length painted at once: few, so that lengths are as frequent as in the language.
const BATCH: usize = 10;

#[derive(ClapArgs)]
pub struct Args {
    /// Captions to send round (default: scenes at random, seen combinations and held-out ones; with --data the first
    /// caption of each of its test photos)
    captions: Vec<String>,
    /// Scenes of each kind, or photos at most
    #[arg(short = 'n', long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..))]
    number: u32,
    /// Seed of scenes and pictures
    #[arg(long = "painter-seed", default_value_t = 0)]
    painter_seed: u64,
    #[command(flatten)]
    search: SearchArgs,
    /// Name of the model that paints
    #[arg(long, default_value = "scenes")]
    painter: String,
    /// Name of the model that describes
    #[arg(long, default_value = "describe-scenes")]
    captioner: String,
    /// Folder of the models
    #[arg(long, default_value = "models")]
    models: PathBuf,
    /// Folder of captioned photos, for painters and captioners of photos
    #[arg(long, conflicts_with = "captions")]
    data: Option<PathBuf>,
    /// Print JSON instead of the table
    #[arg(long)]
    json: bool,
    /// Also write the JSON into a file
    #[arg(long)]
    out: Option<PathBuf>,
}

/// A caption that went round.
#[derive(Clone, Debug, Serialize)]
struct Trip {
    caption: String,
    seed: u64,
    returned: String,
}

/// What came back of scenes.
#[derive(Serialize)]
struct Survived {
    /// Factors that the returned caption names.
    factors: Factors,
    /// The same when the scene is rendered, not painted: what the captioner itself loses.
    of_renders: Factors,
    /// The judge's verdict on the same pictures.
    judged: Factors,
    /// How often the judge and the returned caption agree about the object.
    agreement: Share,
    bleu: Bleu,
    trips: Vec<Trip>,
}

/// What is written as JSON.
#[derive(Serialize)]
struct Report {
    painter: String,
    captioner: String,
    seed: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    seen: Option<Survived>,
    #[serde(skip_serializing_if = "Option::is_none")]
    held_out: Option<Survived>,
    #[serde(skip_serializing_if = "Option::is_none")]
    photos: Option<Photos>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    trips: Vec<Trip>,
}

/// A painter and a captioner.
struct Round {
    pipeline: Pipeline,
    describer: Describer,
    /// What the captioner looks with; none for one that looks at the painter's pixels.
    eyes: Option<Eyes>,
    search: Search,
}

impl Round {
    /// With the eyes that the captioner asks for.
    fn with_eyes(mut self, args: &Args) -> Result<Self> {
        let painted = self.pipeline.painter().image_size();
        match self.describer.captioner().input() {
            PictureInput::Pixels(size) if size == painted => {}
            PictureInput::Features(size) if size == Eyes::SIZE && painted.height == painted.width => {
                self.eyes = Some(read_eyes(&args.models)?.1);
            }
            looked => {
                let (by, at) = (&args.painter, &args.captioner);
                let what = format!(
                    "{by} paints {painted:?}, but {at} looks at {looked:?}: expected the same pixels, or features of \
                     the eyes"
                );
                return Err(Error::Config(what).into());
            }
        }
        Ok(self)
    }

    /// The pictures of captions of one length, [caption, channel, row, column].
    fn paint(&self, captions: &[String], seeds: &[u64]) -> Result<Vec<f32>> {
        let tokens: crate::error::Result<Vec<_>> =
            captions.iter().map(|caption| self.pipeline.vocabulary().tokens(caption)).collect();
        let pictures = self.pipeline.begin_batch(&tokens?, seeds)?;
        let frames = block_on(self.pipeline.finish(pictures))?;
        Ok(frames.into_iter().flat_map(|frame| frame.image).collect())
    }

    /// The best description of each picture of the painter's size.
    fn describe(&self, pictures: Vec<f32>) -> Result<Vec<String>> {
        let Some(eyes) = &self.eyes else { return self.say(pictures) };
        let size = self.pipeline.painter().image_size();
        let large = pictures.chunks(size.len()).flat_map(|picture| resized(picture, size.width, Eyes::SIDE));
        self.say(floats(eyes.features(&large.collect::<Vec<_>>())?.into_data()))
    }

    /// The best description of what the captioner looks at, pixels or features.
    fn say(&self, pictures: Vec<f32>) -> Result<Vec<String>> {
        let found = block_on(self.describer.describe(pictures, &self.search))?;
        Ok(found.iter().map(|sentences| sentences.first().map_or(String::new(), |s| s.text())).collect())
    }
}

pub fn run(args: Args) -> Result<()> {
    let (painter, painter_weights) = read_model(&args.models, &args.painter)?;
    let (captioner, captioner_weights) = read_model(&args.models, &args.captioner)?;
    let round = Round {
        pipeline: Pipeline::load(&painter, &painter_weights, &Engine::Cpu)?,
        describer: Describer::load(&captioner, &captioner_weights, &Device::flex())?,
        eyes: None,
        search: args.search.search(1)?,
    };
    let round = round.with_eyes(&args)?;
    let seed = args.painter_seed;
    let mut report = Report {
        painter: args.painter.clone(),
        captioner: args.captioner.clone(),
        seed,
        seen: None,
        held_out: None,
        photos: None,
        trips: Vec::new(),
    };
    if let Some(data) = &args.data {
        report.photos = Some(photos::survived(&round, data, args.number as usize, seed)?);
    } else if args.captions.is_empty() {
        let HeldOut::Scenes(bans) = painter.data.bans.clone() else {
            bail!(
                "{} draws no colour scenes: name captions to send round, or photos with --data",
                args.painter
            );
        };
        let device = Device::flex();
        let scenes = Scenes {
            pictures: ScenePictures::new(bans),
            judge: read_judge(&args.models, JUDGE, &device)?.1,
            device,
            count: args.number as usize,
            seed,
        };
        report.seen = Some(scenes.survived(&round, false)?);
        report.held_out = Some(scenes.survived(&round, true)?);
    } else {
        for caption in &args.captions {
            let pictures = round.paint(std::slice::from_ref(caption), &[seed])?;
            let returned = round.describe(pictures)?.concat();
            report.trips.push(Trip { caption: caption.clone(), seed, returned });
        }
    }
    let text = json(&report)?;
    if args.json {
        output::write(Path::new("-"), text.as_bytes())?;
    } else {
        print(&report);
    }
    match &args.out {
        Some(path) => write_and_note(path, text.as_bytes()),
        None => Ok(()),
    }
}

/// Scenes at random, and what judges their pictures.
struct Scenes {
    pictures: ScenePictures,
    judge: SceneJudge,
    device: Device,
    count: usize,
    seed: u64,
}

impl Scenes {
    fn survived(&self, round: &Round, held_out: bool) -> Result<Survived> {
        let mut noise = Noise::stream(self.seed, u64::from(held_out));
        let (mut returned, mut rendered, mut judged) = (Vec::new(), Vec::new(), Vec::new());
        let mut trips: Vec<Trip> = Vec::new();
        let bar = progress(self.count as u64);
        while trips.len() < self.count {
            let size = BATCH.min(self.count - trips.len());
            let (scenes, captions): (Vec<Scene>, Vec<String>) =
                self.pictures.draw_batch(held_out, size, &mut noise).into_iter().unzip();
            let seeds: Vec<u64> = scenes.iter().map(|_| noise.next_u64()).collect();
            let painted = round.paint(&captions, &seeds)?;
            judged.extend(self.judge.judge(&scenes, &painted, &self.device));
            let said = round.describe(painted)?;
            returned.extend(verdicts(&scenes, &said));
            let renders: Vec<f32> =
                scenes.iter().flat_map(|scene| self.pictures.paint(scene, &mut noise)).collect();
            rendered.extend(verdicts(&scenes, &round.describe(renders)?));
            let trip = |((caption, seed), returned)| Trip { caption, seed, returned };
            trips.extend(captions.into_iter().zip(seeds).zip(said).map(trip));
            bar.inc(size as u64);
        }
        bar.finish_and_clear();
        let mut agreement = Share::default();
        returned.iter().zip(&judged).for_each(|(a, b)| agreement.add(a.object == b.object));
        let corpus: Vec<Compared> = trips
            .iter()
            .map(|trip| Compared {
                candidate: trip.returned.split(' ').collect(),
                references: vec![trip.caption.split(' ').collect()],
            })
            .collect();
        let bleu = Bleu::of(&corpus);
        Ok(Survived {
            factors: Factors::count(&returned),
            of_renders: Factors::count(&rendered),
            judged: Factors::count(&judged),
            agreement,
            bleu,
            trips,
        })
    }
}

fn verdicts(scenes: &[Scene], said: &[String]) -> Vec<Verdict> {
    scenes.iter().zip(said).map(|(scene, said)| verdict(scene, said)).collect()
}

/// One of the tables of a round trip.
type Table = fn(&Survived) -> &Factors;

fn print(report: &Report) {
    for trip in &report.trips {
        say!("{} → {}", trip.caption, trip.returned);
    }
    if let Some(photos) = &report.photos {
        say!("{} → {}, {} captions of photos", report.painter, report.captioner, photos.trips());
        photos.print();
    }
    let (Some(seen), Some(held_out)) = (&report.seen, &report.held_out) else { return };
    say!("{} → {}, {} scenes of each kind", report.painter, report.captioner, seen.trips.len());
    say!("{:<34}{:>10}{:>12}", "", "seen", "held out");
    let tables: [(&str, Table); 3] =
        [("", |s| &s.factors), ("the judge: ", |s| &s.judged), ("of renders: ", |s| &s.of_renders)];
    let row = |name: &str, seen: Share, held_out: Share| {
        say!("{name:<34}{:>8.1} %{:>10.1} %", seen.percent(), held_out.percent());
    };
    for (kind, of) in tables {
        for ((name, seen), (_, held_out)) in of(seen).rows().into_iter().zip(of(held_out).rows()) {
            row(&format!("{kind}{name}"), seen, held_out);
        }
    }
    row("judge and caption agree on objects", seen.agreement, held_out.agreement);
    let bleu = |survived: &Survived, at: usize| 100.0 * survived.bleu.bleu[at];
    say!("{:<34}{:>8.1}  {:>10.1}", "BLEU-4 with the first caption", bleu(seen, 3), bleu(held_out, 3));
}
