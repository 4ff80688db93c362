//! Captioners of photos: features that are kept, hand-written passes, and the command line from a folder to words.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use aligndraw::data::batch::{CaptionBatch, NO_WORD, Progress, TrainBatch};
use aligndraw::data::folder::pairs::Pairs;
use aligndraw::data::folder::photos::{Looking, MOST_WORDS, Photos};
use aligndraw::data::noise::Noise;
use aligndraw::data::source::Source;
use aligndraw::error::Error;
use aligndraw::image2text::attend::{Attend, AttendConfig, Dropout, Picture};
use aligndraw::model::Trainable;
use aligndraw::nn::floats;
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor};
use image::{Rgb, RgbImage};

const PHOTOS: usize = 20;

/// Photos of two colours, each with five captions, in three parts; and three that are of no use.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let images = folder.path().join("images");
    std::fs::create_dir_all(&images).expect("created");
    let mut lines = String::new();
    for i in 0..PHOTOS {
        let (word, colour) = if i % 2 == 0 { ("red", [200, 30, 20]) } else { ("blue", [20, 60, 210]) };
        let square = RgbImage::from_fn(40 + i as u32, 30, |x, y| {
            if (10..20).contains(&x) && y > 8 { Rgb(colour) } else { Rgb([250, 250, 240 - i as u8]) }
        });
        square.save(images.join(format!("{i}.png"))).expect("saved");
        let split = ["train", "train", "train", "train", "val", "val", "test", "test"][i % 8];
        let long = "and so on ".repeat(5);
        let captions = [
            format!("A {word} square stands on white ."),
            format!("a {word} square on a white wall"),
            format!("There is a {word} square in the picture, {long}"),
            format!("the {word} thing"),
            format!("one {word} square and nothing else at all"),
        ];
        lines += &serde_json::json!({ "image": format!("{i}.png"), "captions": captions, "split": split })
            .to_string();
        lines += "\n";
    }
    std::fs::write(images.join("broken.png"), b"\x89PNG but not really").expect("written");
    lines += "{\"image\": \"broken.png\", \"caption\": \"a broken picture\"}\n";
    lines += "{\"image\": \"missing.png\", \"caption\": \"a missing picture\"}\n";
    lines += "{\"image\": \"0.png\", \"caption\": \"\", \"split\": \"extra\"}\n";
    std::fs::write(folder.path().join("captions.jsonl"), lines).expect("written");
    folder
}

/// Three numbers of a photo: the means of its colours.
fn means(pixels: &[u8], side: usize) -> Vec<f32> {
    let mean = |plane: &[u8]| plane.iter().map(|&x| f32::from(x)).sum::<f32>() / plane.len() as f32;
    pixels.chunks_exact(side * side).map(mean).collect()
}

/// Looks at photos of 16×16 and counts them.
fn counting(looked: &Cell<usize>) -> impl Fn(&[u8]) -> aligndraw::error::Result<Vec<f32>> {
    |pixels| {
        looked.set(looked.get() + pixels.len() / (3 * 16 * 16));
        Ok(means(pixels, 16))
    }
}

#[test]
fn photos_are_looked_at_once() {
    let folder = folder();
    let looked = Cell::new(0);
    let look = counting(&looked);
    let cache = folder.path().join("kept");
    let looking =
        |cache| Looking { side: 16, crops: 0, len: 3, most: 255.0, look: &look, cache, progress: &|_, _| () };
    let read = Photos::read(folder.path(), &looking(Some(&cache)), None).expect("usable");
    assert_eq!(looked.get(), PHOTOS);
    let skipped = read.skipped.join("\n");
    assert!(skipped.contains("broken.png: ") && skipped.contains("missing.png: "), "{skipped}");
    let parts = [&read.train, &read.validation, &read.test].map(|part| part.photos.len());
    assert_eq!(parts, [12, 4, 4]);
    // Said often enough, or not.
    assert!(read.vocabulary.id("red").is_some() && read.vocabulary.id("broken").is_none());
    // References are whole, what is learned is not.
    assert!(read.test.photos[0].captions.iter().any(|words| words.len() > MOST_WORDS));
    let mut longest = 0;
    for seed in 0..40 {
        let batch = read.train.batch(5, &mut Noise::new(seed));
        assert_eq!((batch.len(), batch.images.len()), (5, 15));
        longest = longest.max(batch.words);
        let red = read.vocabulary.id("red").expect("a word");
        // All that is said of a photo is known beside what is learned of it, but for words that the vocabulary lacks.
        for (ids, captions) in batch.ids.chunks(batch.words).zip(batch.references.iter()) {
            let known =
                |said: &Vec<usize>| said.iter().zip(ids).all(|(&a, &b)| a == b || (a, b) == (NO_WORD, 0));
            assert!(
                captions.len() == 5 && captions.iter().any(|said| said.len() == ids.len() && known(said))
            );
        }
        for (ids, means) in batch.ids.chunks(batch.words).zip(batch.images.chunks(3)) {
            // White has less blue the later the photo.
            assert_eq!(ids.contains(&red), means[0] > means[2] + 20.0, "{ids:?} {means:?}");
        }
    }
    assert_eq!(longest, MOST_WORDS);

    let again = Photos::read(folder.path(), &looking(Some(&cache)), Some(read.vocabulary)).expect("usable");
    assert_eq!(looked.get(), PHOTOS, "nothing is looked at twice");
    assert_eq!(again.test.features(0..4), read.test.features(0..4));
    let without = Photos::read(folder.path(), &looking(None), None).expect("usable");
    assert_eq!(looked.get(), 2 * PHOTOS);
    assert_eq!(without.test.features(0..4), read.test.features(0..4));
    let failing = |_: &[u8]| Err(Error::Device("lost".into()));
    let failing = Looking { look: &failing, ..looking(None) };
    assert!(matches!(Photos::read(folder.path(), &failing, None), Err(Error::Device(_))));
}

#[test]
fn parts_of_photos_are_learned_from_besides_and_kept() {
    let folder = folder();
    let looked = Cell::new(0);
    let look = counting(&looked);
    let cache = folder.path().join("kept");
    let read = |crops: usize| {
        let cache = Some(cache.as_path());
        let looking =
            Looking { side: 16, crops, len: 3, most: 255.0, look: &look, cache, progress: &|_, _| () };
        Photos::read(folder.path(), &looking, None).expect("usable")
    };
    let whole = read(0);
    let more = read(2);
    // Two of each of the twelve that are learned from.
    assert_eq!(looked.get(), PHOTOS + 2 * 12);
    assert_eq!((more.vocabulary.words.len(), more.train.photos.len()), (whole.vocabulary.words.len(), 12));
    assert_eq!((whole.train.len(), more.train.len()), (60, 180));
    assert_eq!((more.validation.len(), more.test.len()), (whole.validation.len(), whole.test.len()));
    // Rankers see a photo or a crop of it in a batch, never two of a photo.
    let pairs = Pairs::new(more.train.clone());
    let (mut seen, mut ranked) = (BTreeSet::new(), BTreeSet::new());
    for seed in 0..60 {
        let batch = more.train.batch(8, &mut Noise::new(seed));
        assert!(batch.references.iter().all(|captions| captions.len() == 5));
        let means = |of: &[f32]| of.iter().map(|&mean| mean as u32).collect::<Vec<_>>();
        seen.extend(batch.images.chunks(3).map(means));
        let batch = pairs.batch(100, &mut Noise::new(seed));
        assert_eq!(batch.len(), 12);
        ranked.extend(batch.images.chunks(3).map(means));
    }
    assert!(seen.len() > 24 && ranked.len() > 24, "{} and {} pictures of 36", seen.len(), ranked.len());
    read(3);
    assert_eq!(looked.get(), PHOTOS + 3 * 12, "nothing is looked at twice");
}

/// Sizes that all differ.
fn tiny() -> AttendConfig {
    let picture = Picture::Features { channels: 5, rows: 2, columns: 3, scale: 0.7, annotation_size: 8 };
    AttendConfig {
        picture,
        positions: false,
        coverage: 0.3,
        dropout: Dropout { hidden: 0.5, words: 0.25 },
        ..AttendConfig::tiny()
    }
}

struct Autodiff<'a>(&'a Gradients, Vec<Vec<f32>>);

impl ModuleVisitor for Autodiff<'_> {
    fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
        let gradient = parameter.val().grad(self.0).expect("every parameter has a gradient");
        self.1.push(floats(gradient.into_data()));
    }
}

/// With dropout and without, on captions that repeat words.
#[test]
fn fused_passes_and_autodiff_agree() {
    let config = tiny();
    let mut noise = Noise::new(4);
    let (batch, words) = (7, 4);
    let ids: Vec<usize> = (0..batch * words).map(|_| noise.below(config.vocabulary_size)).collect();
    let images: Vec<f32> = noise.normals(batch * 5 * 6).iter().map(|x| 2.0 * x.abs()).collect();
    let mut fused = Attend::fused(&config, 1).expect("soft attention on features has fused passes");
    let model = Attend::init(&config, 3, &Device::flex().autodiff());
    for epoch in [0, 1] {
        let batch = CaptionBatch::of_words(ids.clone().into(), words, images.clone().into());
        let item = TrainBatch { batch, noise_seed: 9, epoch, index: 0, progress: Progress::at(0.0) };
        let (terms, gradients) = fused.gradients(&model.clone().valid(), &config, &item);
        assert_eq!(terms, fused.terms(&model.clone().valid(), &config, &item));
        let expected = model.terms(&config, &item).map(Tensor::mean);
        assert_eq!(expected.names(), terms.names());
        let values = expected.0.clone();
        let loss = expected.0.into_iter().map(|(_, term)| term).reduce(|a, b| a + b).expect("terms");
        for ((name, found), (_, expected)) in terms.0.iter().zip(values) {
            let expected = f64::from(floats(expected.into_data())[0]);
            assert!((found - expected).abs() < 1e-5 * expected.abs().max(1.0), "{name}: {found}, {expected}");
        }
        let backward = loss.backward();
        let mut autodiff = Autodiff(&backward, Vec::new());
        model.visit(&mut autodiff);
        assert_eq!(autodiff.1.len(), gradients.len());
        for (at, (expected, found)) in autodiff.1.iter().zip(&gradients).enumerate() {
            let largest = expected.iter().fold(1e-4f32, |most, x| most.max(x.abs()));
            let worst = expected.iter().zip(found).fold(0.0f32, |worst, (a, b)| worst.max((a - b).abs()));
            assert_eq!(expected.len(), found.len(), "tensor {at}");
            assert!(worst < 1e-4 * largest, "epoch {epoch}, tensor {at}: off by {worst} of {largest}");
        }
    }
}

#[test]
fn only_what_the_fused_passes_are_written_for_takes_them() {
    assert!(Attend::fused(&AttendConfig::photos(), 1).is_some());
    assert!(Attend::fused(&AttendConfig::scenes(), 1).is_none());
    assert!(Attend::fused(&AttendConfig { positions: true, ..tiny() }, 1).is_none());
    assert!(Attend::fused(&AttendConfig { tied: false, ..tiny() }, 1).is_none());
}

fn aligndraw(cache: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aligndraw"));
    command.args(arguments).env("ALIGNDRAW_CACHE", cache).output().expect("the binary starts")
}

fn out(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// From a folder to words: trains, describes files of several kinds, and is measured.
#[test]
fn a_folder_of_photos_is_learned_described_and_measured() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name).to_str().expect("a UTF-8 path").to_owned();
    let (data, run, cache) = (path(""), path("run"), folder.path().join("cache"));
    let small = ["hidden_size=48", "embedding_size=32", "align_size=24", r#"dropout={"hidden":0,"words":0}"#];
    let small = small.map(|size| ["--set", size]).concat();
    let train = ["train", "--preset", "describe-photos", "--data", &data, "--out", &run, "--epochs", "1"];
    let fast = ["--batch", "16", "--batches", "200", "--lr", "0.004", "--schedule", "step", "--average", "0"];
    let trained = aligndraw(&cache, &[&train[..], &small, &fast].concat());
    assert!(out(&trained).contains("after 1 epochs"));

    // The eyes are beside the models; the run's folder has none.
    let described = ["--model", "describe-photos", "--models", &run];
    let without = aligndraw(&cache, &[&["describe", &path("images/6.png")], &described[..]].concat());
    let said = String::from_utf8_lossy(&without.stderr).into_owned();
    assert!(!without.status.success() && said.contains("eyes.json"), "{said}");
    for file in ["eyes.json", "eyes.safetensors"] {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(file);
        std::fs::copy(shipped, Path::new(&run).join(file)).expect("copied");
    }
    let red = RgbImage::from_fn(400, 300, |x, y| {
        if (100..200).contains(&x) && y > 80 { Rgb([200, 30, 20]) } else { Rgb([250, 250, 238]) }
    });
    red.save(folder.path().join("large.jpg")).expect("saved");
    for (file, word) in [("large.jpg", "red"), ("images/7.png", "blue")] {
        let map = path("map.png");
        let file_path = path(file);
        let describe = [&["describe", &file_path, "--map", &map, "--json"], &described[..]].concat();
        let found: serde_json::Value =
            serde_json::from_str(&out(&aligndraw(&cache, &describe))).expect("JSON");
        let text = found["pictures"][0]["sentences"][0]["text"].as_str().expect("a sentence").to_owned();
        assert!(text.split(' ').any(|said| said == word), "{file}: {text}");
        assert_eq!(found["pictures"][0]["grid"], serde_json::json!([7, 7]));
        assert!(image::open(&map).is_ok());
    }
    let broken = aligndraw(&cache, &[&["describe", &path("images/broken.png")], &described[..]].concat());
    assert!(!broken.status.success() && String::from_utf8_lossy(&broken.stderr).contains("broken.png"));

    let eval = [&["eval", "--data", &data, "--json"], &described[..]].concat();
    let measured: serde_json::Value = serde_json::from_str(&out(&aligndraw(&cache, &eval))).expect("JSON");
    assert_eq!(measured["photos"], 4);
    assert!(measured["bleu"]["bleu"][0].as_f64().expect("a number") > 0.5, "{measured}");
    assert!(measured["perplexity"].as_f64().expect("a number") < 20.0, "{measured}");
}
