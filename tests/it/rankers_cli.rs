//! Rankers from a folder of photos to found pictures and placed words, as they are typed.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use aligndraw::data::batch::NO_WORD;
use aligndraw::data::folder::pairs::Pairs;
use aligndraw::data::folder::photos::{Looking, Photos};
use aligndraw::data::noise::Noise;
use aligndraw::data::source::Source;
use image::{Rgb, RgbImage};
use serde_json::Value;

const PHOTOS: usize = 40;
const COLOURS: [(&str, [u8; 3]); 4] =
    [("red", [220, 20, 20]), ("green", [20, 200, 40]), ("blue", [20, 60, 230]), ("black", [0, 0, 0])];

/// Photos of one colour, each with captions of several lengths, in three parts.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let images = folder.path().join("images");
    std::fs::create_dir_all(&images).expect("created");
    let mut lines = String::new();
    for i in 0..PHOTOS {
        let (word, colour) = COLOURS[i % 4];
        // No two are the same file.
        RgbImage::from_pixel(30 + i as u32, 30, Rgb(colour))
            .save(images.join(format!("{i}.png")))
            .expect("saved");
        let split = if i < 32 {
            "train"
        } else if i < 36 {
            "val"
        } else {
            "test"
        };
        let captions = [format!("all is {word}"), format!("a {word} wall and nothing else"), word.to_owned()];
        lines += &serde_json::json!({ "image": format!("{i}.png"), "captions": captions, "split": split })
            .to_string();
        lines += "\n";
    }
    std::fs::write(folder.path().join("captions.jsonl"), lines).expect("written");
    folder
}

#[test]
fn batches_have_no_photo_twice_and_sentences_of_all_lengths() {
    let folder = folder();
    let look =
        |pixels: &[u8]| Ok(pixels.chunks_exact(16).map(|plane| f32::from(plane[0])).collect::<Vec<_>>());
    let looking =
        Looking { side: 4, crops: 0, len: 3, most: 255.0, look: &look, cache: None, progress: &|_, _| () };
    let photos = Photos::read(folder.path(), &looking, None).expect("usable");
    let word = |id: usize| photos.vocabulary.words[id].clone();
    let pairs = Pairs::new(photos.train.clone());
    assert_eq!(pairs.captions(0).map(<[usize]>::len).collect::<BTreeSet<_>>(), BTreeSet::from([1, 3, 6]));
    // More than there are: each is drawn once.
    let batch = pairs.batch(100, &mut Noise::new(1));
    assert_eq!((batch.len(), batch.words, batch.images.len()), (32, 6, 96));
    let lengths: BTreeSet<usize> = batch.sentences().iter().map(|words| words.len()).collect();
    assert_eq!(lengths, BTreeSet::from([1, 3, 6]));
    assert!(batch.ids.contains(&NO_WORD));
    let mut seen = [0; 4];
    for (sentence, image) in batch.sentences().into_iter().zip(batch.images.chunks(3)) {
        let (at, (colour, _)) = COLOURS
            .iter()
            .enumerate()
            .find(|(_, (_, rgb))| rgb.iter().zip(image).all(|(a, b)| (f32::from(*a) - b).abs() < 2.0))
            .expect("one of the colours");
        assert!(sentence.iter().any(|&id| word(id) == *colour), "{sentence:?} is not {colour}");
        seen[at] += 1;
    }
    assert_eq!(seen, [8; 4], "no photo is there twice");
    let few = |seed| pairs.batch(5, &mut Noise::new(seed)).images.to_vec();
    assert!(few(1) == few(1) && (2..9).any(|seed| few(seed) != few(1)));
}

fn aligndraw(cache: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aligndraw"));
    command.args(arguments).env("ALIGNDRAW_CACHE", cache).output().expect("the binary starts")
}

fn out(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&out(output)).expect("JSON")
}

/// Trains a ranker for a moment; gives the folder of its model, which has the eyes, too.
fn trained(preset: &str, data: &str, cache: &Path) -> String {
    let run = format!("{data}/{preset}");
    let train =
        ["train", "--preset", preset, "--data", data, "--out", &run, "--epochs", "1", "--batch", "16"];
    let fast =
        ["--batches", "40", "--lr", "0.003", "--schedule", "step", "--average", "0", "--set", "size=24"];
    assert!(out(&aligndraw(cache, &[&train[..], &fast].concat())).contains("after 1 epochs"));
    for file in ["eyes.json", "eyes.safetensors"] {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(file);
        std::fs::copy(shipped, Path::new(&run).join(file)).expect("copied");
    }
    run
}

/// A captioner of regions, from the words that the ranker of `models` places.
fn regions_are_described(data: &str, cache: &Path, models: &str, picture: &str) {
    let run = format!("{data}/regions");
    let train = ["train", "--preset", "describe-regions", "--data", data, "--models", models, "--out", &run];
    let fast = ["--epochs", "1", "--batch", "16", "--batches", "200", "--average", "0", "--schedule", "step"];
    assert!(out(&aligndraw(cache, &[&train[..], &fast].concat())).contains("after 1 epochs"));
    let model = format!("{run}/describe-regions");
    let model = ["--model", &model, "--models", models];
    let describe = |more: &[&str]| aligndraw(cache, &[&["describe", picture][..], &model, more].concat());
    let said = json(&describe(&["--json", "-n", "1"]));
    let regions = said["pictures"][0]["regions"].as_array().expect("regions");
    assert!(
        regions.len() == 1 && regions[0]["text"].as_str().is_some_and(|text| text.contains("green")),
        "{said}"
    );
    assert!(regions[0]["width"].as_f64().is_some_and(|width| (0.4..=1.0).contains(&width)), "{said}");
    let (drawn, lines) = (format!("{data}/regions.png"), out(&describe(&[])));
    assert!(lines.lines().all(|line| line.contains("% across")), "{lines}");
    out(&describe(&["--map", &drawn]));
    assert!(image::open(&drawn).expect("a PNG").width() > 192);
    let refused = describe(&["--map", "regions.gif"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("the picture with its regions is a .png"));
    let measured = aligndraw(cache, &[&["eval", "--data", data, "--json"][..], &model].concat());
    let measured = json(&measured);
    assert_eq!(measured["photos"], 4);
    assert!(measured["bleu"]["bleu"][0].as_f64().is_some_and(|one| one > 0.5), "{measured}");
}

#[test]
fn a_folder_is_searched_words_are_placed_and_both_are_measured() {
    let folder = folder();
    let data = folder.path().to_str().expect("a UTF-8 path").to_owned();
    let cache = folder.path().join("cache");
    for preset in ["align-photos", "embed-photos"] {
        let models = trained(preset, &data, &cache);
        let model = ["--model", preset, "--models", &models];
        let images = format!("{data}/images");
        let search = |more: &[&str]| aligndraw(&cache, &[&["search"][..], more, &model].concat());
        let found = json(&search(&["all is blue", &images, "--json", "-n", "5"]));
        assert_eq!(found["searched"], PHOTOS);
        let pictures = found["pictures"].as_array().expect("pictures");
        let scores: Vec<f64> = pictures.iter().filter_map(|picture| picture["score"].as_f64()).collect();
        assert!(scores.len() == 5 && scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
        let first = pictures[0]["picture"].as_str().expect("a path");
        let number: usize =
            Path::new(first).file_stem().and_then(|stem| stem.to_str()?.parse().ok()).expect("a number");
        assert_eq!(number % 4, 2, "{preset}: {first} is not blue");

        // Of a folder what is broken is passed over; what is named must be a picture.
        let broken = format!("{images}/broken.jpg");
        std::fs::write(&broken, b"\xff\xd8 no picture").expect("written");
        let passed = search(&["red zebra", &images]);
        let said = String::from_utf8_lossy(&passed.stderr).into_owned();
        assert!(passed.status.success() && said.contains("broken.jpg"), "{said}");
        assert!(said.contains("not known to the model, and passed over: zebra"), "{said}");
        assert_eq!(out(&passed).lines().count(), 10);
        let refused = |output: Output, code: i32, what: &str| {
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(output.status.code() == Some(code) && said.contains(what), "{said}");
            assert!(output.stdout.is_empty());
        };
        refused(search(&["red", &broken]), 1, "broken.jpg");
        std::fs::remove_file(&broken).expect("removed");
        refused(search(&["zebra", &images]), 2, "unknown word: \"zebra\"");
        refused(search(&["", &images]), 2, "the caption is empty");
        refused(search(&["red", &models]), 1, "holds no picture: expected files that end in .jpg");

        let measured = json(&aligndraw(&cache, &[&["eval", "--data", &data, "--json"][..], &model].concat()));
        assert_eq!((&measured["photos"], &measured["sentences"]), (&Value::from(4), &Value::from(12)));
        assert_eq!(measured["test"]["annotation"]["queries"], 4);
        let first = measured["test"]["search"]["first"].as_f64().expect("a share");
        assert!(first > 60.0, "{preset}: {measured}");

        let picture = format!("{images}/1.png");
        let for_words = ["align", picture.as_str(), "all is green"];
        let drawn = format!("{data}/{preset}.png");
        let placed = aligndraw(&cache, &[&for_words[..], &["--json", "-o", &drawn], &model].concat());
        if preset == "embed-photos" {
            refused(placed, 1, "its words have no regions: aligndraw search");
            assert!(!Path::new(&drawn).exists());
        } else {
            let placed = json(&placed);
            assert_eq!(placed["regions"].as_array().map(Vec::len), Some(20));
            let words = placed["words"].as_array().expect("words");
            assert_eq!((words.len(), words[2]["similarities"].as_array().map(Vec::len)), (3, Some(20)));
            assert!(image::open(&drawn).expect("a PNG").width() > 192);
            let phrases = out(&aligndraw(&cache, &[&for_words[..], &["--beta", "1000"], &model].concat()));
            assert!(phrases.lines().count() == 1 && phrases.starts_with("all is green"), "{phrases}");
            let beta = aligndraw(&cache, &[&for_words[..], &["--beta=-1"], &model].concat());
            refused(beta, 1, "beta is -1, expected 0 or more");
            regions_are_described(&data, &cache, &models, &picture);
        }

        refused(
            aligndraw(&cache, &[&["paint", "red"][..], &model].concat()),
            1,
            "ranks pictures, it does not draw: aligndraw search SENTENCE PICTURES",
        );
        refused(
            aligndraw(&cache, &[&["describe", &picture][..], &model].concat()),
            1,
            "ranks pictures, it does not describe pictures: aligndraw search SENTENCE PICTURES",
        );
    }
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let shipped = ["--model", "digits", "--models", shipped.to_str().expect("a UTF-8 path")];
    let painter = aligndraw(&cache, &[&["search", "red", &data][..], &shipped].concat());
    let said = String::from_utf8_lossy(&painter.stderr).into_owned();
    assert!(said.contains("draws, it does not rank pictures: aligndraw paint CAPTION"), "{said}");
}
