//! Places in codes: what is learned from pictures of places alone, and that they are painted.

use std::collections::BTreeSet;

use aligndraw::checkpoint::{NamedTensor, float_tensors, with_values};
use aligndraw::data::batch::{Lesson, Progress, TrainBatch};
use aligndraw::data::noise::Noise;
use aligndraw::data::scene_pictures::ScenePictures;
use aligndraw::data::scenes::{Bans, caption::vocabulary};
use aligndraw::data::source::Source;
use aligndraw::model::{Config, TextToImage, Trainable};
use aligndraw::nn::floats;
use aligndraw::paint::{Frame, Pipeline};
use aligndraw::text2image::layered::{CodesConfig, LayerCurriculum, Layered, LayeredConfig, presets};
use burn::module::Module;
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Tensor};

/// A small model of the real data, its places in 8 × 8 codes of 8 × 8 pixels.
fn small() -> LayeredConfig {
    let curriculum = presets::scene_places().config.curriculum;
    LayeredConfig {
        vocabulary_size: vocabulary().words.len(),
        lexicon: presets::scene_lexicon(&vocabulary()),
        height: 64,
        width: 64,
        max_things: 6,
        num_steps: 9,
        place_steps: 3,
        place_codes: Some(CodesConfig { codes: 60, side: 8, embedding_size: 4, hidden_size: 12 }),
        curriculum,
        ..LayeredConfig::tiny()
    }
}

fn pictures() -> ScenePictures {
    ScenePictures::new(Bans::draw(1))
}

fn model(config: &LayeredConfig) -> Layered {
    Layered::init(config, 2, &Device::flex()).fitted(config, &pictures(), 1)
}

fn item(config: &LayeredConfig, progress: f32) -> TrainBatch {
    let batch =
        pictures().training_batch(4, &mut Noise::new(3), Layered::lesson(config, Progress::at(progress)));
    TrainBatch { batch, noise_seed: 5, epoch: 1, index: 0, progress: Progress::at(progress) }
}

fn mean_terms(model: &Layered, config: &LayeredConfig, item: &TrainBatch) -> Vec<(&'static str, f64)> {
    let terms = model.terms(config, item).0.into_iter();
    terms.map(|(name, term)| (name, f64::from(floats(term.mean().into_data())[0]))).collect()
}

fn loss(model: &Layered, config: &LayeredConfig, item: &TrainBatch) -> Tensor<1> {
    let terms = model.terms(config, item).map(Tensor::mean);
    terms.0.into_iter().map(|(_, term)| term).reduce(|a, b| a + b).expect("terms")
}

/// The tensors that differ between two models.
fn changed(before: &[NamedTensor], after: &[NamedTensor]) -> Vec<String> {
    let pairs = before.iter().zip(after).filter(|(a, b)| a.values != b.values);
    pairs.map(|(tensor, _)| tensor.name.clone()).collect()
}

#[test]
fn places_alone_teach_the_prior_and_nothing_else() {
    let config = small();
    let item = item(&config, 0.5);
    assert_eq!(Layered::lesson(&config, Progress::at(0.5)), Lesson::Places);
    let fresh = model(&config);
    let before = float_tensors(&fresh);
    let mut model = fresh.train();
    let mut optimizer = AdamConfig::new().init();
    let first = mean_terms(&model, &config, &item);
    let (name, nats) = first[3];
    assert_eq!(name, "place");
    assert!(first[..3].iter().all(|(_, nats)| *nats == 0.0), "{first:?}");
    // 64 codes of 60 kinds are 262 nats when nothing is known.
    assert!((150.0..600.0).contains(&nats), "{nats}");
    for _ in 0..60 {
        let gradients = GradientsParams::from_grads(loss(&model, &config, &item).backward(), &model);
        model = optimizer.step(1e-2, model, gradients);
    }
    let after = mean_terms(&model, &config, &item)[3].1;
    assert!(after < 0.5 * nats, "{nats} → {after}");
    let changed = changed(&before, &float_tensors(&model));
    assert!(changed.len() >= 8, "{changed:?}");
    assert!(changed.iter().all(|name| name.starts_with("place_codes.prior.")), "{changed:?}");
}

/// The other way round: pictures with things leave the prior as it is, and their bound counts it.
#[test]
fn pictures_with_things_leave_the_prior_as_it_is() {
    let config = LayeredConfig { curriculum: None, ..small() };
    let item = item(&config, 0.5);
    assert_eq!(Layered::lesson(&config, Progress::at(0.5)), Lesson::Everything);
    let fresh = model(&config);
    let before = float_tensors(&fresh);
    let mut model = fresh.train();
    let terms = mean_terms(&model, &config, &item);
    assert!(terms.iter().all(|(_, nats)| nats.is_finite()) && terms[3].1 > 20.0, "{terms:?}");
    let gradients = GradientsParams::from_grads(loss(&model, &config, &item).backward(), &model);
    model = AdamConfig::new().init().step(1e-2, model, gradients);
    let changed = changed(&before, &float_tensors(&model));
    assert!(changed.iter().all(|name| !name.starts_with("place_codes.prior.")), "{changed:?}");
    assert!(changed.iter().any(|name| name == "patch"), "{changed:?}");
}

/// Autodiff against central differences along the gradient of each tensor of the prior.
#[test]
fn gradients_of_the_prior_are_those_of_its_nats() {
    let config = small();
    let item = item(&config, 0.5);
    let model = model(&config);
    let tracked = model.clone().train();
    let gradients = GradientsParams::from_grads(loss(&tracked, &config, &item).backward(), &tracked);
    let moved = burn::optim::SgdConfig::new().init().step(1.0, tracked, gradients);
    let (tensors, after) = (float_tensors(&model), float_tensors(&moved));
    let mut checked = 0;
    for (at, (before, after)) in tensors.iter().zip(&after).enumerate() {
        let gradient: Vec<f32> = before.values.iter().zip(&after.values).map(|(b, a)| b - a).collect();
        let norm = gradient.iter().map(|g| g * g).sum::<f32>().sqrt();
        if norm < 1e-2 {
            continue;
        }
        checked += 1;
        let step = 1e-2;
        let nats = |sign: f32| {
            let mut index = 0;
            let values = |_: &str, _: &[usize]| {
                let mut values = tensors[index].values.clone();
                if index == at {
                    values.iter_mut().zip(&gradient).for_each(|(x, g)| *x += sign * step * g / norm);
                }
                index += 1;
                Ok(values)
            };
            mean_terms(&with_values(model.clone(), values).expect("the same shapes"), &config, &item)[3].1
        };
        let slope = (nats(1.0) - nats(-1.0)) / (2.0 * f64::from(step));
        let name = &before.name;
        assert!((slope - f64::from(norm)).abs() < 0.05 * f64::from(norm) + 0.05, "{name}: {slope}, {norm}");
    }
    assert!(checked >= 8, "{checked} tensors have a gradient");
}

fn finish(pipeline: &Pipeline, pictures: &mut aligndraw::paint::Pictures) -> Vec<Vec<Frame>> {
    let mut all = Vec::new();
    while let Some(frames) = pollster::block_on(pipeline.step(pictures)).expect("a step") {
        all.push(frames);
    }
    all
}

#[test]
fn places_are_painted_from_the_top_left_before_things() {
    let config = small();
    let device = Device::flex();
    let pipeline = Pipeline::new(model(&config).painter(&config, &device), vocabulary(), 1.0);
    let caption = "a red bus and a dog on the street";
    let mut first = pipeline.begin(caption, &[4, 5]).expect("a caption");
    let drawn = finish(&pipeline, &mut first);
    // The slanting lines of squares of 8 pixels that a step has changed: column + 2 · row.
    let lines = |before: &[f32], after: &[f32]| -> BTreeSet<usize> {
        let changed = (0..3 * 64 * 64).filter(|&at| before[at] != after[at]);
        changed.map(|at| at % 64 / 8 + 2 * (at / 64 % 64 / 8)).collect()
    };
    let white = vec![1.0; 3 * 64 * 64];
    let every = |lines: std::ops::Range<usize>| lines.collect::<BTreeSet<_>>();
    assert_eq!(lines(&white, &drawn[0][0].image), every(0..7));
    assert_eq!(lines(&drawn[0][0].image, &drawn[1][0].image), every(7..14));
    assert_eq!(lines(&drawn[1][0].image, &drawn[2][0].image), every(14..22));
    let last = drawn.len() - 1;
    let again = finish(&pipeline, &mut pipeline.begin(caption, &[5]).expect("a caption"));
    let worst = |a: &[f32], b: &[f32]| a.iter().zip(b).fold(0.0f32, |most, (a, b)| most.max((a - b).abs()));
    assert!(worst(&again[last][0].image, &drawn[last][1].image) < 1e-5);
    assert!(lines(&drawn[2][0].image, &drawn[2][1].image).len() > 10, "two seeds, two places");
    // Another place from the second step on: what stands already stays.
    let mut other = pipeline.branch(&first, 0, 1, "a red bus and a dog on the beach", 4).expect("a branch");
    let other = finish(&pipeline, &mut other);
    assert_eq!(lines(&drawn[0][0].image, &other[1][0].image).first(), Some(&7));
}

#[test]
fn codes_that_cannot_be_are_refused_by_name() {
    let refused = |change: fn(&mut CodesConfig)| {
        let mut config = small();
        config.place_codes.as_mut().map(change).expect("codes");
        config.check().expect_err("refused").to_string()
    };
    assert!(small().check().is_ok());
    assert!(refused(|codes| codes.codes = 1).contains("codes of the place's codes is 1, expected 2 to 4096"));
    assert!(refused(|codes| codes.side = 5).contains("cannot be cut into squares of 5"));
    assert!(refused(|codes| codes.side = 32).contains("place_steps is 3, expected at most the 2 rows"));
}

/// Weights without codes get them, all else stays as it was; codes that are there stay too.
#[test]
fn weights_without_codes_go_on_with_them() {
    let with = small();
    let without = LayeredConfig { place_codes: None, curriculum: None, ..small() };
    let model_without = Layered::init(&without, 7, &Device::flex());
    let tensors = float_tensors(&model_without);
    let adapted =
        model_without.adapt(&without, &with).expect("codes are added").fitted(&with, &pictures(), 1);
    let now = float_tensors(&adapted);
    for tensor in &tensors {
        assert_eq!(now.iter().find(|other| other.name == tensor.name), Some(tensor));
    }
    assert!(now.len() > tensors.len());
    let last = LayeredConfig {
        curriculum: with.curriculum.map(|curriculum| LayerCurriculum { places_until: 0.0, ..curriculum }),
        ..with.clone()
    };
    let again =
        adapted.adapt(&with, &last).expect("only the curriculum differs").fitted(&last, &pictures(), 9);
    assert_eq!(float_tensors(&again), now);
}

/// Patches of another size and another number of steps: patches begin anew, all else stays.
#[test]
fn weights_go_on_with_finer_patches_in_fewer_steps() {
    let coarse = small();
    let fine =
        LayeredConfig { write_size: coarse.write_size + 3, num_steps: coarse.num_steps - 1, ..small() };
    let before = float_tensors(&model(&coarse));
    let adapted = model(&coarse).adapt(&coarse, &fine).expect("other patches");
    assert!(mean_terms(&adapted, &fine, &item(&fine, 1.0)).iter().all(|(_, nats)| nats.is_finite()));
    let after = float_tensors(&adapted);
    assert_eq!(changed(&before, &after), ["patch_hidden", "patch_hidden_bias", "patch", "patch_bias"]);
    let wider = LayeredConfig { decoder_size: coarse.decoder_size + 1, ..small() };
    let error = adapted.adapt(&fine, &wider).expect_err("another decoder").to_string();
    assert!(error.contains("patches and steps"), "{error}");
}
