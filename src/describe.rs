//! The one captioning loop: the command line and the browser both run it, for every captioner, on any device.
//!
//! Hypotheses, begun sentences, grow a word at a time. A beam of one is greedy search; with a temperature the
//! words are drawn from a seed in the place of a search. Words that stand for unknown ones are never said.

use burn::tensor::Device;

use crate::checkpoint::{Manifest, decode, parse_safetensors};
use crate::data::{noise::Noise, vocabulary::Vocabulary, words::UNKNOWN};
use crate::error::{Error, Result};
use crate::model::{Captioner, Continuation, ImageToText, NextWords, Sentences};
use crate::platform;
use crate::systems::CaptionerVisitor;

/// The widest beam.
pub const MOST_BEAM: usize = 100;

/// How sentences are chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    /// Hypotheses kept of each picture, and sentences returned; with a temperature, sentences drawn.
    pub beam: usize,
    /// α: hypotheses are ranked by log-probability / words^α (Wu et al. 2016, with lp = words^α).
    pub length_normalisation: f32,
    /// Words are drawn, each with probability ∝ p^{1/temperature}; none: the beam searches.
    pub sampling: Option<Sampling>,
}

/// Drawing words at random.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// 1: as the model says; lower is more typical. Above 0.
    pub temperature: f32,
    /// Picture `i` draws from stream `i` of this seed.
    pub seed: u64,
}

impl Default for Search {
    fn default() -> Self {
        Self { beam: 5, length_normalisation: 0.7, sampling: None }
    }
}

impl Search {
    /// Refuses what cannot be searched with.
    ///
    /// **Errors** [`Error::Config`].
    pub fn check(&self) -> Result<()> {
        let refuse = |what: String| Err(Error::Config(what));
        if !(1..=MOST_BEAM).contains(&self.beam) {
            return refuse(format!("the beam is {}, expected 1 to {MOST_BEAM}", self.beam));
        }
        if !(0.0..=5.0).contains(&self.length_normalisation) {
            let found = self.length_normalisation;
            return refuse(format!("the length normalisation is {found}, expected 0 to 5"));
        }
        match self.sampling {
            Some(Sampling { temperature, .. }) if !(temperature > 0.0 && temperature <= 5.0) => {
                refuse(format!("the temperature is {temperature}, expected above 0, at most 5"))
            }
            _ => Ok(()),
        }
    }

    /// What hypotheses are ranked by, from log-probabilities and words, the end counted as one.
    pub fn score(&self, log_prob: f64, words: usize) -> f64 {
        log_prob / (words.max(1) as f64).powf(f64::from(self.length_normalisation))
    }
}

/// A word of a description.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SaidWord {
    /// The word.
    pub text: String,
    /// Its log-probability after the words before it, nats.
    pub log_prob: f32,
    /// How much each location was attended to, [row, column], summing to 1; none without attention.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attention: Option<Vec<f32>>,
}

/// A sentence about a picture.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Description {
    /// Its words.
    pub words: Vec<SaidWord>,
    /// Log-probability of the whole, its end included, nats.
    pub log_prob: f64,
    /// What it was ranked by.
    pub score: f64,
}

impl Description {
    /// The sentence.
    pub fn text(&self) -> String {
        let words: Vec<&str> = self.words.iter().map(|word| word.text.as_str()).collect();
        words.join(" ")
    }
}

/// Builds the captioner of a manifest's system.
struct Load<'a> {
    weights: &'a [u8],
    device: &'a Device,
}

impl CaptionerVisitor for Load<'_> {
    type Output = Result<Box<dyn Captioner>>;

    fn visit<M: ImageToText>(self, config: &M::Config) -> Self::Output {
        if !platform::HAS_BURN_TENSORS {
            return Err(Error::Device("this engine has the fused passes of painters alone".into()));
        }
        let fresh = M::init(config, 0, self.device);
        Ok(decode(fresh, &parse_safetensors(self.weights)?)?.captioner(config, self.device))
    }
}

/// Words, and a search for sentences of them: what comes next is said by a captioner, or by a paraphraser.
pub(crate) struct Speaker {
    pub vocabulary: Vocabulary,
    /// Of each id, the end included, whether it may be said.
    sayable: Vec<bool>,
}

impl Speaker {
    /// Says the words of a vocabulary; `end` is the id of the end of a sentence.
    pub fn new(vocabulary: Vocabulary, end: usize) -> Self {
        let known = |id: usize| vocabulary.words.get(id).is_some_and(|word| word != UNKNOWN);
        let sayable = (0..=end).map(|id| id == end || known(id)).collect();
        Self { vocabulary, sayable }
    }

    /// The id of the end of a sentence.
    fn end(&self) -> usize {
        self.sayable.len() - 1
    }

    /// The sentences of each of `count` subjects that `sentences` has begun, the best first.
    ///
    /// **Errors** [`Error::Device`].
    pub async fn speak(
        &self,
        mut sentences: Box<dyn Sentences>,
        count: usize,
        search: &Search,
    ) -> Result<Vec<Vec<Description>>> {
        let mut beams: Vec<Beam> = (0..count).map(|picture| Beam::begin(picture, search)).collect();
        // The end is said after the last word.
        for _ in 0..=self.vocabulary.max_words {
            let hypotheses: Vec<Hypothesis> = beams.iter_mut().flat_map(|beam| beam.live.drain(..)).collect();
            if hypotheses.is_empty() {
                break;
            }
            let next = next_words(sentences.as_mut(), &hypotheses).await?;
            for (at, hypothesis) in hypotheses.into_iter().enumerate() {
                let picture = hypothesis.picture;
                beams[picture].candidates.push((at, hypothesis));
            }
            beams.iter_mut().for_each(|beam| beam.grow(&next, self));
        }
        Ok(beams.into_iter().map(|beam| beam.finish(self)).collect())
    }
}

/// What comes after hypotheses, in their order.
async fn next_words(sentences: &mut dyn Sentences, hypotheses: &[Hypothesis]) -> Result<NextOnHost> {
    let continuation = |hypothesis: &Hypothesis| Continuation {
        parent: hypothesis.parent,
        word: hypothesis.ids.last().copied(),
    };
    let next: Vec<Continuation> = hypotheses.iter().map(continuation).collect();
    let NextWords { log_probs, attention } = sentences.step(&next)?;
    let attention = match attention {
        Some(attention) => Some(attention.read().await?),
        None => None,
    };
    Ok(NextOnHost { log_probs: log_probs.read().await?, attention, hypotheses: hypotheses.len() })
}

/// A model ready to describe pictures: words and a search around a captioner.
pub struct Describer {
    speaker: Speaker,
    captioner: Box<dyn Captioner>,
}

impl Describer {
    /// A describer of a manifest and its weights file, whose hash the caller has checked.
    ///
    /// **Errors** [`Error::Model`], naming the tensor that is missing or of another shape, or when the model
    /// does not describe.
    pub fn load(manifest: &Manifest, weights: &[u8], device: &Device) -> Result<Self> {
        let captioner = manifest.system.visit_captioner(Load { weights, device })??;
        Ok(Self::new(captioner, manifest.vocabulary.clone()))
    }

    /// A describer around a captioner that was made elsewhere.
    pub fn new(captioner: Box<dyn Captioner>, vocabulary: Vocabulary) -> Self {
        let speaker = Speaker::new(vocabulary, captioner.vocabulary_size());
        Self { speaker, captioner }
    }

    /// Its words.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.speaker.vocabulary
    }

    /// The model that it describes with.
    pub fn captioner(&self) -> &dyn Captioner {
        self.captioner.as_ref()
    }

    /// Describes pictures [picture, channel, row, column]: of each its sentences, the best first.
    ///
    /// **Errors** [`Error::Config`] for a search or pictures that cannot be; [`Error::Device`].
    pub async fn describe(&self, pictures: Vec<f32>, search: &Search) -> Result<Vec<Vec<Description>>> {
        search.check()?;
        let count = pictures.len() / self.captioner.input().size().len();
        self.speaker.speak(self.captioner.look(pictures)?, count, search).await
    }
}

/// [`NextWords`] on the host.
struct NextOnHost {
    log_probs: Vec<f32>,
    attention: Option<Vec<f32>>,
    hypotheses: usize,
}

impl NextOnHost {
    fn row<'a>(&self, of: &'a [f32], at: usize) -> &'a [f32] {
        let len = of.len() / self.hypotheses;
        &of[at * len..][..len]
    }
}

/// A begun sentence.
#[derive(Clone)]
struct Hypothesis {
    picture: usize,
    /// Which hypothesis of the last step it goes on from; the picture at first.
    parent: usize,
    ids: Vec<usize>,
    log_probs: Vec<f32>,
    attention: Vec<Vec<f32>>,
    log_prob: f64,
}

impl Hypothesis {
    /// With another word; the end is none.
    fn with(&self, at: usize, id: usize, next: &NextOnHost, end: usize) -> Self {
        let mut longer = self.clone();
        let log_prob = next.row(&next.log_probs, at)[id];
        longer.parent = at;
        longer.log_prob += f64::from(log_prob);
        if id != end {
            longer.ids.push(id);
            longer.log_probs.push(log_prob);
            longer.attention.extend(next.attention.as_ref().map(|all| next.row(all, at).to_vec()));
        }
        longer
    }
}

/// The hypotheses of a picture.
struct Beam {
    search: Search,
    /// Those that grow.
    live: Vec<Hypothesis>,
    /// Those that a step was computed for, with their rows in it.
    candidates: Vec<(usize, Hypothesis)>,
    done: Vec<Hypothesis>,
    /// Draws words, where the search does.
    noise: Option<Noise>,
}

impl Beam {
    fn begin(picture: usize, search: &Search) -> Self {
        let hypothesis = Hypothesis {
            picture,
            parent: picture,
            ids: Vec::new(),
            log_probs: Vec::new(),
            attention: Vec::new(),
            log_prob: 0.0,
        };
        let noise = search.sampling.map(|sampling| Noise::stream(sampling.seed, picture as u64));
        let width = if noise.is_some() { search.beam } else { 1 };
        let live = vec![hypothesis; width];
        Self { search: *search, live, candidates: Vec::new(), done: Vec::new(), noise }
    }

    /// Chooses the words that the candidates go on with.
    fn grow(&mut self, next: &NextOnHost, speaker: &Speaker) {
        let end = speaker.end();
        let candidates = std::mem::take(&mut self.candidates);
        let sayable = |hypothesis: &Hypothesis, id: usize| {
            speaker.sayable[id] && (id != end || !hypothesis.ids.is_empty())
        };
        let chosen: Vec<(usize, usize)> = match (&mut self.noise, self.search.sampling) {
            (Some(noise), Some(sampling)) => {
                let draw = |(at, (row, hypothesis)): (usize, &(usize, Hypothesis))| {
                    let log_probs = next.row(&next.log_probs, *row);
                    let sayable = |id: usize| sayable(hypothesis, id);
                    Some((at, drawn(log_probs, sampling.temperature, sayable, noise)?))
                };
                candidates.iter().enumerate().filter_map(draw).collect()
            }
            _ => {
                let width = self.search.beam - self.done.len();
                likeliest(&candidates, next, width, sayable)
            }
        };
        for (at, id) in chosen {
            let (row, hypothesis) = &candidates[at];
            let longer = hypothesis.with(*row, id, next, end);
            if id == end {
                self.done.push(longer);
            } else {
                self.live.push(longer);
            }
        }
    }

    /// The sentences, the best first; those that never ended only where none did.
    fn finish(mut self, speaker: &Speaker) -> Vec<Description> {
        if self.done.is_empty() {
            self.done = self.live;
        }
        let score =
            |hypothesis: &Hypothesis| self.search.score(hypothesis.log_prob, hypothesis.ids.len() + 1);
        let mut scored: Vec<(f64, Hypothesis)> =
            self.done.into_iter().map(|hypothesis| (score(&hypothesis), hypothesis)).collect();
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        let word = |hypothesis: &Hypothesis, at: usize| SaidWord {
            text: speaker.vocabulary.words[hypothesis.ids[at]].clone(),
            log_prob: hypothesis.log_probs[at],
            attention: hypothesis.attention.get(at).cloned(),
        };
        let describe = |(score, hypothesis): (f64, Hypothesis)| Description {
            words: (0..hypothesis.ids.len()).map(|at| word(&hypothesis, at)).collect(),
            log_prob: hypothesis.log_prob,
            score,
        };
        scored.into_iter().map(describe).collect()
    }
}

/// The likeliest continuations of a picture's hypotheses, as (candidate, id), the best first.
fn likeliest(
    candidates: &[(usize, Hypothesis)],
    next: &NextOnHost,
    width: usize,
    sayable: impl Fn(&Hypothesis, usize) -> bool,
) -> Vec<(usize, usize)> {
    let mut all: Vec<(f64, usize, usize)> = Vec::new();
    for (at, (row, hypothesis)) in candidates.iter().enumerate() {
        let log_probs = next.row(&next.log_probs, *row);
        let said = log_probs.iter().enumerate().filter(|(id, _)| sayable(hypothesis, *id));
        all.extend(said.map(|(id, &log_prob)| (hypothesis.log_prob + f64::from(log_prob), at, id)));
    }
    let better = |a: &(f64, usize, usize), b: &(f64, usize, usize)| {
        b.0.total_cmp(&a.0).then((a.1, a.2).cmp(&(b.1, b.2)))
    };
    let width = width.min(all.len());
    if width > 0 && width < all.len() {
        all.select_nth_unstable_by(width - 1, better);
    }
    all.truncate(width);
    all.sort_by(better);
    all.into_iter().map(|(_, at, id)| (at, id)).collect()
}

/// A word drawn with probability ∝ p^{1/temperature}; none where nothing can be said.
fn drawn(
    log_probs: &[f32],
    temperature: f32,
    sayable: impl Fn(usize) -> bool,
    noise: &mut Noise,
) -> Option<usize> {
    let ids: Vec<usize> = (0..log_probs.len()).filter(|&id| sayable(id)).collect();
    let scaled = |id: &usize| f64::from(log_probs[*id]) / f64::from(temperature);
    let most = ids.iter().map(scaled).fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = ids.iter().map(|id| (scaled(id) - most).exp()).collect();
    let mut left = f64::from(noise.uniform()) * weights.iter().sum::<f64>();
    let found = weights.iter().position(|weight| {
        left -= weight;
        left < 0.0
    });
    found.map(|at| ids[at]).or(ids.last().copied())
}
