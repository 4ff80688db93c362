//! The captioner that is shipped: it loads, it names what renders show, and it looks there.

use std::path::Path;

use aligndraw::checkpoint::Manifest;
use aligndraw::data::noise::Noise;
use aligndraw::data::scene_pictures::ScenePictures;
use aligndraw::data::scenes::{Bans, Scene};
use aligndraw::data::source::HeldOut;
use aligndraw::describe::{Describer, Search};
use aligndraw::eval::scene_description::{NounAttention, verdict};
use aligndraw::eval::scene_fidelity::Factors;
use aligndraw::model::Config;
use burn::tensor::Device;

const RENDERS: usize = 100;

fn shipped() -> (Manifest, Vec<u8>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let json = std::fs::read(folder.join("describe-scenes.json")).expect("a manifest");
    let manifest = Manifest::parse(&json).expect("a manifest that parses");
    let weights = std::fs::read(folder.join(&manifest.weights.file)).expect("weights");
    (manifest, weights)
}

fn bans(manifest: &Manifest) -> Bans {
    match &manifest.data.bans {
        HeldOut::Scenes(bans) => bans.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn it_loads_and_its_hash_matches() {
    let (manifest, weights) = shipped();
    manifest.weights.verify(&weights).expect("the hash matches");
    assert!(weights.len() == manifest.weights.bytes && weights.len() <= 1_000_000, "{}", weights.len());
    // The language may have grown since, at its end.
    let known = manifest.data.name.vocabulary().expect("the words are known").words;
    assert_eq!(known[..manifest.vocabulary.words.len()], manifest.vocabulary.words);
    assert_eq!(manifest.data.bans, manifest.data.name.held_out(bans(&manifest).seed));
    assert!(manifest.system.is_captioner() && manifest.system.num_steps() == 1);
}

#[test]
fn it_names_what_renders_show_and_looks_there() {
    let (manifest, weights) = shipped();
    let describer = Describer::load(&manifest, &weights, &Device::flex()).expect("the weights fit");
    let pictures = ScenePictures::new(bans(&manifest));
    let mut noise = Noise::new(11);
    let scenes: Vec<Scene> = (0..RENDERS).map(|_| pictures.draw(false, &mut noise).0).collect();
    let pixels: Vec<f32> = scenes.iter().flat_map(|scene| pictures.paint(scene, &mut noise)).collect();
    let found = pollster::block_on(describer.describe(pixels, &Search::default())).expect("descriptions");
    let said: Vec<String> = found.iter().map(|sentences| sentences[0].text()).collect();
    let verdicts: Vec<_> = scenes.iter().zip(&said).map(|(scene, said)| verdict(scene, said)).collect();
    let factors = Factors::count(&verdicts);
    let grid = describer.captioner().grid().expect("attention");
    let mut attention = NounAttention::default();
    for (scene, sentences) in scenes.iter().zip(&found) {
        attention.add(scene, &pictures.layout(scene, &mut noise), &sentences[0], grid);
    }
    println!("{factors:?} {attention:?}");
    // Below what `aligndraw eval` measures on 2 000 renders, which a hundred scatter around.
    assert!(factors.place.percent() >= 93.0 && factors.object.percent() >= 90.0, "{factors:?}");
    assert!(attention.inside > 0.9, "{attention:?}");
}
