//! Captions that no painter was taught, put together of sentences that were.
//!
//! Painters are taught one kind of thing, two things and what the one is to the other, or three things beside each
//! other. "A cat on a car next to a dog" is drawn as a car and a dog, and a cat that lies to the car as in "a cat on
//! a car".

use std::ops::Range;

use burn::tensor::Tensor;

use super::relations::{Kind, Run};
use super::{Layers, Lexicon, Reading};

/// How the layers of a caption are placed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Composition {
    /// The sentences that are asked where their layers lie.
    pub readings: Vec<Reading>,
    /// Of each layer, the reading and the row of it that gives its frame.
    pub rows: Vec<[usize; 2]>,
    /// What is then moved over other things, in this order.
    pub stacks: Vec<Stack>,
    /// Whether one sentence places all, and has one of two things over the other.
    pub is_over: bool,
}

/// Things over others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// The layers that are over the others; to each other they lie as their rows do.
    pub upper: Vec<usize>,
    /// The layers that they are over.
    pub lower: Range<usize>,
    /// The reading that has one thing, its row 1, over another, its row 2.
    pub pair: usize,
    /// Whether the others carry them, and they move together so as to stand on them.
    pub carried: bool,
}

/// What is asked of a reading: where a layer lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The reading and the row of it that say so.
    pub row: [usize; 2],
    /// The layer.
    pub layer: usize,
    /// The other of two things of which one is over the other.
    pub other: Option<usize>,
}

impl Stack {
    /// Where one that is over another lies, and the other.
    pub fn asked(&self) -> [Asked; 2] {
        let (upper, lower) = (self.upper[0], self.lower.start);
        let ask = |row: usize, layer: usize, other: usize| Asked {
            row: [self.pair, row],
            layer,
            other: Some(other),
        };
        [ask(1, upper, lower), ask(2, lower, upper)]
    }
}

impl Composition {
    /// Where a layer lies.
    pub fn asked(&self, layer: usize) -> Asked {
        let row = self.rows[layer];
        let is_it = |asked: &Asked| asked.row == row && asked.layer == layer;
        if let Some(asked) = self.stacks.iter().flat_map(Stack::asked).find(is_it) {
            return asked;
        }
        let is_pair = self.is_over && layer > 0 && self.rows.len() == 3;
        Asked { row, layer, other: is_pair.then(|| 3 - layer) }
    }

    /// The layer with whose frame that of a layer deviates: what it is over, else what its reading places before it.
    pub fn before(&self, layer: usize) -> Option<usize> {
        if let Some(stack) = self.stacks.iter().find(|stack| stack.upper.contains(&layer)) {
            return Some(stack.lower.start);
        }
        let [reading, row] = self.rows[layer];
        let is_beneath = self.stacks.iter().any(|stack| stack.pair == reading);
        let placed = row > 1 && !is_beneath;
        placed.then(|| self.rows.iter().position(|other| *other == [reading, row - 1])).flatten()
    }

    /// A caption whose layers one sentence places.
    fn of(reading: Reading) -> Self {
        let rows = (0..reading.rows.len()).map(|row| [0, row]).collect();
        Self { readings: vec![reading], rows, stacks: Vec::new(), is_over: false }
    }

    /// Whether one sentence places all layers in its order.
    pub fn is_plain(&self) -> bool {
        self.stacks.is_empty() && self.rows.iter().enumerate().all(|(at, row)| *row == [0, at])
    }

    /// Takes the rows of layers from a reading of them.
    fn read(&mut self, reading: Reading, layers: &[usize]) {
        for (row, &layer) in layers.iter().enumerate() {
            self.rows[layer] = [self.readings.len(), row + 1];
        }
        self.readings.push(reading);
    }
}

impl Lexicon {
    /// How a caption of these layers is placed: as it was typed where painters are taught such sentences, with the
    /// words of the place that is meant where it names none.
    pub fn composition(&self, ids: &[usize], layers: &Layers) -> Composition {
        let typed = Reading::typed(ids, &layers.layers);
        let (place, things) = (&layers.layers[0], &layers.layers[1..]);
        let mut runs = self.runs(ids, things);
        let is_over = runs.iter().any(|run| run.over.is_some());
        let placed_by = |reading| Composition { is_over, ..Composition::of(reading) };
        let Some(phrase) = self.phrases.iter().find(|phrase| self.says(phrase) == place.words) else {
            return placed_by(typed);
        };
        let kinds: usize = runs.iter().map(|run| run.kinds.len()).sum();
        let flies = runs.iter().any(|run| run.flies) && !self.is_sky(&place.words);
        if flies {
            self.raise(&mut runs);
        }
        let untaught = kinds > 1 && (things.len() > 2 || flies);
        if let Some(composition) = untaught.then(|| self.composed(&runs, things.len(), phrase)).flatten() {
            return composition;
        }
        let at_home = place.at_home && layers.styles.is_empty();
        placed_by(if at_home { typed.in_place(phrase) } else { typed })
    }

    /// What stands by itself as the list of it, then what is over it, and over that; none where there are no sentences
    /// of so many things.
    fn composed(&self, runs: &[Run], things: usize, phrase: &[usize]) -> Option<Composition> {
        let mut composition = Composition {
            readings: Vec::new(),
            rows: vec![[0, 0]; things + 1],
            stacks: Vec::new(),
            is_over: false,
        };
        let layers = |run: &Run| -> Vec<usize> { run.kinds.iter().cloned().flatten().collect() };
        let (mut placed, mut left): (Vec<&Run>, Vec<&Run>) = runs.iter().partition(|run| run.over.is_none());
        let standing: Vec<usize> = placed.iter().flat_map(|run| layers(run)).collect();
        if standing.len() > 1 {
            composition.read(self.list(standing.len(), phrase)?, &standing);
        }
        while !left.is_empty() {
            let stands = |kind: &Kind| placed.iter().any(|run| run.kinds.contains(kind));
            let next = left.iter().position(|run| run.over.as_ref().is_some_and(|(kind, _)| stands(kind)))?;
            let run = left.remove(next);
            let (lower, relation) = run.over.clone()?;
            let (upper, pair) = (layers(run), composition.readings.len());
            composition.readings.push(self.pair(relation, phrase)?);
            match upper[..] {
                [only] => composition.rows[only] = [pair, 1],
                _ => composition.read(self.list(upper.len(), phrase)?, &upper),
            }
            if let ([only], true) = (&standing[..], composition.stacks.is_empty()) {
                composition.rows[*only] = [pair, 2];
            }
            let carried = self.carries.contains(&relation);
            composition.stacks.push(Stack { upper, lower, pair, carried });
            placed.push(run);
        }
        Some(composition)
    }
}

/// A picture's frames (x, y, size) [layer, 3] with what is over other things moved there; `pairs` [2 · stack, 3] are the
/// frames that [`Stack::asked`] asks for.
pub fn stacked(composition: &Composition, frames: &Tensor<2>, pairs: &Tensor<2>) -> Tensor<2> {
    let row = |table: &Tensor<2>, at: usize| table.clone().narrow(0, at, 1);
    let mut frames: Vec<Tensor<2>> = (0..composition.rows.len()).map(|at| row(frames, at)).collect();
    for (at, Stack { upper, lower, carried, .. }) in composition.stacks.iter().enumerate() {
        let [above, below] = [0, 1].map(|which| row(pairs, 2 * at + which));
        let lower = Tensor::cat(frames[lower.clone()].to_vec(), 0).mean_dim(0);
        let scale = size(&lower) / size(&below);
        let one = size(&above) * scale.clone();
        let group = Tensor::cat(upper.iter().map(|&layer| frames[layer].clone()).collect(), 0);
        let smaller = (size(&above) / size(&group)).clamp_max(1.0) * scale.clone();
        let mut sizes = size(&group) * smaller.clone();
        let mut apart = (centre(&group) - centre(&group).mean_dim(0)) * smaller;
        if *carried {
            // They move together, and become smaller by half as much.
            let reach = axis(&apart, 0).abs().max_dim(0).clamp_min(LEAST_REACH);
            let share = ((size(&lower) - one.clone() * 0.5) / reach).clamp(0.0, 1.0);
            apart = apart * share.clone();
            sizes = sizes * (share * 0.5 + 0.5);
        }
        // The lowest stand where one would.
        let down = one - (axis(&apart, 1) + sizes.clone()).max_dim(0);
        let middle = centre(&lower) + (centre(&above) - centre(&below)) * scale;
        let (x, y) = (axis(&middle, 0) + axis(&apart, 0), axis(&middle, 1) + axis(&apart, 1) + down);
        let moved = Tensor::cat(vec![x, y, sizes], 1);
        for (row, &layer) in upper.iter().enumerate() {
            frames[layer] = moved.clone().narrow(0, row, 1);
        }
    }
    let things = Tensor::cat(frames.split_off(1), 0);
    frames.push(fitted(&things));
    Tensor::cat(frames, 0)
}

/// Things that stand less apart than this stand in one place, half-canvases.
const LEAST_REACH: f32 = 1e-3;

fn centre(frames: &Tensor<2>) -> Tensor<2> {
    frames.clone().narrow(1, 0, 2)
}

/// One number of each frame or centre: 0 is x, 1 is y.
fn axis(frames: &Tensor<2>, at: usize) -> Tensor<2> {
    frames.clone().narrow(1, at, 1)
}

fn size(frames: &Tensor<2>) -> Tensor<2> {
    axis(frames, 2)
}

/// Frames [thing, 3] made smaller so that all lie on the canvas, what stands lowest where it stood.
fn fitted(frames: &Tensor<2>) -> Tensor<2> {
    let (x, y, size) = (axis(frames, 0), axis(frames, 1), size(frames));
    let ground = (y.clone() + size.clone()).max_dim(0);
    let height = (ground.clone() + (size.clone() - y.clone()).max_dim(0)) / (ground.clone() + 1.0);
    let width = (x.clone().abs() + size.clone()).max_dim(0);
    let times = height.max_pair(width).clamp_min(1.0);
    let y = ground.clone() - (ground - y) / times.clone();
    Tensor::cat(vec![x / times.clone(), y, size / times], 1)
}

#[cfg(test)]
mod tests {
    use super::super::presets::scene_lexicon;
    use super::*;
    use crate::data::noise::Noise;
    use crate::data::scenes::{Scene, caption::vocabulary};

    /// How a caption is placed: what is asked, the reading and row of each layer, "2,3 over 1 as 0" for what is moved.
    fn placed(caption: &str) -> String {
        let vocabulary = vocabulary();
        let lexicon = scene_lexicon(&vocabulary);
        let ids = vocabulary.tokens(caption).expect("known words").ids;
        let layers = lexicon.layers(&ids, 6).expect("layers");
        let composition = lexicon.composition(&ids, &layers);
        let words = |reading: &Reading| {
            reading.ids.iter().map(|&id| vocabulary.words[id].as_str()).collect::<Vec<_>>().join(" ")
        };
        let readings: Vec<_> = composition.readings.iter().map(words).collect();
        if composition.is_plain() {
            return readings.concat();
        }
        let rows = composition.rows[1..].iter().map(|[reading, row]| format!("{reading}.{row}"));
        let stacks = composition.stacks.iter().map(|Stack { upper, lower, pair, .. }| {
            format!("; {upper:?} over {:?} as {pair}", lower.clone().collect::<Vec<_>>())
        });
        format!(
            "{} [{}]{}",
            readings.join(", "),
            rows.collect::<Vec<_>>().join(" "),
            stacks.collect::<String>()
        )
    }

    #[test]
    fn what_painters_are_taught_is_placed_as_it_is_typed() {
        for caption in [
            "a red bus above a dog in the desert",
            "a vintage photo of a cat",
            "a herd of cows is in the snow",
            "a large dog stands on the beach",
            "a dog is on the right of a cat on the beach",
        ] {
            assert_eq!(placed(caption), caption);
        }
        assert_eq!(placed("a dog and a kite"), "a dog and a kite in a green grass field");
        assert_eq!(placed("a kite above a boat"), "a kite above a boat in the sea");
        assert_eq!(placed("a dog on a couch"), "a dog on a couch in the living room");
    }

    /// Nothing of the data set's language is put together; three kinds are read in the plainest of the sentences that
    /// list them.
    #[test]
    fn all_that_painters_are_taught_is_asked_in_one_sentence() {
        let vocabulary = vocabulary();
        let lexicon = scene_lexicon(&vocabulary);
        let mut noise = Noise::new(5);
        for _ in 0..3_000 {
            let scene = Scene::sample(&mut noise);
            let caption = scene.caption(&mut noise);
            let ids = vocabulary.tokens(&caption).expect("known words").ids;
            let layers = lexicon.layers(&ids, 6).expect("layers");
            let composition = lexicon.composition(&ids, &layers);
            assert!(composition.is_plain(), "{caption}");
            let typed = Reading::typed(&ids, &layers.layers);
            assert_eq!(composition.readings == [typed], scene.things.len() < 3, "{caption}");
        }
    }

    #[test]
    fn more_things_are_placed_as_what_they_are_taught() {
        for (caption, how) in [
            ("a dog a bird and a cat in the snow", "a cat a cat and a cat are in the snow"),
            ("two dogs and two birds on the grass", "a group of cats are on the green grass"),
            (
                "a dog to the right of two cats on the beach",
                "a cat a cat and a cat are on the beach [0.3 0.1 0.2]",
            ),
            (
                "two dogs on a couch in the snow",
                "a cat on a cat in the snow, a cat and a cat in the snow [1.1 1.2 0.2]; [1, 2] over [3] as 0",
            ),
            (
                "a cat on a car next to a dog in the snow",
                "a cat and a cat in the snow, a cat on a cat in the snow [1.1 0.1 0.2]; [1] over [2] as 1",
            ),
            (
                "a bird above a cat on a couch in the snow",
                "a cat on a cat in the snow, a cat above a cat in the snow [1.1 0.1 0.2]; [2] over [3] as 0; \
                 [1] over [2] as 1",
            ),
            (
                "a sheep under two planes in the desert",
                "a cat over a cat in the desert, a cat and a cat in the desert [0.2 1.1 1.2]; [2, 3] over [1] as 0",
            ),
            (
                "a boat on the sea and a bird in the night sky",
                "a cat above a cat in the sea [0.2 0.1]; [2] over [1] as 0",
            ),
            (
                "a dog on the beach and a cat on a car",
                "a cat and a cat on the beach, a cat on a cat on the beach [0.1 1.1 0.2]; [2] over [3] as 1",
            ),
        ] {
            assert_eq!(placed(caption), how, "{caption}");
        }
    }
    /// Of two things of which one is over the other each hears of the other, also among more.
    #[test]
    fn what_a_thing_is_to_another_is_asked_with_what_the_other_is() {
        let (vocabulary, lexicon) = (vocabulary(), scene_lexicon(&vocabulary()));
        let others = |caption: &str| -> Vec<Option<usize>> {
            let ids = vocabulary.tokens(caption).expect("known words").ids;
            let layers = lexicon.layers(&ids, 6).expect("layers");
            let composition = lexicon.composition(&ids, &layers);
            (0..composition.rows.len()).map(|layer| composition.asked(layer).other).collect()
        };
        assert_eq!(others("a dog in the snow"), [None, None]);
        assert_eq!(others("a dog on a couch in the snow"), [None, Some(2), Some(1)]);
        assert_eq!(others("a couch below a dog in the snow"), [None, Some(2), Some(1)]);
        for beside in
            ["a dog next to a couch in the snow", "a dog and a couch in the snow", "two dogs in the snow"]
        {
            assert_eq!(others(beside), [None; 3], "{beside}");
        }
        assert_eq!(others("a dog a bird and a cat in the snow"), [None; 4]);
        assert_eq!(others("a cat on a car next to a dog in the snow"), [None, Some(2), None, None]);
    }
}
