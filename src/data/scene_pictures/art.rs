//! Objects as pictures: vector art, recoloured by its fills, rasterised at the size that is asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use oklab::{Oklab, Rgb, oklab_to_srgb, srgb_to_oklab};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree};

use crate::data::scenes::{Colour, Object};

/// The side of the art's own units.
const UNITS: f32 = 32.0;

macro_rules! art {
    ($($name:ident $file:literal [$($fill:literal),*];)+) => {
        /// The drawing of an object, and the fills that take its colour, the main one first; every
        /// other fill (wheels, windows, faces) keeps its own.
        fn art(object: Object) -> (&'static str, &'static [&'static str]) {
            match object { $(Object::$name => {
                (include_str!(concat!("../../../data/scenes/", $file, ".svg")), &[$($fill),*])
            })+ }
        }
    };
}

art! {
    Bus "bus" ["#ffb02e", "#e6e6e6"];
    Car "car" ["#f8312f", "#ca0b4a"];
    Truck "truck" ["#f8312f"];
    Train "train" ["#f92f60", "#636363"];
    Airplane "airplane" ["#cdc4d6", "#0084ce"];
    Helicopter "helicopter" ["#ff822d", "#fcd53f"];
    Motorcycle "motorcycle" ["#f92f60", "#ca0b4a", "#ff822d"];
    Boat "boat" ["#fcd53f", "#ff9f2e", "#ff8257"];
    Bicycle "bicycle" [];
    StopSign "stop_sign" [];
    TrafficLight "traffic_light" [];
    Dog "dog" ["#f3ad61", "#d3883e"];
    Cat "cat" ["#f3ad61", "#d3883e"];
    Horse "horse" ["#a56953", "#6d4534"];
    Sheep "sheep" ["#cdc4d6", "#b4acbc"];
    Cow "cow" [];
    Elephant "elephant" [];
    Bear "bear" ["#a56953", "#8c5543"];
    Giraffe "giraffe" [];
    Zebra "zebra" [];
    Bird "bird" ["#ca0b4a"];
    Surfer "surfer" [];
    Woman "woman" [];
    Child "child" [];
    Person "person" [];
    Umbrella "umbrella" ["#8d65c5", "#433b6b"];
    Kite "kite" ["#f9c23c", "#f8312f", "#86d72f", "#00a6ed"];
    Ball "ball" ["#ff6723"];
    Skateboard "skateboard" ["#635994", "#f3c07b"];
    Bananas "bananas" [];
    Cake "cake" [];
    Dessert "dessert" [];
    Pizza "pizza" [];
    Apple "apple" ["#f8312f"];
    Cup "cup" ["#a7a8b7"];
    Bottle "bottle" ["#44911b"];
    Chair "chair" ["#a56953", "#7d4533"];
    Bed "bed" ["#3f5fff", "#533566"];
    Couch "couch" ["#1345b7", "#3f5fff", "#5092ff"];
    Toilet "toilet" [];
    Clock "clock" ["#f8312f", "#f9c23c"];
    Book "book" ["#ca0b4a", "#990838"];
    TeddyBear "teddy_bear" ["#e19747", "#d3883e"];
    Flower "flower" ["#ff6dc6", "#f70a8d"];
    House "house" ["#f3c07b", "#f8312f"];
}

const SURF_BOARD: &str = include_str!("../../../data/scenes/surf_board.svg");

/// A colour's lightness, chroma and hue (degrees) in OKLab.
fn target(colour: Colour) -> (f32, f32, f32) {
    match colour {
        Colour::Red => (0.60, 0.235, 27.0),
        Colour::Orange => (0.75, 0.175, 58.0),
        Colour::Yellow => (0.89, 0.18, 97.0),
        Colour::Green => (0.62, 0.185, 143.0),
        Colour::Blue => (0.55, 0.205, 262.0),
        Colour::Purple => (0.50, 0.20, 303.0),
        Colour::Pink => (0.79, 0.15, 350.0),
        Colour::Brown => (0.43, 0.085, 50.0),
        Colour::Black => (0.26, 0.005, 280.0),
        Colour::White => (0.97, 0.004, 250.0),
    }
}

fn parse(fill: &str) -> Oklab {
    let byte = |at: usize| u8::from_str_radix(&fill[at..at + 2], 16).unwrap_or(0);
    srgb_to_oklab(Rgb { r: byte(1), g: byte(3), b: byte(5) })
}

/// The fill in a new colour: shades of the object stay shades, at most a quarter apart.
fn recoloured(fill: &str, main: &str, colour: Colour, pale: bool) -> String {
    let (mut lightness, mut chroma, hue) = target(colour);
    if pale {
        lightness += 0.5 * (0.97 - lightness);
        chroma *= 0.5;
    }
    let shade = (parse(fill).l - parse(main).l).clamp(-0.25, 0.25);
    let lightness = (lightness + 0.6 * shade).clamp(0.15, 0.99);
    let (sin, cos) = hue.to_radians().sin_cos();
    let rgb = oklab_to_srgb(Oklab { l: lightness, a: chroma * cos, b: chroma * sin });
    format!("#{:02x}{:02x}{:02x}", rgb.r, rgb.g, rgb.b)
}

/// An object, its colour, and whether that is pale.
pub type Look = (Object, Option<Colour>, bool);

/// A rasterised object.
pub struct Sprite {
    /// Its pixels, premultiplied.
    pub pixels: Pixmap,
    /// Where the middle third of its columns begin to be solid, their median: there what it carries stands, and not as
    /// high as the lamp beside a couch or a horse's head.
    pub seat: usize,
    /// The row after the last with something solid.
    pub bottom: usize,
}

/// A look (none: a surf board) at a side in pixels.
type Key = (Option<Look>, usize);

/// Rasterised objects, kept.
#[derive(Default)]
pub struct Sprites {
    kept: Mutex<HashMap<Key, Arc<Sprite>>>,
}

impl Sprites {
    /// The sprite of an object at a side in pixels.
    pub fn of(&self, look: Look, side: usize) -> Arc<Sprite> {
        self.get(Some(look), side)
    }

    /// A surf board.
    pub fn surf_board(&self, side: usize) -> Arc<Sprite> {
        self.get(None, side)
    }

    fn get(&self, look: Option<Look>, side: usize) -> Arc<Sprite> {
        let mut kept = self.kept.lock().expect("no thread panicked with the sprites");
        kept.entry((look, side)).or_insert_with(|| Arc::new(rasterise(look, side))).clone()
    }
}

fn rasterise(look: Option<Look>, side: usize) -> Sprite {
    let (mut svg, fills) = match look {
        Some((object, _, _)) => (art(object).0.to_owned(), art(object).1),
        None => (SURF_BOARD.to_owned(), &[][..]),
    };
    if let Some((_, Some(colour), pale)) = look {
        for (at, fill) in fills.iter().enumerate() {
            // Two passes, so that a new colour is never taken for another fill.
            svg = svg.replace(fill, &format!("@{at}@"));
        }
        for (at, fill) in fills.iter().enumerate() {
            svg = svg.replace(&format!("@{at}@"), &recoloured(fill, fills[0], colour, pale));
        }
    }
    let tree = Tree::from_str(&svg, &Options::default()).expect("the art is valid SVG (tested)");
    let mut pixels = Pixmap::new(side as u32, side as u32).expect("a sprite has a size");
    let scale = side as f32 / UNITS;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    let solid = |row: &[resvg::tiny_skia::PremultipliedColorU8]| row.iter().any(|p| p.alpha() > 127);
    let first_solid =
        |column: usize| (0..side).position(|row| solid(&pixels.pixels()[row * side + column..][..1]));
    let mut middle: Vec<usize> = (side / 3..side - side / 3).filter_map(first_solid).collect();
    middle.sort_unstable();
    let seat = middle.get(middle.len() / 2).copied().unwrap_or(0);
    let bottom = pixels.pixels().chunks(side).rposition(solid).map_or(side, |row| row + 1);
    Sprite { pixels, seat, bottom }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A cat on the couch of the art is not as high as the lamp that stands beside it.
    #[test]
    fn what_is_carried_stands_on_the_seat() {
        let sprites = Sprites::default();
        let first = |object: Object| {
            let sprite = sprites.of((object, None, false), 33);
            let top = sprite.pixels.pixels().chunks(33).position(|row| row.iter().any(|p| p.alpha() > 127));
            (top.expect("something is drawn"), sprite.seat)
        };
        let (top, seat) = first(Object::Couch);
        assert!(seat > top + 5, "{top}, {seat}");
        for &object in Object::ALL {
            let (top, seat) = first(object);
            assert!(seat >= top && seat < 24, "{object:?}: {top}, {seat}");
        }
    }

    #[test]
    fn every_fill_that_takes_the_colour_is_in_the_drawing() {
        for &object in Object::ALL {
            let (svg, fills) = art(object);
            for fill in fills {
                assert!(svg.contains(fill), "{object:?} has no {fill}");
            }
            assert_eq!(object.colours().is_empty(), fills.is_empty(), "{object:?}");
        }
    }
}
