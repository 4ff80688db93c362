//! Whole training runs of the layered painter.

use super::{CodesConfig, LayerCurriculum, LayeredConfig, Lexicon};
use crate::data::scenes::{caption, roles::roles};
use crate::data::source::DataSet;
use crate::data::vocabulary::Vocabulary;
use crate::options::{OptimizerKind, Preset, Schedule, TrainOptions};

/// The lexicon of the colour scenes, from the description of their language.
pub fn scene_lexicon(vocabulary: &Vocabulary) -> Lexicon {
    let roles = roles();
    let id = |word: &str| vocabulary.id(word);
    let ids = |words: &[&str]| -> Vec<usize> {
        let mut ids: Vec<usize> = words.iter().filter_map(|word| id(word)).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    };
    let sentence_ids = |sentence: &str| -> Vec<usize> { sentence.split(' ').filter_map(id).collect() };
    let mut things: Vec<[usize; 2]> =
        roles.things.iter().filter_map(|(word, plain)| Some([id(word)?, id(plain)?])).collect();
    things.sort_unstable();
    things.dedup_by_key(|[word, _]| *word);
    let said = ids(&roles.said);
    // Not sorted: the first, which the others are read as, is one that the grammar says.
    let groups = roles.groups.iter().filter_map(|word| id(word)).collect();
    let nouns: Vec<usize> = things.iter().map(|[word, _]| *word).collect();
    let lexicon = Lexicon {
        places: ids(&roles.places),
        things,
        compounds: ids(&roles.compounds),
        counts: roles.counts.iter().filter_map(|(word, count, of)| Some([id(word)?, *count, *of])).collect(),
        boundaries: (0..vocabulary.words.len()).filter(|id| !said.contains(id)).collect(),
        styles: ids(&roles.styles),
        homes: roles.homes.iter().filter_map(|(word, place)| Some((id(word)?, ids(place)))).collect(),
        inverses: roles.inverses.iter().filter_map(|(word, other)| Some([id(word)?, id(other)?])).collect(),
        alike: vec![nouns, ids(&roles.colours), groups],
        names: Vec::new(),
        carried: roles
            .carried
            .iter()
            .filter_map(|(word, carrier, alone)| Some([id(word)?, id(carrier)?, id(alone)?]))
            .collect(),
        phrases: Vec::new(),
        skies: ids(&roles.skies),
        joins: ids(&roles.joins),
        after: ids(&roles.after),
        relations: ids(&roles.relations),
        carries: ids(&roles.carries),
        lists: roles.lists.iter().map(|(number, sentence)| (*number, sentence_ids(sentence))).collect(),
    };
    let names = roles.names.iter().map(|name| lexicon.says(&sentence_ids(name))).collect();
    let mut phrases: Vec<Vec<usize>> = Vec::new();
    for phrase in roles.place_phrases.iter().map(|phrase| sentence_ids(phrase)) {
        if !phrases.iter().any(|known| lexicon.says(known) == lexicon.says(&phrase)) {
            phrases.push(phrase);
        }
    }
    Lexicon { names, phrases, ..lexicon }
}

/// Colour scenes, 64×64.
pub fn scenes() -> TrainOptions<LayeredConfig> {
    let vocabulary = caption::vocabulary();
    let lexicon = scene_lexicon(&vocabulary);
    TrainOptions {
        preset: "scenes".to_owned(),
        data: DataSet::Scenes,
        augmentation: None,
        config: LayeredConfig::scenes(vocabulary.words.len(), lexicon),
        started_from: None,
        seed: 1,
        held_out_seed: 1,
        batch_size: 32,
        batches_per_epoch: 100,
        epochs: 90,
        validation_images: 320,
        optimizer: OptimizerKind::Adam,
        learning_rate: 2e-3,
        schedule: Schedule::Cosine { warmup: 100, constant_until: 0.5 },
        clip: 10.0,
        average_decay: 0.99,
        temperature: 1.0,
        step_curriculum: None,
        patience: None,
    }
}

/// The places of [`scenes`] in codes, learned from pictures of places alone; all else stays as it is.
pub fn scene_places() -> TrainOptions<LayeredConfig> {
    let options = scenes();
    let curriculum =
        options.config.curriculum.map(|curriculum| LayerCurriculum { places_until: 1.0, ..curriculum });
    TrainOptions {
        preset: "scene-places".to_owned(),
        config: LayeredConfig { place_codes: Some(CodesConfig::scenes()), curriculum, ..options.config },
        epochs: 40,
        ..options
    }
}

/// All of them, as `aligndraw train --preset` lists them.
pub fn all() -> Vec<Preset<LayeredConfig>> {
    let preset = |name, about, options| Preset { name, about, options };
    vec![
        preset("scenes", "Colour scenes in layers: a place, then each thing in a frame of its own", scenes()),
        preset(
            "scene-places",
            "Their places in codes, as sharp as renders: begin with the weights of `scenes` (--from)",
            scene_places(),
        ),
    ]
}
