//! The combinations that are never trained on.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Colour, Number, Object, Place, Scene, Thing};
use crate::data::noise::Noise;

/// The captions of the paper's figures.
const FIGURES: &str = include_str!("../../../data/scenes/figures.txt");

/// The combinations that are never trained on, whatever the wording: a tenth of all that can be said,
/// drawn by a seed, without the possible ones of the paper's figures; and the impossible ones of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bans {
    /// The seed they were drawn from.
    pub seed: u64,
    /// An object and the colour that it never has.
    pub colours: BTreeSet<(Object, Colour)>,
    /// An object and a place where it never is.
    pub places: BTreeSet<(Object, Place)>,
    /// An object and a number of it that is never seen.
    pub numbers: BTreeSet<(Object, Number)>,
}

/// The paper's figures: what flies there and sits there, and who walks on the sun.
fn impossible() -> impl Iterator<Item = (Object, Place)> {
    let flying = [Object::Bus, Object::StopSign, Object::Elephant];
    let flying = flying.into_iter().flat_map(|object| Place::SKIES.map(|sky| (object, sky)));
    let walkers = [Object::Surfer, Object::Woman, Object::Child, Object::Person];
    let grass = [Place::DryGrass, Place::GreenGrass].map(|grass| (Object::Toilet, grass));
    flying.chain(grass).chain(walkers.map(|walker| (walker, Place::Sun)))
}

/// A tenth of the pairs, at random.
fn tenth<T: Copy>(mut pairs: Vec<T>, noise: &mut Noise) -> Vec<T> {
    let len = pairs.len() / 10;
    for i in 0..len {
        let other = i + noise.below(pairs.len() - i);
        pairs.swap(i, other);
    }
    pairs.truncate(len);
    pairs
}

impl Bans {
    /// Draws the bans for a seed.
    pub fn draw(seed: u64) -> Self {
        let mut noise = Noise::new(seed);
        let objects = Object::ALL.iter().copied();
        let colours = objects.clone().flat_map(|o| o.colours().iter().map(move |&colour| (o, colour)));
        let places = objects.clone().flat_map(|o| o.places().into_iter().map(move |place| (o, place)));
        let numbers = objects.flat_map(|o| [Number::Two, Number::Group].map(move |number| (o, number)));
        let impossible: BTreeSet<_> = impossible().collect();
        let places = places.filter(|pair| !impossible.contains(pair)).collect();
        let mut bans = Self {
            seed,
            colours: tenth(colours.collect(), &mut noise).into_iter().collect(),
            places: tenth(places, &mut noise).into_iter().collect(),
            numbers: tenth(numbers.collect(), &mut noise).into_iter().collect(),
        };
        bans.spare_the_figures();
        bans.places.extend(impossible);
        bans
    }

    /// The paper shows its possible scenes as ones that its model was trained on.
    fn spare_the_figures(&mut self) {
        let captions = FIGURES.lines().filter(|line| !line.starts_with('#'));
        for (scene, stated) in captions.filter_map(Scene::parse) {
            for thing in &scene.things {
                if let Some(colour) = thing.colour {
                    self.colours.remove(&(thing.object, colour));
                }
                if stated {
                    self.places.remove(&(thing.object, scene.place));
                }
                self.numbers.remove(&(thing.object, thing.number));
            }
        }
    }

    /// Whether this object in this place is held out.
    pub fn hold_out_thing(&self, thing: &Thing, place: Place) -> bool {
        thing.colour.is_some_and(|colour| self.colours.contains(&(thing.object, colour)))
            || self.places.contains(&(thing.object, place))
            || self.numbers.contains(&(thing.object, thing.number))
    }

    /// Whether a scene holds a combination that is held out.
    pub fn contains(&self, scene: &Scene) -> bool {
        scene.things.iter().any(|thing| self.hold_out_thing(thing, scene.place))
    }
}
