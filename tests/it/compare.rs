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

/// Trains a painter of few units for an update.
fn trained(data: &str, out: &str) {
    let sizes = ["encoder_size=6", "decoder_size=6", "word_size=4", "align_size=4", "latent_size=3"];
    let mut arguments = vec![
        "--quiet",
        "train",
        "--preset",
        "photos",
        "--name",
        "small",
        "--data",
        data,
        "--out",
        out,
        "--side",
        "16",
        "--steps",
        "2",
        "--epochs",
        "1",
        "--batches",
        "1",
        "--batch",
        "4",
        "--threads",
        "1",
    ];
    arguments.extend(sizes.iter().flat_map(|size| ["--set", size]));
    let output = aligndraw(&arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn every_measure_is_made_once_and_kept() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let (data, run, cache) = (path("data"), path("run"), path("cache"));
    pictures(Path::new(&data));
    trained(&data, &run);
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
    let table = text(&compare(&["--importance", "3"]).stdout);
    assert!(table.contains("| small |") && table.contains("alignDRAW, the paper's, on MS-COCO"), "{table}");
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
