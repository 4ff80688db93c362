//! Colour scenes: the renderer is deterministic, its pictures are those that were looked at, and
//! nothing held out is ever trained on.

use aligndraw::data::batch::Lesson;
use aligndraw::data::noise::Noise;
use aligndraw::data::scene_pictures::{CANVAS, ScenePictures};
use aligndraw::data::scenes::mentions::mentions;
use aligndraw::data::scenes::{Bans, Number, Object, Place, Relation, Scene, Thing, caption};
use aligndraw::data::source::Source;
use aligndraw::text2image::draw::DrawConfig;

fn pictures() -> ScenePictures {
    ScenePictures::new(Bans::draw(1))
}

fn one(object: Object, place: Place) -> Scene {
    Scene { things: vec![Thing::new(object)], relation: None, place, vintage: false, boards: false }
}

#[test]
fn a_seed_gives_the_same_batch() {
    let (first, again) = (pictures().batch(12, &mut Noise::new(4)), pictures().batch(12, &mut Noise::new(4)));
    assert_eq!(first.images, again.images);
    assert_eq!(first.ids, again.ids);
    assert_ne!(first.images, pictures().batch(12, &mut Noise::new(5)).images);
    assert_eq!(first.images.len(), 12 * DrawConfig::scenes().image_len());
    assert!(first.images.iter().all(|pixel| (0.0..=1.0).contains(pixel)));
    assert!(caption::vocabulary().words.len() <= DrawConfig::scenes().vocabulary_size);
}

/// A picture as 8×8 blocks of mean colour, a digit each: what a change of the art shows up in, and
/// rounding does not.
fn blocks(pixels: &[f32]) -> Vec<f32> {
    let plane = CANVAS * CANVAS;
    let mut blocks = vec![0.0; 3 * 64];
    for (at, pixel) in pixels.iter().enumerate() {
        let (channel, y, x) = (at / plane, at % plane / CANVAS, at % CANVAS);
        blocks[channel * 64 + y / 8 * 8 + x / 8] += pixel / 64.0;
    }
    blocks
}

/// Every object in its own colour and in one that it can be said to have, every place: as on the
/// sheets that were looked at (`aligndraw scenes --sheet objects`, `--sheet places`).
/// `ALIGNDRAW_GOLDEN=write cargo test` writes them anew.
#[test]
fn golden_renders() {
    let mut scenes: Vec<(String, Scene)> = Vec::new();
    for (at, &object) in Object::ALL.iter().enumerate() {
        let plain = one(object, object.places()[0]);
        let colours = object.colours();
        if !colours.is_empty() {
            let mut coloured = plain.clone();
            coloured.things[0].colour = Some(colours[at % colours.len()]);
            scenes.push((format!("{object:?} in a colour"), coloured));
        }
        scenes.push((format!("{object:?}"), plain));
    }
    scenes.extend(Place::ALL.map(|place| (format!("{place:?}"), one(Object::Ball, place))));
    let pictures = pictures();
    let found: Vec<(String, Vec<f32>)> = scenes
        .into_iter()
        .map(|(name, scene)| (name, blocks(&pictures.paint(&scene, &mut Noise::new(9)))))
        .collect();
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/scenes.json");
    if std::env::var_os("ALIGNDRAW_GOLDEN").is_some() {
        let rounded: Vec<(&str, Vec<u8>)> =
            found.iter().map(|(name, b)| (&**name, b.iter().map(|x| (255.0 * x) as u8).collect())).collect();
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("written");
        let lines: Vec<String> =
            rounded.iter().map(|line| serde_json::to_string(line).expect("serialises")).collect();
        std::fs::write(&path, format!("[\n{}\n]\n", lines.join(",\n"))).expect("written");
    }
    let golden: Vec<(String, Vec<u8>)> =
        serde_json::from_slice(&std::fs::read(path).expect("committed")).expect("parses");
    assert_eq!(golden.len(), found.len());
    for ((name, golden), (found_name, found)) in golden.iter().zip(&found) {
        assert_eq!(name, found_name);
        let worst =
            golden.iter().zip(found).map(|(a, b)| (f32::from(*a) - 255.0 * b).abs()).fold(0.0, f32::max);
        assert!(worst < 3.0, "{name}: a block is off by {worst} of 255");
    }
}

#[test]
fn every_colour_shows() {
    let pictures = pictures();
    for &object in Object::ALL {
        let mut seen: Vec<Vec<f32>> = Vec::new();
        for &colour in object.colours() {
            let mut scene = one(object, object.places()[0]);
            scene.things[0].colour = Some(colour);
            let picture = pictures.paint(&scene, &mut Noise::new(2));
            for other in &seen {
                let pixels =
                    picture.chunks(1).zip(other.chunks(1)).filter(|(a, b)| (a[0] - b[0]).abs() > 0.1);
                assert!(pixels.count() > 60, "{object:?}: {colour:?} looks like another colour");
            }
            seen.push(picture);
        }
    }
}

/// An epoch's captions, read back by the grammar: no held-out pair, by any wording. And all of the
/// held-out batches hold one.
#[test]
fn no_held_out_pair_in_a_training_epoch() {
    let (pictures, bans) = (pictures(), Bans::draw(1));
    let vocabulary = caption::vocabulary();
    let mut noise = Noise::stream(1, 1 << 32);
    for _ in 0..20 {
        for held_out in [false, true] {
            for (scene, said) in pictures.draw_batch(held_out, 25, &mut noise) {
                let written = vocabulary.tokens(&said).expect("known words").written.join(" ");
                let (heard, _) = Scene::parse(&written).expect("an object is named");
                assert_eq!(bans.contains(&heard), held_out, "{said}");
                assert_eq!(bans.contains(&scene), held_out);
            }
        }
    }
}

/// What training hears, word id by word id: nothing held out, more often three kinds of objects than in the
/// language, and groups hardly less.
#[test]
fn lessons_are_not_held_out_and_dwell_on_what_is_hard() {
    let (pictures, bans, words) = (pictures(), Bans::draw(1), caption::vocabulary().words);
    let hard = |lessons: bool| {
        let mut noise = Noise::new(3);
        let mut scenes = Vec::new();
        for _ in 0..40 {
            let batch = if lessons {
                pictures.training_batch(10, &mut noise, Lesson::Everything)
            } else {
                pictures.batch(10, &mut noise)
            };
            for ids in batch.ids.chunks(batch.words) {
                let said: Vec<&str> = ids.iter().map(|&id| &*words[id]).collect();
                let (heard, _) = Scene::parse(&said.join(" ")).expect("an object is named");
                assert!(!bans.contains(&heard), "{said:?}");
                scenes.push(heard);
            }
        }
        let of = |is: fn(&Scene) -> bool| scenes.iter().filter(|scene| is(scene)).count();
        [of(|scene| scene.things.len() == 3), of(|scene| scene.things[0].number == Number::Group)]
    };
    let (lessons, language) = (hard(true), hard(false));
    assert!(
        lessons[0] > 2 * language[0] && 4 * lessons[1] > 3 * language[1],
        "{lessons:?}, {language:?} of 400"
    );
}

/// An old photo's place is learned in its own colours: the words that change them are no part of what it is said to be.
#[test]
fn places_are_learned_in_their_own_colours() {
    let (pictures, mut noise) = (pictures(), Noise::new(4));
    let words = caption::vocabulary().words;
    let mut old_photos = 0;
    for _ in 0..20 {
        let batch = pictures.training_batch(10, &mut noise, Lesson::Places);
        let plane = CANVAS * CANVAS;
        for (ids, pixels) in batch.ids.chunks(batch.words).zip(batch.images.chunks(3 * plane)) {
            old_photos += usize::from(ids.iter().any(|&id| words[id] == "vintage"));
            // In an old photo blue is 0.68 / 1.08 of red in every pixel.
            let tone = |at: usize| (pixels[2 * plane + at] - pixels[at] * 0.68 / 1.08).abs();
            assert!((0..plane).any(|at| tone(at) > 0.02), "{ids:?}");
        }
    }
    assert!(old_photos > 0, "no caption of an old photo among 200");
}

/// Words that name an object have its box: of two that stand side by side, the left one's is on the left.
#[test]
fn what_a_caption_names_has_its_box() {
    let (pictures, words) = (pictures(), caption::vocabulary().words);
    let (mut pairs, mut noise) = (0, Noise::new(6));
    for _ in 0..20 {
        let batch = pictures.training_batch(20, &mut noise, Lesson::Everything);
        for (image, ids) in batch.ids.chunks(batch.words).enumerate() {
            let said: Vec<&str> = ids.iter().map(|&id| &*words[id]).collect();
            let (scene, _) = Scene::parse(&said.join(" ")).expect("an object is named");
            let boxes: Vec<_> = batch.boxes.iter().filter(|named| named.image == image).collect();
            for named in &boxes {
                let [left, top, right, bottom] = named.edges;
                assert!(left < 0.9 && top < 0.9 && right > 0.1 && bottom > 0.1, "{named:?} {said:?}");
                assert!(!["a", "the", "on", "two", "left"].contains(&said[named.word]), "{named:?} {said:?}");
            }
            let noun = |thing: usize| {
                let object = scene.things[thing].object;
                mentions(&said)
                    .into_iter()
                    .find(|found| found.object == object)
                    .expect("it is said")
                    .words
                    .end
                    - 1
            };
            let left = |thing: usize| {
                let its = boxes.iter().find(|named| named.word == noun(thing)).expect("it has a box");
                its.edges[0]
            };
            match scene.relation {
                Some(Relation::LeftOf) => assert!(left(0) < left(1), "{said:?}"),
                Some(Relation::RightOf) => assert!(left(0) > left(1), "{said:?}"),
                _ => continue,
            }
            pairs += 1;
        }
    }
    assert!(pairs > 10, "{pairs}");
}
