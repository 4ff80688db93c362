//! The framed painter: frames, slots, lessons, and that it paints what it trains.

use std::path::Path;
use std::sync::Arc;

use aligndraw::checkpoint::{Precision, encode};
use aligndraw::data::batch::{Lesson, Progress, TrainBatch};
use aligndraw::data::mnist::Mnist;
use aligndraw::data::mnist_captions::{Bans, Scene, Scenes, vocabulary};
use aligndraw::data::noise::Noise;
use aligndraw::data::source::Source;
use aligndraw::error::Error;
use aligndraw::model::{CaptionIds, Painter, TextToImage, Trainable};
use aligndraw::nn::floats;
use aligndraw::paint::Pipeline;
use aligndraw::text2image::framed::{Framed, FramedConfig, Order, Slots, presets};
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor};

fn scenes() -> Scenes {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/mnist");
    let read = |name: &str| std::fs::read(folder.join(name)).map_err(|e| Error::Data(e.to_string()));
    Scenes::new(Arc::new(Mnist::load(read).expect("MNIST is committed").train), Bans::draw(1))
}

/// A small model of the real data.
fn small() -> FramedConfig {
    let FramedConfig { drawn, .. } = presets::digits().config;
    FramedConfig { vocabulary_size: 23, height: 60, width: 60, drawn, ..FramedConfig::tiny() }
}

/// A batch of a run that is so far, in which single digits had been learned after a twentieth.
fn item(config: &FramedConfig, done: f32) -> TrainBatch {
    let progress = Progress { done, learned: Some(0.05) };
    let lesson = Framed::lesson(config, progress);
    let batch = scenes().training_batch(6, &mut Noise::new(3), lesson);
    TrainBatch { batch, noise_seed: 5, epoch: 1, index: 0, progress }
}

fn mean_terms(model: &Framed, config: &FramedConfig, item: &TrainBatch) -> Vec<f32> {
    model.terms(config, item).0.into_iter().map(|(_, term)| floats(term.mean().into_data())[0]).collect()
}

/// The gradients of all parameters, in the order of their names.
struct Collect<'a>(&'a Gradients, Vec<Vec<f32>>);

impl ModuleVisitor for Collect<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let gradient = parameter.val().grad(self.0).expect("every parameter has a gradient");
        self.1.push(floats(gradient.into_data()));
    }
}

fn gradients_of(model: &Framed, config: &FramedConfig, item: &TrainBatch) -> Vec<Vec<f32>> {
    let tracked = model.clone().train();
    let terms = tracked.terms(config, item).map(Tensor::mean);
    let loss = terms.0.into_iter().map(|(_, term)| term).reduce(|a, b| a + b).expect("terms");
    let backward = loss.backward();
    let mut found = Collect(&backward, Vec::new());
    tracked.visit(&mut found);
    found.1
}

#[test]
fn words_are_drawn_in_the_order_of_the_sentence_in_equal_shares() {
    let config = FramedConfig::tiny();
    let captions = |ids: &[usize]| CaptionIds { ids: ids.to_vec(), batch: 1, words: ids.len() };
    let slots = Slots::of(&config, &captions(&[0, 3, 5, 1])).expect("two words are drawn");
    assert_eq!(slots.positions, [vec![1, 3]]);
    let order: Vec<usize> = (0..4).map(|step| slots.at(step, 4)[0]).collect();
    assert_eq!(order, [0, 0, 1, 1]);
    let single = Slots::of(&config, &captions(&[0, 4, 2])).expect("one word is drawn");
    assert!((0..4).all(|step| single.at(step, 4) == [0]));
    for (ids, says) in
        [(&[0usize, 4][..], "names nothing"), (&[1, 2, 3][..], "3 things to draw, expected at most 2")]
    {
        let error = Slots::of(&config, &captions(ids)).expect_err("refused").to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn no_lesson_shows_a_held_out_composition() {
    let (scenes, bans) = (scenes(), Bans::draw(1));
    let vocabulary = vocabulary();
    let held_out: Vec<Vec<usize>> = Scene::all()
        .iter()
        .filter(|scene| bans.contains(scene))
        .map(|scene| vocabulary.tokens(&scene.caption()).expect("known words").ids)
        .collect();
    assert!(!held_out.is_empty());
    let config = presets::digits().config;
    // Single digits until they are learned, for a quarter of the run at most.
    for (done, learned) in
        [(0.0, None), (0.1, None), (0.1, Some(0.05)), (0.4, None), (0.4, Some(0.39)), (1.0, None)]
    {
        let lesson = Framed::lesson(&config, Progress { done, learned });
        assert_eq!(lesson == Lesson::OneObject, learned.is_none() && done < 0.25);
        let batch = scenes.training_batch(400, &mut Noise::new(9), lesson);
        for ids in batch.ids.chunks(batch.words) {
            assert!(!held_out.contains(&ids.to_vec()));
            let drawn = ids.iter().filter(|id| config.drawn.contains(id)).count();
            assert!(drawn == 1 || (drawn == 2 && lesson == Lesson::Everything));
        }
    }
}

/// Gradients by autodiff against central differences of the whole bound.
#[test]
fn gradients_are_those_of_the_bound() {
    let config = small();
    let item = item(&config, 1.0);
    let model = Framed::init(&config, 2, &Device::flex());
    let found = gradients_of(&model, &config, &item);
    let total = |model: &Framed| mean_terms(model, &config, &item).iter().map(|&x| f64::from(x)).sum::<f64>();
    let tensors = aligndraw::checkpoint::float_tensors(&model);
    for (at, gradient) in found.iter().enumerate() {
        // Along the gradient itself, where f32 tells the difference best.
        let norm = gradient.iter().map(|g| g * g).sum::<f32>().sqrt();
        if norm < 1e-2 {
            continue;
        }
        let step = 2e-2 / norm.max(1.0);
        let moved = |sign: f32| {
            let mut index = 0;
            let values = |_: &str, _: &[usize]| {
                let mut values = tensors[index].values.clone();
                if index == at {
                    values.iter_mut().zip(gradient).for_each(|(x, g)| *x += sign * step * g / norm);
                }
                index += 1;
                Ok(values)
            };
            total(&aligndraw::checkpoint::with_values(model.clone(), values).expect("the same shapes"))
        };
        let slope = (moved(1.0) - moved(-1.0)) / (2.0 * f64::from(step));
        let name = &tensors[at].name;
        assert!((slope - f64::from(norm)).abs() < 0.05 * f64::from(norm) + 0.05, "{name}: {slope}, {norm}");
    }
}

/// The fused passes give the terms and gradients of the definition, of single words and of several, with noise on the
/// order and without, over threads.
#[test]
fn fused_passes_are_those_of_the_definition() {
    for (order, progress, threads) in [
        (Order::Sentence, 0.0, 1),
        (Order::Sentence, 0.1, 2),
        (Order::Sentence, 1.0, 4),
        (Order::Learned, 0.1, 8),
        (Order::Learned, 0.7, 1),
        (Order::Learned, 1.0, 2),
    ] {
        let curriculum = FramedConfig::digits(vec![0]).curriculum;
        let config = FramedConfig { curriculum, order, ..small() };
        let model = Framed::init(&config, 2, &Device::flex());
        let item = item(&config, progress);
        let mut fused = Framed::fused(&config, threads).expect("there are fused passes");
        let (terms, gradients) = fused.gradients(&model, &config, &item);
        let close = |found: f64, expected: f32| {
            (found - f64::from(expected)).abs() < 1e-4 * f64::from(expected).abs()
        };
        for (found, expected) in terms.0.iter().zip(mean_terms(&model, &config, &item)) {
            assert!(close(found.1, expected), "{found:?}, {expected}");
        }
        assert_eq!(fused.terms(&model, &config, &item).0, terms.0);
        let bounds = fused.image_bounds(&model, &config, &item).expect("it tells images apart");
        let total: f64 = terms.0.iter().map(|(_, term)| term).sum();
        assert!((bounds.iter().sum::<f64>() / bounds.len() as f64 + total).abs() < 1e-9 * total.abs());
        let expected = gradients_of(&model, &config, &item);
        assert_eq!(gradients.len(), expected.len());
        let names = aligndraw::checkpoint::float_tensors(&model);
        for ((found, expected), tensor) in gradients.iter().zip(&expected).zip(names) {
            let scale = expected.iter().fold(1e-3f32, |most, x| most.max(x.abs()));
            assert!(
                worst(found, expected) < 2e-3 * scale,
                "{}: {}",
                tensor.name,
                worst(found, expected) / scale
            );
        }
    }
}

#[test]
fn it_paints_the_same_from_one_seed_and_goes_on_from_a_branch() {
    let config = small();
    let device = Device::flex();
    let model = Framed::init(&config, 4, &device);
    assert!(encode(&model, Precision::Byte).is_ok());
    for painter in painters(model, &config) {
        paints_and_branches(painter);
    }
}

/// The largest difference.
fn worst(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).fold(0.0f32, |most, (a, b)| most.max((a - b).abs()))
}

fn paints_and_branches(painter: Box<dyn Painter>) {
    let steps = painter.num_steps();
    let pipeline = Pipeline::new(painter, vocabulary(), 1.0);
    let caption = "the digit 3 is on the left of the digit 8";
    let finish = |pictures: &mut aligndraw::paint::Pictures| {
        let mut all = Vec::new();
        while let Some(frames) = pollster::block_on(pipeline.step(pictures)).expect("a step") {
            all.push(frames);
        }
        all
    };
    let mut first = pipeline.begin(caption, &[4, 5]).expect("a caption");
    let drawn = finish(&mut first);
    assert_eq!(drawn.len(), steps);
    let again = finish(&mut pipeline.begin(caption, &[5]).expect("a caption"));
    assert!(worst(&again[3][0].image, &drawn[3][1].image) < 1e-5);
    assert!(worst(&drawn[3][0].image, &drawn[3][1].image) > 0.0);
    // The word that is drawn has all of the attention: "3", then "8".
    for (step, word) in [(0, 2), (1, 2), (2, 10), (3, 10)] {
        let alignment = drawn[step][0].alignment.as_ref().expect("attention");
        assert_eq!((alignment[word], alignment.iter().sum::<f32>()), (1.0, 1.0), "step {step}");
        let rect = drawn[step][0].rect.expect("a window");
        assert!(rect.width > 0.0 && rect.width <= 0.6 * 60.0);
    }
    // From the middle of a word, and from a place where the first one has been drawn.
    for step in [2, 3] {
        let same = finish(&mut pipeline.branch(&first, 1, step, caption, 5).expect("a branch"));
        assert!(worst(&same[3 - step][0].image, &drawn[3][1].image) < 1e-5);
    }
    let error = pipeline.begin("the digit of the image", &[1]).err().expect("refused").to_string();
    assert!(error.contains("names nothing"), "{error}");
}

/// The painters of a model: by the fused passes, and in burn tensors.
fn painters(model: Framed, config: &FramedConfig) -> [Box<dyn Painter>; 2] {
    let tensors = aligndraw::checkpoint::float_tensors(&model);
    let mut take = |name: &str, _: &[usize]| {
        Ok(tensors.iter().find(|tensor| tensor.name == name).expect("a tensor").values.clone())
    };
    let fused = Framed::fused_painter(config, &mut take).expect("there are fused passes");
    [fused.expect("all tensors"), model.painter(config, &Device::flex())]
}

/// Which words are drawn step by step, and the finished picture: by the fused passes, and the same in burn tensors.
fn drawn(model: Framed, config: &FramedConfig, caption: &str) -> (Vec<usize>, Vec<f32>) {
    let [fused, tensors] = painters(model, config).map(|painter| drawn_by(painter, caption));
    assert_eq!(fused.0, tensors.0);
    assert!(worst(&fused.1, &tensors.1) < 1e-5);
    tensors
}

fn drawn_by(painter: Box<dyn Painter>, caption: &str) -> (Vec<usize>, Vec<f32>) {
    let pipeline = Pipeline::new(painter, vocabulary(), 1.0);
    let mut pictures = pipeline.begin(caption, &[6]).expect("a caption");
    let (mut words, mut image) = (Vec::new(), Vec::new());
    while let Some(mut frames) = pollster::block_on(pipeline.step(&mut pictures)).expect("a step") {
        let frame = frames.remove(0);
        let alignment = frame.alignment.expect("attention");
        assert_eq!(alignment.iter().sum::<f32>(), 1.0);
        words.push(alignment.iter().position(|share| *share == 1.0).expect("all of it on one word"));
        image = frame.image;
    }
    (words, image)
}

/// The words take turns as attention has it, each in its share of the steps; where it prefers none they are drawn, to the
/// same picture, in the order of the sentence.
#[test]
fn a_learned_order_gives_every_word_its_share() {
    let config = FramedConfig { order: Order::Learned, ..small() };
    let caption = "the digit 3 is on the left of the digit 8";
    let mut orders = Vec::new();
    for seed in 0..8 {
        let (words, _) = drawn(Framed::init(&config, seed, &Device::flex()), &config, caption);
        assert_eq!(words.iter().filter(|word| **word == 2).count(), 2, "{words:?}");
        assert_eq!(words.iter().filter(|word| **word == 10).count(), 2, "{words:?}");
        orders.push(words);
    }
    orders.sort();
    orders.dedup();
    assert!(orders.len() > 1, "fresh weights prefer different words: {orders:?}");

    let model = Framed::init(&config, 4, &Device::flex());
    let tensors = aligndraw::checkpoint::float_tensors(&model);
    let values =
        |name: &str| tensors.iter().find(|tensor| tensor.name == name).expect("a tensor").values.clone();
    let indifferent = |name: &str, _: &[usize]| {
        let values = values(name);
        Ok(if name == "attention.score" { vec![0.0; values.len()] } else { values })
    };
    let indifferent = aligndraw::checkpoint::with_values(model, indifferent).expect("the same shapes");
    let in_order = FramedConfig { order: Order::Sentence, ..config.clone() };
    let same = Framed::init(&in_order, 4, &Device::flex());
    let same = aligndraw::checkpoint::with_values(same, |name, _| Ok(values(name))).expect("the same shapes");
    let (words, image) = drawn(indifferent, &config, caption);
    assert_eq!((words, image), drawn(same, &in_order, caption));
}

/// What is chosen has the gradient of a softmax; noise tries other words, until it is over.
#[test]
fn a_learned_order_is_learned() {
    let config = FramedConfig { order: Order::Learned, ..small() };
    let model = Framed::init(&config, 4, &Device::flex());
    let at = |progress: f32| {
        mean_terms(&model, &config, &TrainBatch { progress: Progress::at(progress), ..item(&config, 1.0) })
    };
    // First the order is the sentence's, whatever attention would have.
    let in_order = FramedConfig { order: Order::Sentence, ..config.clone() };
    let same = Framed::init(&in_order, 4, &Device::flex());
    assert_eq!(
        at(0.1),
        mean_terms(&same, &in_order, &TrainBatch { progress: Progress::at(0.1), ..item(&in_order, 1.0) })
    );
    assert_ne!(at(0.1), at(1.0));
    assert_ne!(at(0.6), at(1.0));
    assert_eq!(at(0.8), at(1.0));
    let found = gradients_of(&model, &config, &item(&config, 1.0));
    let names = aligndraw::checkpoint::float_tensors(&model);
    let of_attention: Vec<_> =
        names.iter().zip(&found).filter(|(tensor, _)| tensor.name.starts_with("attention.")).collect();
    assert_eq!(of_attention.len(), 6);
    for (tensor, gradient) in of_attention {
        assert!(gradient.iter().any(|g| *g != 0.0), "{}", tensor.name);
    }
}
