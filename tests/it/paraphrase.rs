//! The GRU encoder-decoder, with attention and without: its loss and gradients held to a reference in float64 that is
//! written down here once more, sentence by sentence and word by word; the paraphraser says what training has; it learns
//! a batch by heart.

use std::borrow::Cow;
use std::collections::BTreeMap;

use aligndraw::checkpoint::{
    Manifest, Precision, decode, encode, float_tensors, parse_safetensors, with_values,
};
use aligndraw::data::batch::{CaptionBatch, Progress, TrainBatch};
use aligndraw::data::noise::Noise;
use aligndraw::data::source::DataSet;
use aligndraw::data::vocabulary::Vocabulary;
use aligndraw::describe::Search;
use aligndraw::model::{Continuation, TextToText, Trainable, Values};
use aligndraw::nn::floats;
use aligndraw::paraphrase::Rephraser;
use aligndraw::text2text::encoder_decoder::{EncoderDecoder, EncoderDecoderConfig};
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Gradients, Tensor};

type Tensors = BTreeMap<String, Vec<f64>>;
type Vector = Vec<f64>;

/// What is read, of different lengths, and what is said of it, in three words each.
const READ: [&[usize]; 3] = [&[5, 2], &[7, 7, 1, 9], &[4]];
const IDS: [usize; 9] = [3, 1, 10, 4, 4, 0, 8, 2, 6];
const WORDS: usize = 3;

fn item(epoch: usize) -> TrainBatch {
    let batch = CaptionBatch::of_paraphrases(IDS.to_vec(), WORDS, &READ);
    TrainBatch { batch, noise_seed: 5, epoch, index: 0, progress: Progress::at(0.0) }
}

/// `x W`, W input × output.
fn product(x: &[f64], weight: &[f64]) -> Vector {
    let outputs = weight.len() / x.len();
    (0..outputs).map(|at| (0..x.len()).map(|i| x[i] * weight[i * outputs + at]).sum()).collect()
}

fn add(a: &[f64], b: &[f64]) -> Vector {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| a + b).collect()
}

fn map(a: &[f64], f: impl Fn(f64) -> f64) -> Vector {
    a.iter().map(|&x| f(x)).collect()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The reference: the formulas of the papers, one sentence at a time.
struct Reference<'a> {
    config: &'a EncoderDecoderConfig,
    tensors: &'a Tensors,
}

impl Reference<'_> {
    fn layer(&self, name: &str, x: &[f64]) -> Vector {
        add(&product(x, &self.tensors[&format!("{name}.weight")]), &self.tensors[&format!("{name}.bias")])
    }

    fn embedding(&self, id: usize) -> &[f64] {
        &self.tensors["embedding"][id * self.config.embedding_size..][..self.config.embedding_size]
    }

    /// States of the encoder after each word: `h' = z̄ h + (1 − z̄) h̃` with z̄ = 1 − z of the file's gate.
    fn encode(&self, ids: &[usize]) -> Vec<Vector> {
        let hidden = self.config.hidden_size;
        let mut state = vec![0.0; hidden];
        let mut states = Vec::new();
        for &id in ids {
            let word = add(
                &product(self.embedding(id), &self.tensors["encoder.input"]),
                &self.tensors["encoder.bias"],
            );
            let recurrent = product(&state, &self.tensors["encoder.recurrent"]);
            let reset = map(&add(&word[..hidden], &recurrent[..hidden]), sigmoid);
            let kept = map(&add(&word[hidden..2 * hidden], &recurrent[hidden..]), |x| 1.0 - sigmoid(x));
            let after: Vector = reset.iter().zip(&state).map(|(r, h)| r * h).collect();
            let candidate = add(&word[2 * hidden..], &product(&after, &self.tensors["encoder.candidate"]));
            let candidate = map(&candidate, f64::tanh);
            state = (0..hidden).map(|i| kept[i] * state[i] + (1.0 - kept[i]) * candidate[i]).collect();
            states.push(state.clone());
        }
        states
    }

    /// `r = σ(W_r e + U_r h + C_r c)`, `z` alike, `h̃ = tanh(W e + r ⊙ (U h + C c))`, `h' = z h + (1 − z) h̃`.
    fn decode(&self, word: &[f64], context: &[f64], state: &[f64]) -> Vector {
        let hidden = self.config.hidden_size;
        let w = add(&product(word, &self.tensors["decoder.input"]), &self.tensors["decoder.bias"]);
        let (u, c) = (
            product(state, &self.tensors["decoder.recurrent"]),
            product(context, &self.tensors["decoder.context"]),
        );
        let unit = |i: usize| {
            let gate = |at: usize| sigmoid(w[at] + u[at] + c[at]);
            let (reset, update, at) = (gate(i), gate(hidden + i), 2 * hidden + i);
            let candidate = (w[at] + reset * (u[at] + c[at])).tanh();
            update * state[i] + (1.0 - update) * candidate
        };
        (0..hidden).map(unit).collect()
    }

    /// α of a state over the encoder's states.
    fn alignment(&self, states: &[Vector], state: &[f64]) -> Vector {
        let query = product(state, &self.tensors["attention.query"]);
        let energy = |h: &Vector| -> f64 {
            let inner = add(&self.layer("attention.key", h), &query);
            inner.iter().zip(&self.tensors["attention.score"]).map(|(x, v)| v * x.tanh()).sum()
        };
        let weights: Vector = states.iter().map(|h| energy(h).exp()).collect();
        let total: f64 = weights.iter().sum();
        weights.into_iter().map(|weight| weight / total).collect()
    }

    /// Log-probabilities of each step [step][id], and the alignments.
    fn say(&self, read: &[usize], ids: &[usize]) -> (Vec<Vector>, Vec<Vector>) {
        let states = self.encode(read);
        let summary = map(&self.layer("summary", states.last().expect("a word")), f64::tanh);
        let mut state = map(&self.layer("initial", &summary), f64::tanh);
        let (mut steps, mut alignments) = (Vec::new(), Vec::new());
        for step in 0..=ids.len() {
            let word = match step {
                0 => vec![0.0; self.config.embedding_size],
                _ => self.embedding(ids[step - 1]).to_vec(),
            };
            let context = if self.config.attention {
                let alignment = self.alignment(&states, &state);
                let of = |i: usize| alignment.iter().zip(&states).map(|(a, h)| a * h[i]).sum();
                let context: Vector = (0..self.config.hidden_size).map(of).collect();
                alignments.push(alignment);
                context
            } else {
                summary.clone()
            };
            state = self.decode(&word, &context, &state);
            let below = add(&self.layer("output", &state), &word);
            let below = map(&add(&below, &product(&context, &self.tensors["context_output"])), f64::tanh);
            let logit = |id: usize| -> f64 {
                let product: f64 = self.embedding(id).iter().zip(&below).map(|(a, b)| a * b).sum();
                product + self.tensors["word_bias"][id]
            };
            let logits: Vector = (0..=self.config.vocabulary_size).map(logit).collect();
            let total = logits.iter().map(|x| x.exp()).sum::<f64>().ln();
            steps.push(map(&logits, |x| x - total));
        }
        (steps, alignments)
    }

    fn nats(&self) -> Vector {
        let of = |(read, ids): (&&[usize], &[usize])| {
            let said = ids.iter().copied().chain([self.config.vocabulary_size]);
            -said.zip(self.say(read, ids).0).map(|(id, step)| step[id]).sum::<f64>()
        };
        READ.iter().zip(IDS.chunks(WORDS)).map(of).collect()
    }
}

struct Collect<'a>(&'a Gradients, Vec<Vec<f32>>);

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let gradient = parameter.val().grad(self.0).expect("every parameter has a gradient");
        self.1.push(floats(gradient.into_data()));
    }
}

fn configs() -> [EncoderDecoderConfig; 2] {
    [true, false].map(|attention| EncoderDecoderConfig { attention, ..EncoderDecoderConfig::tiny() })
}

fn model(config: &EncoderDecoderConfig, device: &Device) -> EncoderDecoder {
    // Biases of zeros would hide mistakes about them.
    let mut noise = Noise::new(8);
    let mut values =
        |shape: &[usize]| noise.normals(shape.iter().product()).iter().map(|x| 0.5 * x).collect();
    with_values(EncoderDecoder::init(config, 1, device), |_, shape| Ok(values(shape))).expect("all tensors")
}

fn tensors(model: &EncoderDecoder) -> Tensors {
    let named = |tensor: aligndraw::checkpoint::NamedTensor| {
        (tensor.name, tensor.values.into_iter().map(f64::from).collect())
    };
    float_tensors(model).into_iter().map(named).collect()
}

#[test]
fn loss_and_gradients() {
    for config in configs() {
        let model = model(&config, &Device::flex().autodiff()).train();
        let tensors = tensors(&model);
        let reference = Reference { config: &config, tensors: &tensors };
        let term = model.terms(&config, &item(0)).0.remove(0).1;
        for (found, expected) in floats(term.clone().into_data()).iter().zip(reference.nats()) {
            assert!((f64::from(*found) - expected).abs() < 1e-4 * expected, "{found}, expected {expected}");
        }
        let backward = term.mean().backward();
        let mut gradients = Collect(&backward, Vec::new());
        model.visit(&mut gradients);
        for (tensor, found) in float_tensors(&model).iter().zip(&gradients.1) {
            let loss = |at: usize, by: f64| {
                let mut moved = tensors.clone();
                moved.get_mut(&tensor.name).expect("a tensor")[at] += by;
                Reference { config: &config, tensors: &moved }.nats().iter().sum::<f64>() / 3.0
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

/// The paraphraser says of the true words what the reference has, whatever the order of the hypotheses; nothing is attended
/// to behind the last word of a short sentence.
#[test]
fn words_and_alignments_step_by_step() {
    let device = Device::flex();
    for config in configs() {
        let model = model(&config, &device);
        let tensors = tensors(&model);
        let reference = Reference { config: &config, tensors: &tensors };
        let paraphraser = model.paraphraser(&config, &device);
        assert_eq!(paraphraser.attends(), config.attention);
        let mut sentences = paraphraser.read(&READ).expect("sentences");
        // In another order from the second step on.
        let mut order = [0, 1, 2];
        for step in 0..=WORDS {
            let parents = if step == 1 { [2, 0, 1] } else { [0, 1, 2] };
            if step == 1 {
                order = parents;
            }
            let word = |sentence: usize| step.checked_sub(1).map(|at| IDS[sentence * WORDS + at]);
            let next = [0, 1, 2].map(|at| Continuation { parent: parents[at], word: word(order[at]) });
            let said = sentences.step(&next).expect("a step");
            let (log_probs, attention) = (host(said.log_probs), said.attention.map(host));
            assert_eq!(attention.is_some(), config.attention);
            for (at, sentence) in order.into_iter().enumerate() {
                let ids = &IDS[sentence * WORDS..][..WORDS];
                let (steps, alignments) = reference.say(READ[sentence], ids);
                let close = |found: &[f32], expected: &[f64]| {
                    let mut pairs = found.iter().zip(expected);
                    assert!(pairs.all(|(a, b)| (f64::from(*a) - b).abs() < 1e-4), "{found:?} {expected:?}");
                };
                let row = config.vocabulary_size + 1;
                close(&log_probs[at * row..][..row], &steps[step]);
                if let Some(attention) = &attention {
                    let (found, beyond) = attention[at * 4..][..4].split_at(READ[sentence].len());
                    close(found, &alignments[step]);
                    assert!(beyond.iter().all(|&weight| weight == 0.0), "{beyond:?}");
                }
            }
        }
    }
}

fn vocabulary(words: usize) -> Vocabulary {
    Vocabulary {
        example: "a".to_owned(),
        words: ('a'..).take(words).map(String::from).collect(),
        aliases: BTreeMap::new(),
        full_stop: None,
        max_words: 8,
        alternatives: Vec::new(),
        meanings: BTreeMap::new(),
    }
}

#[test]
fn a_batch_is_learned_by_heart_and_saved() {
    for config in configs() {
        let device = Device::flex().autodiff();
        let mut model = EncoderDecoder::init(&config, 1, &device).train();
        let mut optimizer = AdamConfig::new().init();
        for _ in 0..300 {
            let loss = model.terms(&config, &item(1)).0.remove(0).1.mean();
            let gradients = GradientsParams::from_grads(loss.backward(), &model);
            model = optimizer.step(0.02, model, gradients);
        }
        let loss = floats(model.terms(&config, &item(0)).0.remove(0).1.mean().into_data())[0];
        assert!(loss < 0.2, "{loss} nats a caption");
        let device = Device::flex();
        let saved = encode(&model.valid(), Precision::Half).expect("saved");
        let fresh = EncoderDecoder::init(&config, 2, &device);
        let read = decode(fresh, &parse_safetensors(&saved).expect("a file")).expect("all tensors");
        let rephraser =
            Rephraser::new(read.paraphraser(&config, &device), vocabulary(config.vocabulary_size));
        let found = pollster::block_on(rephraser.rephrase(&READ, &Search::default())).expect("paraphrases");
        let said: Vec<String> = found.iter().map(|paraphrases| paraphrases[0].text()).collect();
        assert_eq!(said, ["d b k", "e e a", "i c g"]);
        for (paraphrases, read) in found.iter().zip(READ) {
            let lengths = paraphrases[0].words.iter().map(|word| word.attention.as_ref().map(Vec::len));
            let expected = config.attention.then_some(read.len());
            assert!(lengths.into_iter().all(|length| length == expected));
        }
    }
}

#[test]
fn dropout_is_for_training_alone_and_from_the_seed() {
    let dropped = EncoderDecoderConfig::captions().dropout;
    let config = EncoderDecoderConfig { dropout: dropped, ..EncoderDecoderConfig::tiny() };
    let model = model(&config, &Device::flex());
    let nats = |epoch: usize, noise_seed: u64| {
        floats(model.terms(&config, &TrainBatch { noise_seed, ..item(epoch) }).0.remove(0).1.into_data())
    };
    assert_eq!(nats(0, 1), nats(0, 2));
    assert_eq!(nats(1, 1), nats(1, 1));
    assert_ne!(nats(1, 1), nats(1, 2));
}

#[test]
fn what_cannot_be_read_is_an_error() {
    let config = EncoderDecoderConfig::tiny();
    let device = Device::flex();
    let paraphraser = model(&config, &device).paraphraser(&config, &device);
    for sentence in [&[][..], &[11]] {
        let error = paraphraser.read(&[&[1], sentence]).err().expect("no sentence").to_string();
        assert!(error.contains("no word, or one beyond the 11"), "{error}");
    }
}

/// A batch of sentences that were read is cut as its captions are.
#[test]
fn sentences_that_were_read_belong_to_their_captions() {
    let batch = CaptionBatch::of_paraphrases(IDS.to_vec(), WORDS, &READ);
    assert_eq!(batch.read_sentences(), READ);
    assert_eq!(batch.slice(1, 3).read_sentences(), READ[1..]);
    let captions = CaptionBatch::of_words(Cow::Owned(IDS.to_vec()), WORDS, Cow::Owned(Vec::new()));
    assert!(captions.read_sentences().is_empty());
}

/// The paraphraser that is shipped: what stands beside it is of these weights, and it says a scene in other words.
#[test]
fn the_shipped_model_says_the_same_things() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let read = |name: &str| std::fs::read(folder.join(name)).expect("a file");
    let manifest = Manifest::parse(&read("paraphrase-scenes.json")).expect("a manifest that parses");
    let weights = read(&manifest.weights.file);
    manifest.weights.verify(&weights).expect("the hash matches");
    assert!(weights.len() <= 400_000, "{} bytes", weights.len());
    assert_eq!((manifest.system.kind(), manifest.data.name), ("text-to-text", DataSet::SceneParaphrases));
    let measured: serde_json::Value =
        serde_json::from_slice(&read("paraphrase-scenes.eval.json")).expect("JSON");
    assert_eq!(measured["weights_sha256"], manifest.weights.sha256);
    let rephraser = Rephraser::load(&manifest, &weights, &Device::flex()).expect("the weights fit");
    let sentence =
        rephraser.read("an elephant is on the left of a stop sign in a grass field").expect("words");
    let found = pollster::block_on(rephraser.rephrase(&[&sentence.ids], &Search::default()));
    let found = found.expect("paraphrases");
    let best = &found[0][0];
    for word in ["elephant", "stop", "sign", "grass", "field"] {
        let said = best.words.iter().find(|said| said.text == word);
        let attention = said.and_then(|said| said.attention.as_ref());
        let attention = attention.unwrap_or_else(|| panic!("{word} is not in \"{}\"", best.text()));
        assert_eq!(attention.len(), sentence.words.len());
        assert!((attention.iter().sum::<f32>() - 1.0).abs() < 1e-4, "{attention:?}");
    }
}
