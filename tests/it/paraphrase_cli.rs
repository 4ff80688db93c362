//! Paraphrasers from a folder of captions to sentences in other words, and captions that go round by way of a painted photo,
//! as they are typed.

use std::path::Path;
use std::process::{Command, Output};

use image::{Rgb, RgbImage};
use serde_json::Value;

const THINGS: [&str; 4] = ["dog", "cat", "car", "ball"];
const COLOURS: [&str; 4] = ["red", "green", "blue", "black"];

/// Pictures, each with two captions of its colour and its thing.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let images = folder.path().join("images");
    std::fs::create_dir_all(&images).expect("created");
    let mut lines = String::new();
    for i in 0..96 {
        let (thing, colour) = (THINGS[i % 4], COLOURS[i / 4 % 4]);
        RgbImage::from_pixel(9 + i as u32, 9, Rgb([i as u8; 3]))
            .save(images.join(format!("{i}.png")))
            .expect("saved");
        let split = if i < 64 {
            "train"
        } else if i < 80 {
            "val"
        } else {
            "test"
        };
        let captions = [format!("a {colour} {thing}"), format!("there is a {thing} that is {colour}")];
        lines += &serde_json::json!({ "image": format!("{i}.png"), "captions": captions, "split": split })
            .to_string();
        lines += "\n";
    }
    std::fs::write(folder.path().join("captions.jsonl"), lines).expect("written");
    folder
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

fn refused(output: &Output, code: i32, what: &str) {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.code() == Some(code) && said.contains(what), "{said}");
    assert!(output.stdout.is_empty());
}

#[test]
fn captions_are_said_in_other_words_and_measured() {
    let folder = folder();
    let data = folder.path().to_str().expect("a UTF-8 path").to_owned();
    let cache = folder.path().join("cache");
    for preset in ["paraphrase-photos", "paraphrase-photos-plain"] {
        let run = format!("{data}/{preset}");
        let train =
            ["train", "--preset", preset, "--data", &data, "--out", &run, "--epochs", "1", "--batch", "16"];
        let fast = ["--batches", "250", "--lr", "0.01", "--schedule", "step", "--average", "0"];
        let small = ["--set", "hidden_size=32", "--set", "embedding_size=24", "--set", "align_size=16"];
        assert!(out(&aligndraw(&cache, &[&train[..], &fast, &small].concat())).contains("after 1 epochs"));
        let model = ["--model", preset, "--models", &run];
        let paraphrase = |more: &[&str]| aligndraw(&cache, &[&["paraphrase"][..], more, &model].concat());

        assert_eq!(out(&paraphrase(&["a green car"])).trim(), "there is a car that is green");
        let found = json(&paraphrase(&["there is a ball that is red", "-n", "3", "--json"]));
        let best = &found["paraphrases"][0];
        assert_eq!(best["text"], "a red ball");
        assert_eq!(found["paraphrases"].as_array().map(Vec::len), Some(3));
        let attends = preset == "paraphrase-photos";
        let weights = best["words"][1]["attention"].as_array().map(Vec::len);
        assert_eq!(weights, attends.then_some(7), "{best}");
        let drawn = format!("{data}/{preset}.png");
        let matrix = paraphrase(&["a black cat", "-o", &drawn]);
        if attends {
            assert_eq!(out(&matrix).trim(), "there is a cat that is black");
            let picture = image::open(&drawn).expect("a PNG");
            assert!(picture.height() > picture.width(), "seven words of three");
        } else {
            refused(&matrix, 1, "has no attention: there is no alignment");
            assert!(!Path::new(&drawn).exists());
        }
        let unknown = paraphrase(&["a purple car"]);
        let said = String::from_utf8_lossy(&unknown.stderr).into_owned();
        assert!(unknown.status.success() && said.contains("not known to the model"), "{said}");
        refused(&paraphrase(&["purple"]), 2, "unknown word: \"purple\"");
        refused(&paraphrase(&[""]), 2, "the caption is empty");

        let measured = json(&aligndraw(&cache, &[&["eval", "--data", &data, "--json"][..], &model].concat()));
        assert_eq!(measured["pictures"], 16);
        let bleu = |of: &str| measured[of]["bleu"][0].as_f64().expect("BLEU-1");
        assert!(bleu("bleu") > 0.9 && bleu("shuffled_control") < bleu("bleu"), "{measured}");
        assert_eq!(measured["attention"].is_object(), attends);
        refused(
            &aligndraw(&cache, &[&["paint", "a red car"][..], &model].concat()),
            1,
            "paraphrases, it does not draw: aligndraw paraphrase SENTENCE",
        );
    }
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let shipped = ["--model", "digits", "--models", shipped.to_str().expect("a UTF-8 path")];
    let painter = aligndraw(&cache, &[&["paraphrase", "seven"][..], &shipped].concat());
    refused(&painter, 1, "draws, it does not paraphrase: aligndraw paint CAPTION");
}

#[test]
fn captions_go_round_by_way_of_a_painted_photo() {
    let folder = folder();
    let data = folder.path().to_str().expect("a UTF-8 path").to_owned();
    let cache = folder.path().join("cache");
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let models = models.to_str().expect("a UTF-8 path");
    let of_photos = ["--painter", "vae-photos", "--captioner", "describe-photos", "--models", models];
    let round = |more: &[&str]| aligndraw(&cache, &[&["roundtrip"][..], more, &of_photos].concat());
    let found = json(&round(&["--data", &data, "-n", "3", "--beam", "1", "--json"]));
    let photos = &found["photos"];
    assert_eq!(photos["trips"].as_array().map(Vec::len), Some(3));
    assert_eq!(photos["trips"][0]["caption"], "a red dog");
    for of in ["painted", "small_photos", "whole_photos", "shuffled_control"] {
        assert_eq!(photos[of]["sentences"], 3, "{of}");
    }
    let again = json(&round(&["--data", &data, "-n", "3", "--beam", "1", "--json"]));
    assert_eq!(photos["trips"], again["photos"]["trips"], "a seed means the same pictures");
    let one = out(&round(&["a dog runs through the grass", "--beam", "1"]));
    assert!(one.starts_with("a dog runs through the grass → ") && one.trim().len() > 35, "{one}");
    refused(&round(&[]), 1, "draws no colour scenes: name captions to send round, or photos with --data");
    let scenes = ["roundtrip", "--data", &data, "--models", models];
    refused(&aligndraw(&cache, &scenes), 1, "--data is for captioners of photos");
}
