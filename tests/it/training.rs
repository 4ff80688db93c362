//! Training: it learns, it resumes bit for bit, it survives numbers that are not finite.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use aligndraw::checkpoint::{NamedTensor, float_tensors, with_values};
use aligndraw::data::batch::{Captions, Progress, TrainBatch};
use aligndraw::data::binary_mnist::{self, BinaryMnist};
use aligndraw::data::mnist::Mnist;
use aligndraw::data::mnist_captions::{Bans, Scenes};
use aligndraw::data::noise::Noise;
use aligndraw::data::source::Source;
use aligndraw::error::Error;
use aligndraw::model::{TextToImage, Trainable};
use aligndraw::nn::floats;
use aligndraw::options::{OptimizerKind, TrainOptions};
use aligndraw::paint::Pipeline;
use aligndraw::text2image::draw::cpu::{Drawing, Shard, Weights, loss_and_gradients};
use aligndraw::text2image::draw::{Conditioning, Draw, DrawConfig, ParameterValues, presets};
use aligndraw::train::report::read_log;
use aligndraw::train::{Compute, Data, Signals, Start, train};
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor};

fn mnist() -> Mnist {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/mnist");
    Mnist::load(|name| std::fs::read(folder.join(name)).map_err(|e| Error::Data(e.to_string())))
        .expect("MNIST is committed")
}

fn data() -> Data {
    let mnist = mnist();
    let generator = |digits| Arc::new(Scenes::new(Arc::new(digits), Bans::draw(1)));
    Data { train: generator(mnist.train), validation: generator(mnist.validation) }
}

fn compute() -> Compute {
    Compute { devices: vec![Device::flex()], fused_threads: Some(2) }
}

fn fresh(options: &TrainOptions<DrawConfig>) -> Start<Draw> {
    Start::Weights(Draw::init(&options.config, options.seed, &Device::flex()).into())
}

/// Trains in a folder; `stop` ends the run after its first epoch, as Ctrl-C does.
fn run(options: &TrainOptions<DrawConfig>, folder: &Path, resume: bool, stop: bool) -> Vec<NamedTensor> {
    let signals = Signals { stop: Arc::new(AtomicBool::new(stop)), ..Signals::default() };
    let start = if resume { Start::Checkpoint } else { fresh(options) };
    let outcome = train(options, start, data(), folder, &compute(), &signals);
    float_tensors(&outcome.expect("the run ends well").model)
}

#[test]
fn a_resumed_run_goes_on_bit_for_bit() {
    for optimizer in [OptimizerKind::Rmsprop, OptimizerKind::Adam] {
        let options = TrainOptions { epochs: 3, optimizer, average_decay: 0.9, ..presets::tiny() };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let whole = run(&options, &folder.path().join("whole"), false, false);
        let parts = folder.path().join("parts");
        let first = run(&options, &parts, false, true);
        assert_ne!(first, whole, "the first session ends early");
        assert_eq!(run(&options, &parts, true, false), whole);
    }
}

#[test]
fn nothing_to_resume_is_an_error() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let options = presets::tiny();
    let outcome =
        train::<Draw>(&options, Start::Checkpoint, data(), folder.path(), &compute(), &Signals::default());
    assert!(matches!(outcome, Err(Error::Data(message)) if message.contains("no whole checkpoint")));
}

#[test]
fn losses_that_are_not_finite_stop_the_run_with_a_reason() {
    // A canvas of NaN makes every loss NaN.
    let options = TrainOptions {
        learning_rate: 1.0,
        optimizer: OptimizerKind::Adam,
        batches_per_epoch: 60,
        config: DrawConfig { initial_canvas: f32::NAN, ..presets::tiny().config },
        ..presets::tiny()
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let outcome = train(&options, fresh(&options), data(), folder.path(), &compute(), &Signals::default());
    let Err(Error::Model(reason)) = outcome else { panic!("the run goes on") };
    assert!(reason.contains("not finite in 5 updates in a row, the last at epoch 1, batch 4"), "{reason}");
}

/// Four hundred updates of Adam on one batch.
#[test]
fn one_batch_is_overfitted() {
    let config = DrawConfig {
        encoder_size: 32,
        decoder_size: 32,
        latent_size: 8,
        num_steps: 6,
        read_size: 5,
        write_size: 5,
        ..presets::tiny().config
    };
    let mnist = mnist();
    let scenes = Scenes::new(Arc::new(mnist.train), Bans::draw(1));
    let batch = scenes.batch(4, &mut Noise::new(1));
    let mut host = ParameterValues::init(&config, 1);
    let (mut mean, mut square) = (ParameterValues::zeros(&config), ParameterValues::zeros(&config));
    let mut shards = [Shard::default()];
    let mut losses = Vec::new();
    for update in 0..400u64 {
        let weights = Weights::new(&config, host.clone());
        let (loss, mut gradients) = loss_and_gradients(&weights, &batch, update, &mut shards);
        losses.push(loss.total());
        let all = host.vectors_mut().into_iter().zip(gradients.vectors_mut());
        let moments = mean.vectors_mut().into_iter().zip(square.vectors_mut());
        for ((theta, g), (m, v)) in all.zip(moments) {
            for i in 0..theta.len() {
                m[i] = 0.9 * m[i] + 0.1 * g[i];
                v[i] = 0.99 * v[i] + 0.01 * g[i] * g[i];
                theta[i] -= 5e-3 * m[i] / (v[i].sqrt() + 1e-6);
            }
        }
    }
    let last = losses[380..].iter().sum::<f64>() / 20.0;
    println!("one batch: {:.0} nats, then {last:.0}", losses[0]);
    assert!(last < 0.3 * losses[0], "{:.0} nats, then {last:.0}", losses[0]);
}

#[test]
fn a_caption_hears_its_own_words_alone_and_their_order() {
    let config = DrawConfig::tiny();
    let weights = Weights::new(&config, ParameterValues::init(&config, 4));
    let noise = Noise::new(1).normals(2 * config.num_steps * config.latent_size);
    let painted = |ids: &[usize]| {
        let mut drawing = Drawing::begin(&weights, Captions::of_words(ids, 3), &noise);
        while drawing.step(&weights) {}
        drawing.images(config.num_steps).to_vec()
    };
    let both = painted(&[1, 2, 3, 4, 5, 6]);
    let len = config.image_len();
    // The original code reversed the batch instead of the words: caption b heard caption B−1−b.
    let other = painted(&[1, 2, 3, 7, 8, 9]);
    assert_eq!(both[..len], other[..len]);
    assert_ne!(both[len..], other[len..]);
    let reversed = painted(&[3, 2, 1, 4, 5, 6]);
    assert_ne!(both[..len], reversed[..len]);
}

/// A batch of the tiny preset's data with the seed of its noise.
fn item(source: &dyn Source, index: u64) -> TrainBatch {
    let batch = source.batch(4, &mut Noise::stream(7, index));
    TrainBatch { batch, noise_seed: index, epoch: 1, index: index as usize, progress: Progress::at(0.0) }
}

/// Gradients of the sum of the terms by burn's autodiff, in visiting order; zeros where none arrives.
struct Autodiff<'a>(&'a Gradients, Vec<Vec<f32>>);

impl ModuleVisitor for Autodiff<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let value = parameter.val();
        let gradient = value.grad(self.0).map(|gradient| floats(gradient.into_data()));
        self.1.push(gradient.unwrap_or_else(|| vec![0.0; value.shape().num_elements()]));
    }
}

/// Several updates by the fused passes: at each of them autodiff gives the same terms and gradients.
#[test]
fn fused_passes_and_autodiff_agree_over_updates() {
    let sentence = Conditioning::Sentence { size: 12, embedding_size: Some(5) };
    for conditioning in [Conditioning::Attention, Conditioning::Mean, sentence, Conditioning::None] {
        agree_over_updates(&DrawConfig { conditioning, ..presets::tiny().config });
    }
    agree_over_updates(&DrawConfig { deviation: Some(0.3), ..presets::tiny().config });
}

fn agree_over_updates(config: &DrawConfig) {
    let scenes = Scenes::new(Arc::new(mnist().train), Bans::draw(1));
    let mut fused = Draw::fused(config, 2).expect("DRAW has fused passes");
    let mut model = Draw::init(config, 3, &Device::flex());
    for update in 0..5 {
        let item = item(&scenes, update);
        let (terms, gradients) = fused.gradients(&model, config, &item);
        let tracked = model.clone().train();
        let expected = tracked.terms(config, &item).map(Tensor::mean);
        let (names, values) = (expected.names(), expected.0.clone());
        assert_eq!(names, terms.names());
        let loss = expected.0.into_iter().map(|(_, term)| term).reduce(|a, b| a + b).expect("terms");
        for ((name, found), (_, expected)) in terms.0.iter().zip(values) {
            let expected = f64::from(floats(expected.into_data())[0]);
            assert!((found - expected).abs() < 1e-4 * expected.abs().max(1.0), "{name}: {found}, {expected}");
        }
        let backward = loss.backward();
        let mut autodiff = Autodiff(&backward, Vec::new());
        tracked.visit(&mut autodiff);
        assert_eq!(autodiff.1.len(), gradients.len());
        for (expected, found) in autodiff.1.iter().zip(&gradients) {
            let largest = expected.iter().fold(1e-3f32, |most, x| most.max(x.abs()));
            let pairs = expected.iter().zip(found);
            let worst = pairs.fold(0.0f32, |worst, (a, b)| worst.max((a - b).abs()));
            assert!(worst < 1e-3 * largest, "update {update}: gradients differ by {worst} of {largest}");
        }
        let steps = float_tensors(&model).into_iter().zip(gradients);
        let mut moved = steps.map(|(old, gradient)| -> Vec<f32> {
            old.values.iter().zip(gradient).map(|(x, g)| x - 1e-3 * g).collect()
        });
        model = with_values(model, |_, _| Ok(moved.next().expect("a value"))).expect("the same shapes");
    }
}

/// `--fused off` trains the same run by autodiff.
#[test]
fn a_run_without_fused_passes_has_the_same_losses() {
    let options = TrainOptions { optimizer: OptimizerKind::Adam, ..presets::tiny() };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let losses = |name: &str, fused_threads: Option<usize>| {
        let (out, devices) = (folder.path().join(name), vec![Device::flex()]);
        let compute = Compute { devices, fused_threads };
        train(&options, fresh(&options), data(), &out, &compute, &Signals::default()).expect("it trains");
        let lines = read_log(&out.join("log.jsonl"));
        lines.iter().flat_map(|line| [line.loss("train"), line.loss("valid")]).collect::<Vec<f64>>()
    };
    let (fused, autodiff) = (losses("fused", Some(2)), losses("autodiff", None));
    assert_eq!((fused.len(), autodiff.len()), (4, 4));
    for (a, b) in fused.iter().zip(&autodiff) {
        assert!((a - b).abs() < 1e-3 * a.abs(), "{fused:?} and {autodiff:?}");
    }
}

/// Plain DRAW has no words: it trains on binarised MNIST, is saved, and paints without a caption.
#[test]
fn plain_draw_trains_and_paints_without_captions() {
    let config = DrawConfig {
        num_steps: 3,
        encoder_size: 12,
        decoder_size: 14,
        latent_size: 5,
        ..presets::plain_mnist().config
    };
    let options = TrainOptions {
        config,
        batch_size: 8,
        batches_per_epoch: 4,
        epochs: 2,
        validation_images: 8,
        ..presets::plain_mnist()
    };
    let digits = mnist();
    let data = Data {
        train: Arc::new(BinaryMnist::fresh(digits.train)),
        validation: Arc::new(BinaryMnist::fixed(digits.validation)),
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let outcome = train(&options, fresh(&options), data, folder.path(), &compute(), &Signals::default());
    let model = outcome.expect("it trains").model;
    let painter = model.painter(&options.config, &Device::flex());
    let pipeline = Pipeline::new(painter, binary_mnist::vocabulary(), 1.0);
    let mut pictures = pipeline.begin("", &[1, 2]).expect("no caption is needed");
    let frames = pollster::block_on(pipeline.step(&mut pictures)).expect("a step").expect("the first");
    assert_eq!((frames.len(), frames[0].image.len()), (2, 28 * 28));
    assert!(frames[0].alignment.is_none() && frames[0].window.is_some());
    assert!(pipeline.begin("a seven", &[1]).is_err());
}
