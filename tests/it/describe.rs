//! `aligndraw describe`, `eval` and `roundtrip` as they are typed, on a captioner that was trained for a moment.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use image::{DynamicImage, GrayImage, Luma, Rgb, RgbImage, Rgba, RgbaImage};
use serde_json::Value;

fn aligndraw(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_aligndraw")).args(arguments).output().expect("the binary starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a UTF-8 path")
}

/// A folder with a captioner of a few units.
fn trained() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let small = r#"picture={"pixels":{"channels":3,"height":64,"width":64,"convolutions":[{"channels":6,"kernel":5,"stride":8}]}}"#;
    let output = aligndraw(&[
        "--quiet",
        "train",
        "--preset",
        "describe-scenes",
        "--out",
        path(folder.path()),
        "--epochs",
        "1",
        "--batches",
        "2",
        "--batch",
        "8",
        "--set",
        small,
        "--set",
        "hidden_size=6",
        "--set",
        "embedding_size=5",
        "--threads",
        "1",
    ]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    folder
}

/// Describes pictures with the model of a folder.
fn describe(folder: &Path, pictures: &[&Path], more: &[&str]) -> Output {
    let mut arguments = vec!["describe", "--model", "describe-scenes", "--models", path(folder)];
    arguments.extend(pictures.iter().copied().map(path));
    arguments.extend(more);
    aligndraw(&arguments)
}

fn saved(folder: &Path, name: &str, image: impl Into<DynamicImage>) -> PathBuf {
    let path = folder.join(name);
    image.into().save(&path).expect("a picture is written");
    path
}

/// A picture whose upper half is dark.
fn half(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(
        width,
        height,
        |_, y| if y < height / 2 { Rgb([20, 40, 160]) } else { Rgb([250, 240, 90]) },
    )
}

fn sentences(output: &Output) -> Value {
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn pictures_of_every_sort_are_described_and_mapped() {
    let folder = trained();
    let folder = folder.path();
    let plain = saved(folder, "plain.png", half(64, 64));
    let wide = saved(folder, "wide.png", half(300, 64));
    let grey = saved(folder, "grey.png", GrayImage::from_pixel(64, 64, Luma([90])));
    let clear =
        RgbaImage::from_fn(64, 64, |x, _| if x < 32 { Rgba([9, 9, 9, 0]) } else { Rgba([9, 9, 9, 255]) });
    let clear = saved(folder, "clear.png", clear);
    let output = describe(folder, &[&plain, &wide, &grey, &clear], &["--json", "-n", "2"]);
    let found = sentences(&output);
    let pictures = found["pictures"].as_array().expect("pictures");
    assert_eq!(pictures.len(), 4);
    for picture in pictures {
        assert_eq!(picture["grid"], serde_json::json!([8, 8]));
        let [best, other] = &picture["sentences"].as_array().expect("sentences")[..] else {
            panic!("{picture}")
        };
        let score = |sentence: &Value| sentence["score"].as_f64().expect("a score");
        assert!(score(best) >= score(other) && best["text"] != other["text"], "{best} {other}");
        let words = best["words"].as_array().expect("words");
        let joined: Vec<&str> = words.iter().filter_map(|word| word["text"].as_str()).collect();
        assert_eq!(best["text"].as_str(), Some(joined.join(" ").as_str()));
        for word in words {
            let attention = word["attention"].as_array().expect("attention");
            let sum: f64 = attention.iter().filter_map(Value::as_f64).sum();
            assert!(attention.len() == 64 && (sum - 1.0).abs() < 1e-4, "{word}");
        }
    }
    // The middle of a wide picture is the same square.
    assert_eq!(pictures[0]["sentences"], pictures[1]["sentences"]);

    let text_of = |more: &[&str]| text(&describe(folder, &[&plain], more).stdout);
    assert_eq!(text_of(&["-n", "2"]).lines().next(), pictures[0]["sentences"][0]["text"].as_str());
    let drawn = |seed| text_of(&["--temperature", "1", "--seed", seed, "-n", "3"]);
    assert!(drawn("4") == drawn("4") && drawn("4") != drawn("5") && drawn("4").lines().count() == 3);

    let words = pictures[0]["sentences"][0]["words"].as_array().expect("words").len();
    let (sheet, moving) = (folder.join("map.png"), folder.join("map.gif"));
    assert!(describe(folder, &[&plain], &["--map", path(&sheet)]).status.success());
    assert!(image::open(&sheet).expect("a PNG").width() > 192);
    assert!(describe(folder, &[&plain], &["--map", path(&moving)]).status.success());
    let mut decoder =
        gif::DecodeOptions::new().read_info(std::fs::File::open(&moving).expect("a GIF")).expect("a GIF");
    let mut frames = 0;
    while decoder.read_next_frame().expect("a frame").is_some() {
        frames += 1;
    }
    assert_eq!(frames, words + 1);
}

#[test]
fn what_cannot_be_described_is_named_and_nothing_is_written() {
    let folder = trained();
    let folder = folder.path();
    let plain = saved(folder, "plain.png", half(64, 64));
    let broken = folder.join("broken.png");
    let bytes = std::fs::read(&plain).expect("a PNG");
    std::fs::write(&broken, &bytes[..bytes.len() / 2]).expect("half a PNG");
    let words = folder.join("words.txt");
    std::fs::write(&words, "no picture").expect("a text");
    let map = folder.join("map.png");
    let refused = |pictures: &[&Path], more: &[&str], what: &str| {
        let output = describe(folder, pictures, more);
        let found = text(&output.stderr);
        assert!(!output.status.success() && found.contains(what), "{found}");
        assert!(output.stdout.is_empty() && !map.exists(), "{found}");
    };
    let to_map = ["--map", path(&map)];
    refused(&[&plain, &broken], &[], "broken.png: ");
    refused(&[&broken], &to_map, "broken.png: ");
    refused(&[&words], &to_map, "words.txt: ");
    refused(&[&folder.join("nothing.png")], &[], "nothing.png: ");
    refused(&[folder], &[], "not a regular file");
    refused(&[&plain, &plain], &to_map, "--map is of one picture, 2 are named");
    refused(&[&plain], &["--map", "map.jpg"], "map.jpg: a map is a .png or a .gif");
    refused(&[&plain], &["--beam", "0"], "the beam is 0, expected 1 to 100");
    refused(&[&plain], &["--temperature", "0"], "the temperature is 0, expected above 0");
}

#[test]
fn painters_and_captioners_are_not_taken_for_each_other() {
    let folder = trained();
    let picture = saved(folder.path(), "plain.png", half(64, 64));
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let refused = |arguments: &[&str], what: &str| {
        let output = aligndraw(arguments);
        let found = text(&output.stderr);
        assert!(!output.status.success() && found.contains(what), "{found}");
        assert_eq!(found.lines().filter(|line| !line.is_empty()).count(), 1, "{found}");
    };
    let captioner = path(folder.path());
    refused(
        &["paint", "a red bus on the street", "--model", "describe-scenes", "--models", captioner],
        "describes pictures, it does not draw: aligndraw describe PICTURE",
    );
    refused(
        &["describe", path(&picture), "--model", "digits", "--models", path(&models)],
        "draws, it does not describe pictures: aligndraw paint CAPTION",
    );
}

#[test]
fn a_captioner_is_measured_on_renders_it_never_saw() {
    let folder = trained();
    let folder = path(folder.path());
    let output =
        aligndraw(&["eval", "--models", folder, "--model", "describe-scenes", "--samples", "60", "--json"]);
    let found = sentences(&output);
    for kind in ["seen", "held_out"] {
        let measured = &found[kind];
        assert_eq!(measured["named"]["place"]["of"], 60);
        let perplexity = measured["perplexity"].as_f64().expect("a perplexity");
        assert!(perplexity > 1.0 && perplexity < 300.0, "{perplexity}");
        let uniform = measured["noun_attention"]["uniform"].as_f64().expect("a share");
        assert!((0.0..1.0).contains(&uniform), "{uniform}");
    }
}
