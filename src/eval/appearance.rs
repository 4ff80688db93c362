//! How pictures look, which a judge network does not tell: how sharp they are, and how much several of one
//! caption differ, both beside true pictures of the same captions.

use serde::{Deserialize, Serialize};

use crate::data::scenes::{Number, Scene};

/// The kinds of captions that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// One object.
    One,
    /// Two kinds of objects.
    Two,
    /// Three.
    Three,
    /// Several of one kind.
    Several,
    /// An old photo of an object.
    OldPhoto,
}

impl Kind {
    /// All, in the order of the table.
    pub const ALL: [Self; 5] = [Self::One, Self::Two, Self::Three, Self::Several, Self::OldPhoto];

    /// The kind of a scene's captions.
    pub fn of(scene: &Scene) -> Self {
        match scene.things.as_slice() {
            _ if scene.vintage => Self::OldPhoto,
            [thing] if thing.number == Number::One => Self::One,
            [_] => Self::Several,
            [_, _] => Self::Two,
            _ => Self::Three,
        }
    }

    /// For the table.
    pub fn name(self) -> &'static str {
        ["one object", "two objects", "three objects", "several of a kind", "old photos"][self as usize]
    }
}

/// How the pictures of one kind of captions look.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Appearance {
    /// The kind.
    pub kind: Kind,
    /// Gradient energy of painted over true pictures of the same captions: 1 is as sharp.
    pub sharpness: f64,
    /// Mean distance of two pictures of one caption, painted over true: 1 is as different.
    pub diversity: f64,
    /// Captions.
    pub captions: usize,
}

/// Pictures of one caption, planar [channel, height, width] each.
pub struct Pictures<'a> {
    /// All of them, one after the other.
    pub pixels: &'a [f32],
    /// Floats of one.
    pub len: usize,
    /// Pixels of a row.
    pub width: usize,
}

impl Pictures<'_> {
    /// Mean squared difference of neighbouring pixels, across and down.
    pub fn gradient_energy(&self) -> f64 {
        let rows: Vec<&[f32]> = self.pixels.chunks_exact(self.width).collect();
        let square = |a: f32, b: f32| f64::from(a - b).powi(2);
        // The channels of a picture lie below one another: planes are as high as wide.
        let height = self.width;
        let mut sum = 0.0;
        for (at, row) in rows.iter().enumerate() {
            sum += row.windows(2).map(|pair| square(pair[0], pair[1])).sum::<f64>();
            if (at + 1) % height != 0 {
                sum += row.iter().zip(rows[at + 1]).map(|(a, b)| square(*a, *b)).sum::<f64>();
            }
        }
        sum / self.pixels.len().max(1) as f64
    }

    /// The variance of a pixel over the pictures, mean of all pixels.
    pub fn variance(&self) -> f64 {
        let count = (self.pixels.len() / self.len).max(1) as f64;
        let of_pixel = |at: usize| {
            let values = || self.pixels[at..].iter().step_by(self.len).map(|&x| f64::from(x));
            let mean = values().sum::<f64>() / count;
            values().map(|x| (x - mean).powi(2)).sum::<f64>() / count
        };
        (0..self.len).map(of_pixel).sum::<f64>() / self.len as f64
    }

    /// Mean over neighbours in the list, and the last with the first, of their root mean squared distance.
    pub fn spread(&self) -> f64 {
        let all: Vec<&[f32]> = self.pixels.chunks_exact(self.len).collect();
        let distance = |a: &[f32], b: &[f32]| {
            let squares: f64 = a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum();
            (squares / self.len as f64).sqrt()
        };
        let pairs = (0..all.len()).map(|at| distance(all[at], all[(at + 1) % all.len()]));
        pairs.sum::<f64>() / all.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pictures(pixels: &[f32]) -> Pictures<'_> {
        Pictures { pixels, len: 16, width: 4 }
    }

    #[test]
    fn blurring_takes_gradient_energy_and_an_edge_has_what_it_has() {
        // A vertical edge of height 1 between columns 2 and 3: 4 differences of 1 in 16 pixels.
        let edge: Vec<f32> = (0..16).map(|at| f32::from(at % 4 >= 2)).collect();
        assert_eq!(pictures(&edge).gradient_energy(), 0.25);
        let soft: Vec<f32> = (0..16).map(|at| [0.0, 0.25, 0.75, 1.0][at % 4]).collect();
        assert!(pictures(&soft).gradient_energy() < 0.1);
        // Two pictures below one another have no edge between them.
        let two = [vec![0.0; 16], vec![1.0; 16]].concat();
        assert_eq!(pictures(&two).gradient_energy(), 0.0);
    }

    #[test]
    fn equal_pictures_have_no_spread() {
        let same = [vec![0.3; 16], vec![0.3; 16]].concat();
        assert_eq!(pictures(&same).spread(), 0.0);
        let apart = [vec![0.0; 16], vec![0.5; 16]].concat();
        assert_eq!(pictures(&apart).spread(), 0.5);
        assert_eq!((pictures(&same).variance(), pictures(&apart).variance()), (0.0, 0.0625));
    }
}
