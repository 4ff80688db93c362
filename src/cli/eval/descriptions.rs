//! Captioners on colour scenes: which factors a description names, where the captioner attends while it says an
//! object's noun, perplexity, BLEU.

use anyhow::Result;
use burn::tensor::Device;
use serde::Serialize;

use super::{Args, print_columns, print_head, print_shares};
use crate::checkpoint::{Manifest, decode, parse_safetensors};
use crate::cli::output::{progress, say};
use crate::data::batch::TrainBatch;
use crate::data::noise::Noise;
use crate::data::scene_pictures::ScenePictures;
use crate::data::scenes::{Bans, Scene};
use crate::data::source::Source;
use crate::describe::{Describer, Description, Search};
use crate::eval::bleu::{Bleu, Compared};
use crate::eval::judge::Verdict;
use crate::eval::scene_description::{NounAttention, said_colours, verdict};
use crate::eval::scene_fidelity::Factors;
use crate::eval::share::Share;
use crate::model::{Bounded, OnCpu, Trainable};
use crate::platform::block_on;
use crate::systems::SystemVisitor;

/// Pictures described of seen combinations, and of held-out ones, unless more are asked for.
const SAMPLES: u32 = 2_000;
/// Pictures described at once.
const BATCH: usize = 50;

/// What was measured on one kind of scenes.
#[derive(Serialize)]
struct Measured {
    /// Named by the captioner.
    named: Factors,
    /// Of the named colours of objects whose description has one too: how many are the same.
    said_colours: Share,
    /// The descriptions, each compared with another picture's scene.
    shuffled_control: Factors,
    noun_attention: NounAttention,
    perplexity: f64,
    bleu: Bleu,
}

/// What is written as JSON.
#[derive(Serialize)]
pub struct Evaluation {
    model: String,
    weights_sha256: String,
    pictures: usize,
    seed: u64,
    beam: usize,
    length_normalisation: f32,
    seen: Measured,
    held_out: Measured,
}

/// `e` to the nats of a word, the end of a sentence counted as one, over fresh captions.
pub struct Perplexity<'a> {
    /// The weights file.
    pub weights: &'a [u8],
    /// Where captions are from.
    pub source: &'a dyn Source,
    /// Whether of combinations that were never trained on.
    pub held_out: bool,
    /// Captions, about.
    pub captions: usize,
    /// Seed of the captions.
    pub seed: u64,
}

impl SystemVisitor for Perplexity<'_> {
    type Output = crate::error::Result<f64>;

    fn visit<M: Trainable>(self, config: &M::Config) -> Self::Output {
        let model = decode(M::init(config, 0, &Device::flex()), &parse_safetensors(self.weights)?)?;
        let mut model = OnCpu::new(&model, config, 1);
        let (mut nats, mut words) = (0.0, 0.0);
        for start in (0..self.captions).step_by(BATCH) {
            let mut noise = Noise::stream(self.seed, start as u64);
            let batch = match self.held_out {
                true => self.source.held_out_batch(BATCH, &mut noise),
                false => Some(self.source.batch(BATCH, &mut noise)),
            };
            let Some(batch) = batch else { break };
            words += (batch.len() * (batch.words + 1)) as f64;
            let size = batch.len() as f64;
            let item = TrainBatch::measured(batch, 0);
            nats += size * model.terms(&item).get("words");
        }
        Ok((nats / words).exp())
    }
}

/// Describes fresh renders.
pub fn evaluate(args: &Args, manifest: Manifest, weights: &[u8], bans: Bans) -> Result<Evaluation> {
    let describer = Describer::load(&manifest, weights, &Device::flex())?;
    let pictures = ScenePictures::new(bans);
    let count = args.samples.unwrap_or(SAMPLES) as usize;
    let search = Search::default();
    let bar = progress(2 * count as u64);
    let measure = |held_out: bool| -> Result<Measured> {
        let captions = Perplexity { weights, source: &pictures, held_out, captions: count, seed: args.seed };
        let perplexity = manifest.system.visit(captions)?;
        let mut measurement = Measurement::new(&pictures, &describer, search);
        let mut noise = Noise::stream(args.seed, u64::from(held_out));
        for start in (0..count).step_by(BATCH) {
            let scenes: Vec<Scene> =
                (start..count.min(start + BATCH)).map(|_| pictures.draw(held_out, &mut noise).0).collect();
            bar.inc(scenes.len() as u64);
            measurement.describe(scenes, &mut noise)?;
        }
        Ok(measurement.finish(perplexity))
    };
    let evaluation = Evaluation {
        model: manifest.name.clone(),
        weights_sha256: manifest.weights.sha256.clone(),
        pictures: count,
        seed: args.seed,
        beam: search.beam,
        length_normalisation: search.length_normalisation,
        seen: measure(false)?,
        held_out: measure(true)?,
    };
    bar.finish_and_clear();
    if !args.json {
        print(&evaluation);
    }
    Ok(evaluation)
}

/// Describes renders, and remembers what was said.
struct Measurement<'a> {
    pictures: &'a ScenePictures,
    describer: &'a Describer,
    search: Search,
    scenes: Vec<Scene>,
    said: Vec<String>,
    references: Vec<[String; 5]>,
    attention: NounAttention,
}

impl<'a> Measurement<'a> {
    fn new(pictures: &'a ScenePictures, describer: &'a Describer, search: Search) -> Self {
        let (scenes, said, references) = (Vec::new(), Vec::new(), Vec::new());
        Self { pictures, describer, search, scenes, said, references, attention: NounAttention::default() }
    }

    fn describe(&mut self, scenes: Vec<Scene>, noise: &mut Noise) -> Result<()> {
        let pixels: Vec<f32> = scenes.iter().flat_map(|scene| self.pictures.paint(scene, noise)).collect();
        let found = block_on(self.describer.describe(pixels, &self.search))?;
        for (scene, sentences) in scenes.into_iter().zip(found) {
            let Some(best) = sentences.into_iter().next() else { continue };
            self.attend(&scene, &best, noise);
            self.references.push(scene.captions(noise));
            self.said.push(best.text());
            self.scenes.push(scene);
        }
        Ok(())
    }

    fn attend(&mut self, scene: &Scene, description: &Description, noise: &mut Noise) {
        if let Some(grid) = self.describer.captioner().grid() {
            self.attention.add(scene, &self.pictures.layout(scene, noise), description, grid);
        }
    }

    fn finish(self, perplexity: f64) -> Measured {
        let judged = |shift: usize| {
            let said = self.said.iter().cycle().skip(shift);
            let verdicts: Vec<Verdict> =
                self.scenes.iter().zip(said).map(|(scene, said)| verdict(scene, said)).collect();
            Factors::count(&verdicts)
        };
        fn compared<'b>((said, references): (&'b String, &'b [String; 5])) -> Compared<'b> {
            Compared {
                candidate: said.split(' ').collect(),
                references: references.iter().map(|reference| reference.split(' ').collect()).collect(),
            }
        }
        let corpus: Vec<Compared> = self.said.iter().zip(&self.references).map(compared).collect();
        let mut colours = Share::default();
        let scenes = self.scenes.iter().zip(&self.said);
        scenes.flat_map(|(scene, said)| said_colours(scene, said)).for_each(|same| colours.add(same));
        Measured {
            named: judged(0),
            said_colours: colours,
            shuffled_control: judged(1),
            noun_attention: self.attention,
            perplexity,
            bleu: Bleu::of(&corpus),
        }
    }
}

/// One of the tables of a measurement.
type Table = fn(&Measured) -> &Factors;

fn print(e: &Evaluation) {
    print_head(&e.model, &e.weights_sha256, 1.0);
    print_columns();
    let tables: [(&str, Table); 2] = [("", |m| &m.named), ("shuffled control: ", |m| &m.shuffled_control)];
    for (kind, of) in tables {
        for ((name, seen), (_, held_out)) in of(&e.seen).rows().into_iter().zip(of(&e.held_out).rows()) {
            print_shares(&format!("{kind}{name}"), seen, held_out);
        }
    }
    let row = |name: &str, of: fn(&Measured) -> f64, unit: &str| {
        say!("{name:<34}{:>8.1} {unit}{:>10.1} {unit}", of(&e.seen), of(&e.held_out));
    };
    print_shares("colours, where one is said", e.seen.said_colours, e.held_out.said_colours);
    row("attention inside the object", |m| 100.0 * m.noun_attention.inside, "%");
    row("  if every cell got the same", |m| 100.0 * m.noun_attention.uniform, "%");
    row("  most attended cell inside", |m| 100.0 * m.noun_attention.peak_inside, "%");
    row("BLEU-1", |m| 100.0 * m.bleu.bleu[0], " ");
    row("BLEU-4", |m| 100.0 * m.bleu.bleu[3], " ");
    say!("{:<34}{:>8.2}{:>12.2}", "perplexity of a word", e.seen.perplexity, e.held_out.perplexity);
}
