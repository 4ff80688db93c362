//! Colour scenes: which factors of its caption a painted picture shows, and whether the words of an
//! object are looked at while it is painted.

use serde::{Deserialize, Serialize};

use super::judge::Verdict;
use super::share::Share;
use crate::data::scene_pictures::{CANVAS, Placed};
use crate::data::scenes::{Colour, Number, Object, Scene};
use crate::paint::Frame;

/// How many pictures show each factor of their captions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Factors {
    /// The place.
    pub place: Share,
    /// Exactly the named objects.
    pub object: Share,
    /// The same where the caption names one kind of object.
    #[serde(default)]
    pub object_alone: Share,
    /// The same where it names two or three.
    #[serde(default)]
    pub objects_together: Share,
    /// Every named colour, on its object.
    pub colour: Share,
    /// One, two or a group, of a single kind of object.
    pub number: Share,
    /// The size of a single object.
    pub size: Share,
    /// How two objects lie to each other.
    pub relation: Share,
    /// Everything that the caption says.
    pub all: Share,
}

impl Factors {
    /// Counts verdicts.
    pub fn count(verdicts: &[Verdict]) -> Self {
        let mut factors = Self::default();
        for v in verdicts {
            factors.place.add(v.place);
            factors.object.add(v.object);
            let alone = v.number.is_some();
            (if alone { &mut factors.object_alone } else { &mut factors.objects_together }).add(v.object);
            let said = [
                (&mut factors.colour, v.colour),
                (&mut factors.number, v.number),
                (&mut factors.size, v.size),
                (&mut factors.relation, v.relation),
            ];
            let mut all = v.place && v.object;
            for (share, right) in said {
                if let Some(right) = right {
                    share.add(right);
                    all &= right;
                }
            }
            factors.all.add(all);
        }
        factors
    }

    /// Names and shares, in the order of the table.
    pub fn rows(&self) -> [(&'static str, Share); 9] {
        [
            ("place", self.place),
            ("object", self.object),
            ("  where one kind is named", self.object_alone),
            ("  where two or three are", self.objects_together),
            ("colour", self.colour),
            ("number", self.number),
            ("size", self.size),
            ("relation", self.relation),
            ("everything", self.all),
        ]
    }

    /// The least share of a factor that was judged, in percent.
    pub fn least(&self) -> f64 {
        let factors = [self.place, self.object, self.colour, self.number, self.size, self.relation];
        factors.iter().filter(|share| share.of > 0).map(Share::percent).fold(100.0, f64::min)
    }
}

/// In how many pictures exactly the objects of their captions are recognised, by how many a caption names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Recognised {
    /// One object.
    pub one: Share,
    /// Two or three kinds.
    pub together: Share,
    /// Several of a kind.
    pub several: Share,
}

impl Recognised {
    /// Counts the pictures of these scenes.
    pub fn count(scenes: &[Scene], recognised: &[bool]) -> Self {
        let mut counts = Self::default();
        for (scene, right) in scenes.iter().zip(recognised) {
            let share = match scene.things.as_slice() {
                [thing] if thing.number == Number::One => &mut counts.one,
                [_] => &mut counts.several,
                _ => &mut counts.together,
            };
            share.add(*right);
        }
        counts
    }

    /// Names and shares, in the order of the table.
    pub fn rows(&self) -> [(&'static str, Share); 3] {
        [("one object", self.one), ("two or three", self.together), ("several of a kind", self.several)]
    }
}

/// Attention to the words of an object while it is painted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ObjectAttention {
    /// Mean share of the attention that its colour and noun get in the steps that paint it.
    pub on_its_words: f64,
    /// The same when every word gets the same.
    pub uniform: f64,
    /// Pictures.
    pub pictures: usize,
}

impl ObjectAttention {
    /// Adds the drawing of a scene with one object of a named colour. `boxes` are where the renderer
    /// puts the object; a step paints it when more than half of what the step changes lies there.
    /// Scenes without a named colour, and drawings that never paint there, are passed over.
    pub fn add(&mut self, scene: &Scene, caption: &str, boxes: &[Placed], frames: &[&Frame]) {
        let [thing] = scene.things.as_slice() else { return };
        let Some(colour) = thing.colour else { return };
        let its = words_of(caption, thing.object, colour);
        let (mut looked, mut steps) = (0.0, 0);
        for pair in frames.windows(2) {
            let (inside, all) = change(boxes, &pair[0].image, &pair[1].image);
            if inside > 0.5 * all {
                let Some(alignment) = &pair[1].alignment else { return };
                looked += its.iter().map(|&word| f64::from(alignment[word])).sum::<f64>();
                steps += 1;
            }
        }
        if steps > 0 {
            let (before, words) = (self.pictures as f64, caption.split(' ').count() as f64);
            self.pictures += 1;
            let mean = |old: f64, new: f64| (old * before + new) / (before + 1.0);
            self.on_its_words = mean(self.on_its_words, looked / f64::from(steps));
            self.uniform = mean(self.uniform, its.len() as f64 / words);
        }
    }
}

/// The places of an object's colour and noun in its caption.
fn words_of(caption: &str, object: Object, colour: Colour) -> Vec<usize> {
    let nouns: Vec<&str> = object.nouns().iter().flat_map(|(one, many)| [*one, *many]).collect();
    let its =
        |word: &str| word == colour.word() || nouns.iter().any(|noun| noun.split(' ').any(|n| n == word));
    let words = caption.split(' ').enumerate();
    words.filter(|(_, word)| its(word.trim_end_matches(','))).map(|(at, _)| at).collect()
}

/// How much two pictures differ inside the boxes, and everywhere.
fn change(boxes: &[Placed], before: &[f32], after: &[f32]) -> (f32, f32) {
    let (mut inside, mut all) = (0.0, 0.0);
    for (at, (before, after)) in before.iter().zip(after).enumerate() {
        let (x, y) = ((at % CANVAS) as i32, (at / CANVAS % CANVAS) as i32);
        let within = |p: &Placed| {
            let side = p.side as i32;
            (p.left..p.left + side).contains(&x) && (p.top..p.top + side).contains(&y)
        };
        let difference = (after - before).abs();
        all += difference;
        if boxes.iter().any(within) {
            inside += difference;
        }
    }
    (inside, all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_an_object_are_its_colour_and_noun() {
        let caption = "a yellow school bus parked in the parking lot";
        assert_eq!(words_of(caption, Object::Bus, Colour::Yellow), [1, 2, 3]);
    }
}
