//! Colour scenes: which factors of a picture its description names, and whether the captioner attends to an
//! object while it says its noun.

use serde::{Deserialize, Serialize};

use super::judge::{Labels, Verdict};
use crate::data::scene_pictures::{CANVAS, Placed};
use crate::data::scenes::Scene;
use crate::data::scenes::mentions::mentions;
use crate::describe::Description;

/// Whether a description names each factor of a scene: everything that a caption of the scene says. What the
/// grammar says in several ways is one: "a and b" is drawn as "a on the left of b".
pub fn verdict(scene: &Scene, description: &str) -> Verdict {
    let truth = Labels::of(scene);
    let Some((said, _)) = Scene::parse(description) else {
        return verdict_of(&truth, None);
    };
    verdict_of(&truth, Some(&Labels::of(&said)))
}

/// Of each object with a colour in both the scene and the description, whether it is the same: what is left of
/// [`verdict`]'s colours when an unsaid one counts for nothing. An object's own colour may look like a named one.
pub fn said_colours(scene: &Scene, description: &str) -> Vec<bool> {
    let Some((said, _)) = Scene::parse(description) else { return Vec::new() };
    let (truth, said) = (Labels::of(scene), Labels::of(&said));
    let of = |object: usize| said.colours.iter().find(|(other, _)| *other == object);
    let same = |&(object, colour): &(usize, usize)| of(object).map(|(_, other)| *other == colour);
    truth.colours.iter().filter_map(same).collect()
}

fn verdict_of(truth: &Labels, said: Option<&Labels>) -> Verdict {
    let is = |of: fn(&Labels) -> Option<usize>| {
        of(truth).map(|label| said.is_some_and(|said| of(said) == Some(label)))
    };
    let named = |colour: &(usize, usize)| said.is_some_and(|said| said.colours.contains(colour));
    Verdict {
        place: said.is_some_and(|said| said.place == truth.place),
        object: said.is_some_and(|said| said.objects == truth.objects),
        colour: (!truth.colours.is_empty()).then(|| truth.colours.iter().all(named)),
        number: is(|labels| labels.number),
        size: is(|labels| labels.size),
        relation: is(|labels| labels.relation),
    }
}

/// Attention to an object while its noun is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NounAttention {
    /// Mean share of the attention that lies inside the object's boxes.
    pub inside: f64,
    /// The same if every cell got the same: the boxes' share of the picture.
    pub uniform: f64,
    /// Share of the nouns whose most attended cell has its middle inside a box.
    pub peak_inside: f64,
    /// Nouns of objects that are there.
    pub nouns: usize,
}

impl NounAttention {
    /// Adds a description of a scene, whose objects stand in `boxes`, by a captioner with a grid of `rows` and
    /// `columns`. Nouns of objects that are not there, and words without attention, are passed over.
    pub fn add(&mut self, scene: &Scene, boxes: &[Placed], description: &Description, grid: [usize; 2]) {
        let words: Vec<&str> = description.words.iter().map(|word| word.text.as_str()).collect();
        let mentioned = mentions(&words);
        for (thing, of) in scene.things.iter().enumerate() {
            let its: Vec<&Placed> = boxes.iter().filter(|placed| placed.thing == Some(thing)).collect();
            for at in
                mentioned.iter().filter(|found| found.object == of.object).map(|found| found.words.end - 1)
            {
                let Some(attention) = &description.words[at].attention else { continue };
                self.count(attention, &its, grid);
            }
        }
    }

    fn count(&mut self, attention: &[f32], boxes: &[&Placed], grid: [usize; 2]) {
        let shares = covered(boxes, grid);
        let inside: f64 = attention.iter().zip(&shares).map(|(&a, share)| f64::from(a) * share).sum();
        let uniform = shares.iter().sum::<f64>() / shares.len() as f64;
        let peak = (0..attention.len()).max_by(|&a, &b| attention[a].total_cmp(&attention[b]));
        let peak_inside = peak.is_some_and(|cell| {
            let [y, x] = middle(cell, grid);
            boxes.iter().any(|placed| contains(placed, x, y))
        });
        let before = self.nouns as f64;
        let mean = |old: f64, new: f64| (old * before + new) / (before + 1.0);
        self.nouns += 1;
        self.inside = mean(self.inside, inside);
        self.uniform = mean(self.uniform, uniform);
        self.peak_inside = mean(self.peak_inside, f64::from(u8::from(peak_inside)));
    }
}

/// The middle pixel of a cell, row and column.
fn middle(cell: usize, [rows, columns]: [usize; 2]) -> [i32; 2] {
    let [row, column] = [cell / columns, cell % columns];
    [(2 * row + 1) * CANVAS / (2 * rows), (2 * column + 1) * CANVAS / (2 * columns)].map(|at| at as i32)
}

fn contains(placed: &Placed, x: i32, y: i32) -> bool {
    let side = placed.side as i32;
    (placed.left..placed.left + side).contains(&x) && (placed.top..placed.top + side).contains(&y)
}

/// The share of each cell's pixels that lie inside a box.
fn covered(boxes: &[&Placed], [rows, columns]: [usize; 2]) -> Vec<f64> {
    let mut shares = vec![0.0; rows * columns];
    let mut pixels = vec![0.0; rows * columns];
    for y in 0..CANVAS {
        for x in 0..CANVAS {
            let cell = y * rows / CANVAS * columns + x * columns / CANVAS;
            pixels[cell] += 1.0;
            if boxes.iter().any(|placed| contains(placed, x as i32, y as i32)) {
                shares[cell] += 1.0;
            }
        }
    }
    shares.iter().zip(pixels).map(|(inside, all): (&f64, f64)| inside / all.max(1.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::noise::Noise;
    use crate::describe::SaidWord;

    #[test]
    fn a_caption_of_a_scene_names_all_of_it() {
        let mut noise = Noise::new(4);
        for _ in 0..2_000 {
            let scene = Scene::sample(&mut noise);
            let caption = scene.caption(&mut noise);
            let found = verdict(&scene, &caption);
            let factors = [found.colour, found.number, found.size, found.relation];
            let right = found.place && found.object && factors.iter().all(|factor| *factor != Some(false));
            assert!(right, "{caption}: {found:?}");
        }
    }

    #[test]
    fn what_is_not_said_is_not_named() {
        let (scene, _) = Scene::parse("a large red bus parked on the street").expect("a bus");
        let of = |caption: &str| verdict(&scene, caption);
        assert_eq!(of("a red bus parked on the street").size, Some(false));
        assert_eq!(of("a large bus parked on the street").colour, Some(false));
        assert!(!of("a large red car parked on the street").object);
        assert!(!of("a large red bus parked in the desert").place);
        assert_eq!(said_colours(&scene, "a red bus on the street"), [true]);
        assert_eq!(said_colours(&scene, "a blue bus on the street"), [false]);
        assert!(said_colours(&scene, "a bus on the street").is_empty());
        assert!(!of("there is a picture").object && !of("").place);
        let (pair, _) = Scene::parse("a red bus and a dog standing on the street").expect("two");
        assert_eq!(verdict(&pair, "a dog on the right of a red bus on the street").relation, Some(true));
        assert_eq!(verdict(&pair, "a dog on the left of a red bus on the street").relation, Some(false));
    }

    /// A box over the left half of a grid of 1 × 2 cells, and over the upper left quarter.
    #[test]
    fn attention_is_counted_inside_the_box() {
        let scene = Scene::parse("a dog walking on the street").expect("a dog").0;
        let word = |text: &str, left: f32| SaidWord {
            text: text.to_owned(),
            log_prob: 0.0,
            attention: Some(vec![left, 1.0 - left]),
        };
        let words = vec![word("a", 0.1), word("dog", 0.8), word("walking", 0.0)];
        let description = Description { words, log_prob: 0.0, score: 0.0 };
        let of = |side: usize| {
            let placed = Placed { thing: Some(0), left: 0, top: 0, side };
            let mut attention = NounAttention::default();
            attention.add(&scene, &[placed], &description, [1, 2]);
            attention
        };
        let quarter = of(CANVAS / 2);
        assert_eq!((quarter.nouns, quarter.uniform), (1, 0.25));
        assert!((quarter.inside - 0.4).abs() < 1e-6, "{quarter:?}");
        // The middle of the left cell is below a box of half the picture's side, and inside a larger one.
        assert_eq!((quarter.peak_inside, of(40).peak_inside), (0.0, 1.0));
    }
}
