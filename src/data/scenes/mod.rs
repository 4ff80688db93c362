//! Colour scenes: rendered pictures of known parts, with captions in the manner of MS-COCO's.
//!
//! Here is what can be said: objects, colours, places, sizes, numbers and relations, the grammar that
//! turns them into captions and back, and the combinations that are never trained on. The pictures
//! are made by `scene_pictures`.

pub mod bans;
pub mod caption;
pub mod catalogue;
pub mod mentions;
pub mod parse;
pub mod roles;
pub mod sample;
mod synonyms;

use serde::{Deserialize, Serialize};

pub use bans::Bans;
pub use catalogue::{Colour, Object, Place};

/// How large the only object of a scene is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Size {
    /// "small", "little".
    Small,
    /// Not said.
    #[default]
    Medium,
    /// "large", "big".
    Large,
    /// "very large", "huge".
    VeryLarge,
}

impl Size {
    /// All sizes, in growing order.
    pub const ALL: [Self; 4] = [Self::Small, Self::Medium, Self::Large, Self::VeryLarge];
}

/// How many there are of an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Number {
    /// "a", "the".
    #[default]
    One,
    /// "two".
    Two,
    /// "a group of", "a herd of": five are drawn.
    Group,
}

impl Number {
    /// All numbers.
    pub const ALL: [Self; 3] = [Self::One, Self::Two, Self::Group];
}

/// How the first of two objects lies to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// "a and b": side by side, which is drawn from left to right.
    Beside,
    /// "a on the left of b".
    LeftOf,
    /// "a on the right of b".
    RightOf,
    /// "a above b", a gap between them.
    Above,
    /// "a below b".
    Below,
    /// "a on b", standing on it.
    On,
}

impl Relation {
    /// All relations.
    pub const ALL: [Self; 6] =
        [Self::Beside, Self::LeftOf, Self::RightOf, Self::Above, Self::Below, Self::On];
}

/// An object of a scene with what is said of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Thing {
    /// What it is.
    pub object: Object,
    /// Its colour; none: the object's own.
    pub colour: Option<Colour>,
    /// A pale shade of the colour.
    pub pale: bool,
    /// How large.
    pub size: Size,
    /// How many.
    pub number: Number,
}

impl Thing {
    /// One of it, of medium size, in its own colour.
    pub fn new(object: Object) -> Self {
        Self { object, colour: None, pale: false, size: Size::Medium, number: Number::One }
    }
}

/// What a picture shows.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Scene {
    /// One to three different objects, the first-named first.
    pub things: Vec<Thing>,
    /// How the first of two lies to the second; three stand side by side.
    pub relation: Option<Relation>,
    /// Where.
    pub place: Place,
    /// In sepia.
    pub vintage: bool,
    /// People with surf boards.
    pub boards: bool,
}
