//! The painters that draw without looking: variational autoencoders, LSTM with transposed convolutions, LAPGAN. Losses by
//! hand, gradients, a batch learned by heart, weights saved and read, drawings from seeds, a collapse.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use aligndraw::checkpoint::{Precision, decode, encode, float_tensors, parse_safetensors, with_values};
use aligndraw::data::batch::{CaptionBatch, Progress, TrainBatch};
use aligndraw::data::noise::Noise;
use aligndraw::data::source::Source;
use aligndraw::error::Result;
use aligndraw::model::{CaptionIds, Config, DIVERSITY, Painter, Terms, TextToImage, Trainable};
use aligndraw::nn::floats;
use aligndraw::options::{OptimizerKind, TrainOptions};
use aligndraw::text2image::deconv::{Deconv, DeconvConfig};
use aligndraw::text2image::lapgan::{Lapgan, LapganConfig, presets};
use aligndraw::text2image::vae::{Body, Prior, Vae, VaeConfig};
use aligndraw::train::{Compute, Data, Signals, Start, train};
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::{AdamConfig, GradientsParams};
use burn::tensor::{Device, Gradients, Tensor};

/// Words of each caption.
const WORDS: usize = 3;

/// Captions and pictures: bright left of a column that the caption's first word decides.
fn batch(config: &impl Config, size: usize, noise: &mut Noise) -> CaptionBatch<'static> {
    let image = config.image_size();
    let (mut ids, mut pixels) = (Vec::new(), Vec::new());
    for _ in 0..size {
        let word = noise.below(config.vocabulary_size());
        ids.extend([word, noise.below(config.vocabulary_size()), 0]);
        let column = word * image.width / config.vocabulary_size();
        let bright = |at: usize| if at % image.width <= column { 0.9 } else { 0.1 };
        pixels.extend((0..image.len()).map(|at| bright(at) + 0.1 * (noise.uniform() - 0.5)));
    }
    CaptionBatch::of_words(Cow::Owned(ids), WORDS, Cow::Owned(pixels))
}

fn item(config: &impl Config) -> TrainBatch {
    let batch = batch(config, 6, &mut Noise::new(3));
    TrainBatch { batch, noise_seed: 5, epoch: 0, index: 0, progress: Progress::at(1.0) }
}

fn values(terms: Terms<Tensor<1>>) -> Terms<f64> {
    terms.map(|term| f64::from(floats(term.mean().into_data())[0]))
}

/// The gradient of the sum of all terms for each parameter; empty where there is none.
fn gradients<M: Trainable>(model: &M, config: &M::Config, item: &TrainBatch) -> Vec<Vec<f32>> {
    struct Collect<'a>(&'a Gradients, Vec<Vec<f32>>);
    impl ModuleVisitor for Collect<'_> {
        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
            let gradient = parameter.val().grad(self.0).map(|gradient| floats(gradient.into_data()));
            self.1.push(gradient.unwrap_or_default());
        }
    }
    let terms = model.terms(config, item).map(Tensor::mean);
    let loss = terms.0.into_iter().map(|(_, term)| term).reduce(|a, b| a + b).expect("terms");
    let backward = loss.backward();
    let mut found = Collect(&backward, Vec::new());
    model.visit(&mut found);
    found.1
}

/// Gradients by autodiff against central differences of what `of` makes of the terms for a parameter's name. Also with
/// batch norm: differences are taken on the training device, where it goes by the batch.
fn check_gradients<M: Trainable>(config: &M::Config, of: impl Fn(&str, &Terms<f64>) -> Option<f64>) {
    let item = item(config);
    let model = M::init(config, 2, &Device::flex().autodiff());
    let found = gradients(&model, config, &item);
    let tensors = float_tensors(&model);
    let unmoved = values(model.terms(config, &item));
    let mut checked = 0;
    for (at, gradient) in found.iter().enumerate() {
        let norm = gradient.iter().map(|g| g * g).sum::<f32>().sqrt();
        let (name, step) = (&tensors[at].name, (2e-2 / norm).min(2e-3));
        if norm < 2e-2 || of(name, &unmoved).is_none() {
            continue;
        }
        checked += 1;
        let moved = |sign: f32| {
            let mut index = 0;
            let shifted = |_: &str, _: &[usize]| {
                let mut values = tensors[index].values.clone();
                if index == at {
                    values.iter_mut().zip(gradient).for_each(|(x, g)| *x += sign * step * g / norm);
                }
                index += 1;
                Ok(values)
            };
            let model = with_values(model.clone(), shifted).expect("the same shapes");
            of(name, &values(model.terms(config, &item))).expect("it was there before")
        };
        let slope = (moved(1.0) - moved(-1.0)) / (2.0 * f64::from(step));
        let norm = f64::from(norm);
        assert!((slope - norm).abs() < 0.05 * norm + 0.02, "{name}: {slope}, {norm}");
    }
    assert!(checked >= 10, "{checked} tensors have a gradient");
}

/// The terms before and after `updates` of Adam on one batch.
fn by_heart<M: Trainable>(config: &M::Config, updates: usize) -> [Terms<f64>; 2] {
    let item = item(config);
    let mut model = M::init(config, 2, &Device::flex().autodiff());
    let mut optimizer = AdamConfig::new().init();
    let before = values(model.terms(config, &item));
    for _ in 0..updates {
        let terms = model.terms(config, &item).map(Tensor::mean);
        let loss = terms.0.into_iter().map(|(_, term)| term).reduce(|a, b| a + b).expect("terms");
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        model = optimizer.step(5e-3, model, gradients);
    }
    [before, values(model.terms(config, &item))]
}

/// The pictures after each step, of two seeds.
fn drawn(painter: &dyn Painter, noise: &[f32]) -> Result<Vec<Vec<f32>>> {
    let captions = CaptionIds { ids: vec![1, 2, 3, 1, 2, 3], batch: 2, words: WORDS };
    let mut drawing = painter.begin(&captions, noise.to_vec())?;
    let steps = (0..painter.num_steps()).map(|_| pollster::block_on(drawing.step()?.images.read()));
    let steps = steps.collect();
    assert!(drawing.step().is_err(), "there is no further step");
    assert!(drawing.branch(0, 0, &captions, noise.to_vec()).is_err());
    steps
}

/// It paints the same from the same noise, other pictures from other noise, and the same once saved and read.
fn paints_and_is_saved<M: TextToImage>(config: &M::Config, model: M, differs: bool) {
    let device = Device::flex();
    let bytes = encode(&model, Precision::Half).expect("it is written");
    let file = parse_safetensors(&bytes).expect("safetensors");
    let read = decode(M::init(config, 9, &device), &file).expect("it is read");
    let painter = model.painter(config, &device);
    let noise = Noise::new(7).normals(2 * painter.noise_len());
    let first = drawn(painter.as_ref(), &noise).expect("it draws");
    assert_eq!(first.len(), config.num_steps());
    let len = config.image_size().len();
    for images in &first {
        assert!(images.len() == 2 * len && images.iter().all(|x| (0.0..=1.0).contains(x)));
    }
    assert_eq!(first, drawn(painter.as_ref(), &noise).expect("it draws again"));
    let (a, b) = first[0].split_at(len);
    assert_eq!(a != b, differs, "two seeds");
    let again = drawn(read.painter(config, &device).as_ref(), &noise).expect("what was read draws");
    let worst =
        first.concat().iter().zip(again.concat()).fold(0.0f32, |most, (a, b)| most.max((a - b).abs()));
    assert!(worst < 0.02, "{worst}");
    let nothing = CaptionIds { ids: Vec::new(), batch: 1, words: 0 };
    let error = painter.begin(&nothing, noise[..painter.noise_len()].to_vec()).err().expect("refused");
    assert!(error.to_string().contains("no caption"), "{error}");
}

/// `model` with all weights 0 but those of one name.
fn zero_but<M: Trainable>(config: &M::Config, name: &str, value: &[f32]) -> M {
    let fresh = M::init(config, 1, &Device::flex());
    let values = |found: &str, shape: &[usize]| {
        let len: usize = shape.iter().product();
        Ok(if found == name { value.to_vec() } else { vec![0.0; len] })
    };
    with_values(fresh, values).expect("the same shapes")
}

/// Logits of 0 cost ln 2 a colour value; the KL of (0.3, −0.2) from N(0, 1) is
/// ½ (0.3² + e^{−0.4} − 1 + 0.4) = 0.080160 a latent.
#[test]
fn an_autoencoders_bound_by_hand() {
    for body in [Body::Dense, Body::Convolutional] {
        let config = VaeConfig::tiny(body);
        let bias = [0.3, 0.3, -0.2, -0.2];
        let model: Vae = zero_but(&config, "posterior.bias", &bias);
        let terms = values(model.terms(&config, &item(&config)));
        let expected = config.image_size().len() as f64 * 2f64.ln();
        assert!((terms.get("reconstruction") - expected).abs() < 1e-3, "{terms:?}");
        assert!((terms.get("kl") - 2.0 * 0.080_160).abs() < 1e-5, "{terms:?}");
        let standard = VaeConfig { prior: Prior::Standard, ..config.clone() };
        let model: Vae = zero_but(&standard, "posterior.bias", &bias);
        assert_eq!(values(model.terms(&standard, &item(&standard))), terms);
    }
}

/// Where all weights are 0 a picture is grey.
#[test]
fn the_error_of_grey_pictures_by_hand() {
    let config = DeconvConfig { prior: true, ..DeconvConfig::tiny() };
    let (model, item): (Deconv, _) = (zero_but(&config, "", &[]), item(&config));
    let terms = values(model.terms(&config, &item));
    let squares: f64 = item.batch.images.iter().map(|&x| (f64::from(x) - 0.5).powi(2)).sum();
    let expected = squares / item.batch.len() as f64 / (2.0 * 0.1 * 0.1);
    assert!((terms.get("error") - expected).abs() < 1e-3 * expected, "{terms:?}, {expected}");
    // A posterior of N(0, 1) beside a prior of deviation 1/e: ½ (e² − 1 − 2) a latent.
    let kl = 7.0 * 0.5 * (1f64.exp().powi(2) - 3.0);
    assert!((terms.get("kl") - kl).abs() < 1e-3, "{terms:?}, {kl}");
}

/// Logits of 0: ln 2 for each verdict; pictures that do not differ have no diversity.
#[test]
fn adversarial_losses_by_hand() {
    let config = LapganConfig { mode_seeking: 0.0, ..LapganConfig::tiny() };
    let model: Lapgan = zero_but(&config, "", &[]);
    let terms = values(model.terms(&config, &item(&config)));
    let levels = config.levels as f64;
    assert!((terms.get("discriminator") - levels * 2.0 * 2f64.ln()).abs() < 1e-4, "{terms:?}");
    assert!((terms.get("generator") - levels * 2f64.ln()).abs() < 1e-4, "{terms:?}");
    assert!(terms.get(DIVERSITY).abs() < 1e-6, "{terms:?}");
    // The mode-seeking term of pictures that do not differ: their noise's mean distance over the hundredth that is added.
    let seeking = LapganConfig { mode_seeking: 1.0, ..config.clone() };
    let noise = |b: u64| Noise::stream(5, b % 6).normals(config.noise_size);
    let apart = |b: u64| noise(b).iter().zip(noise(b + 1)).map(|(x, y)| (x - y).abs()).sum::<f32>();
    let expected = f64::from((0..6).map(apart).sum::<f32>()) / (6 * config.noise_size) as f64 / 0.01;
    let found = values(model.terms(&seeking, &item(&config))).get("generator") - terms.get("generator");
    assert!((found - expected).abs() < 1e-3 * expected, "{found}, {expected}");
}

#[test]
fn gradients_are_those_of_the_loss() {
    for body in [Body::Dense, Body::Convolutional] {
        check_gradients::<Vae>(&VaeConfig::tiny(body), |_, terms| Some(terms.total()));
    }
    for prior in [false, true] {
        let config = DeconvConfig { prior, ..DeconvConfig::tiny() };
        check_gradients::<Deconv>(&config, |_, terms| Some(terms.total()));
    }
}

/// Each player moves down its own loss alone, which is what two optimisers would do. The caption's encoder is left out of
/// the comparison: what generators hear of it changes their pictures, which its gradient does not follow.
#[test]
fn each_player_has_the_gradient_of_its_own_loss() {
    let generators = ["smallest.", "residuals."];
    let config = LapganConfig { maps: 4, mode_seeking: 0.0, ..LapganConfig::tiny() };
    check_gradients::<Lapgan>(&config, |name, terms| {
        let player =
            if generators.iter().any(|of| name.starts_with(of)) { "generator" } else { "discriminator" };
        (!name.starts_with("caption.")).then(|| terms.get(player))
    });
}

#[test]
fn a_batch_is_learned_by_heart() {
    for body in [Body::Dense, Body::Convolutional] {
        let config = VaeConfig { hidden_size: 24, ..VaeConfig::tiny(body) };
        let [before, after] = by_heart::<Vae>(&config, 150);
        // 192 colour values: ln 2 each before, the entropy of 0.9 at best.
        let entropy = 192.0 * 0.33;
        assert!(after.total() < entropy + 0.25 * (before.total() - entropy), "{before:?} → {after:?}");
    }
    for prior in [false, true] {
        let config = DeconvConfig { prior, ..DeconvConfig::tiny() };
        let [before, after] = by_heart::<Deconv>(&config, 150);
        assert!(after.get("error") < 0.1 * before.get("error"), "{before:?} → {after:?}");
    }
}

/// Pictures of one colour with noise on every pixel: an adversary's samples come to have it, at every size.
#[test]
fn an_adversary_learns_what_is_true() {
    let config = LapganConfig { maps: 4, hidden_size: 24, ..LapganConfig::tiny() };
    let mut item = item(&config);
    let len = config.image_size().len();
    let mut noise = Noise::new(8);
    let colour = |at: usize| [0.9, 0.3, 0.1][at % len / (len / 3)];
    item.batch.images = (0..6 * len).map(|at| colour(at) + 0.2 * (noise.uniform() - 0.5)).collect();
    item.epoch = 1;
    let distance = |model: &Lapgan| {
        let painter = model.clone().valid().painter(&config, &Device::flex());
        let noise = Noise::new(7).normals(2 * painter.noise_len());
        let steps = drawn(painter.as_ref(), &noise).expect("it draws");
        // Mean colours of both pictures, after every step.
        let planes = steps.iter().flat_map(|images| images.chunks(len / 3)).enumerate();
        let off = planes.map(|(plane, pixels)| {
            (pixels.iter().sum::<f32>() / pixels.len() as f32 - colour(plane % 3 * (len / 3))).abs()
        });
        off.sum::<f32>() / (6 * config.num_steps()) as f32
    };
    let mut model = Lapgan::init(&config, 2, &Device::flex().autodiff());
    let mut optimizer = AdamConfig::new().init();
    let before = distance(&model);
    for update in 0..400 {
        item.noise_seed = update;
        let terms = model.terms(&config, &item).map(Tensor::mean);
        let loss = terms.0.into_iter().map(|(_, term)| term).reduce(|a, b| a + b).expect("terms");
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        model = optimizer.step(2e-3, model, gradients);
    }
    let after = distance(&model);
    println!("{before} → {after}");
    assert!(after < 0.6 * before, "{before} → {after}");
}

#[test]
fn they_paint_the_same_from_one_seed_and_once_saved() {
    let device = Device::flex();
    for body in [Body::Dense, Body::Convolutional] {
        let config = VaeConfig::tiny(body);
        paints_and_is_saved(&config, Vae::init(&config, 4, &device), true);
    }
    let config = LapganConfig::tiny();
    paints_and_is_saved(&config, Lapgan::init(&config, 4, &device), true);
    for prior in [false, true] {
        let config = DeconvConfig { prior, ..DeconvConfig::tiny() };
        let model = Deconv::init(&config, 4, &device.clone().autodiff());
        // Running statistics that are not those of fresh weights.
        for _ in 0..5 {
            drop(model.terms(&config, &item(&config)));
        }
        paints_and_is_saved(&config, model.valid(), prior);
    }
}

#[test]
fn a_sharpener_keeps_what_it_is_given_and_adds_to_it() {
    let config = LapganConfig::tiny();
    let device = Device::flex();
    let painter = Lapgan::init(&config, 4, &device).painter(&config, &device);
    let sharpener = painter.sharpener().expect("it has two levels");
    assert_eq!(sharpener.image_size(), config.image_size());
    let captions = CaptionIds { ids: vec![1, 2, 3, 4, 5, 6], batch: 2, words: WORDS };
    let pictures = batch(&config, 2, &mut Noise::new(3)).images.to_vec();
    let sharpen = |pictures: &[f32]| {
        let sharp = sharpener.sharpen(&captions, pictures.to_vec()).expect("it sharpens");
        pollster::block_on(sharp.read()).expect("numbers")
    };
    let sharp = sharpen(&pictures);
    assert_eq!(sharp, sharpen(&pictures));
    let change = sharp.iter().zip(&pictures).map(|(a, b)| (a - b).abs());
    let change = change.sum::<f32>() / pictures.len() as f32;
    assert!(change > 0.0 && change < 0.2, "fresh weights add little: {change}");
    let one = LapganConfig { levels: 1, ..config };
    assert!(Lapgan::init(&one, 4, &device).painter(&one, &device).sharpener().is_none());
    let dense = VaeConfig::tiny(Body::Dense);
    assert!(Vae::init(&dense, 1, &device).painter(&dense, &device).sharpener().is_none());
}

/// Batches of [`batch`].
struct Bars(LapganConfig);

impl Source for Bars {
    fn batch(&self, size: usize, noise: &mut Noise) -> CaptionBatch<'static> {
        batch(&self.0, size, noise)
    }

    fn held_out_batch(&self, _: usize, _: &mut Noise) -> Option<CaptionBatch<'static>> {
        None
    }
}

fn adversarial_run(rate: f64, folder: &Path) -> Result<usize> {
    let config = LapganConfig { mode_seeking: 0.0, instance_noise: 0.0, ..LapganConfig::tiny() };
    let source: Arc<dyn Source> = Arc::new(Bars(config.clone()));
    let options = TrainOptions {
        config,
        batch_size: 8,
        batches_per_epoch: 10,
        epochs: 3,
        validation_images: 96,
        learning_rate: rate,
        // What it remembers of the gradients carries the generator away.
        optimizer: OptimizerKind::Adam,
        average_decay: 0.0,
        ..presets::photos()
    };
    let start = Start::Weights(Box::new(Lapgan::init(&options.config, 1, &Device::flex())));
    let data = Data { train: source.clone(), validation: source };
    let compute = Compute { devices: vec![Device::flex()], fused_threads: Some(1) };
    Ok(train(&options, start, data, folder, &compute, &Signals::default())?.epochs)
}

/// A pyramid grows above smallest pictures that were learned before, and only there.
#[test]
fn a_pyramid_goes_on_from_its_smallest_pictures() {
    let whole = LapganConfig::tiny();
    let smallest = LapganConfig { height: 10, width: 10, levels: 1, ..whole.clone() };
    let device = Device::flex();
    let learned = Lapgan::init(&smallest, 3, &device);
    let grown = learned.clone().adapt(&smallest, &whole).expect("it grows");
    let (before, after) = (float_tensors(&learned), float_tensors(&grown));
    let kept = after
        .iter()
        .filter(|tensor| !tensor.name.contains("residuals") && !tensor.name.contains("discriminators."));
    assert_eq!(before, kept.cloned().collect::<Vec<_>>());
    assert!(after.len() > before.len());
    let other = LapganConfig { hidden_size: 7, ..whole };
    assert!(learned.adapt(&smallest, &other).is_err());
}

/// A rate at which sigmoids saturate: all samples become one.
#[test]
fn a_collapse_stops_the_run() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    assert_eq!(adversarial_run(3e-4, &folder.path().join("well")).expect("it trains"), 3);
    let error = adversarial_run(1.0, &folder.path().join("ill")).expect_err("it collapses").to_string();
    assert!(error.contains("the generator has collapsed"), "{error}");
}
