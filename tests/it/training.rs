//! Training: it learns, it resumes bit for bit, it survives numbers that are not finite.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use aligndraw::data::batch::Captions;
use aligndraw::data::mnist::Mnist;
use aligndraw::data::mnist_captions::{Bans, Scenes};
use aligndraw::data::noise::Noise;
use aligndraw::data::source::Source;
use aligndraw::error::Error;
use aligndraw::text2image::draw::cpu::{Drawing, Shard, Weights, loss_and_gradients};
use aligndraw::text2image::draw::{DrawConfig, ParameterValues};
use aligndraw::train::{Compute, Data, OptimizerKind, Start, TrainOptions, train};
use burn::tensor::Device;
use burn::train::Interrupter;

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
    Compute { devices: vec![Device::flex()], cpu_threads: Some(2) }
}

fn fresh(options: &TrainOptions) -> Start {
    Start::Weights(ParameterValues::init(&options.config, options.seed).into())
}

/// Trains in a folder; `stop` ends the run after its first epoch, as Ctrl-C does.
fn run(options: &TrainOptions, folder: &Path, resume: bool, stop: bool) -> ParameterValues {
    let stop = Arc::new(AtomicBool::new(stop));
    let start = if resume { Start::Checkpoint } else { fresh(options) };
    let outcome = train(options, start, data(), folder, &compute(), stop, Interrupter::new());
    outcome.expect("the run ends well").host
}

#[test]
fn a_resumed_run_goes_on_bit_for_bit() {
    for optimizer in [OptimizerKind::Rmsprop, OptimizerKind::Adam] {
        let options = TrainOptions { epochs: 3, optimizer, average_decay: 0.9, ..TrainOptions::tiny() };
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
    let stop = Arc::new(AtomicBool::new(false));
    let options = TrainOptions::tiny();
    let outcome =
        train(&options, Start::Checkpoint, data(), folder.path(), &compute(), stop, Interrupter::new());
    assert!(matches!(outcome, Err(Error::Data(message)) if message.contains("no whole checkpoint")));
}

#[test]
fn losses_that_are_not_finite_stop_the_run_with_a_reason() {
    // A canvas of NaN makes every loss NaN.
    let options = TrainOptions {
        learning_rate: 1.0,
        optimizer: OptimizerKind::Adam,
        batches_per_epoch: 60,
        config: DrawConfig { initial_canvas: f32::NAN, ..TrainOptions::tiny().config },
        ..TrainOptions::tiny()
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let stop = Arc::new(AtomicBool::new(false));
    let outcome =
        train(&options, fresh(&options), data(), folder.path(), &compute(), stop, Interrupter::new());
    let Err(Error::Model(reason)) = outcome else { panic!("the run goes on") };
    assert!(reason.contains("not finite in 5 steps in a row, the last at epoch 1, batch 4"), "{reason}");
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
        ..TrainOptions::tiny().config
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
