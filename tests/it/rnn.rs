//! DeepVS' generator: its loss and gradients held to a reference in float64 that is written down here once more; the
//! captioner says what training has; it learns a batch by heart.

use std::borrow::Cow;
use std::collections::BTreeMap;

use aligndraw::checkpoint::{float_tensors, with_values};
use aligndraw::data::batch::{CaptionBatch, Progress, TrainBatch};
use aligndraw::data::noise::Noise;
use aligndraw::data::vocabulary::Vocabulary;
use aligndraw::describe::{Describer, Search};
use aligndraw::image2text::rnn::{Context, Rnn, RnnConfig};
use aligndraw::model::{Config, Continuation, ImageToText, Trainable, Values};
use aligndraw::nn::floats;
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Gradients, Tensor};

type Tensors = BTreeMap<String, Vec<f64>>;

/// Two captions of three words, and their pictures.
const IDS: [usize; 6] = [3, 1, 10, 4, 4, 0];
const WORDS: usize = 3;

fn item(config: &RnnConfig, epoch: usize) -> TrainBatch {
    let mut noise = Noise::new(3);
    let mut images = Vec::new();
    for _ in 0..2 * config.features.channels {
        let level = 3.0 * noise.uniform();
        images.extend(
            (0..config.features.rows * config.features.columns).map(|_| level + 0.3 * noise.uniform()),
        );
    }
    let batch = CaptionBatch::of_words(Cow::Owned(IDS.to_vec()), WORDS, Cow::Owned(images));
    TrainBatch { batch, noise_seed: 5, epoch, index: 0, progress: Progress::at(0.0) }
}

/// `x W`, W input × output.
fn product(x: &[f64], weight: &[f64]) -> Vec<f64> {
    let outputs = weight.len() / x.len();
    (0..outputs).map(|at| (0..x.len()).map(|i| x[i] * weight[i * outputs + at]).sum()).collect()
}

/// Log-probabilities of each step of a caption, [step][id].
fn log_probs(config: &RnnConfig, tensors: &Tensors, ids: &[usize], image: &[f32]) -> Vec<Vec<f64>> {
    let add = |a: Vec<f64>, b: &[f64]| -> Vec<f64> { a.iter().zip(b).map(|(a, b)| a + b).collect() };
    let layer = |name: &str, x: &[f64]| {
        add(product(x, &tensors[&format!("{name}.weight")]), &tensors[&format!("{name}.bias")])
    };
    let cells = config.features.rows * config.features.columns;
    let mean = |plane: &[f32]| plane.iter().map(|&x| f64::from(x)).sum::<f64>() / cells as f64;
    let average: Vec<f64> =
        image.chunks(cells).map(|plane| mean(plane) * f64::from(config.features.scale)).collect();
    let picture = layer("picture", &average);
    let mut state = vec![0.0; config.hidden_size];
    let mut steps = Vec::new();
    for step in 0..=ids.len() {
        let word = match step {
            0 => vec![0.0; config.embedding_size],
            _ => tensors["embedding"][ids[step - 1] * config.embedding_size..][..config.embedding_size]
                .to_vec(),
        };
        let mut sum = add(layer("word", &word), &product(&state, &tensors["recurrent"]));
        if step == 0 || config.context == Context::Every {
            sum = add(sum, &picture);
        }
        state = sum.into_iter().map(|x| x.max(0.0)).collect();
        let logits = layer("output", &state);
        let total = logits.iter().map(|x| x.exp()).sum::<f64>().ln();
        steps.push(logits.into_iter().map(|x| x - total).collect());
    }
    steps
}

fn nats(config: &RnnConfig, tensors: &Tensors, item: &TrainBatch) -> Vec<f64> {
    let of = |(ids, image): (&[usize], &[f32])| {
        let said = ids.iter().copied().chain([config.vocabulary_size]);
        let steps = log_probs(config, tensors, ids, image);
        -said.zip(steps).map(|(id, step)| step[id]).sum::<f64>()
    };
    item.batch.ids.chunks(WORDS).zip(item.batch.images.chunks(config.image_size().len())).map(of).collect()
}

struct Collect<'a>(&'a Gradients, Vec<Vec<f32>>);

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let gradient = parameter.val().grad(self.0).expect("every parameter has a gradient");
        self.1.push(floats(gradient.into_data()));
    }
}

fn configs() -> [RnnConfig; 2] {
    [Context::First, Context::Every].map(|context| RnnConfig { context, ..RnnConfig::tiny() })
}

fn model(config: &RnnConfig, device: &Device) -> Rnn {
    // Biases of zeros would hide mistakes about them.
    let mut noise = Noise::new(8);
    let mut values =
        |shape: &[usize]| noise.normals(shape.iter().product()).iter().map(|x| 0.5 * x).collect();
    with_values(Rnn::init(config, 1, device), |_, shape| Ok(values(shape))).expect("all tensors")
}

fn tensors(model: &Rnn) -> Tensors {
    let named = |tensor: aligndraw::checkpoint::NamedTensor| {
        (tensor.name, tensor.values.into_iter().map(f64::from).collect())
    };
    float_tensors(model).into_iter().map(named).collect()
}

#[test]
fn loss_and_gradients() {
    for config in configs() {
        let model = model(&config, &Device::flex().autodiff()).train();
        let (item, tensors) = (item(&config, 0), tensors(&model));
        let term = model.terms(&config, &item).0.remove(0).1;
        for (found, expected) in floats(term.clone().into_data()).iter().zip(nats(&config, &tensors, &item)) {
            assert!((f64::from(*found) - expected).abs() < 1e-4 * expected, "{found}, expected {expected}");
        }
        let backward = term.mean().backward();
        let mut gradients = Collect(&backward, Vec::new());
        model.visit(&mut gradients);
        for (tensor, found) in float_tensors(&model).iter().zip(&gradients.1) {
            let loss = |at: usize, by: f64| {
                let mut moved = tensors.clone();
                moved.get_mut(&tensor.name).expect("a tensor")[at] += by;
                nats(&config, &moved, &item).iter().sum::<f64>() / 2.0
            };
            let expected: Vec<f64> =
                (0..found.len()).map(|at| (loss(at, 1e-6) - loss(at, -1e-6)) / 2e-6).collect();
            let scale = expected.iter().fold(1e-2f64, |most, x| most.max(x.abs()));
            for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
                let error = (f64::from(*found) - expected).abs() / scale;
                assert!(error < 1e-3, "{}[{at}]: {found}, expected {expected}", tensor.name);
            }
        }
    }
}

fn host(values: Values) -> Vec<f32> {
    pollster::block_on(values.read()).expect("the CPU can be read")
}

/// The captioner says of the true words what training has of them, whatever the order of the hypotheses.
#[test]
fn words_step_by_step() {
    let device = Device::flex();
    for config in configs() {
        let model = model(&config, &device);
        let (item, tensors) = (item(&config, 0), tensors(&model));
        let captioner = model.captioner(&config, &device);
        let mut sentences = captioner.look(item.batch.images.to_vec()).expect("two pictures");
        let images: Vec<&[f32]> = item.batch.images.chunks(config.image_size().len()).collect();
        // The second picture comes first from the second step on.
        let mut order = [0, 1];
        for step in 0..=WORDS {
            if step == 1 {
                order = [1, 0];
            }
            let parents = if step == 1 { [1, 0] } else { [0, 1] };
            let word = |picture: usize| step.checked_sub(1).map(|at| IDS[picture * WORDS + at]);
            let next = [0, 1].map(|at| Continuation { parent: parents[at], word: word(order[at]) });
            let found = host(sentences.step(&next).expect("a step").log_probs);
            for (row, picture) in found.chunks(config.vocabulary_size + 1).zip(order) {
                let ids = &IDS[picture * WORDS..][..WORDS];
                let expected = &log_probs(&config, &tensors, ids, images[picture])[step];
                for (found, expected) in row.iter().zip(expected) {
                    assert!((f64::from(*found) - expected).abs() < 1e-4, "step {step}: {found}, {expected}");
                }
            }
        }
        assert!(captioner.grid().is_none());
        assert!(captioner.look(vec![0.0; 7]).is_err());
    }
}

#[test]
fn a_batch_is_learned_by_heart() {
    let config = RnnConfig::tiny();
    let device = Device::flex().autodiff();
    let mut model = Rnn::init(&config, 1, &device).train();
    let mut optimizer = AdamConfig::new().init();
    for _ in 0..300 {
        let loss = model.terms(&config, &item(&config, 1)).0.remove(0).1.mean();
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        model = optimizer.step(0.02, model, gradients);
    }
    let loss = floats(model.terms(&config, &item(&config, 0)).0.remove(0).1.mean().into_data())[0];
    assert!(loss < 0.2, "{loss} nats a caption");
    let words: Vec<String> = ('a'..).take(config.vocabulary_size).map(String::from).collect();
    let vocabulary = Vocabulary {
        example: "a".to_owned(),
        words,
        aliases: BTreeMap::new(),
        full_stop: None,
        max_words: 8,
        alternatives: Vec::new(),
        meanings: BTreeMap::new(),
    };
    let device = Device::flex();
    let describer = Describer::new(model.valid().captioner(&config, &device), vocabulary);
    let images = item(&config, 0).batch.images.to_vec();
    let found = pollster::block_on(describer.describe(images, &Search::default())).expect("descriptions");
    let said: Vec<String> = found.iter().map(|sentences| sentences[0].text()).collect();
    assert_eq!(said, ["d b k", "e e a"]);
}
