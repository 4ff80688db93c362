//! Every model that is shipped: manifest, hash, and that it loads.

use std::path::Path;

use aligndraw::checkpoint::{Manifest, decode, parse_safetensors};
use aligndraw::data::batch::Captions;
use aligndraw::data::noise::Noise;
use aligndraw::error::Error;
use aligndraw::model::{Config, Trainable};
use aligndraw::paint::{Engine, Frame, Pictures, Pipeline};
use aligndraw::systems::System;
use aligndraw::text2image::draw::cpu::{Drawing, Weights};
use aligndraw::text2image::draw::{Draw, DrawConfig, ParameterValues};
use burn::tensor::Device;

fn models() -> impl Iterator<Item = (String, Vec<u8>, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    ["aligndraw-digits", "digits", "aligndraw-scenes", "scenes"].into_iter().map(move |name| {
        let json = std::fs::read(folder.join(format!("{name}.json"))).expect("a manifest");
        let manifest = Manifest::parse(&json).expect("a manifest that parses");
        (name.to_owned(), json, std::fs::read(folder.join(manifest.weights.file)).expect("weights"))
    })
}

/// The sizes of a model of the DRAW family.
fn draw_config(manifest: &Manifest) -> Option<&DrawConfig> {
    match &manifest.system {
        System::Draw(config) => Some(config),
        _ => None,
    }
}

fn values(config: &DrawConfig, weights: &[u8]) -> ParameterValues {
    let file = parse_safetensors(weights).expect("a safetensors file");
    let fresh = Draw::init(config, 0, &Device::flex());
    decode(fresh, &file).expect("the weights fit the sizes").to_host()
}

#[test]
fn shipped_models_load_and_their_hashes_match() {
    for (name, json, weights) in models() {
        let manifest = Manifest::parse(&json).expect("a manifest that parses");
        assert_eq!(manifest.name, name);
        manifest.weights.verify(&weights).expect("the hash matches");
        assert_eq!(manifest.weights.bytes, weights.len());
        let most = if name.ends_with("scenes") { 8_000_000 } else { 2_500_000 };
        assert!(weights.len() <= most, "{name}: {} bytes", weights.len());
        Pipeline::load(&manifest, &weights, &Engine::Cpu).expect("the weights fit the sizes");
        let data = manifest.data.name;
        // The language may have grown since, at its end.
        let known = data.vocabulary().expect("the words are known").words;
        assert_eq!(known[..manifest.vocabulary.words.len()], manifest.vocabulary.words);
        let options = &manifest.training["options"];
        let seed = options["held_out_seed"].as_u64().or(options["bans_seed"].as_u64()).expect("a seed");
        assert_eq!(manifest.data.bans, data.held_out(seed), "the bans are their seed's");
    }
}

/// The painters without attention that are shipped: what stands beside them is of these weights, and they draw.
#[test]
fn shipped_painters_without_attention_draw_what_their_vocabulary_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    // What is known of those of photos that have no bound stands in `compare.json`.
    let compared = [("lapgan-photos", false, 2_500_000), ("deconv-photos", false, 2_520_000)];
    let measured = ["vae-photos", "conv-vae-photos", "deconv-scenes", "noalign", "skipthought"];
    for (name, is_measured, most) in measured.map(|name| (name, true, 2_500_000)).into_iter().chain(compared)
    {
        let read = |file: &str| std::fs::read(folder.join(file)).expect("a shipped file");
        let manifest = Manifest::parse(&read(&format!("{name}.json"))).expect("a manifest that parses");
        let weights = read(&manifest.weights.file);
        assert_eq!(manifest.name, name);
        manifest.weights.verify(&weights).expect("the hash matches");
        assert!(weights.len() <= most, "{name}: {} bytes", weights.len());
        if is_measured {
            let eval: serde_json::Value =
                serde_json::from_slice(&read(&format!("{name}.eval.json"))).expect("what was measured");
            assert_eq!(eval["weights_sha256"], manifest.weights.sha256.as_str(), "{name}");
        }
        let pipeline = Pipeline::load(&manifest, &weights, &Engine::Cpu).expect("the weights fit the sizes");
        let pictures = pipeline.begin(&manifest.vocabulary.example, &[1]).expect("a caption");
        let frames = pollster::block_on(pipeline.finish(pictures)).expect("a drawing");
        let image = &frames[0].image;
        let (least, most) = image.iter().fold((1.0f32, 0.0f32), |(a, b), &x| (a.min(x), b.max(x)));
        assert!(image.len() == manifest.system.image_size().len() && least >= 0.0 && most <= 1.0);
        assert!(most - least > 0.1, "{name} draws {least} to {most}");
    }
}

#[test]
fn damaged_models_are_refused() {
    for (_, json, mut weights) in models() {
        let manifest = Manifest::parse(&json).expect("a manifest that parses");
        let last = weights.len() - 1;
        weights[last] ^= 1;
        assert!(matches!(manifest.weights.verify(&weights), Err(Error::WrongHash { .. })));
        assert!(Pipeline::load(&manifest, &weights[..last / 2], &Engine::Cpu).is_err());
        assert!(Manifest::parse(&json[..json.len() / 2]).is_err());
    }
}

/// The browser keeps the weights as bfloat16: of the shipped models that loses nothing, and the two
/// packings paint the same pictures, up to the order of sums.
#[test]
fn weights_kept_as_bf16_paint_the_same_pictures() {
    let mut checked = 0;
    for (_, json, weights) in models() {
        let manifest = Manifest::parse(&json).expect("a manifest that parses");
        let Some(config) = draw_config(&manifest) else { continue };
        checked += 1;
        let host = values(config, &weights);
        let whole = Weights::new(config, host.clone());
        let bf16 = Weights::for_painting(config, host);
        assert!(bf16.painting.is_some(), "every weight is exact in bfloat16");
        let tokens = manifest.vocabulary.tokens(&manifest.vocabulary.example).expect("a caption");
        for batch in [1, 4, 5] {
            let ids = tokens.ids.repeat(batch);
            let noise = Noise::new(3).normals(batch * config.num_steps * config.latent_size);
            let painted = |weights: &Weights| {
                let mut drawing = Drawing::begin(weights, Captions::of_words(&ids, tokens.ids.len()), &noise);
                while drawing.step(weights) {}
                drawing.images(config.num_steps).to_vec()
            };
            let (expected, found) = (painted(&whole), painted(&bf16));
            let pairs = expected.iter().zip(&found);
            let worst = pairs.fold(0.0f32, |worst, (a, b)| worst.max((a - b).abs()));
            assert!(worst < 1e-4, "{batch} pictures differ by {worst}");
        }
    }
    assert_eq!(checked, 2, "digits and scenes");
}

/// A branch with the caption and seed of its origin is its origin; with another it shares what came before.
#[test]
fn a_branch_goes_on_from_where_it_left() {
    for (_, json, weights) in models() {
        let manifest = Manifest::parse(&json).expect("a manifest that parses");
        let (steps, example) = (manifest.system.num_steps(), manifest.vocabulary.example.clone());
        for engine in [Engine::Cpu, Engine::Device(Device::flex())] {
            let painter = Pipeline::load(&manifest, &weights, &engine).expect("the weights fit");
            let finish = |drawing: &mut Pictures| {
                let mut last = Vec::new();
                while let Some(frames) = pollster::block_on(painter.step(drawing)).expect("a step") {
                    last = frames;
                }
                last
            };
            let mut origin = painter.begin(&example, &[4, 5]).expect("a caption");
            let expected = finish(&mut origin);
            let mut same = painter.branch(&origin, 1, steps / 2, &example, 5).expect("a branch");
            let found = finish(&mut same);
            let worst = found[0].image.iter().zip(&expected[1].image).map(|(a, b)| (a - b).abs());
            assert!(worst.fold(0.0, f32::max) < 1e-4);
            let mut other = painter.branch(&origin, 1, steps / 2, &example, 6).expect("a branch");
            assert_ne!(finish(&mut other)[0].image, expected[1].image);
            // From a branch too, but not from before it began.
            assert!(painter.branch(&other, 0, steps - 1, &example, 7).is_ok());
            let error = painter.branch(&other, 0, 0, &example, 7).err().expect("refused").to_string();
            assert!(error.contains("does not exist"), "{error}");
            assert!(painter.branch(&origin, 2, 1, &example, 7).is_err());
            assert!(painter.branch(&origin, 0, 1, "xyzzy", 7).is_err());
        }
    }
}

/// Manifests from elsewhere are checked whole, before anything is allocated.
#[test]
fn manifests_that_cannot_be_are_refused_by_name() {
    let (_, json, _) = models().next().expect("digits");
    let change = |pointer: &str, value: serde_json::Value| {
        let mut manifest: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
        *manifest.pointer_mut(pointer).expect(pointer) = value;
        Manifest::parse(manifest.to_string().as_bytes()).expect_err(pointer).to_string()
    };
    let cases = [
        ("/system", serde_json::json!("no-such"), "\"no-such\" is not a known system, expected \"draw\""),
        ("/config/num_steps", serde_json::json!(0), "num_steps is 0"),
        ("/config/decoder_size", serde_json::json!(65_000), "MiB of memory, expected at most 1024 MiB"),
        ("/config/latent_size", serde_json::json!("many"), "the manifest's config is not valid"),
        ("/temperature", serde_json::json!(9), "the temperature is 9"),
        (
            "/vocabulary/example",
            serde_json::json!("xyzzy"),
            "its example cannot be drawn: unknown word: \"xyzzy\"",
        ),
        ("/vocabulary/fullStop", serde_json::json!("stop"), "fullStop names \"stop\""),
        ("/vocabulary/aliases", serde_json::json!({ "nix": "nil" }), "the alias \"nix\" names \"nil\""),
        ("/vocabulary/alternatives", serde_json::json!([["nil"]]), "alternatives names \"nil\""),
        ("/vocabulary/maxWords", serde_json::json!(0), "max_words is 0, expected 1 to"),
        ("/vocabulary/words", serde_json::json!([]), "no words, but the model reads captions"),
    ];
    for (pointer, value, says) in cases {
        let error = change(pointer, value);
        assert!(error.contains(says), "{pointer}: {error}");
    }
    let mut newer: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
    newer["format"] = serde_json::json!(99);
    let error = Manifest::parse(newer.to_string().as_bytes()).expect_err("too new").to_string();
    assert!(error.contains("format 99, expected 1 to 2"), "{error}");
}

/// The shipped painter of colour scenes.
fn scenes() -> Pipeline {
    let (_, json, weights) = models().find(|(name, ..)| name == "scenes").expect("it is shipped");
    let manifest = Manifest::parse(&json).expect("a manifest that parses");
    Pipeline::load(&manifest, &weights, &Engine::Cpu).expect("the weights fit")
}

/// All steps of a caption's pictures.
fn steps(painter: &Pipeline, caption: &str, seeds: &[u64]) -> Vec<Vec<Frame>> {
    let mut pictures = painter.begin(caption, seeds).expect("a caption");
    std::iter::from_fn(|| pollster::block_on(painter.step(&mut pictures)).expect("a step")).collect()
}

/// Where a caption's things stand, in the order of the sentence: the middle of the lower edge of each frame, pixels.
fn feet(painter: &Pipeline, caption: &str) -> Vec<[f32; 2]> {
    let steps = steps(painter, caption, &[2]);
    let mut feet: Vec<[f32; 2]> = Vec::new();
    for frame in steps.iter().filter_map(|frames| frames[0].frame.as_ref()).filter(|frame| frame.width < 64.0)
    {
        let stands = [frame.x + frame.width / 2.0, frame.y + frame.height];
        if feet.last() != Some(&stands) {
            feet.push(stands);
        }
    }
    feet
}

/// Sentences that no painter was taught: what is on or above something is over it, also where more is named.
#[test]
fn things_stand_over_others_among_several() {
    let painter = scenes();
    for (caption, over) in [
        ("two dogs on a couch", &[(0, 2), (1, 2)][..]),
        ("a cat on a car next to a dog", &[(0, 1)]),
        ("a bird above a cat on a couch", &[(0, 1), (1, 2)]),
        ("a herd of sheep below a plane", &[(5, 0), (5, 1), (5, 2), (5, 3), (5, 4)]),
        ("a boat on the sea and two birds in the sky", &[(1, 0), (2, 0)]),
        ("two planes above two cars on the street", &[(0, 2), (1, 3)]),
    ] {
        let feet = feet(&painter, caption);
        for &(upper, lower) in over {
            let [dx, dy] = [0, 1].map(|axis| feet[lower][axis] - feet[upper][axis]);
            assert!(dy > 6.0 && dx.abs() < 24.0, "{caption}: {upper} over {lower}: {feet:?}");
        }
    }
    let feet = feet(&painter, "a dog to the right of two cats");
    assert!(feet[1][0] + 8.0 < feet[2][0] && feet[2][0] + 8.0 < feet[0][0], "{feet:?}");
}

#[test]
fn five_of_a_kind_stand_in_five_places() {
    let painter = scenes();
    for caption in ["a group of clocks in the blue sky", "a herd of zebras on the beach"] {
        let feet = feet(&painter, caption);
        assert_eq!(feet.len(), 5, "{caption}");
        for (at, a) in feet.iter().enumerate() {
            for b in &feet[at + 1..] {
                assert!((a[0] - b[0]).hypot(a[1] - b[1]) > 12.0, "{caption}: {feet:?}");
            }
        }
    }
}

/// Snow is blue or white, and of no old photo's brown, whatever the seed.
#[test]
fn a_place_has_its_own_colours() {
    let painter = scenes();
    let seeds: Vec<u64> = (0..60).collect();
    let steps = steps(&painter, "a ball on the snow", &seeds);
    let plane = 64 * 64;
    for (seed, frame) in steps.last().expect("steps").iter().enumerate() {
        let mean = |channel: usize| frame.image[channel * plane..][..8 * 64].iter().sum::<f32>();
        assert!(mean(2) > 0.95 * mean(0), "seed {seed}: blue {} of red {}", mean(2), mean(0));
    }
}

#[test]
fn a_place_without_things_stands_after_its_steps() {
    let steps = steps(&scenes(), "the night sky over the city", &[1, 2]);
    let images: Vec<&Vec<f32>> = steps.iter().map(|frames| &frames[1].image).collect();
    assert_ne!(images[1], images[2]);
    assert!(images[2..].iter().all(|image| *image == images[2]));
    assert!(
        steps.iter().flatten().all(|frame| frame.frame.as_ref().is_some_and(|frame| frame.width == 64.0))
    );
}
