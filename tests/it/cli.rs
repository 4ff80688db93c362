//! The command line as it is typed: what it writes, what it refuses and how it says so.

use std::path::Path;
use std::process::{Command, Output};

fn aligndraw(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_aligndraw")).args(arguments).output().expect("the binary starts")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn paint(folder: &Path, caption: &str, more: &[&str]) -> Output {
    let out = folder.join("out.png");
    let mut arguments = vec!["paint", caption, "-o", out.to_str().expect("a UTF-8 path")];
    arguments.extend(more);
    aligndraw(&arguments)
}

const CAPTION: &str = "the digit seven is on the left of the digit two";

#[test]
fn paint_writes_a_picture_a_grid_and_a_gif() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let gif = folder.path().join("out.gif");
    let gif_path = gif.to_str().expect("a UTF-8 path");
    let output = paint(folder.path(), CAPTION, &["--seed", "7", "--gif", gif_path]);
    assert!(output.status.success(), "{}", stderr(&output));
    let png = |scale: u32| image_size(&folder.path().join("out.png"), scale);
    assert_eq!(png(4), (60, 60));
    let mut options = gif::DecodeOptions::new();
    options.set_color_output(gif::ColorOutput::RGBA);
    let mut decoder =
        options.read_info(std::fs::File::open(&gif).expect("the GIF")).expect("a GIF that decodes");
    let mut frames = 0;
    while decoder.read_next_frame().expect("a frame").is_some() {
        frames += 1;
    }
    assert_eq!(frames, 8);

    assert!(paint(folder.path(), CAPTION, &["--steps-grid", "--scale", "1"]).status.success());
    assert_eq!(png(1), (3 * 60 + 2 * 2, 3 * 60 + 2 * 2));
    assert!(paint(folder.path(), CAPTION, &["-n", "5", "--scale", "1"]).status.success());
    assert_eq!(png(1), (3 * 60 + 2 * 2, 2 * 60 + 2));
}

fn image_size(path: &Path, scale: u32) -> (u32, u32) {
    let (width, height) = image::image_dimensions(path).expect("a PNG");
    (width / scale, height / scale)
}

#[test]
fn a_seed_is_a_picture_and_batches_do_not_change_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let bytes = |more: &[&str]| {
        assert!(paint(folder.path(), CAPTION, more).status.success());
        image::open(folder.path().join("out.png")).expect("a PNG").to_rgb8()
    };
    let alone = bytes(&["--seed", "8", "--scale", "1"]);
    assert_eq!(alone, bytes(&["--seed", "8", "--scale", "1"]));
    let pair = bytes(&["--seed", "7", "-n", "2", "--scale", "1"]);
    let second = image::imageops::crop_imm(&pair, 62, 0, 60, 60).to_image();
    let worst = second.iter().zip(alone.iter()).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(worst <= Some(1), "a pixel differs by {worst:?} of 255");
    assert_ne!(alone, bytes(&["--seed", "9", "--scale", "1"]));
}

#[test]
fn without_temperature_every_seed_is_the_same_picture() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let bytes = |seed: &str, temperature: &str| {
        let output = paint(folder.path(), CAPTION, &["--seed", seed, "--temperature", temperature]);
        assert!(output.status.success(), "{}", stderr(&output));
        std::fs::read(folder.path().join("out.png")).expect("a PNG")
    };
    assert_eq!(bytes("1", "0"), bytes("2", "0"));
    assert_ne!(bytes("1", "1"), bytes("2", "1"));
    let output = paint(folder.path(), CAPTION, &["--temperature", "3"]);
    assert!(stderr(&output).contains("the temperature is 3, expected 0 to 2"), "{}", stderr(&output));
}

#[test]
fn a_wrong_caption_is_explained_with_exit_code_2_and_nothing_is_written() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let cases = [
        ("the digit sevn is at the topp left of the image", "\"sevn\" (did you mean seven"),
        ("the digit sevn is at the topp left of the image", "\"topp\" (did you mean top"),
        ("", "the caption is empty: write, for example"),
        (" . ", "the caption is empty"),
        ("the digit 1 is on the left of the digit 2 of the image of the image", "has 17 words, at most 11"),
        ("хорошо", "unknown word: \"хорошо\""),
        ("the digit is on the left", "error: the caption names nothing that this model draws"),
        ("7 and 8 and 9", "names 3 things to draw, expected at most 2"),
    ];
    for (caption, expected) in cases {
        let output = paint(folder.path(), caption, &[]);
        assert_eq!(output.status.code(), Some(2), "{caption}");
        assert!(stderr(&output).contains(expected), "{caption}: {}", stderr(&output));
    }
    assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 0);
}

#[test]
fn missing_models_and_folders_are_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = paint(folder.path(), CAPTION, &["--model", "nowhere"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("models/nowhere.json"), "{}", stderr(&output));
    let folder = folder.path().to_str().expect("a UTF-8 path");
    let output = aligndraw(&["serve", "--root", folder]);
    assert!(stderr(&output).contains("www is missing: run `make web`"), "{}", stderr(&output));
    let output = aligndraw(&["train", "--preset", "tiny", "--data", folder, "--out", folder]);
    assert!(stderr(&output).contains("train-images-idx3-ubyte.gz"), "{}", stderr(&output));
    let output = aligndraw(&["train", "--preset", "scenes", "--data", folder, "--out", folder]);
    assert!(stderr(&output).contains("colour scenes are rendered"), "{}", stderr(&output));
}

#[test]
fn a_model_can_be_written_again_in_fewer_bits() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().to_str().expect("a UTF-8 path");
    let sizes: Vec<u64> = ["16", "8"]
        .into_iter()
        .map(|bits| {
            let output = aligndraw(&[
                "export",
                "--from",
                "models/digits",
                "--models",
                path,
                "--name",
                bits,
                "--bits",
                bits,
            ]);
            assert!(output.status.success(), "{}", stderr(&output));
            let output = paint(folder.path(), CAPTION, &["--models", path, "--model", bits]);
            assert!(output.status.success(), "{}", stderr(&output));
            std::fs::metadata(folder.path().join(format!("{bits}.safetensors"))).expect("weights").len()
        })
        .collect();
    assert!(sizes[1] * 100 < sizes[0] * 53, "{sizes:?}");
    let refused = aligndraw(&["export", "--from", "models/nothing", "--models", path]);
    assert!(stderr(&refused).contains("nothing.json"), "{}", stderr(&refused));
}

#[test]
fn a_model_can_be_written_on_the_way_to_another() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().to_str().expect("a UTF-8 path");
    let export = |from: &str, towards: &str, share: &str| {
        let end = ["--towards", towards, "--share", share, "--models", path, "--name", "between"];
        aligndraw(&[&["export", "--from", from], &end[..]].concat())
    };
    let written = export("models/digits", "models/digits", "0.25");
    assert!(written.status.success(), "{}", stderr(&written));
    let manifest = std::fs::read(folder.path().join("between.json")).expect("a manifest");
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).expect("JSON");
    assert_eq!(manifest["training"]["towards"]["share"], 0.25);
    for (other, share, says) in [
        ("models/digits", "1.5", "expected 0 to 1"),
        ("models/aligndraw-digits", "0.5", "expected one of framed"),
        ("models/nothing", "0.5", "nothing.json"),
    ] {
        let refused = export("models/digits", other, share);
        assert!(stderr(&refused).contains(says), "{}", stderr(&refused));
    }
}

#[test]
fn a_word_is_drawn_where_its_frame_is_put() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let json = folder.path().join("frames.json");
    let json = json.to_str().expect("a UTF-8 path");
    let moved = |frame: &str| paint(folder.path(), CAPTION, &["--frame", frame, "--json", json]);
    let output = moved("seven=0.3,0.7,0.4");
    assert!(output.status.success(), "{}", stderr(&output));
    let drawn: serde_json::Value =
        serde_json::from_slice(&std::fs::read(json).expect("the frames")).expect("JSON");
    let frame = &drawn["frames"][0]["frame"];
    let number = |name: &str| frame[name].as_f64().expect("a number");
    let (x, y, side) = (number("x"), number("y"), number("width"));
    let near = |found: f64, share: f64| (found / 60.0 - share).abs() < 0.01;
    assert!(near(x + side / 2.0, 0.3) && near(y + side / 2.0, 0.7) && near(side, 0.4), "{frame}");
    // By the word in other letters, by its position, and by its name where the caption has the numeral.
    let by_word = std::fs::read(json).expect("the frames");
    let numeral = CAPTION.replace("seven", "7");
    for (caption, another) in [(CAPTION, "Seven"), (CAPTION, "2"), (&numeral, "seven")] {
        let frame = format!("{another}=0.3,0.7,0.4");
        let painted = paint(folder.path(), caption, &["--frame", &frame, "--json", json]);
        assert!(painted.status.success(), "{another}: {}", stderr(&painted));
        let image = |frames: &[u8]| {
            let drawn: serde_json::Value = serde_json::from_slice(frames).expect("JSON");
            drawn["frames"].as_array().expect("frames").last().expect("a frame")["image"].clone()
        };
        assert_eq!(image(&std::fs::read(json).expect("the frames")), image(&by_word), "{another}");
    }
    for (frame, says) in [
        ("seven=0.3,0.7", "expected WORD=X,Y,SIZE"),
        ("nine=0.3,0.7,0.4", "\"nine\" is not a word of the caption"),
        ("left=0.3,0.7,0.4", "is not drawn"),
        ("99=0.3,0.7,0.4", "a frame is given for word 99"),
        ("seven=0.3,9,0.4", "expected a centre within"),
    ] {
        let output = moved(frame);
        assert!(!output.status.success() && stderr(&output).contains(says), "{frame}: {}", stderr(&output));
    }
}

#[test]
fn a_gpu_is_refused_by_a_build_without_one() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("run");
    let out = out.to_str().expect("a UTF-8 path");
    let output = aligndraw(&["train", "--preset", "tiny", "--device", "vulkan", "--out", out]);
    if cfg!(feature = "vulkan") {
        return;
    }
    assert!(stderr(&output).contains("--features vulkan"), "{}", stderr(&output));
    assert!(!Path::new(out).exists(), "nothing is written");
}

#[test]
fn windows_that_cannot_be_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("run");
    let out = out.to_str().expect("a UTF-8 path");
    for (limits, says) in [
        ("6-0.5", "like 6:0.5"),
        ("6:half", "like 6:0.5"),
        ("0:3", "window_limits.limit is 3, expected 0.05 to 1"),
        ("1:0.5,0:0.3", "window_limits.after falls"),
    ] {
        let output = aligndraw(&["train", "--preset", "tiny", "--window-limits", limits, "--out", out]);
        assert!(stderr(&output).contains(says), "{limits}: {}", stderr(&output));
        assert!(!Path::new(out).exists(), "nothing is written");
    }
}

#[test]
fn a_tiny_training_run_leaves_a_model_that_paints() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let run = folder.path().join("run");
    let run = run.to_str().expect("a UTF-8 path");
    let output = aligndraw(&["train", "--preset", "tiny", "--out", run, "--name", "tiny"]);
    assert!(output.status.success(), "{}", stderr(&output));
    for file in ["run.json", "log.jsonl", "curves.png", "tiny.json", "tiny.safetensors"] {
        assert!(Path::new(run).join(file).is_file(), "{file}");
    }
    let output = paint(folder.path(), CAPTION, &["--models", run, "--model", "tiny"]);
    assert!(output.status.success(), "{}", stderr(&output));
    let (next, from) = (format!("{run}-next"), format!("{run}/tiny"));
    let output = aligndraw(&["train", "--preset", "tiny", "--epochs", "1", "--out", &next, "--from", &from]);
    assert!(output.status.success(), "{}", stderr(&output));
    let record = std::fs::read_to_string(Path::new(&next).join("run.json")).expect("the record");
    assert!(record.contains("started_from"), "{record}");
    let other = format!("{run}-other");
    let output = aligndraw(&["train", "--preset", "aligndraw-digits", "--out", &other, "--from", &from]);
    assert!(stderr(&output).contains("has shape"), "{}", stderr(&output));
    assert!(!Path::new(&other).exists(), "nothing is written");
    let again = aligndraw(&["train", "--preset", "tiny", "--out", run]);
    assert!(stderr(&again).contains("holds a run already: add --resume"), "{}", stderr(&again));
}
