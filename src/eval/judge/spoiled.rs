//! Pictures of which no eye could say what they show: what a judge of painters must not accept.

use crate::data::noise::Noise;
use crate::data::scene_pictures::{CANVAS, ScenePictures};
use crate::data::scenes::Scene;

/// Ways in which a picture says nothing.
const WAYS: usize = 4;
/// Passes of [`blurred`] at least; each has a variance of 0.6 pixels, 15 a standard deviation of 3.
const PASSES: usize = 15;
/// Share of the things that ghosts keep, at most.
const GHOST: f32 = 0.3;
/// Share of its side that is left of a thing which is cut off, at most.
const REST: f32 = 0.35;

/// A picture of a scene in which nothing can be recognised, and whether its place still can: blurred, the average of
/// several, things that are hardly there, or cut off.
pub fn spoiled(pictures: &ScenePictures, scene: &Scene, noise: &mut Noise) -> (Vec<f32>, bool) {
    let same = noise.clone();
    let mut picture = pictures.paint(scene, noise);
    let place = pictures.paint_place(scene, &mut same.clone());
    match noise.below(WAYS) {
        0 => {
            let passes = PASSES + noise.below(PASSES);
            picture.chunks_exact_mut(CANVAS * CANVAS).for_each(|plane| blurred(plane, passes));
            (picture, false)
        }
        1 => {
            let others = [(); 3]
                .map(|()| pictures.paint(&Scene { place: scene.place, ..Scene::sample(noise) }, noise));
            for (at, pixel) in picture.iter_mut().enumerate() {
                *pixel = 0.25 * (*pixel + others.iter().map(|other| other[at]).sum::<f32>());
            }
            (picture, true)
        }
        2 => {
            let share = GHOST * noise.uniform();
            mix(&mut picture, &place, |_, _| share);
            (picture, true)
        }
        _ => {
            let boxes = pictures.layout(scene, &mut layout_noise(pictures, scene, same));
            let (rest, left) = (REST * noise.uniform(), noise.below(2) == 0);
            mix(&mut picture, &place, |x, y| {
                let kept = boxes.iter().any(|placed| {
                    let side = placed.side as f32;
                    let across = (x as f32 - placed.left as f32) / side;
                    let down = (y as f32 - placed.top as f32) / side;
                    let from_edge = if left { across } else { down };
                    (0.0..1.0).contains(&across) && (0.0..1.0).contains(&down) && from_edge < rest
                });
                f32::from(kept)
            });
            (picture, true)
        }
    }
}

/// The numbers that the layout of a picture was made with: those after its place's.
fn layout_noise(pictures: &ScenePictures, scene: &Scene, mut noise: Noise) -> Noise {
    pictures.paint_place(scene, &mut noise);
    noise
}

/// Leaves a share of a picture, by column and row, and puts another in the place of the rest.
fn mix(picture: &mut [f32], other: &[f32], share: impl Fn(usize, usize) -> f32) {
    for (at, (pixel, other)) in picture.iter_mut().zip(other).enumerate() {
        let share = share(at % CANVAS, at / CANVAS % CANVAS);
        *pixel = share * *pixel + (1.0 - share) * other;
    }
}

/// Softens a plane so many times.
pub fn blurred(plane: &mut [f32], passes: usize) {
    for _ in 0..passes {
        let sharp = plane.to_vec();
        for y in 1..CANVAS - 1 {
            for x in 1..CANVAS - 1 {
                let at = y * CANVAS + x;
                let across = sharp[at - 1] + sharp[at + 1] + sharp[at - CANVAS] + sharp[at + CANVAS];
                plane[at] = 0.4 * sharp[at] + 0.15 * across;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::scenes::{Bans, Object, Place, Thing};

    /// Every way leaves less of a thing than half, and places that can still be seen are as they were.
    #[test]
    fn little_is_left_of_what_was_there() {
        let pictures = ScenePictures::new(Bans::draw(1));
        let scene = Scene {
            things: vec![Thing::new(Object::Bus)],
            relation: None,
            place: Place::Bathroom,
            vintage: false,
            boards: false,
        };
        let mut seen = [0; 2];
        for seed in 0..40 {
            let (mut a, mut b, mut c) = (Noise::new(seed), Noise::new(seed), Noise::new(seed));
            let (true_picture, place) =
                (pictures.paint(&scene, &mut a), pictures.paint_place(&scene, &mut b));
            let (spoiled, with_place) = spoiled(&pictures, &scene, &mut c);
            let away =
                |from: &[f32]| -> f32 { true_picture.iter().zip(from).map(|(a, b)| (a - b).abs()).sum() };
            assert!(away(&spoiled) > 0.3 * away(&place), "seed {seed}");
            assert!(spoiled.iter().all(|pixel| (0.0..=1.0).contains(pixel)));
            seen[usize::from(with_place)] += 1;
        }
        assert!(seen.iter().all(|count| *count > 0), "{seen:?}");
    }
}
