//! skipthoughtDRAW: sentence vectors that are learned, frozen and heard.

use std::path::Path;
use std::process::{Command, Output};

use aligndraw::checkpoint::{Manifest, float_tensors};
use aligndraw::model::{CaptionIds, Config, Painter, TextToImage, Trainable};
use aligndraw::text2image::draw::{Conditioning, Draw, DrawConfig};
use burn::tensor::Device;

fn config() -> DrawConfig {
    let conditioning = Conditioning::Sentence { size: 12, embedding_size: Some(5) };
    DrawConfig { conditioning, ..DrawConfig::tiny() }
}

/// The last picture of captions of three words.
fn painted(painter: &dyn Painter, ids: &[usize]) -> Vec<f32> {
    let captions = CaptionIds { ids: ids.to_vec(), batch: ids.len() / 3, words: 3 };
    let noise = vec![0.3; captions.batch * painter.noise_len()];
    let mut drawing = painter.begin(&captions, noise).expect("captions");
    let mut last = Vec::new();
    for _ in 0..painter.num_steps() {
        last = pollster::block_on(drawing.step().expect("a step").images.read()).expect("read");
    }
    last
}

#[test]
fn both_painters_read_captions_themselves_and_alike() {
    let (config, device) = (config(), Device::flex());
    let model = Draw::init(&config, 4, &device);
    let tensors = float_tensors(&model);
    let mut take = |name: &str, shape: &[usize]| {
        let tensor = tensors.iter().find(|tensor| tensor.name == name).expect("the model has this tensor");
        assert_eq!(tensor.shape, shape, "{name}");
        Ok(tensor.values.clone())
    };
    let fused = Draw::fused_painter(&config, &mut take).expect("DRAW has fused passes").expect("it loads");
    let device_painter = model.painter(&config, &device);
    let (expected, found) =
        (painted(device_painter.as_ref(), &[1, 2, 3, 3, 2, 1]), painted(fused.as_ref(), &[1, 2, 3, 3, 2, 1]));
    let len = expected.len() / 2;
    let worst = expected.iter().zip(&found).fold(0.0f32, |worst, (a, b)| worst.max((a - b).abs()));
    assert!(worst < 1e-4, "pictures differ by {worst}");
    assert_ne!(found[..len], found[len..], "the order of the words is heard");
}

/// A model that heard words by attention keeps all but how it heard them.
#[test]
fn what_models_of_two_kinds_have_in_common_is_taken_over() {
    let (device, from) = (Device::flex(), DrawConfig::tiny());
    let attention = Draw::init(&from, 6, &device);
    let values = |model: &Draw| float_tensors(model);
    let before = values(&attention);
    for to in [config(), DrawConfig { conditioning: Conditioning::Mean, ..from.clone() }] {
        let after = values(&attention.clone().adapt(&from, &to).expect("the sizes fit"));
        let sentence = to.sentence_encoder().is_some();
        let mut kept = 0;
        for tensor in after.iter().filter(|tensor| !tensor.name.starts_with("sentences.")) {
            let old = before.iter().find(|old| old.name == tensor.name).expect("attention has every tensor");
            let fresh = sentence && tensor.name == "generative_caption";
            assert_eq!(old.values != tensor.values, fresh, "{}", tensor.name);
            kept += usize::from(!fresh);
        }
        assert!(kept > 15, "{kept}");
    }
    let other = DrawConfig { latent_size: 5, ..config() };
    let error = attention.adapt(&from, &other).expect_err("another size").to_string();
    assert!(error.contains("has shape"), "{error}");
}

fn aligndraw(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_aligndraw")).args(arguments).output().expect("the binary starts")
}

fn refused(arguments: &[&str], reason: &str) {
    let output = aligndraw(arguments);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && error.contains(reason), "{error}");
}

/// From captions to sentence vectors, from those to a model, from it to a picture, as it is typed.
#[test]
fn sentence_vectors_are_trained_then_heard() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("a UTF-8 path").to_owned();
    let (vectors, run, picture) = (path("vectors"), path("run"), path("picture.png"));
    let small = ["--batch", "4", "--epochs", "1"];
    let train = |arguments: &[&str]| aligndraw(&[&["train", "-q"], &small[..], arguments].concat());
    let output = train(&["--preset", "skip-thought", "--out", &vectors]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(table.contains("sentence vectors: R@1 ") && table.contains("bags of words: R@1 "), "{table}");

    let model = path("vectors/skip-thought");
    let heard = ["--preset", "skipthought", "--sentences", &model, "--out", &run];
    let output = train(&[&heard[..], &["--batches", "2", "--steps", "2"]].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let json = std::fs::read(Path::new(&run).join("skipthought.json")).expect("a manifest");
    let manifest = Manifest::parse(&json).expect("that parses");
    assert!(manifest.system.num_steps() == 2 && manifest.vocabulary.id("seven").is_some());
    let caption = "the digit seven is on the left of the digit two";
    let output = aligndraw(&["paint", caption, "--models", &run, "--model", "skipthought", "-o", &picture]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(image::image_dimensions(&picture).expect("a PNG").0 % 60, 0);

    let out = path("none");
    refused(&["train", "--preset", "skipthought", "--out", &out], "--sentences names those of");
    refused(&["train", "--preset", "noalign", "--sentences", &model, "--out", &out], "--preset skipthought");
    refused(&["train", "--preset", "skip-thought", "--steps", "3", "--out", &out], "--steps cannot be given");
    let missing = path("nowhere/skip-thought");
    refused(
        &["train", "--preset", "skipthought", "--sentences", &missing, "--out", &out],
        "--sentences names",
    );
    assert!(!Path::new(&out).exists(), "nothing was written");
}
