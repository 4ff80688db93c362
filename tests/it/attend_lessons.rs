//! What captioners learn from besides captions: where things stand, and what sentences of their own are worth.

use std::borrow::Cow;

use aligndraw::data::batch::{CaptionBatch, NO_WORD, NamedBox};
use aligndraw::image2text::attend::{Attend, AttendConfig, Attention};
use aligndraw::model::Trainable;
use aligndraw::nn::floats;
use burn::module::Module;
use burn::tensor::Device;

use crate::attend::{by_heart, item, learned_from};

fn fresh(config: &AttendConfig) -> Attend {
    Attend::init(config, 7, &Device::flex().autodiff())
}

/// A term of a batch, its mean.
fn term(
    model: &Attend,
    config: &AttendConfig,
    batch: &CaptionBatch<'static>,
    name: &str,
    epoch: usize,
) -> f32 {
    let terms = model.terms(config, &item(batch.clone(), epoch));
    let at = Attend::term_names(config).iter().position(|other| *other == name).expect("a term");
    floats(terms.0[at].1.clone().mean().into_data())[0]
}

/// The second word of each caption names what stands on the left of the first and third picture, and on the right of
/// the others.
fn with_boxes(config: &AttendConfig) -> CaptionBatch<'static> {
    let named = |image: usize| {
        let left = if image.is_multiple_of(2) { 0.0 } else { 0.66 };
        NamedBox { image, word: 1, edges: [left, 0.0, left + 0.34, 1.0] }
    };
    by_heart(config).with_boxes(Cow::Owned((0..4).map(named).collect()))
}

#[test]
fn attention_is_taught_where_things_stand() {
    for attention in [Attention::Soft, Attention::Hard] {
        let outside = |taught: f32, updates: usize| {
            let config = AttendConfig { attention, grounding: taught, coverage: 0.0, ..AttendConfig::tiny() };
            let batch = with_boxes(&config);
            let (model, _) = learned_from(fresh(&config), &config, &batch, (updates, 0.01));
            term(&model, &config, &batch, "grounding", 0) / taught
        };
        // One of three columns: a share of e^−1.1 is inside at first.
        let first = outside(1.0, 0);
        assert!((0.8..1.4).contains(&first), "{attention:?}: {first}");
        let (untaught, taught) = (outside(1e-6, 80), outside(1.0, 80));
        assert!(taught < 0.1 && untaught > 3.0 * taught, "{attention:?}: {untaught} {taught}");
    }
}

/// While it is learned, a word is said by what is inside its box; a box around all changes nothing.
#[test]
fn the_attention_is_kept_inside_while_it_is_learned() {
    let config = AttendConfig { grounding: 1.0, coverage: 0.0, ..AttendConfig::tiny() };
    let model = fresh(&config).valid();
    let words = |batch: &CaptionBatch<'static>, epoch: usize| term(&model, &config, batch, "words", epoch);
    let (plain, boxed) = (by_heart(&config), with_boxes(&config));
    let all = NamedBox { image: 2, word: 3, edges: [-0.1, -0.1, 1.1, 1.1] };
    let whole = by_heart(&config).with_boxes(Cow::Owned(vec![all]));
    assert!((words(&whole, 1) - words(&plain, 1)).abs() < 1e-5);
    assert!(term(&model, &config, &whole, "grounding", 1).abs() < 1e-5);
    assert!((words(&boxed, 1) - words(&plain, 1)).abs() > 1e-4);
    assert_eq!(words(&boxed, 0), words(&plain, 0), "nobody knows the boxes of what is described");
    let half = boxed.slice(1, 3);
    assert_eq!(half.boxes.iter().map(|named| named.image).collect::<Vec<_>>(), [0, 1]);
}

/// From a model that has learned the captions in part: what it says becomes worth more, the captions' own words without
/// a gradient.
#[test]
fn sentences_of_its_own_are_learned_by_their_worth() {
    for attention in [Attention::None, Attention::Soft, Attention::Hard] {
        let config = AttendConfig { attention, ..AttendConfig::tiny() };
        let (model, nats) = learned_from(fresh(&config), &config, &by_heart(&config), (40, 0.01));
        let critical = AttendConfig { self_critical: 10, ..config.clone() };
        // Every word of the third picture's second reference is unknown: nothing can be had from it.
        let ids = by_heart(&config).ids;
        let mut references: Vec<Vec<Vec<usize>>> = ids.chunks(4).map(|ids| vec![ids.to_vec()]).collect();
        references[2].push(vec![NO_WORD; 4]);
        let batch = by_heart(&config).with_references(references);
        let worth = |model: &Attend| -term(model, &critical, &batch, "cider", 0);
        let before = worth(&model);
        let (after, _) = learned_from(model.train(), &critical, &batch, (400, 0.003));
        let after = worth(&after);
        assert!(
            nats > 1.0 && before < 7.0 && after > before + 1.0,
            "{attention:?}: {nats}, {before} {after}"
        );
        assert_eq!(term(&fresh(&config).valid(), &critical, &batch, "words", 1), {
            term(&fresh(&config).valid(), &config, &batch, "words", 1)
        });
    }
}
