//! The layered painter: which words are drawn, gradients, and that it paints what it trains.

use aligndraw::checkpoint::{Precision, encode, float_tensors, with_values};
use aligndraw::data::batch::{Lesson, Progress, TrainBatch};
use aligndraw::data::noise::Noise;
use aligndraw::data::scene_pictures::ScenePictures;
use aligndraw::data::scenes::{Bans, Colour, Number, Scene, caption::vocabulary};
use aligndraw::data::source::Source;
use aligndraw::model::{Config, TextToImage, Trainable};
use aligndraw::nn::floats;
use aligndraw::paint::Pipeline;
use aligndraw::text2image::layered::{LayerCurriculum, Layered, LayeredConfig, Lexicon, presets};
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor};

fn lexicon() -> Lexicon {
    presets::scene_lexicon(&vocabulary())
}

/// A small model of the real data.
fn small() -> LayeredConfig {
    LayeredConfig {
        vocabulary_size: vocabulary().words.len(),
        lexicon: lexicon(),
        height: 64,
        width: 64,
        max_things: 6,
        num_steps: 7,
        ..LayeredConfig::tiny()
    }
}

fn item(config: &LayeredConfig, progress: f32) -> TrainBatch {
    let pictures = ScenePictures::new(Bans::draw(1));
    let batch =
        pictures.training_batch(4, &mut Noise::new(3), Layered::lesson(config, Progress::at(progress)));
    TrainBatch { batch, noise_seed: 5, epoch: 1, index: 0, progress: Progress::at(progress) }
}

fn mean_terms(model: &Layered, config: &LayeredConfig, item: &TrainBatch) -> Vec<f64> {
    let terms = model.terms(config, item).0.into_iter();
    terms.map(|(_, term)| f64::from(floats(term.mean().into_data())[0])).collect()
}

/// What a caption's layers say, as words: "green grass field: large red bus, dog dog".
pub fn layers_of(caption: &str) -> String {
    let (vocabulary, lexicon) = (vocabulary(), lexicon());
    let ids = vocabulary.tokens(caption).expect("known words").ids;
    let layers = lexicon.layers(&ids, 6).expect("layers");
    let said = |layer: &aligndraw::text2image::layered::Layer| {
        let words = layer.said.iter().map(|&at| vocabulary.words[ids[at]].as_str());
        words.collect::<Vec<_>>().join(" ")
    };
    let all: Vec<String> = layers.layers.iter().map(said).collect();
    let home = if layers.layers[0].at_home { "at home of " } else { "" };
    let style = if layers.styles.is_empty() { "" } else { " (in a style)" };
    format!("{home}{}: {}{style}", all[0], all[1..].join(", "))
}

#[test]
fn the_words_that_are_drawn_and_what_is_said_of_them() {
    for (caption, layers) in [
        ("a yellow school bus parked in a parking lot", "parking lot: yellow school bus"),
        ("the decadent chocolate desert is in the desert", "desert: decadent chocolate desert"),
        ("two bowls of bananas on a wooden table", "wooden table: bananas, bananas"),
        ("a rider on the blue motorcycle in the forest", "forest: blue motorcycle"),
        ("a vintage photo of a cat", "at home of cat: cat (in a style)"),
        ("a toilet seat sits open in the grass field", "grass field: toilet seat"),
        ("a very large commercial plane flying in clear skies", "clear skies: very large commercial plane"),
        ("a surfer, a woman, and a child walk on the sun", "sun: surfer, woman, child"),
        ("a herd of cows in the sky at night", "night: cows, cows, cows, cows, cows"),
        ("three brown dogs on the grass", "green grass: brown dogs, brown dogs, brown dogs"),
        ("a red bus on the left of two blue cars on the street", "street: red bus, blue cars, blue cars"),
    ] {
        assert_eq!(layers_of(caption), layers, "{caption}");
    }
    assert_eq!(layers_of("the dark forest"), "dark forest: ");
    let nothing = lexicon().layers(&vocabulary().tokens("there are two").expect("words").ids, 6);
    assert!(nothing.expect_err("refused").to_string().contains("names neither a thing nor a place"));
}

#[test]
fn places_are_drawn_as_what_painters_know_and_things_without_what_is_said_of_places() {
    let (vocabulary, lexicon) = (vocabulary(), lexicon());
    let words =
        |ids: &[usize]| -> Vec<&str> { ids.iter().map(|&id| vocabulary.words[id].as_str()).collect() };
    for (caption, place, thing) in [
        ("a dog in the sky", "clear sky", "dog"),
        ("a kite in the dark sky at night", "night", "kite"),
        ("a herd of cows in the green field", "green grass field", "cow"),
        ("a dog in a field", "grass field", "dog"),
        ("a car in the lot", "parking lot", "car"),
        ("a red boat on the deep blue sea", "sea", "red boat"),
        ("a bus on a dark street", "street", "bus"),
        ("a cat in the blue room", "living room", "cat"),
        ("a horse in the dark woods", "woods", "horse"),
        ("a blue city bus", "street", "blue bus"),
        ("a hot pizza on a wooden chair", "living room", "pizza"),
        ("the decadent chocolate desert is in the hot desert", "hot desert", "decadent chocolate desert"),
        ("a big red teddy in the living room", "living room", "big red teddy bear"),
        ("a sign on the street", "street", "stop sign"),
        ("a black bear in the forest", "forest", "black bear"),
        ("two men with surf boards in the sea", "sea", "man surf boards"),
        ("surf boards on the beach", "beach", "surfer"),
    ] {
        let ids = vocabulary.tokens(caption).expect("known words").ids;
        let layers = lexicon.layers(&ids, 6).expect("layers").layers;
        assert_eq!(
            [words(&layers[0].words), words(&layers[1].words)].map(|words| words.join(" ")),
            [place, thing],
            "{caption}"
        );
        for at in &layers[0].said {
            assert!(layers[0].at_home || layers[0].words.contains(&ids[*at]), "{caption}: word {at} is lit");
        }
    }
}

#[test]
fn the_shipped_lexicon_is_the_language_s() {
    let manifest =
        std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/models/scenes.json")).expect("it is shipped");
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).expect("JSON");
    let shipped: Lexicon = serde_json::from_value(manifest["config"]["lexicon"].clone()).expect("a lexicon");
    assert_eq!(shipped, lexicon());
}

#[test]
fn every_caption_of_the_language_has_the_layers_of_its_scene() {
    let (vocabulary, lexicon) = (vocabulary(), lexicon());
    let colours: Vec<usize> = Colour::ALL.iter().filter_map(|c| vocabulary.id(c.word())).collect();
    let mut noise = Noise::new(8);
    for _ in 0..3_000 {
        let scene = Scene::sample(&mut noise);
        let caption = scene.caption(&mut noise);
        let ids = vocabulary.tokens(&caption).expect("known words").ids;
        let layers = lexicon.layers(&ids, 6).unwrap_or_else(|error| panic!("{caption}: {error}"));
        let expected = scene.things.iter().flat_map(|thing| {
            let count = [1, 2, 5][Number::ALL.iter().position(|n| *n == thing.number).expect("a number")];
            std::iter::repeat_n(thing, count)
        });
        let expected: Vec<_> = expected.collect();
        let drawn = &layers.layers[1..];
        for layer in layers.layers.iter().filter(|layer| !layer.at_home) {
            let said: Vec<usize> = layer.said.iter().map(|&at| lexicon.shared(ids[at])).collect();
            assert_eq!(layer.words, said, "what is taught is read as it is said: {caption}");
        }
        assert_eq!(drawn.len(), expected.len(), "{caption}");
        assert_eq!(layers.styles.len(), usize::from(scene.vintage), "{caption}");
        for (layer, thing) in drawn.iter().zip(expected) {
            let colour = layer.said.iter().map(|&at| ids[at]).find(|id| colours.contains(id));
            let named = thing.colour.and_then(|colour| vocabulary.id(colour.word()));
            assert_eq!(colour, named, "{caption}");
        }
    }
}

#[test]
fn no_lesson_shows_a_held_out_composition() {
    let config = presets::scenes().config;
    let (bans, vocabulary) = (Bans::draw(1), vocabulary());
    let pictures = ScenePictures::new(bans.clone());
    for progress in [0.0, 0.5] {
        let lesson = Layered::lesson(&config, Progress::at(progress));
        assert_eq!(lesson == Lesson::OneObject, progress < 0.1);
        let mut noise = Noise::new(4);
        for _ in 0..6 {
            let batch = pictures.training_batch(16, &mut noise, lesson);
            for ids in batch.ids.chunks(batch.words) {
                let words: Vec<&str> = ids.iter().map(|&id| vocabulary.words[id].as_str()).collect();
                let (scene, _) = Scene::parse(&words.join(" ")).expect("a scene");
                assert!(!bans.contains(&scene), "{words:?}");
                let things = config.lexicon.layers(ids, 6).expect("layers").layers.len() - 1;
                assert!(things == 1 || lesson == Lesson::Everything);
            }
        }
    }
}

#[test]
fn sizes_that_cannot_be_are_refused_by_name() {
    let config = LayeredConfig::tiny();
    assert!(config.check().is_ok());
    let with = |change: fn(&mut LayeredConfig)| {
        let mut config = LayeredConfig::tiny();
        change(&mut config);
        config.check().expect_err("refused").to_string()
    };
    assert!(with(|c| c.num_steps = 2).contains("num_steps is 2, expected 3"));
    assert!(with(|c| c.lexicon.styles = vec![70]).contains("word 70"));
    assert!(with(|c| c.lexicon.counts = vec![[6, 9, 9]]).contains("counts 9 of 9, expected 1 to 2"));
    assert!(with(|c| c.lexicon.things.clear()).contains("no things"));
}

/// Gradients by autodiff against central differences of the whole bound.
#[test]
fn gradients_are_those_of_the_bound() {
    struct Collect<'a>(&'a Gradients, Vec<Vec<f32>>);
    impl ModuleVisitor for Collect<'_> {
        fn visit_float<const D: usize>(&mut self, parameter: &Param<Tensor<D>>) {
            let gradient = parameter.val().grad(self.0).map(|gradient| floats(gradient.into_data()));
            self.1.push(gradient.unwrap_or_default());
        }
    }
    let config = small();
    let item = item(&config, 1.0);
    let model = Layered::init(&config, 2, &Device::flex());
    let tracked = model.clone().train();
    let terms = tracked.terms(&config, &item).map(Tensor::mean);
    let loss = terms.0.into_iter().map(|(_, term)| term).reduce(|a, b| a + b).expect("terms");
    let backward = loss.backward();
    let mut found = Collect(&backward, Vec::new());
    tracked.visit(&mut found);
    let tensors = float_tensors(&model);
    let total = |model: &Layered| mean_terms(model, &config, &item).iter().sum::<f64>();
    let mut checked = 0;
    for (at, gradient) in found.1.iter().enumerate() {
        let norm = gradient.iter().map(|g| g * g).sum::<f32>().sqrt();
        if norm < 1.0 {
            continue;
        }
        checked += 1;
        // Along the gradient itself, a short way, since windows have kinks where a cell begins to reach a pixel; not a
        // shorter one, since f32 holds thousands of nats.
        let step = (0.5 / norm).min(4e-4);
        let moved = |sign: f32| {
            let mut index = 0;
            let values = |_: &str, _: &[usize]| {
                let mut values = tensors[index].values.clone();
                if index == at {
                    values.iter_mut().zip(gradient).for_each(|(x, g)| *x += sign * step * g / norm);
                }
                index += 1;
                Ok(values)
            };
            total(&with_values(model.clone(), values).expect("the same shapes"))
        };
        let slope = (moved(1.0) - moved(-1.0)) / (2.0 * f64::from(step));
        let name = &tensors[at].name;
        assert!((slope - f64::from(norm)).abs() < 0.06 * f64::from(norm) + 1.0, "{name}: {slope}, {norm}");
    }
    assert!(checked > 15, "{checked} tensors have a gradient");
}

#[test]
fn it_paints_the_same_from_one_seed_and_goes_on_from_a_branch() {
    let config = small();
    let device = Device::flex();
    let model = Layered::init(&config, 4, &device);
    assert!(encode(&model, Precision::Byte).is_ok());
    let pipeline = Pipeline::new(model.painter(&config, &device), vocabulary(), 1.0);
    let caption = "a red bus and a dog on the street";
    let finish = |pictures: &mut aligndraw::paint::Pictures| {
        let mut all = Vec::new();
        while let Some(frames) = pollster::block_on(pipeline.step(pictures)).expect("a step") {
            all.push(frames);
        }
        all
    };
    let mut first = pipeline.begin(caption, &[4, 5]).expect("a caption");
    let drawn = finish(&mut first);
    assert_eq!(drawn.len(), config.num_steps());
    let again = finish(&mut pipeline.begin(caption, &[5]).expect("a caption"));
    let worst = |a: &[f32], b: &[f32]| a.iter().zip(b).fold(0.0f32, |most, (a, b)| most.max((a - b).abs()));
    let last = drawn.len() - 1;
    assert!(worst(&again[last][0].image, &drawn[last][1].image) < 1e-5);
    assert!(worst(&drawn[last][0].image, &drawn[last][1].image) > 0.0);
    // "the street" is drawn in the first step, then "red bus" and "dog" in equal shares.
    for (step, words) in [(0, &[8][..]), (1, &[1, 2]), (3, &[1, 2]), (4, &[5]), (6, &[5])] {
        let alignment = drawn[step][0].alignment.as_ref().expect("attention");
        let lit: Vec<usize> = (0..alignment.len()).filter(|&word| alignment[word] > 0.0).collect();
        assert_eq!(lit, words, "step {step}");
        let rect = drawn[step][0].rect.expect("a window");
        assert!(rect.width > 0.0 && (step == 0) == (rect.width == 64.0), "step {step}: {rect:?}");
    }
    let same = finish(&mut pipeline.branch(&first, 1, 2, caption, 5).expect("a branch"));
    assert!(worst(&same.last().expect("steps")[0].image, &drawn[last][1].image) < 1e-5);
}

/// Where things stand is learned without pictures as it is with them, and nothing else is.
#[test]
fn frames_are_learned_alone() {
    let alone = LayerCurriculum {
        frames_until: 1.0,
        ..LayeredConfig::scenes(1, Lexicon::default()).curriculum.expect("one")
    };
    let config = LayeredConfig { curriculum: Some(alone), ..small() };
    assert_eq!(Layered::lesson(&config, Progress::at(0.5)), Lesson::Frames);
    let item = item(&config, 0.5);
    assert!(item.batch.images.iter().all(|&value| value == 0.0) && !item.batch.boxes.is_empty());
    let model = Layered::init(&config, 2, &Device::flex());
    let [reconstruction, kl, kl_frame] = mean_terms(&model, &config, &item)[..] else {
        panic!("three terms")
    };
    assert_eq!((reconstruction, kl), (0.0, 0.0));
    let with_pictures = mean_terms(&model, &small(), &item)[2];
    assert!((kl_frame - with_pictures).abs() < 1e-4 * with_pictures, "{kl_frame}, {with_pictures}");
    let tracked = model.train();
    let loss = tracked.terms(&config, &item).0.into_iter().map(|(_, term)| term.mean()).reduce(|a, b| a + b);
    let gradients = loss.expect("terms").backward();
    assert!(tracked.frame_own.val().grad(&gradients).is_some());
    assert!(
        tracked.said.val().grad(&gradients).is_none(),
        "what things are is not learned from where they stand"
    );
    assert!(tracked.patch.val().grad(&gradients).is_none());
}

/// A batch is learned by heart: the error of its pictures falls far below that of fresh weights.
#[test]
fn a_batch_is_learned_by_heart() {
    use burn::optim::{AdamConfig, GradientsParams};
    let config = LayeredConfig { decoder_size: 48, encoder_size: 32, write_size: 10, ..small() };
    let item = item(&config, 1.0);
    let mut model = Layered::init(&config, 2, &Device::flex()).train();
    let mut optimizer = AdamConfig::new().init();
    let error = |model: &Layered| mean_terms(model, &config, &item)[0];
    let before = error(&model);
    for _ in 0..60 {
        let terms = model.terms(&config, &item).map(Tensor::mean);
        let loss = terms.0.into_iter().map(|(_, term)| term).reduce(|a, b| a + b).expect("terms");
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        model = optimizer.step(5e-3, model, gradients);
    }
    let after = error(&model);
    // One in a hundred of 12 288 colour values' deviation is 57 nats: the pictures are there when 3 000 are gone.
    assert!(after < before - 3_000.0, "{before} → {after}");
}

/// Where things stand when each is drawn where it is expected: the middle of each step's frame, pixels.
fn middles(caption: &str) -> Vec<(f32, f32)> {
    let (config, device) = (small(), Device::flex());
    let pipeline =
        Pipeline::new(Layered::init(&config, 4, &device).painter(&config, &device), vocabulary(), 0.0);
    let mut pictures = pipeline.begin(caption, &[1]).expect("a caption");
    let mut found = Vec::new();
    while let Some(frames) = pollster::block_on(pipeline.step(&mut pictures)).expect("a step") {
        let rect = frames[0].frame.expect("a frame");
        found.push((rect.x + rect.width / 2.0, rect.y + rect.height / 2.0));
    }
    found
}

/// Where a thing stands follows from what it is and, of two, from what the other is.
#[test]
fn a_rider_stands_where_its_carrier_has_it_stand() {
    // Steps 1 to 3 draw the first thing, 4 to 6 the second.
    let (couch, chair) = (middles("a dog on a couch"), middles("a dog on a chair in the living room"));
    assert_ne!(couch[1], chair[1]);
    assert_ne!(couch[4], chair[4]);
    let (couch, chair) = (middles("a dog a cat and a couch"), middles("a dog a cat and a chair"));
    assert_eq!(couch[1], chair[1]);
    assert_ne!(couch[5], chair[5]);
}

/// "a below b" stands as "b above a" does, whatever the weights.
#[test]
fn an_inverse_relation_exchanges_the_frames() {
    let above = middles("a dog above a cat on the street");
    let below = middles("a dog below a cat on the street");
    assert_ne!(above[1], above[6]);
    let apart = |a: (f32, f32), b: (f32, f32)| (a.0 - b.0).abs().max((a.1 - b.1).abs());
    // But for what each is.
    assert!(apart(above[1], below[6]) < 1.0 && apart(above[6], below[1]) < 1.0, "{above:?}, {below:?}");
}
