//! Where the objects of a scene stand.

use super::art::Sprites;
use crate::data::noise::Noise;
use crate::data::scenes::{Number, Place, Relation, Scene, Size};

/// Side of the canvas, pixels.
pub const CANVAS: usize = 64;

/// An object's box on the canvas, in the order of painting.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placed {
    /// Which thing of the scene; none: a surf board.
    pub thing: Option<usize>,
    /// Left edge, pixels; may lie outside.
    pub left: i32,
    /// Top edge, pixels.
    pub top: i32,
    /// Side, pixels.
    pub side: usize,
}

/// The row on which things stand.
fn ground(place: Place) -> i32 {
    match place {
        Place::Table => 53,
        Place::Sea => 50,
        Place::Sun => 52,
        _ => 59,
    }
}

/// Sides of one object.
fn side_of(size: Size) -> usize {
    match size {
        Size::Small => 20,
        Size::Medium => 32,
        Size::Large => 43,
        Size::VeryLarge => 55,
    }
}

/// Places every object of a scene.
pub fn layout(scene: &Scene, sprites: &Sprites, noise: &mut Noise) -> Vec<Placed> {
    let mut jitter = |most: i32| noise.between(0, 2 * most as usize) as i32 - most;
    let canvas = CANVAS as i32;
    let sky = scene.place.is_sky();
    // The feet of a sprite, not of its box, stand on the ground.
    let standing = |thing: usize, side: usize, feet: i32| {
        let thing = &scene.things[thing];
        feet - sprites.of((thing.object, thing.colour, thing.pale), side).bottom as i32
    };
    let feet = ground(scene.place);
    let mut placed = Vec::new();
    let first = &scene.things[0];
    let mut put = |thing, left, top, side| placed.push(Placed { thing: Some(thing), left, top, side });
    match (scene.relation, first.number) {
        (None, Number::One) => {
            let side = (side_of(first.size) as i32 + jitter(1)) as usize;
            let free = (canvas - side as i32).max(0) / 2;
            let left = free + jitter(4.min(free + 2));
            let top = if sky { free + jitter(3.min(free + 1)) } else { standing(0, side, feet + jitter(1)) };
            put(0, left, top, side);
        }
        (None, Number::Two) => {
            let side = 27;
            for (left, lower) in [(4, 0), (33, 1)] {
                let top = if sky { 12 + 12 * lower } else { standing(0, side, feet - 3 + 3 * lower) };
                put(0, left + jitter(2), top + jitter(1), side);
            }
        }
        (None, Number::Group) => {
            let side = 19;
            for (left, row) in [(3, 0), (23, 0), (43, 0), (12, 1), (33, 1)] {
                let top = if sky { 11 + 22 * row } else { standing(0, side, feet - 16 + 17 * row) };
                put(0, left + jitter(1), top + jitter(1), side);
            }
        }
        (Some(Relation::Above | Relation::Below), _) => {
            let above = scene.relation == Some(Relation::Above);
            let (upper, lower) = if above { (0, 1) } else { (1, 0) };
            let side = 25;
            let lower_top = if sky { 37 } else { standing(lower, side, 62) };
            put(upper, 20 + jitter(3), 2 + jitter(1), side);
            put(lower, 20 + jitter(3), lower_top, side);
        }
        (Some(Relation::On), _) => {
            let (rider, carrier) = (24, 33);
            let left = 16 + jitter(3);
            let top = if sky { 29 + jitter(2) } else { standing(1, carrier, feet) };
            let thing = &scene.things[1];
            let seat = sprites.of((thing.object, thing.colour, thing.pale), carrier).seat as i32;
            put(1, left, top, carrier);
            put(0, left + 4 + jitter(1), standing(0, rider, top + seat + 3), rider);
        }
        (Some(relation), _) => {
            let count = scene.things.len();
            let (side, lefts) = if count == 2 { (27, &[3, 34][..]) } else { (21, &[0, 21, 43][..]) };
            for (at, &left) in lefts.iter().enumerate() {
                let thing = if relation == Relation::RightOf { count - 1 - at } else { at };
                let top = if sky { 18 + jitter(3) } else { standing(thing, side, feet + jitter(1)) };
                put(thing, left + jitter(1), top, side);
            }
        }
    }
    if scene.boards {
        let boards: Vec<_> =
            placed.iter().map(|person| Placed { thing: None, left: person.left + 6, ..*person }).collect();
        placed = boards.into_iter().zip(placed).flat_map(|(board, person)| [board, person]).collect();
    }
    placed
}
