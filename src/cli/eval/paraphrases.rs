//! Paraphrasers on captions of the same pictures: BLEU of what is said of a picture's first caption against its others,
//! and where the attention is while a word of the sentence itself is said again.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use burn::tensor::Device;
use serde::Serialize;

use super::super::open::{Reading, open, read_said};
use super::descriptions::Perplexity;
use super::{Args, print_head};
use crate::checkpoint::Manifest;
use crate::cli::output::{note, progress, say};
use crate::data::folder::said::Captioned;
use crate::data::noise::Noise;
use crate::data::scenes::{Bans, Scene};
use crate::data::source::{HeldOut, Source};
use crate::data::words::words as cut;
use crate::describe::{Description, Search};
use crate::eval::bleu::{Bleu, Compared};
use crate::paraphrase::Rephraser;
use crate::platform::block_on;

/// Sentences paraphrased at once.
const BATCH: usize = 50;
/// Scenes whose captions are paraphrased, unless more are asked for.
const SCENES: usize = 1_000;
/// Length normalisations that are tried on the validation part.
const POWERS: [f32; 6] = [0.0, 0.3, 0.5, 0.7, 0.9, 1.0];

/// The captions of a picture, cut into words: the first is paraphrased, the others are what it is compared with.
type Captions = Vec<Vec<String>>;

/// What is written as JSON.
#[derive(Serialize)]
pub struct Evaluation {
    model: String,
    weights_sha256: String,
    /// Pictures whose first caption was paraphrased.
    pictures: usize,
    beam: usize,
    /// The one of a few that gave the highest BLEU-4 on the validation part.
    length_normalisation: f32,
    /// Of the paraphrases against the picture's other captions.
    bleu: Bleu,
    /// The same, taking the likeliest word every time.
    greedy: Bleu,
    /// Of the paraphrases of the validation part, which the length normalisation was chosen on.
    validation: Bleu,
    /// Of the first captions themselves against the others: how much people agree.
    first_captions: Bleu,
    /// Of the paraphrases against the captions of another picture: what is gained without reading.
    shuffled_control: Bleu,
    /// Share of the paraphrases that are the sentence itself.
    repeated: f64,
    distinct_sentences: usize,
    /// `e` to the nats of a word, the end of a sentence counted as one.
    perplexity: f64,
    /// None without attention.
    attention: Option<WordAttention>,
}

/// Where the attention is while a word of the sentence is said again: there is truth for these words.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct WordAttention {
    /// Words that were said again.
    words: usize,
    /// Share of the attention on the same word.
    on_same_word: f64,
    /// The same if every word got the same.
    uniform: f64,
    /// How often the most attended word is the same word.
    peak_on_same_word: f64,
}

impl WordAttention {
    fn add(&mut self, read: &[String], said: &Description) {
        for word in &said.words {
            let Some(attention) = &word.attention else { continue };
            let same: Vec<usize> = (0..attention.len()).filter(|&at| read[at] == word.text).collect();
            if same.is_empty() {
                continue;
            }
            let peak = (0..attention.len()).max_by(|&a, &b| attention[a].total_cmp(&attention[b]));
            self.words += 1;
            self.on_same_word += f64::from(same.iter().map(|&at| attention[at]).sum::<f32>());
            self.uniform += same.len() as f64 / attention.len() as f64;
            self.peak_on_same_word += f64::from(u8::from(peak.is_some_and(|peak| same.contains(&peak))));
        }
    }

    fn mean(self) -> Self {
        let of = |sum: f64| sum / self.words.max(1) as f64;
        Self {
            words: self.words,
            on_same_word: of(self.on_same_word),
            uniform: of(self.uniform),
            peak_on_same_word: of(self.peak_on_same_word),
        }
    }
}

/// The captions of scenes at random, none of them held out.
fn scenes(count: usize, bans: &Bans, noise: &mut Noise) -> Vec<Captions> {
    let mut found = Vec::with_capacity(count);
    while found.len() < count {
        let scene = Scene::sample(noise);
        if !bans.contains(&scene) {
            let words = |said: &String| cut(said).into_iter().map(|word| word.text).collect();
            found.push(scene.captions(noise).iter().map(words).collect());
        }
    }
    found
}

/// Paraphrases the first captions of the test part.
pub fn evaluate(args: &Args, manifest: Manifest, weights: &[u8]) -> Result<Evaluation> {
    let rephraser = Rephraser::load(&manifest, weights, &Device::flex())?;
    let (validation, test): (Vec<Captions>, Vec<Captions>) = match &manifest.data.bans {
        HeldOut::Scenes(bans) => {
            let part = |stream| scenes(SCENES, bans, &mut Noise::stream(args.seed, stream));
            (part(0), part(1))
        }
        _ => {
            let said = read_said(args.data.as_deref(), Some(manifest.vocabulary.clone()))?;
            let captions = |images: Vec<Captioned>| images.into_iter().map(|image| image.captions).collect();
            (captions(said.validation_images), captions(said.test_images))
        }
    };
    let most = args.samples.map_or(usize::MAX, |samples| samples as usize);
    let usable = |part: Vec<Captions>| -> Vec<Captions> {
        part.into_iter().filter(|captions| captions.len() > 1).take(most).collect()
    };
    let (validation, test) = (usable(validation), usable(test));
    if validation.is_empty() || test.is_empty() {
        bail!(
            "no picture of the validation or the test part has two captions: there is nothing to compare with"
        );
    }
    let search = Search::default();
    let validated = Rephrased::of(&rephraser, &validation, &search)?;
    let (length_normalisation, validation) = validated.best_power();
    note!("length normalisation {length_normalisation}, chosen on {} sentences", validation.sentences);
    let found = Rephrased::of(&rephraser, &test, &search)?;
    let greedy = Rephrased::of(&rephraser, &test, &Search { beam: 1, ..search })?;
    let said = found.said(length_normalisation);
    let texts: Vec<String> = said.iter().map(|said| said.text()).collect();
    let perplexity = perplexity(args, &manifest, weights, most)?;
    let mut attention = WordAttention::default();
    test.iter().zip(&said).for_each(|(captions, said)| attention.add(&captions[0], said));
    let repeated = test.iter().zip(&texts).filter(|(captions, said)| captions[0].join(" ") == **said).count();
    let firsts: Vec<String> = test.iter().map(|captions| captions[0].join(" ")).collect();
    let evaluation = Evaluation {
        model: manifest.name.clone(),
        weights_sha256: manifest.weights.sha256.clone(),
        pictures: test.len(),
        beam: search.beam,
        length_normalisation,
        bleu: bleu(&texts, &test, 0),
        greedy: greedy.bleu(length_normalisation),
        validation,
        first_captions: bleu(&firsts, &test, 0),
        shuffled_control: bleu(&texts, &test, 1),
        repeated: repeated as f64 / test.len() as f64,
        distinct_sentences: texts.iter().collect::<BTreeSet<_>>().len(),
        perplexity,
        attention: rephraser.paraphraser().attends().then(|| attention.mean()),
    };
    if !args.json {
        print(&evaluation);
    }
    Ok(evaluation)
}

fn perplexity(args: &Args, manifest: &Manifest, weights: &[u8], most: usize) -> Result<f64> {
    let vocabulary = Some(manifest.vocabulary.clone());
    let held_out_seed = match &manifest.data.bans {
        HeldOut::Scenes(bans) => bans.seed,
        _ => 0,
    };
    let reading = Reading {
        folder: args.data.as_deref(),
        held_out_seed,
        side: 0,
        cache: None,
        vocabulary,
        models: &args.models,
        crops: 0,
    };
    let opened = open(manifest.data.name, reading)?;
    let source: &dyn Source = opened.test.as_ref();
    let captions = most.min(SCENES).saturating_mul(5);
    let measured = Perplexity { weights, source, held_out: false, captions, seed: args.seed };
    Ok(manifest.system.visit(measured)?)
}

/// First captions, and of each the paraphrases that a search found.
struct Rephrased<'a>(&'a [Captions], Vec<Vec<Description>>);

impl<'a> Rephrased<'a> {
    fn of(rephraser: &Rephraser, pictures: &'a [Captions], search: &Search) -> Result<Self> {
        let bar = progress(pictures.len() as u64);
        let mut found = Vec::with_capacity(pictures.len());
        for some in pictures.chunks(BATCH) {
            let ids: Vec<Vec<usize>> = some.iter().map(|captions| rephraser.ids(&captions[0])).collect();
            let ids: Vec<&[usize]> = ids.iter().map(Vec::as_slice).collect();
            found.extend(block_on(rephraser.rephrase(&ids, search))?);
            bar.set_position(found.len() as u64);
        }
        bar.finish_and_clear();
        Ok(Self(pictures, found))
    }

    /// The best paraphrase of each sentence at a length normalisation: it ranks what the search found.
    fn said(&self, length_normalisation: f32) -> Vec<&Description> {
        let search = Search { length_normalisation, ..Search::default() };
        let score = |found: &Description| search.score(found.log_prob, found.words.len() + 1);
        let best = |found: &'_ Vec<Description>| {
            (0..found.len()).max_by(|&a, &b| score(&found[a]).total_cmp(&score(&found[b])))
        };
        self.1.iter().filter_map(|found| Some(&found[best(found)?])).collect()
    }

    fn bleu(&self, length_normalisation: f32) -> Bleu {
        let said: Vec<String> = self.said(length_normalisation).into_iter().map(Description::text).collect();
        bleu(&said, self.0, 0)
    }

    /// The length normalisation with the highest BLEU-4.
    fn best_power(&self) -> (f32, Bleu) {
        let tried = POWERS.map(|power| (power, self.bleu(power)));
        let better = |a: &(f32, Bleu), b: &(f32, Bleu)| a.1.bleu[3].total_cmp(&b.1.bleu[3]);
        tried.into_iter().max_by(better).unwrap_or((Search::default().length_normalisation, Bleu::default()))
    }
}

/// BLEU against all captions but the first of a picture, the one that stands `shift` behind.
fn bleu(said: &[String], pictures: &[Captions], shift: usize) -> Bleu {
    let compared = said.iter().zip(pictures.iter().cycle().skip(shift)).map(|(said, captions)| Compared {
        candidate: said.split_whitespace().collect(),
        references: captions[1..].iter().map(|words| words.iter().map(String::as_str).collect()).collect(),
    });
    Bleu::of(&compared.collect::<Vec<_>>())
}

fn print(e: &Evaluation) {
    print_head(&e.model, &e.weights_sha256, 1.0);
    say!("{:<44}{:>7}{:>7}{:>7}{:>7}", "BLEU against the other captions", 1, 2, 3, 4);
    let beam = format!("beam {}, length normalisation {}", e.beam, e.length_normalisation);
    let rows = [
        (beam.as_str(), &e.bleu),
        ("likeliest words", &e.greedy),
        ("validation part", &e.validation),
        ("the first captions themselves", &e.first_captions),
        ("against another picture's captions", &e.shuffled_control),
    ];
    for (name, bleu) in rows {
        let [one, two, three, four] = bleu.bleu.map(|share| 100.0 * share);
        say!("{name:<44}{one:>7.1}{two:>7.1}{three:>7.1}{four:>7.1}");
    }
    say!("{} sentences, {} distinct paraphrases", e.pictures, e.distinct_sentences);
    say!("{:<44}{:>7.1} %", "the sentence itself", 100.0 * e.repeated);
    say!("{:<44}{:>7.2}", "perplexity of a word", e.perplexity);
    if let Some(attention) = &e.attention {
        let row = |name: &str, share: f64| say!("{name:<44}{:>7.1} %", 100.0 * share);
        row("attention on a word that is said again", attention.on_same_word);
        row("  if every word got the same", attention.uniform);
        row("  most attended word is the same", attention.peak_on_same_word);
    }
}
