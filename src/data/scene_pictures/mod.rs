//! Colour scenes as pictures: 64×64 RGB, deterministic from a seed, fresh at every epoch.

mod art;
mod backdrop;
mod layout;

use std::borrow::Cow;

use resvg::tiny_skia::{Pixmap, PixmapPaint, Transform};

use self::art::Sprites;
pub use self::layout::{CANVAS, Placed};
use super::batch::{CaptionBatch, Lesson, NamedBox};
use super::noise::Noise;
use super::scenes::mentions::{Mention, mentions};
use super::scenes::{Bans, Number, Relation, Scene, caption};
use super::source::Source;
use super::vocabulary::Vocabulary;

/// Paints scenes.
pub struct ScenePictures {
    bans: Bans,
    sprites: Sprites,
    vocabulary: Vocabulary,
}

/// Sepia tones of a picture (the weights of the luminance, then of the tone).
fn sepia(pixels: &mut [f32]) {
    let plane = pixels.len() / 3;
    for at in 0..plane {
        let [r, g, b] = [0, 1, 2].map(|c| pixels[c * plane + at]);
        let light = 0.1 + 0.85 * (0.3 * r + 0.59 * g + 0.11 * b);
        for (c, tone) in [1.08, 0.92, 0.68].into_iter().enumerate() {
            pixels[c * plane + at] = (light * tone).min(1.0);
        }
    }
}

/// The place of a scene.
fn place(scene: &Scene, noise: &mut Noise) -> Pixmap {
    let mut canvas = Pixmap::new(CANVAS as u32, CANVAS as u32).expect("the canvas has a size");
    backdrop::paint(scene.place, &mut canvas, noise);
    canvas
}

/// Planes of red, green and blue in 0 to 1, in the tones of an old photo where asked for.
fn planes(canvas: &Pixmap, vintage: bool) -> Vec<f32> {
    let plane = CANVAS * CANVAS;
    let mut pixels = vec![0.0; 3 * plane];
    for (at, pixel) in canvas.pixels().iter().enumerate() {
        for (c, value) in [pixel.red(), pixel.green(), pixel.blue()].into_iter().enumerate() {
            pixels[c * plane + at] = f32::from(value) / 255.0;
        }
    }
    if vintage {
        sepia(&mut pixels);
    }
    pixels
}

impl ScenePictures {
    /// A painter that keeps to these bans.
    pub fn new(bans: Bans) -> Self {
        Self { bans, sprites: Sprites::default(), vocabulary: caption::vocabulary() }
    }

    /// Paints a scene: [3, 64, 64] in [0, 1]. `noise` moves things by a few pixels.
    pub fn paint(&self, scene: &Scene, noise: &mut Noise) -> Vec<f32> {
        self.paint_placed(scene, noise).0
    }

    /// [`Self::paint`], and where the objects stand in it.
    fn paint_placed(&self, scene: &Scene, noise: &mut Noise) -> (Vec<f32>, Vec<Placed>) {
        let mut canvas = place(scene, noise);
        let layout = self.layout(scene, noise);
        for placed in &layout {
            let sprite = match placed.thing.map(|thing| scene.things[thing]) {
                Some(thing) => self.sprites.of((thing.object, thing.colour, thing.pale), placed.side),
                None => self.sprites.surf_board(placed.side),
            };
            let (paint, still) = (PixmapPaint::default(), Transform::identity());
            canvas.draw_pixmap(placed.left, placed.top, sprite.pixels.as_ref(), &paint, still, None);
        }
        (planes(&canvas, scene.vintage), layout)
    }

    /// Paints the place of a scene, without things, in its own colours even where the scene is an old photo:
    /// [3, 64, 64] in [0, 1].
    pub fn paint_place(&self, scene: &Scene, noise: &mut Noise) -> Vec<f32> {
        planes(&place(scene, noise), false)
    }

    /// Where the objects of a scene would be put, give or take the same few pixels.
    pub fn layout(&self, scene: &Scene, noise: &mut Noise) -> Vec<Placed> {
        layout::layout(scene, &self.sprites, noise)
    }

    /// A scene at random that is (or is not) held out, and one of its captions.
    pub fn draw(&self, held_out: bool, noise: &mut Noise) -> (Scene, String) {
        self.draw_from(Scene::sample, held_out, noise)
    }

    fn draw_from(&self, sample: Sample, held_out: bool, noise: &mut Noise) -> (Scene, String) {
        loop {
            let scene = sample(noise);
            if self.bans.contains(&scene) == held_out {
                let caption = scene.caption(noise);
                return (scene, caption);
            }
        }
    }

    /// Scenes with captions of equal length: the first decides it, so that lengths are as frequent in
    /// the batches as in the language.
    pub fn draw_batch(&self, held_out: bool, size: usize, noise: &mut Noise) -> Vec<(Scene, String)> {
        self.draw_alike(Scene::sample, held_out, size, noise)
    }

    fn draw_alike(
        &self,
        sample: Sample,
        held_out: bool,
        size: usize,
        noise: &mut Noise,
    ) -> Vec<(Scene, String)> {
        let words = |caption: &str| caption.split(' ').count();
        let first = self.draw_from(sample, held_out, noise);
        let length = words(&first.1);
        let mut drawn = vec![first];
        while drawn.len() < size {
            let next = self.draw_from(sample, held_out, noise);
            if words(&next.1) == length {
                drawn.push(next);
            }
        }
        drawn
    }

    /// Paints scenes with captions of equal length as a batch.
    pub fn batch_of(&self, drawn: &[(Scene, String)], noise: &mut Noise) -> CaptionBatch<'static> {
        self.batch_with(drawn, |scene| self.paint_placed(scene, noise))
    }

    /// A batch of scenes with captions of equal length, painted by `paint`, which tells where it put the objects.
    fn batch_with(
        &self,
        drawn: &[(Scene, String)],
        mut paint: impl FnMut(&Scene) -> (Vec<f32>, Vec<Placed>),
    ) -> CaptionBatch<'static> {
        let (mut ids, mut boxes) = (Vec::new(), Vec::new());
        let mut images = Vec::with_capacity(drawn.len() * 3 * CANVAS * CANVAS);
        for (image, (scene, caption)) in drawn.iter().enumerate() {
            let tokens = self.vocabulary.tokens(caption);
            ids.extend(tokens.expect("the grammar's captions are in its vocabulary").ids);
            let (pixels, placed) = paint(scene);
            images.extend(pixels);
            boxes.extend(named_boxes(image, scene, caption, &placed));
        }
        let words = ids.len() / drawn.len().max(1);
        CaptionBatch::of_words(Cow::Owned(ids), words, Cow::Owned(images)).with_boxes(Cow::Owned(boxes))
    }
}

/// The boxes of what the words of an image's caption name.
fn named_boxes(image: usize, scene: &Scene, caption: &str, placed: &[Placed]) -> Vec<NamedBox> {
    let words: Vec<&str> = caption.split(' ').collect();
    let mut boxes = Vec::new();
    for Mention { object, words } in mentions(&words) {
        let is_its = |at: &Placed| at.thing.is_some_and(|thing| scene.things[thing].object == object);
        for at in placed.iter().filter(|at| is_its(at)) {
            let [left, top, side] = [at.left, at.top, at.side as i32].map(|edge| edge as f32 / CANVAS as f32);
            let edges = [left, top, left + side, top + side];
            boxes.extend(words.clone().map(|word| NamedBox { image, word, edges }));
        }
    }
    boxes
}

/// Draws a scene.
type Sample = fn(&mut Noise) -> Scene;

/// A scene to learn from: several kinds of objects and old photos of nowhere in particular are learned
/// last, so that they are more frequent than in [`Scene::sample`], and groups no rarer for it. Surf boards are in one
/// scene of forty; in [`Scene::sample`] in one of ten thousand.
fn lesson(noise: &mut Noise) -> Scene {
    match noise.below(40) {
        0..4 => Scene::vintage(noise),
        4..16 => Scene::sample_of(1, noise),
        16..19 => loop {
            let scene = Scene::sample_of(1, noise);
            if scene.things[0].number == Number::Group {
                break scene;
            }
        },
        19 => Scene::with_boards(noise),
        20..30 => Scene::sample_of(2, noise),
        _ => Scene::sample_of(3, noise),
    }
}

/// A scene to learn from where things stand: half of them old photos and things on others, of which there are few in
/// [`lesson`].
fn seldom_placed(noise: &mut Noise) -> Scene {
    match noise.below(4) {
        0 => Scene::vintage(noise),
        1 => loop {
            let scene = Scene::sample_of(2, noise);
            if scene.relation == Some(Relation::On) {
                break scene;
            }
        },
        _ => lesson(noise),
    }
}

/// A scene of one object.
fn one_object(noise: &mut Noise) -> Scene {
    loop {
        let scene = Scene::sample_of(1, noise);
        if scene.things[0].number == Number::One {
            break scene;
        }
    }
}

impl Source for ScenePictures {
    fn batch(&self, size: usize, noise: &mut Noise) -> CaptionBatch<'static> {
        let drawn = self.draw_batch(false, size, noise);
        self.batch_of(&drawn, noise)
    }

    fn training_batch(&self, size: usize, noise: &mut Noise, learned: Lesson) -> CaptionBatch<'static> {
        let sample = match learned {
            Lesson::Everything => lesson,
            Lesson::AsSaid => Scene::sample,
            Lesson::OneObject | Lesson::Places => one_object,
            Lesson::Frames => seldom_placed,
        };
        let drawn = self.draw_alike(sample, false, size, noise);
        match learned {
            Lesson::Places => self.batch_with(&drawn, |scene| (self.paint_place(scene, noise), Vec::new())),
            Lesson::Frames => {
                let nothing = || vec![0.0; 3 * CANVAS * CANVAS];
                self.batch_with(&drawn, |scene| (nothing(), self.layout(scene, noise)))
            }
            _ => self.batch_of(&drawn, noise),
        }
    }

    fn held_out_batch(&self, size: usize, noise: &mut Noise) -> Option<CaptionBatch<'static>> {
        let drawn = self.draw_batch(true, size, noise);
        Some(self.batch_of(&drawn, noise))
    }
}
