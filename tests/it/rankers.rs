//! Rankers: their losses and gradients held to a reference in float64 that is written down here once more; they learn
//! a batch by heart; sentences are not changed by those beside them; words find regions.

use std::borrow::Cow;
use std::collections::BTreeMap;

use aligndraw::checkpoint::{Precision, decode, encode, float_tensors, parse_safetensors, with_values};
use aligndraw::data::batch::{CaptionBatch, NO_WORD, Progress, TrainBatch};
use aligndraw::data::noise::Noise;
use aligndraw::data::vocabulary::Vocabulary;
use aligndraw::error::Error;
use aligndraw::eval::ranking::Ranking;
use aligndraw::image2text::align::{Align, AlignConfig};
use aligndraw::image2text::embed::{Dropout, Embed, EmbedConfig};
use aligndraw::image2text::windows::{WINDOWS, Window};
use aligndraw::model::{Config, ImageTextMatching, Ranker, Trainable};
use aligndraw::nn::floats;
use aligndraw::rank::Matcher;
use burn::module::{ModuleVisitor, Param};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Gradients, Tensor};

/// Captions of three lengths, of three pictures.
const CAPTIONS: [&[usize]; 3] = [&[3, 1], &[4, 10, 0, 7], &[5]];

/// What a system says of a batch, in float64, from its tensors by name.
type Reference<C> = fn(&C, &Tensors, &CaptionBatch) -> Vec<Vec<f64>>;
type Tensors = BTreeMap<String, Vec<f64>>;

fn batch(captions: &[&[usize]], len: usize) -> CaptionBatch<'static> {
    let words = captions.iter().map(|words| words.len()).max().expect("captions");
    let ids = captions.iter().flat_map(|ids| (0..words).map(|at| ids.get(at).copied().unwrap_or(NO_WORD)));
    let mut noise = Noise::new(3);
    let mut images = Vec::with_capacity(captions.len() * len);
    // Pictures differ in their five channels as a whole, as photos do.
    for _ in 0..5 * captions.len() {
        let level = 3.0 * noise.uniform();
        images.extend((0..len / 5).map(|_| level + 0.3 * noise.uniform()));
    }
    CaptionBatch::of_words(Cow::Owned(ids.collect()), words, Cow::Owned(images))
}

/// Measured on, so that nothing is dropped.
fn item(batch: CaptionBatch<'static>, epoch: usize) -> TrainBatch {
    TrainBatch { batch, noise_seed: 5, epoch, index: 0, progress: Progress::at(0.0) }
}

/// `x W + b`, W input × output.
fn affine(x: &[f64], weight: &[f64], bias: Option<&Vec<f64>>) -> Vec<f64> {
    let outputs = weight.len() / x.len();
    let sum = |at: usize| (0..x.len()).map(|i| x[i] * weight[i * outputs + at]).sum::<f64>();
    (0..outputs).map(|at| sum(at) + bias.map_or(0.0, |bias| bias[at])).collect()
}

fn layer(tensors: &Tensors, name: &str, x: &[f64]) -> Vec<f64> {
    affine(x, &tensors[&format!("{name}.weight")], Some(&tensors[&format!("{name}.bias")]))
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn relu(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| (a + b).max(0.0)).collect()
}

/// Average of cells [channel].
fn average(image: &[f32], channels: usize, cells: &[usize], scale: f32) -> Vec<f64> {
    let each = image.len() / channels;
    let mean = |channel: usize| {
        let sum: f64 = cells.iter().map(|cell| f64::from(image[channel * each + cell])).sum();
        sum * f64::from(scale) / cells.len() as f64
    };
    (0..channels).map(mean).collect()
}

fn embedding(tensors: &Tensors, id: usize, size: usize) -> &[f64] {
    &tensors["embedding"][id * size..][..size]
}

fn align_scores(config: &AlignConfig, tensors: &Tensors, batch: &CaptionBatch) -> Vec<Vec<f64>> {
    let regions = |image: &[f32]| -> Vec<Vec<f64>> {
        let of = |window: &Window| {
            let rows = window.top..window.top + window.height;
            let cells: Vec<usize> = rows
                .flat_map(|row| (window.left..window.left + window.width).map(move |column| 7 * row + column))
                .collect();
            layer(tensors, "region", &average(image, config.features.channels, &cells, config.features.scale))
        };
        WINDOWS.iter().map(of).collect()
    };
    let words = |ids: &[usize]| -> Vec<Vec<f64>> {
        let zeros = vec![0.0; config.size];
        let read =
            |id: usize| relu(&layer(tensors, "word", embedding(tensors, id, config.word_size)), &zeros);
        let read: Vec<Vec<f64>> = ids.iter().map(|&id| read(id)).collect();
        let run = |name: &str, order: Vec<usize>| {
            let (mut state, mut states) = (zeros.clone(), vec![Vec::new(); ids.len()]);
            for at in order {
                state = relu(&read[at], &layer(tensors, name, &state));
                states[at] = state.clone();
            }
            states
        };
        let forward = run("forward", (0..ids.len()).collect());
        let backward = run("backward", (0..ids.len()).rev().collect());
        let both =
            |at: usize| -> Vec<f64> { forward[at].iter().zip(&backward[at]).map(|(a, b)| a + b).collect() };
        (0..ids.len()).map(|at| layer(tensors, "output", &both(at))).collect()
    };
    let said: Vec<_> = batch.sentences().into_iter().map(words).collect();
    let score = |image: &[f32]| -> Vec<f64> {
        let regions = regions(image);
        let best = |word: &Vec<f64>| regions.iter().map(|v| dot(v, word)).fold(f64::NEG_INFINITY, f64::max);
        said.iter().map(|words| words.iter().map(best).sum()).collect()
    };
    batch.images.chunks(config.image_size().len()).map(score).collect()
}

fn embed_scores(config: &EmbedConfig, tensors: &Tensors, batch: &CaptionBatch) -> Vec<Vec<f64>> {
    let unit = |x: Vec<f64>| -> Vec<f64> {
        let length = dot(&x, &x).sqrt();
        x.iter().map(|x| x / length).collect()
    };
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let size = config.size;
    let sentence = |ids: &[usize]| {
        let mut state = vec![0.0; size];
        for &id in ids {
            let word = embedding(tensors, id, config.word_size);
            let gates = affine(word, &tensors["gru.input"], Some(&tensors["gru.bias"]));
            let recurrent = affine(&state, &tensors["gru.recurrent"], None);
            let gate = |at: usize| sigmoid(gates[at] + recurrent[at]);
            let reset: Vec<f64> = (0..size).map(|at| gate(at) * state[at]).collect();
            let candidate = affine(&reset, &tensors["gru.candidate"], None);
            state = (0..size)
                .map(|at| {
                    let update = gate(size + at);
                    (1.0 - update) * state[at] + update * (gates[2 * size + at] + candidate[at]).tanh()
                })
                .collect();
        }
        unit(state)
    };
    let said: Vec<Vec<f64>> = batch.sentences().into_iter().map(sentence).collect();
    let cells: Vec<usize> = (0..config.features.rows * config.features.columns).collect();
    let score = |image: &[f32]| -> Vec<f64> {
        let average = average(image, config.features.channels, &cells, config.features.scale);
        let picture = unit(layer(tensors, "picture", &average));
        said.iter().map(|sentence| dot(&picture, sentence)).collect()
    };
    batch.images.chunks(config.image_size().len()).map(score).collect()
}

/// The loss of each picture.
fn losses(scores: &[Vec<f64>], margin: f32) -> Vec<f64> {
    let of = |k: usize| {
        let others = (0..scores.len()).filter(|l| *l != k);
        let hinge = |wrong: f64| (wrong - scores[k][k] + f64::from(margin)).max(0.0);
        others.map(|l| hinge(scores[k][l]) + hinge(scores[l][k])).sum()
    };
    (0..scores.len()).map(of).collect()
}

struct Collect<'a>(&'a Gradients, Vec<Vec<f32>>);

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let gradient = parameter.val().grad(self.0).expect("every parameter has a gradient");
        self.1.push(floats(gradient.into_data()));
    }
}

/// Terms and gradients of a system against central differences of the reference.
fn held_to_reference<M: Trainable>(config: &M::Config, margin: f32, reference: Reference<M::Config>) {
    let device = Device::flex().autodiff();
    // Biases of zeros would hide mistakes about them.
    let mut noise = Noise::new(8);
    let fresh = M::init(config, 1, &device);
    let model = with_values(fresh, |_, shape| {
        Ok(noise.normals(shape.iter().product()).iter().map(|x| 0.5 * x).collect())
    });
    let model = model.expect("all tensors").train();
    let batch = batch(&CAPTIONS, config.image_size().len());
    let tensors: Tensors = float_tensors(&model)
        .into_iter()
        .map(|tensor| (tensor.name, tensor.values.into_iter().map(f64::from).collect()))
        .collect();
    let expected = losses(&reference(config, &tensors, &batch), margin);
    let term = model.terms(config, &item(batch.clone(), 0)).0.remove(0).1;
    let found = floats(term.clone().into_data());
    assert!(expected.iter().sum::<f64>() > 0.1, "{expected:?}: nothing to learn");
    for (found, expected) in found.iter().zip(&expected) {
        assert!(
            (f64::from(*found) - expected).abs() < 1e-4 * expected.max(1.0),
            "{found}, expected {expected}"
        );
    }
    let backward = term.mean().backward();
    let mut gradients = Collect(&backward, Vec::new());
    model.visit(&mut gradients);
    for (tensor, found) in float_tensors(&model).iter().zip(&gradients.1) {
        let loss = |at: usize, by: f64| {
            let mut moved = tensors.clone();
            moved.get_mut(&tensor.name).expect("a tensor")[at] += by;
            let losses = losses(&reference(config, &moved, &batch), margin);
            losses.iter().sum::<f64>() / losses.len() as f64
        };
        let step = 1e-6;
        let expected: Vec<f64> =
            (0..found.len()).map(|at| (loss(at, step) - loss(at, -step)) / (2.0 * step)).collect();
        let scale = expected.iter().fold(1e-2f64, |most, x| most.max(x.abs()));
        for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let error = (f64::from(*found) - expected).abs() / scale;
            assert!(error < 1e-3, "{}[{at}]: {found}, expected {expected}", tensor.name);
        }
    }
}

#[test]
fn losses_and_gradients_of_the_alignment() {
    let config = AlignConfig::tiny();
    held_to_reference::<Align>(&config, config.margin, align_scores);
}

#[test]
fn losses_and_gradients_of_the_embedding() {
    let config = EmbedConfig::tiny();
    held_to_reference::<Embed>(&config, config.margin, embed_scores);
}

/// Letters, and what stands for the words that are not known.
fn vocabulary(words: usize) -> Vocabulary {
    let letters = ('a'..).take(words - 1).map(String::from);
    Vocabulary {
        words: std::iter::once("<unk>".to_owned()).chain(letters).collect(),
        aliases: BTreeMap::new(),
        full_stop: None,
        max_words: 8,
        example: "a".to_owned(),
        alternatives: Vec::new(),
        meanings: BTreeMap::new(),
    }
}

/// Learns three pairs by heart, is saved in 8 bits and read, and finds each again.
fn learned_by_heart<M: ImageTextMatching>(config: &M::Config) -> Matcher {
    let device = Device::flex().autodiff();
    let mut model = M::init(config, 2, &device).train();
    let mut optimizer = AdamConfig::new().init();
    let batch = batch(&CAPTIONS, config.image_size().len());
    let loss =
        |model: &M, epoch: usize| model.terms(config, &item(batch.clone(), epoch)).0.remove(0).1.mean();
    let before = floats(loss(&model, 0).into_data())[0];
    for _ in 0..300 {
        let gradients = GradientsParams::from_grads(loss(&model, 1).backward(), &model);
        model = optimizer.step(0.01, model, gradients);
    }
    let after = floats(loss(&model, 0).into_data())[0];
    assert!(before > 0.1 && after < 0.05 * before, "{before}, then {after}");
    let bytes = encode(&model.valid(), Precision::Byte).expect("bytes");
    let device = Device::flex();
    let file = parse_safetensors(&bytes).expect("a file");
    let model = decode(M::init(config, 0, &device), &file).expect("its tensors");
    let matcher = Matcher::new(model.ranker(config, &device), vocabulary(config.vocabulary_size()));
    let pictures = matcher.pictures(batch.images.to_vec()).expect("pictures");
    let scores = pollster::block_on(matcher.scores(&pictures, &CAPTIONS)).expect("scores");
    let found = Ranking::of(&scores, &[0, 1, 2], 3);
    assert_eq!((found.search.first, found.annotation.first), (100.0, 100.0), "{scores:?}");
    matcher
}

#[test]
fn the_alignment_learns_a_batch_by_heart_and_places_words() {
    let config = AlignConfig { dropout: 0.0, ..AlignConfig::tiny() };
    let matcher = learned_by_heart::<Align>(&config);
    let picture = batch(&CAPTIONS, config.image_size().len()).images[..config.image_size().len()].to_vec();
    let regions = matcher.ranker().regions().expect("regions");
    assert_eq!(regions.len(), 20);
    let read = matcher.read("C zebra a").expect("a sentence");
    assert_eq!(
        (read.ids.as_slice(), read.unknown.as_slice()),
        ([3, 0, 1].as_slice(), ["zebra".to_owned()].as_slice())
    );
    assert_eq!(read.words, ["c", "zebra", "a"]);
    let pictures = matcher.pictures(picture).expect("a picture");
    let align = |beta| pollster::block_on(matcher.align(pictures.clone(), &read.ids, beta));
    let alone = align(0.0).expect("an alignment");
    assert_eq!((alone.similarities.len(), alone.regions.len()), (60, 3));
    for (row, &region) in alone.similarities.chunks(20).zip(&alone.regions) {
        assert!(row.iter().all(|x| *x <= row[region]), "{region} is the best of {row:?}");
    }
    // The score of training is the sum of the best.
    let scores = pollster::block_on(matcher.scores(&pictures, &[&read.ids])).expect("a score");
    assert!((scores[0] - alone.score).abs() < 1e-4 * alone.score.abs().max(1.0), "{scores:?} {alone:?}");
    let together = align(1e3).expect("an alignment");
    assert!(together.regions.iter().all(|region| *region == together.regions[0]));
    assert!(align(-1.0).expect_err("a beta").to_string().contains("beta is -1, expected 0 or more"));
}

#[test]
fn the_embedding_learns_a_batch_by_heart_and_has_no_regions() {
    let config = EmbedConfig { dropout: Dropout { picture: 0.0, words: 0.0 }, ..EmbedConfig::tiny() };
    let matcher = learned_by_heart::<Embed>(&config);
    assert!(matcher.ranker().regions().is_none());
    let picture = matcher.pictures(vec![0.0; config.image_size().len()]).expect("a picture");
    let error = pollster::block_on(matcher.align(picture, &[1], 0.0));
    assert!(error.expect_err("no regions").to_string().contains("its words have no regions"));
}

fn rankers() -> Vec<Box<dyn Ranker>> {
    let device = Device::flex();
    let (align, embed) = (AlignConfig::tiny(), EmbedConfig::tiny());
    vec![
        Align::init(&align, 4, &device).ranker(&align, &device),
        Embed::init(&embed, 4, &device).ranker(&embed, &device),
    ]
}

#[test]
fn a_sentence_is_not_changed_by_those_beside_it() {
    for ranker in rankers() {
        let together = ranker.sentences(&CAPTIONS).expect("sentences");
        let size = together.vectors.dims()[1];
        let mut start = 0;
        for (caption, count) in CAPTIONS.iter().zip(&together.counts) {
            let alone = ranker.sentences(&[caption]).expect("a sentence");
            let beside = together.vectors.clone().narrow(0, start, *count);
            start += count;
            for (a, b) in floats(alone.vectors.into_data()).iter().zip(floats(beside.into_data())) {
                assert!((a - b).abs() < 1e-5, "{caption:?}: {a}, {b} beside others");
            }
        }
        assert_eq!((start, size), (together.vectors.dims()[0], 6));
    }
}

#[test]
fn what_cannot_be_compared_is_named() {
    for ranker in rankers() {
        let named = |result: Option<Error>, what: &str| {
            let error = result.expect("an error").to_string();
            assert!(error.contains(what), "{error}");
        };
        named(ranker.sentences(&[&[1], &[]]).err(), "a sentence has no words");
        named(ranker.sentences(&[&[11]]).err(), "word 11, expected one below 11");
        named(ranker.pictures(vec![0.0; 7]).err(), "7 values are no pictures of");
        named(ranker.pictures(Vec::new()).err(), "0 values are no pictures of");
    }
}

/// Dropout draws from the batch's noise seed alone, and not where it is measured.
#[test]
fn randomness_is_the_noise_seeds() {
    let config = EmbedConfig::tiny();
    let model = Embed::init(&config, 1, &Device::flex());
    let terms = |seed: u64, epoch: usize| {
        let batch = batch(&CAPTIONS, config.image_size().len());
        let item = TrainBatch { noise_seed: seed, ..item(batch, epoch) };
        floats(model.terms(&config, &item).0.remove(0).1.into_data())
    };
    assert_eq!(terms(1, 1), terms(1, 1));
    assert_ne!(terms(1, 1), terms(2, 1));
    assert_eq!(terms(1, 0), terms(2, 0));
}
