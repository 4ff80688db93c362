//! Show, Attend and Tell: terms, gradients and words held to an independent float64 reference
//! (`tests/fixtures/generate_attend.py`); it learns a batch by heart and describes it; it is saved and read.

use std::borrow::Cow;
use std::collections::BTreeMap;

use aligndraw::checkpoint::{Precision, decode, encode, float_tensors, parse_safetensors, with_values};
use aligndraw::data::batch::{CaptionBatch, Progress, TrainBatch};
use aligndraw::data::noise::Noise;
use aligndraw::data::source::Source;
use aligndraw::data::vocabulary::Vocabulary;
use aligndraw::describe::{Describer, Description, Sampling, Search};
use aligndraw::error::Error;
use aligndraw::image2text::attend::{Attend, AttendConfig, Attention, Dropout};
use aligndraw::model::{Config, Continuation, ImageToText, Trainable, Values};
use aligndraw::nn::floats;
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Gradients, Tensor};
use serde::Deserialize;

/// Single precision over a few hundred operations: relative to the tensor's largest entry.
const RELATIVE: f64 = 1e-4;

#[derive(Deserialize)]
struct Case {
    config: AttendConfig,
    words: usize,
    ids: Vec<usize>,
    images: Vec<f32>,
    parameters: BTreeMap<String, Vec<f32>>,
    gradients: BTreeMap<String, Vec<f64>>,
    terms: Vec<f64>,
    log_probs: Vec<f64>,
    attention: Option<Vec<f64>>,
}

impl Case {
    fn model(&self, device: &Device) -> Attend {
        let fresh = Attend::init(&self.config, 1, device);
        with_values(fresh, |name, _| Ok(self.parameters[name].clone())).expect("all tensors")
    }

    fn batch(&self) -> TrainBatch {
        let (ids, images) = (Cow::Owned(self.ids.clone()), Cow::Owned(self.images.clone()));
        item(CaptionBatch::of_words(ids, self.words, images), 1)
    }
}

pub fn item(batch: CaptionBatch<'static>, epoch: usize) -> TrainBatch {
    TrainBatch { batch, noise_seed: 5, epoch, index: 0, progress: Progress::at(0.0) }
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("../fixtures/attend.json")).expect("the fixture parses")
}

fn assert_close(name: &str, found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{name}");
    let scale = expected.iter().fold(1e-3f64, |most, x| most.max(x.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (f64::from(*found) - expected).abs() / scale;
        assert!(error < RELATIVE, "{name}[{i}]: {found}, expected {expected} (relative {error:.1e})");
    }
}

struct Collect<'a>(&'a Gradients, Vec<Option<Vec<f32>>>);

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        self.1.push(parameter.val().grad(self.0).map(|gradient| floats(gradient.into_data())));
    }
}

#[test]
fn terms_and_gradients() {
    for case in cases() {
        let device = Device::flex().autodiff();
        let model = case.model(&device).train();
        let means: Vec<Tensor<1>> =
            model.terms(&case.config, &case.batch()).0.into_iter().map(|(_, term)| term.mean()).collect();
        assert_eq!(means.len(), Attend::term_names(&case.config).len());
        for (at, (mean, expected)) in means.iter().zip(&case.terms).enumerate() {
            assert_close(&format!("term {at}"), &floats(mean.clone().into_data()), &[*expected]);
        }
        let backward = means.into_iter().reduce(|a, b| a + b).expect("terms").backward();
        let mut found = Collect(&backward, Vec::new());
        model.visit(&mut found);
        let names = float_tensors(&model);
        for (tensor, gradient) in names.iter().zip(&found.1) {
            // Constants that were measured have none.
            assert_eq!(gradient.is_none(), tensor.name.starts_with("average."), "{}", tensor.name);
            let Some(gradient) = gradient else { continue };
            assert_close(&tensor.name, gradient, &case.gradients[&tensor.name]);
        }
    }
}

fn host(values: Values) -> Vec<f32> {
    pollster::block_on(values.read()).expect("the CPU can be read")
}

/// The captioner says of the true words what training has of them, whatever the order of the hypotheses.
#[test]
fn words_and_attention_step_by_step() {
    let device = Device::flex();
    for case in cases() {
        let captioner = case.model(&device).captioner(&case.config, &device);
        let mut sentences = captioner.look(case.images.clone()).expect("two pictures");
        let row = case.config.vocabulary_size + 1;
        // The second picture comes first from the second step on.
        let mut order = [0, 1];
        for step in 0..=case.words {
            let word = |picture: usize| step.checked_sub(1).map(|at| case.ids[picture * case.words + at]);
            let parents = if step == 1 { [1, 0] } else { [0, 1] };
            if step == 1 {
                order = [1, 0];
            }
            let next = [0, 1].map(|at| Continuation { parent: parents[at], word: word(order[at]) });
            let found = sentences.step(&next).expect("a step");
            let (log_probs, attention) = (host(found.log_probs), found.attention.map(host));
            for (at, picture) in order.into_iter().enumerate() {
                let expected = &case.log_probs[(step * 2 + picture) * row..][..row];
                assert_close("log-probabilities", &log_probs[at * row..][..row], expected);
                let cells = case.config.cells();
                let Some(expected) = &case.attention else { continue };
                let found = &attention.as_ref().expect("attention")[at * cells..][..cells];
                assert_close("attention", found, &expected[(step * 2 + picture) * cells..][..cells]);
            }
        }
        assert_eq!(captioner.grid().is_some(), case.attention.is_some());
    }
}

/// Batches of pictures whose features are 2 and 5 in all cells of the first two channels, or 4 and 5.
struct TwoKinds(AttendConfig);

impl Source for TwoKinds {
    fn batch(&self, size: usize, _: &mut Noise) -> CaptionBatch<'static> {
        let cells = self.0.cells();
        let picture = |at: usize| {
            let features = [if at.is_multiple_of(2) { 2.0 } else { 4.0 }, 5.0, 0.0];
            features.into_iter().flat_map(|x| vec![x; cells]).collect::<Vec<f32>>()
        };
        let images = (0..size).flat_map(picture).collect();
        CaptionBatch::of_words(Cow::Owned(vec![1; size]), 1, Cow::Owned(images))
    }

    fn held_out_batch(&self, _: usize, _: &mut Noise) -> Option<CaptionBatch<'static>> {
        None
    }
}

/// Before a run of Show and Tell begins, the averages of photos are measured: scaled means and deviations.
#[test]
fn what_averages_have_in_common_is_measured_before_a_run() {
    let config = cases().pop().expect("a case without attention").config;
    let fitted = Attend::init(&config, 1, &Device::flex()).fitted(&config, &TwoKinds(config.clone()), 1);
    let found = |name: &str| {
        float_tensors(&fitted).into_iter().find(|tensor| tensor.name == name).expect("it is there").values
    };
    // Scaled by 0.7; what hardly varies counts as a tenth of the mean deviation of 0.7 / 3.
    assert_close("mean", &found("average.mean"), &[2.1, 3.5, 0.0]);
    assert_close("deviation", &found("average.deviation"), &[0.7, 0.07 / 3.0, 0.07 / 3.0]);
}

/// A vocabulary of letters.
fn vocabulary(words: usize) -> Vocabulary {
    let words: Vec<String> = ('a'..).take(words).map(String::from).collect();
    Vocabulary {
        example: words[0].clone(),
        words,
        aliases: BTreeMap::new(),
        full_stop: None,
        max_words: 8,
        alternatives: Vec::new(),
        meanings: Default::default(),
    }
}

/// Four pictures of noise with four different captions.
pub fn by_heart(config: &AttendConfig) -> CaptionBatch<'static> {
    let images =
        Noise::new(3).normals(4 * config.image_size().len()).iter().map(|x| x.abs().min(1.0)).collect();
    let ids = vec![0, 1, 2, 3, 3, 2, 1, 0, 4, 4, 5, 6, 7, 2, 4, 9];
    CaptionBatch::of_words(Cow::Owned(ids), 4, Cow::Owned(images))
}

/// Trains on one batch; returns the model without autodiff and the words' last nats.
fn learned(config: &AttendConfig, updates: usize) -> (Attend, f32) {
    let fresh = Attend::init(config, 7, &Device::flex().autodiff());
    learned_from(fresh, config, &by_heart(config), (updates, 0.01))
}

/// [`learned`] from a model with autodiff and a batch, so many updates of Adam with a rate.
pub fn learned_from(
    mut model: Attend,
    config: &AttendConfig,
    batch: &CaptionBatch<'static>,
    (updates, rate): (usize, f64),
) -> (Attend, f32) {
    let mut adam = AdamConfig::new().init();
    let mut last = f32::INFINITY;
    for update in 0..updates {
        let item = TrainBatch { noise_seed: update as u64, ..item(batch.clone(), 1) };
        let terms = model.terms(config, &item);
        last = floats(terms.0[0].1.clone().mean().inner().into_data())[0];
        let loss = terms.0.into_iter().map(|(_, term)| term.mean()).reduce(|a, b| a + b).expect("terms");
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        model = adam.step(rate, model, gradients);
    }
    (model.valid(), last)
}

fn describe(describer: &Describer, config: &AttendConfig, search: &Search) -> Vec<Vec<Description>> {
    let images = by_heart(config).images.into_owned();
    pollster::block_on(describer.describe(images, search)).expect("descriptions")
}

#[test]
fn every_kind_learns_a_batch_by_heart_and_describes_it() {
    for attention in [Attention::None, Attention::Soft, Attention::Hard] {
        let config = AttendConfig { attention, coverage: 0.01, ..AttendConfig::tiny() };
        let (model, nats) = learned(&config, 250);
        assert!(nats < 0.5, "{attention:?}: {nats} nats a caption are left");
        let describer = Describer::new(model.captioner(&config, &Device::flex()), vocabulary(11));
        for beam in [1, 3] {
            let found = describe(&describer, &config, &Search { beam, ..Search::default() });
            let texts: Vec<String> = found.iter().map(|sentences| sentences[0].text()).collect();
            assert_eq!(texts, ["a b c d", "d c b a", "e e f g", "h c e j"], "{attention:?}");
            assert!(found.iter().all(|sentences| sentences.len() == beam));
            let best = &found[0][0];
            let sum: f64 = best.words.iter().map(|word| f64::from(word.log_prob)).sum();
            assert!(best.log_prob <= sum + 1e-6 && best.log_prob > -0.5, "{best:?}");
            for word in best.words.iter().filter(|_| attention != Attention::None) {
                let map = word.attention.as_ref().expect("a map");
                assert!(map.len() == config.cells() && (map.iter().sum::<f32>() - 1.0).abs() < 1e-5);
            }
        }
    }
}

#[test]
fn a_seed_is_a_sentence_and_unknown_words_are_never_said() {
    let config = AttendConfig::tiny();
    let device = Device::flex();
    let mut words = vocabulary(9);
    words.words[3] = "<unk>".to_owned();
    // Fresh weights say every word about equally often; ids 9 and 10 have no word.
    let describer = Describer::new(Attend::init(&config, 2, &device).captioner(&config, &device), words);
    let drawn = |seed| {
        let sampling = Some(Sampling { temperature: 1.0, seed });
        describe(&describer, &config, &Search { beam: 6, sampling, ..Search::default() })
    };
    assert_eq!(drawn(1), drawn(1));
    assert_ne!(drawn(1), drawn(2));
    let searched = describe(&describer, &config, &Search { beam: 20, ..Search::default() });
    for sentence in drawn(3).iter().chain(&searched).flatten() {
        assert!(!sentence.words.is_empty() && sentence.words.len() <= 9, "{sentence:?}");
        assert!(sentence.words.iter().all(|word| word.text != "<unk>"), "{sentence:?}");
    }
}

#[test]
fn what_cannot_be_searched_or_looked_at_is_named() {
    let config = AttendConfig::tiny();
    let device = Device::flex();
    let describer =
        Describer::new(Attend::init(&config, 2, &device).captioner(&config, &device), vocabulary(11));
    let refused = |images: Vec<f32>, search: Search| {
        let found = pollster::block_on(describer.describe(images, &search));
        found.expect_err("it is refused").to_string()
    };
    let picture = vec![0.5; config.image_size().len()];
    let beam = |beam| Search { beam, ..Search::default() };
    assert!(refused(picture.clone(), beam(0)).contains("the beam is 0, expected 1 to"));
    let sampling = Some(Sampling { temperature: 0.0, seed: 1 });
    let cold = Search { sampling, ..Search::default() };
    assert!(refused(picture.clone(), cold).contains("the temperature is 0, expected above 0"));
    assert!(refused(picture[1..].to_vec(), beam(1)).contains("are no pictures of"));
    assert!(refused(Vec::new(), beam(1)).contains("are no pictures of"));
}

#[test]
fn weights_are_read_as_they_were_written() {
    let config = AttendConfig { tied: false, ..AttendConfig::tiny() };
    let device = Device::flex();
    let model = Attend::init(&config, 4, &device);
    for (precision, tolerance) in [(Precision::Half, 4e-3), (Precision::Byte, 1.5e-2)] {
        let bytes = encode(&model, precision).expect("it is written");
        let file = parse_safetensors(&bytes).expect("safetensors");
        let read = decode(Attend::init(&config, 9, &device), &file).expect("it is read");
        for (written, read) in float_tensors(&model).iter().zip(float_tensors(&read)) {
            let most = written.values.iter().fold(0.0f32, |most, x| most.max(x.abs()));
            let near = |(a, b): (&f32, &f32)| (a - b).abs() <= tolerance * most;
            assert!(written.name == read.name && written.values.iter().zip(&read.values).all(near));
        }
        let other = AttendConfig { hidden_size: 10, ..config.clone() };
        let wrong = decode(Attend::init(&other, 9, &device), &file).expect_err("another size");
        assert!(matches!(wrong, Error::Model(ref what) if what.contains("expected")), "{wrong}");
    }
}

/// The mean of the alignments over the words is what the penalty asks for: with a large weight every cell gets
/// the same in all.
#[test]
fn the_penalty_spreads_the_attention_over_the_cells() {
    let spread = |coverage: f32| {
        let config = AttendConfig { coverage, ..AttendConfig::tiny() };
        let (model, _) = learned(&config, 120);
        let term =
            floats(model.terms(&config, &item(by_heart(&config), 0)).0[1].1.clone().mean().into_data())[0];
        // λ Σ_i (1 − s_i)², without what no attention can change: the cells are 12, the words 5.
        let (cells, words) = (12.0, 5.0);
        term / coverage - (cells - 2.0 * words + words * words / cells)
    };
    let (free, held) = (spread(1e-3), spread(10.0));
    assert!((-1e-3..0.02).contains(&held) && free > 5.0 * held, "{free} {held}");
}

/// Dropout is of training alone, from the batch's seed.
#[test]
fn dropout_is_seeded_and_not_measured_with() {
    let dropout = Dropout { hidden: 0.5, words: 0.25 };
    let config = AttendConfig { dropout, ..AttendConfig::tiny() };
    let model = Attend::init(&config, 4, &Device::flex());
    let plain = AttendConfig::tiny();
    let words = |config: &AttendConfig, epoch, noise_seed| {
        let item = TrainBatch { noise_seed, ..item(by_heart(config), epoch) };
        floats(model.terms(config, &item).0[0].1.clone().into_data())
    };
    assert_eq!(words(&config, 1, 8), words(&config, 1, 8));
    assert_ne!(words(&config, 1, 8), words(&config, 1, 9));
    assert_eq!(words(&config, 0, 8), words(&plain, 1, 9));
}

/// Names of the tensors that have a gradient.
struct Learned<'a>(&'a Gradients, Vec<bool>);

impl ModuleVisitor for Learned<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        self.1.push(parameter.val().grad(self.0).is_some());
    }
}

#[test]
fn frozen_convolutions_have_no_gradient_and_say_the_same() {
    let config = AttendConfig { trunk_frozen_until: 0.5, ..AttendConfig::tiny() };
    let model = Attend::init(&config, 7, &Device::flex().autodiff());
    let names: Vec<String> = float_tensors(&model).into_iter().map(|tensor| tensor.name).collect();
    let at = |progress: f32| {
        let item = TrainBatch { progress: Progress::at(progress), ..item(by_heart(&config), 1) };
        let terms = model.terms(&config, &item);
        let words = floats(terms.0[0].1.clone().inner().into_data());
        let loss = terms.0.into_iter().map(|(_, term)| term.mean()).reduce(|a, b| a + b).expect("terms");
        let gradients = loss.backward();
        let mut learned = Learned(&gradients, Vec::new());
        model.visit(&mut learned);
        (words, learned.1)
    };
    let ((early, frozen), (late, free)) = (at(0.4), at(0.6));
    assert_eq!(early, late);
    assert!(free.iter().all(|has| *has));
    for (name, has) in names.iter().zip(frozen) {
        assert_eq!(has, !name.starts_with("trunk."), "{name}");
    }
}

#[test]
fn weights_are_taken_over_by_another_way_of_training_alone() {
    let config = AttendConfig::tiny();
    let model = || Attend::init(&config, 7, &Device::flex());
    let hard = AttendConfig { attention: Attention::Hard, coverage: 0.0, ..config.clone() };
    let before = float_tensors(&model());
    assert_eq!(float_tensors(&model().adapt(&config, &hard).expect("the same sizes")), before);
    for other in [
        AttendConfig { hidden_size: 10, ..config.clone() },
        AttendConfig { attention: Attention::None, ..config.clone() },
    ] {
        let refused = model().adapt(&config, &other).expect_err("other sizes").to_string();
        assert!(refused.contains("sizes of the weights differ"), "{refused}");
    }
}
