//! The paper's tables on a small folder: every measure, kept and not measured again, what cannot be compared refused.

use std::path::Path;
use std::process::{Command, Output};

use image::{Rgb, RgbImage};
use serde_json::Value;

fn aligndraw(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_aligndraw")).args(arguments).output().expect("the binary starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Forty pictures of a colour, with two captions each.
fn pictures(folder: &Path) {
    std::fs::create_dir_all(folder.join("images")).expect("created");
    let mut lines = String::new();
    for at in 0..40u8 {
        let (name, colour) =
            [("red", [230, 20, 30]), ("green", [20, 200, 60]), ("blue", [30, 40, 220])][usize::from(at % 3)];
        let shade = |x: u32| Rgb(colour.map(|value: u8| value.saturating_sub((at + x as u8) / 2)));
        let file = format!("{at}.png");
        RgbImage::from_fn(20, 20, |x, _| shade(x)).save(folder.join("images").join(&file)).expect("saved");
        for caption in [format!("a {name} thing"), format!("one thing that is {name}")] {
            lines += &format!("{{\"image\": \"{file}\", \"caption\": \"{caption}\"}}\n");
        }
    }
    std::fs::write(folder.join("captions.jsonl"), lines).expect("written");
}

/// Trains a model for an update.
fn trained(preset: &[&str], name: &str, data: &str, out: &str, sizes: &[&str]) {
    let small = "--side 16 --epochs 1 --batches 1 --batch 4 --threads 1";
    let mut arguments = vec!["--quiet", "train", "--name", name, "--data", data, "--out", out, "--preset"];
    arguments.extend(preset.iter().copied().chain(small.split(' ')));
    arguments.extend(sizes.iter().flat_map(|size| ["--set", size]));
    let output = aligndraw(&arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
}

/// Sizes of a painter of few units.
const SIZES: [&str; 6] =
    ["encoder_size=6", "decoder_size=6", "word_size=4", "align_size=4", "latent_size=3", "num_steps=2"];

#[test]
fn every_measure_is_made_once_and_kept() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let (data, run, cache) = (path("data"), path("run"), path("cache"));
    pictures(Path::new(&data));
    trained(&["photos"], "small", &data, &run, &SIZES);
    let sharp = path("sharp");
    trained(
        &["lapgan-photos"],
        "sharp",
        &data,
        &sharp,
        &["levels=2", "maps=2", "hidden_size=6", "word_size=4"],
    );
    for file in ["sharp.json", "sharp.safetensors"] {
        std::fs::copy(Path::new(&sharp).join(file), Path::new(&run).join(file)).expect("the sharpener");
    }
    for file in ["eyes.json", "eyes.safetensors"] {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(file);
        std::fs::copy(shipped, Path::new(&run).join(file)).expect("the eyes");
    }
    let compare = |more: &[&str]| {
        let common = [
            "compare",
            "--data",
            &data,
            "--models",
            "small",
            "--folder",
            &run,
            "--cache",
            &cache,
            "--samples",
            "2",
        ];
        let output = aligndraw(&[&common[..], more].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        output
    };
    let first = compare(&["--json", "--importance", "3"]);
    assert!(text(&first.stderr).contains("pairs in"), "{}", text(&first.stderr));
    let found: Value = serde_json::from_slice(&first.stdout).expect("JSON");
    assert_eq!(found["regression"]["queries"], found["queries"], "the baseline answers the same queries");
    let row = &found["rows"][0];
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("{value} is no number"));
    assert_eq!(number(&found["queries"]), 2.0 * number(&found["pictures"]));
    assert!(number(&row["bound"]["test"]["bound"]) < 0.0);
    assert!(number(&row["bound"]["test"]["importance"]["bound"]) < 0.0);
    assert_eq!(row["bound"]["values"], 3 * 16 * 16);
    assert_eq!(row["retrieval"]["corrected"]["queries"], found["queries"]);
    assert!((-1.0..=1.0).contains(&number(&row["looks"]["similarity"])));
    assert!(number(&row["looks"]["frechet"]) > 0.0);
    assert!(row["command"].as_str().expect("a command").starts_with("aligndraw train --preset photos"));

    let again = compare(&["--json", "--importance", "3"]);
    assert!(!text(&again.stderr).contains("pairs in"), "measured again: {}", text(&again.stderr));
    assert_eq!(again.stdout, first.stdout);
    let table = text(&compare(&["--importance", "3", "--sharpen", "sharp"]).stdout);
    let line =
        |begins: &str| table.lines().find(|line| line.starts_with(begins)).unwrap_or_default().to_owned();
    assert!(line("| small (sharpened) |").matches('0').count() > 0, "{table}");
    let bounds = table.lines().filter(|line| line.starts_with("| small |")).nth(1).expect("two tables");
    assert!(
        bounds
            .split('|')
            .nth_back(1)
            .is_some_and(|cell| cell.trim().parse::<f64>().is_ok_and(|nats| nats < 0.0))
    );
    assert!(table.contains("| small |") && table.contains("alignDRAW, the paper's, on MS-COCO"), "{table}");
}

/// Rows of weights belong to words: a run that begins with a model hears its words, whatever its own data say.
#[test]
fn a_run_hears_the_words_of_what_it_begins_with() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let (data, other) = (path("data"), path("other"));
    pictures(Path::new(&data));
    pictures(Path::new(&other));
    let captions = Path::new(&other).join("captions.jsonl");
    let said = std::fs::read_to_string(&captions).expect("read").replace("thing", "purple cube");
    std::fs::write(&captions, said).expect("written");
    let words = |run: &str| -> Value {
        let path = folder.path().join(run).join("vocabulary.json");
        serde_json::from_slice::<Value>(&std::fs::read(path).expect("read")).expect("JSON")["words"].take()
    };
    trained(&["photos"], "first", &data, &path("first"), &SIZES);
    let model = path("first/first");
    trained(&["noalign-photos", "--from", &model], "next", &other, &path("next"), &SIZES);
    assert_eq!(words("next"), words("first"));
    assert!(words("first").as_array().expect("words").contains(&"thing".into()));

    let vectors = path("vectors");
    let output = aligndraw(&[
        "train",
        "--preset",
        "skip-thought-photos",
        "--data",
        &data,
        "--epochs",
        "1",
        "--batch",
        "4",
        "--out",
        &vectors,
    ]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("bags of words: R@1"), "{}", text(&output.stdout));
    let sentences = path("vectors/skip-thought-photos");
    let preset = ["skipthought-photos", "--sentences", &sentences, "--from", &model];
    trained(&preset, "heard", &other, &path("heard"), &SIZES);
    assert!(words("heard").as_array().expect("words").contains(&"thing".into()));

    let digits = concat!(env!("CARGO_MANIFEST_DIR"), "/models/aligndraw-digits");
    let output =
        aligndraw(&["train", "--preset", "photos", "--data", &data, "--out", &path("no"), "--from", digits]);
    assert_eq!(output.status.code(), Some(1));
    let refused = text(&output.stderr);
    assert!(refused.contains("knows the words of its own data set alone"), "{refused}");
}

#[test]
fn what_draws_no_photos_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let data = folder.path().to_str().expect("UTF-8");
    pictures(folder.path());
    let models = concat!(env!("CARGO_MANIFEST_DIR"), "/models");
    for model in ["digits", "describe-scenes"] {
        let output =
            aligndraw(&["compare", "--data", data, "--models", model, "--folder", models, "--cache", data]);
        assert!(!output.status.success());
        let said = text(&output.stderr);
        assert!(said.contains(&format!("{model}: expected a painter of square colour pictures")), "{said}");
    }
}
