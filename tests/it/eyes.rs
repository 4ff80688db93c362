//! The eyes of captioners: EfficientNet-Lite0 against PyTorch (`tests/fixtures/generate_eyes.py`).

use std::path::Path;

use aligndraw::checkpoint::{parse_safetensors, take};
use aligndraw::data::folder::pixels;
use aligndraw::error::Error;
use aligndraw::eyes::{Eyes, EyesManifest};
use burn::tensor::Device;

/// Sums of f32 in another order than PyTorch's of f64, through fifty layers.
const TOLERANCE: f64 = 1e-4;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files() -> (Vec<u8>, Vec<u8>) {
    let read = |name: &str| std::fs::read(root().join("models").join(name)).expect("the shipped eyes");
    (read("eyes.json"), read("eyes.safetensors"))
}

fn eyes() -> Eyes {
    let (json, weights) = files();
    let manifest = EyesManifest::parse(&json).expect("a manifest that parses");
    Eyes::load(&manifest, &weights, &Device::flex()).expect("weights that fit")
}

fn fixture() -> serde_json::Value {
    let bytes = std::fs::read(root().join("tests/fixtures/eyes.json")).expect("a fixture");
    serde_json::from_slice(&bytes).expect("JSON")
}

fn numbers(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|x| x.as_f64().expect("a number")).collect()
}

fn integers(value: &serde_json::Value) -> Vec<usize> {
    numbers(value).into_iter().map(|x| x as usize).collect()
}

/// Features of a cell, and cells.
const FEATURES: usize = Eyes::SIZE.channels;
const CELLS: usize = Eyes::SIZE.height * Eyes::SIZE.width;

/// The features of pictures, [picture, feature, cell].
fn features(pixels: &[u8]) -> Vec<f64> {
    let data = eyes().features(pixels).expect("whole pictures").into_data();
    data.iter::<f32>().map(f64::from).collect()
}

/// The picture of the fixture.
fn synthetic() -> Vec<u8> {
    let side = Eyes::SIDE;
    let pixel = |c: usize, y: usize, x: usize| (x * (3 + c) + y * (5 - c) + x * y / (17 + 8 * c)) % 256;
    let places = (0..3).flat_map(|c| (0..side * side).map(move |at| (c, at / side, at % side)));
    places.map(|(c, y, x)| pixel(c, y, x) as u8).collect()
}

#[test]
fn features_are_those_of_pytorch() {
    let (fixture, picture) = (fixture(), synthetic());
    let both = features(&[picture.clone(), vec![90; Eyes::PICTURE]].concat());
    let (found, grey) = both.split_at(CELLS * FEATURES);
    let channels = integers(&fixture["channels"]);
    let cells = integers(&fixture["cells"]);
    let rows = fixture["features"].as_array().expect("rows");
    let mut lit = 0;
    for (cell, row) in cells.iter().zip(rows) {
        for (channel, right) in channels.iter().zip(numbers(row)) {
            let value = found[channel * CELLS + cell];
            assert!(
                (value - right).abs() < TOLERANCE,
                "cell {cell}, feature {channel}: {value}, not {right}"
            );
            lit += usize::from(right > 0.0);
        }
    }
    assert!(lit > 60, "{lit} of the fixture's features are not 0");
    for (cell, right) in numbers(&fixture["cell_sums"]).iter().enumerate() {
        let sum: f64 = found.iter().skip(cell).step_by(CELLS).sum();
        assert!((sum - right).abs() < TOLERANCE * right.max(1.0), "cell {cell}: {sum}, not {right}");
    }
    let squares: f64 = found.iter().map(|x| x * x).sum();
    let right = fixture["square_sum"].as_f64().expect("a number");
    assert!((squares / right - 1.0).abs() < TOLERANCE, "{squares}, not {right}");
    assert!(grey.iter().zip(found).any(|(a, b)| (a - b).abs() > 0.1), "pictures are told apart");
}

/// The classes of the whole network in PyTorch, without rounded weights, among those that the fixture keeps.
#[test]
fn photos_are_classified_as_by_the_whole_network() {
    let fixture = fixture();
    let classes = integers(&fixture["classes"]);
    let bias = numbers(&fixture["class_bias"]);
    let bytes = std::fs::read(root().join("tests/fixtures/eyes_classes.safetensors")).expect("a fixture");
    let file = parse_safetensors(&bytes).expect("a safetensors file");
    let rows = take(&file, "classes.weight", &[classes.len(), FEATURES]).expect("rows");
    for (photo, right) in fixture["top_five"].as_object().expect("photos") {
        let path = root().join(format!("tests/fixtures/photos/{photo}.jpg"));
        let image = pixels::upright(&std::fs::read(path).expect("a photo")).expect("an image").image;
        let found = features(&pixels::squeezed(&image, Eyes::SIDE));
        let pooled =
            |feature: usize| -> f64 { found[feature * CELLS..][..CELLS].iter().sum::<f64>() / CELLS as f64 };
        let pooled: Vec<f64> = (0..FEATURES).map(pooled).collect();
        let logit = |at: usize| -> f64 {
            let row = &rows[at * FEATURES..][..FEATURES];
            bias[at] + row.iter().zip(&pooled).map(|(w, x)| f64::from(*w) * x).sum::<f64>()
        };
        let mut order: Vec<(f64, usize)> = (0..classes.len()).map(|at| (logit(at), classes[at])).collect();
        order.sort_by(|a, b| b.0.total_cmp(&a.0));
        let five: Vec<usize> = order[..5].iter().map(|(_, class)| *class).collect();
        let right = integers(right);
        let shared = five.iter().filter(|class| right.contains(class)).count();
        assert!(right[..2].contains(&five[0]) && shared >= 4, "{photo}: {five:?}, not {right:?}");
    }
}

#[test]
fn faults_are_named() {
    let (json, mut weights) = files();
    let manifest = EyesManifest::parse(&json).expect("a manifest that parses");
    assert_eq!(manifest.weights.bytes, weights.len());
    assert!(weights.len() <= 5_000_000, "{} bytes", weights.len());
    weights[100_000] ^= 1;
    let loaded = Eyes::load(&manifest, &weights, &Device::flex());
    assert!(matches!(loaded.err(), Some(Error::WrongHash { .. })));
    let text = String::from_utf8(json).expect("text");
    for (from, to, named) in [
        ("efficientnet-lite0\"", "resnet\"", "resnet"),
        ("\"side\": 224", "\"side\": 64", "224"),
        ("\"format\": 1", "\"format\": 9", "9"),
    ] {
        assert!(text.contains(from), "{from}");
        let error = EyesManifest::parse(text.replace(from, to).as_bytes()).expect_err("a fault");
        assert!(error.to_string().contains(named), "{error}");
    }
    let eyes = eyes();
    for pixels in [vec![], vec![0; Eyes::PICTURE - 1]] {
        let error = eyes.features(&pixels).expect_err("no whole picture").to_string();
        assert!(error.contains(&Eyes::PICTURE.to_string()), "{error}");
    }
}

#[test]
fn the_notice_lies_beside_the_weights() {
    let notice = root().join("models/eyes.NOTICE");
    let text = std::fs::read_to_string(notice).expect("a notice");
    assert!(text.contains("Apache License, Version 2.0") && text.contains("ML Illustrated"));
}
