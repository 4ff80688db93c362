//! Pictures in which no object can be recognised, for a judge that must not accept them.

use crate::data::noise::Noise;
use crate::data::scene_pictures::{CANVAS, ScenePictures};
use crate::data::scenes::{Number, Scene};

/// Of a render that is blurred: the least deviation of the Gaussian, pixels.
const LEAST_BLUR: f32 = 3.0;
/// Of objects that are hardly there: the most.
const FAINT: f32 = 0.3;
/// Renders of an average.
const AVERAGED: usize = 4;

/// A picture that is spoiled as painters spoil them [3, 64, 64]: blurred, the average of several, with things hardly
/// there, or cut to a third.
pub fn spoiled(pictures: &ScenePictures, noise: &mut Noise) -> Vec<f32> {
    match noise.below(4) {
        0 => {
            let picture = pictures.paint(&Scene::sample(noise), noise);
            blurred(&picture, LEAST_BLUR + 2.0 * noise.uniform())
        }
        1 => averaged(pictures, noise),
        2 => {
            let (place, picture) = with_its_place(pictures, |_| true, noise);
            let share = FAINT * noise.uniform();
            place.iter().zip(&picture).map(|(place, whole)| place + share * (whole - place)).collect()
        }
        _ => {
            let one = |scene: &Scene| scene.things.len() == 1 && scene.things[0].number == Number::One;
            let (place, picture) = with_its_place(pictures, one, noise);
            cut(&place, &picture, noise.below(4))
        }
    }
}

/// A render and one of its place alone; of an old photo there is none.
fn with_its_place(
    pictures: &ScenePictures,
    is_wanted: impl Fn(&Scene) -> bool,
    noise: &mut Noise,
) -> (Vec<f32>, Vec<f32>) {
    let scene = loop {
        let scene = Scene::sample(noise);
        if !scene.vintage && is_wanted(&scene) {
            break scene;
        }
    };
    let place = pictures.paint_place(&scene, &mut noise.clone());
    (place, pictures.paint(&scene, noise))
}

/// The mean of renders of one place, each with things of its own.
fn averaged(pictures: &ScenePictures, noise: &mut Noise) -> Vec<f32> {
    let place = Scene::sample(noise).place;
    let mut mean = vec![0.0; 3 * CANVAS * CANVAS];
    for _ in 0..AVERAGED {
        let scene = Scene { place, ..Scene::sample(noise) };
        let picture = pictures.paint(&scene, noise);
        mean.iter_mut().zip(picture).for_each(|(mean, value)| *mean += value / AVERAGED as f32);
    }
    mean
}

/// The third of an object on one side of its box: left, right, above or below.
fn cut(place: &[f32], picture: &[f32], side: usize) -> Vec<f32> {
    let plane = CANVAS * CANVAS;
    let differs = |at: usize| (0..3).any(|c| (picture[c * plane + at] - place[c * plane + at]).abs() > 0.02);
    let along = |at: usize| if side < 2 { at % CANVAS } else { at / CANVAS };
    let reached = || (0..plane).filter(|&at| differs(at)).map(along);
    let (first, last) = (reached().min().unwrap_or(0), reached().max().unwrap_or(0));
    let third = (last + 1 - first) / 3;
    let is_shown = |at: usize| match side % 2 {
        0 => along(at) < first + third,
        _ => along(at) + third > last,
    };
    let value = |at: usize| if is_shown(at % plane) { picture[at] } else { place[at] };
    (0..3 * plane).map(value).collect()
}

/// A picture [plane, 64, 64] under a Gaussian, the edge repeated beyond it.
fn blurred(picture: &[f32], std: f32) -> Vec<f32> {
    let reach = (3.0 * std).ceil() as i32;
    let weights: Vec<f32> = (-reach..=reach).map(|at| (-0.5 * (at as f32 / std).powi(2)).exp()).collect();
    let total: f32 = weights.iter().sum();
    let along = |picture: &[f32], stride: usize| -> Vec<f32> {
        let value = |at: usize| {
            let on_line = (at / stride % CANVAS) as i32;
            let start = at - on_line as usize * stride;
            let near = |shift: i32| (on_line + shift).clamp(0, CANVAS as i32 - 1) as usize;
            let sum: f32 = (-reach..=reach)
                .zip(&weights)
                .map(|(shift, weight)| weight * picture[start + near(shift) * stride])
                .sum();
            sum / total
        };
        (0..picture.len()).map(value).collect()
    };
    along(&along(picture, 1), CANVAS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::scenes::Bans;

    #[test]
    fn a_blur_keeps_what_is_even_and_spreads_a_point() {
        let even = vec![0.4; CANVAS * CANVAS];
        assert!(blurred(&even, 3.0).iter().all(|value| (value - 0.4).abs() < 1e-5));
        let mut point = vec![0.0; CANVAS * CANVAS];
        point[32 * CANVAS + 32] = 1.0;
        let spread = blurred(&point, 3.0);
        assert!((spread.iter().sum::<f32>() - 1.0).abs() < 1e-4);
        // 1 / (2π σ²) in the middle, the same along both axes.
        assert!((spread[32 * CANVAS + 32] - 1.0 / (std::f32::consts::TAU * 9.0)).abs() < 1e-3);
        assert_eq!(spread[32 * CANVAS + 35], spread[35 * CANVAS + 32]);
    }

    #[test]
    fn a_third_of_a_thing_is_left() {
        let pictures = ScenePictures::new(Bans::draw(1));
        let one = |scene: &Scene| scene.things.len() == 1 && scene.things[0].number == Number::One;
        let mut noise = Noise::new(3);
        for side in 0..4 {
            let (place, picture) = with_its_place(&pictures, one, &mut noise);
            let changed = |picture: &[f32]| {
                let differs = |(a, b): &(&f32, &f32)| (**a - **b).abs() > 0.02;
                place.iter().zip(picture).filter(differs).count()
            };
            let (all, left) = (changed(&picture), changed(&cut(&place, &picture, side)));
            assert!(left > 0 && 2 * left < all, "{left} of {all}");
        }
    }
}
