//! Scenes at random.

use super::{Number, Object, Place, Relation, Scene, Size, Thing, catalogue::Kind};
use crate::data::noise::Noise;

fn pick<T: Copy>(from: &[T], noise: &mut Noise) -> T {
    from[noise.below(from.len())]
}

fn chance(share: f32, noise: &mut Noise) -> bool {
    noise.uniform() < share
}

/// An object with a colour in six of ten cases in which it can have one.
fn thing(object: Object, coloured: bool, noise: &mut Noise) -> Thing {
    let mut thing = Thing::new(object);
    if coloured && !object.colours().is_empty() && chance(0.6, noise) {
        thing.colour = Some(pick(object.colours(), noise));
        thing.pale = chance(0.08, noise);
    }
    thing
}

impl Scene {
    /// A scene at random: seven in ten have one kind of object, every second of these one of it.
    pub fn sample(noise: &mut Noise) -> Self {
        let kinds = match noise.below(20) {
            0..14 => 1,
            14..19 => 2,
            _ => 3,
        };
        Self::sample_of(kinds, noise)
    }

    /// A scene at random with one, two or three kinds of objects.
    pub fn sample_of(kinds: usize, noise: &mut Noise) -> Self {
        let first = pick(Object::ALL, noise);
        let place = pick(&first.places(), noise);
        let mut scene = Self { things: Vec::new(), relation: None, place, vintage: false, boards: false };
        scene.vintage = kinds == 1 && chance(0.05, noise);
        scene.things.push(thing(first, !scene.vintage, noise));
        if kinds == 1 {
            let only = &mut scene.things[0];
            only.size = pick(&[Size::Medium, Size::Medium, Size::Small, Size::Large, Size::VeryLarge], noise);
            only.number = pick(&[Number::One, Number::One, Number::One, Number::Two, Number::Group], noise);
            if only.number != Number::One {
                only.size = Size::Medium;
            }
            scene.boards = first == Object::Person
                && place == Place::Beach
                && only.number == Number::Group
                && chance(0.5, noise);
            return scene;
        }
        let relation = if kinds == 2 { pick(&Relation::ALL, noise) } else { Relation::Beside };
        while scene.things.len() < kinds {
            let object = pick(Object::ALL, noise);
            let known = scene.things.iter().any(|thing| thing.object == object);
            let carries = relation != Relation::On || object.carries();
            if !known && carries && object.places().contains(&place) {
                scene.things.push(thing(object, true, noise));
            } else if relation == Relation::On && chance(0.02, noise) {
                // Nothing that carries is found in this place.
                return Self::sample_of(kinds, noise);
            }
        }
        scene.relation = Some(relation);
        scene
    }

    /// An old photo, where its object is at home: a scene whose place need not be said.
    pub fn vintage(noise: &mut Noise) -> Self {
        let mut scene = Self::sample_of(1, noise);
        let only = &mut scene.things[0];
        (only.colour, only.pale) = (None, false);
        (scene.place, scene.vintage, scene.boards) = (only.object.home(), true, false);
        scene
    }

    /// People with surf boards on the beach.
    pub fn with_boards(noise: &mut Noise) -> Self {
        let things = vec![Thing { number: Number::Group, ..thing(Object::Person, true, noise) }];
        Self { things, relation: None, place: Place::Beach, vintage: false, boards: true }
    }

    /// Whether its only kind of object walks.
    pub fn walks(&self) -> bool {
        let kinds = [Kind::Animal, Kind::Grazer, Kind::Person, Kind::Surfer];
        self.things.iter().all(|thing| kinds.contains(&thing.object.kind()))
    }
}
