//! Binarised MNIST: every pixel 0 or 1, no captions. What DRAW is measured on.
//!
//! A pixel is 1 with the probability of its intensity (Salakhutdinov & Murray 2008). For training it is
//! drawn anew each time that an image is seen; the images of validation and test are drawn once, from a
//! fixed seed. The published 80.97 nats are of another fixed draw (Larochelle & Murray 2011), which is
//! not among MNIST's files: bounds on the two compare to about a nat, not to a tenth.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{
    batch::CaptionBatch,
    mnist::{Digits, SIDE},
    noise::Noise,
    source::Source,
    vocabulary::Vocabulary,
};

/// Seed of the one draw of validation and test images; bounds hang on it, so it never changes.
const FIXED_SEED: u64 = 2008;

/// No word is known.
pub fn vocabulary() -> Vocabulary {
    Vocabulary {
        words: Vec::new(),
        aliases: BTreeMap::new(),
        full_stop: None,
        max_words: 0,
        example: String::new(),
        alternatives: Vec::new(),
        meanings: BTreeMap::new(),
    }
}

/// The images of one part.
pub struct BinaryMnist {
    digits: Digits,
    /// Whether the pixels of `digits` are binary already.
    fixed: bool,
}

/// Draws a binary pixel of each intensity in place.
fn binarise(pixels: &mut [f32], noise: &mut Noise) {
    pixels.iter_mut().for_each(|pixel| *pixel = f32::from(noise.uniform() < *pixel));
}

impl BinaryMnist {
    /// Images whose pixels are drawn anew every time: for training.
    pub fn fresh(digits: Digits) -> Self {
        Self { digits, fixed: false }
    }

    /// Images whose pixels are drawn once, image `i` from stream `i` of the fixed seed: for validation
    /// and test.
    pub fn fixed(mut digits: Digits) -> Self {
        for (at, image) in digits.pixels.chunks_exact_mut(SIDE * SIDE).enumerate() {
            binarise(image, &mut Noise::stream(FIXED_SEED, at as u64));
        }
        Self { digits, fixed: true }
    }
}

impl Source for BinaryMnist {
    fn batch(&self, size: usize, noise: &mut Noise) -> CaptionBatch<'static> {
        let mut images = Vec::with_capacity(size * SIDE * SIDE);
        for _ in 0..size {
            images.extend_from_slice(self.digits.image(noise.below(self.digits.len())));
        }
        if !self.fixed {
            binarise(&mut images, noise);
        }
        CaptionBatch::of_images(size, Cow::Owned(images))
    }

    fn held_out_batch(&self, _: usize, _: &mut Noise) -> Option<CaptionBatch<'static>> {
        None
    }

    fn fixed_len(&self) -> Option<usize> {
        self.fixed.then(|| self.digits.len())
    }

    fn fixed_batch(&self, start: usize, size: usize) -> Option<CaptionBatch<'static>> {
        let end = start + size;
        let inside = self.fixed && end <= self.digits.len();
        inside.then(|| {
            let pixels = &self.digits.pixels[start * SIDE * SIDE..end * SIDE * SIDE];
            CaptionBatch::of_images(size, Cow::Owned(pixels.to_vec()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two images: one of intensity 0.25 everywhere, one of 0 and 1.
    fn digits() -> Digits {
        let mut pixels = vec![0.25; SIDE * SIDE];
        pixels.extend((0..SIDE * SIDE).map(|at| (at % 2) as f32));
        Digits { pixels, labels: vec![0, 1] }
    }

    #[test]
    fn fixed_images_stay_and_follow_the_intensities() {
        let source = BinaryMnist::fixed(digits());
        assert_eq!(source.fixed_len(), Some(2));
        let all = source.fixed_batch(0, 2).expect("two images");
        assert_eq!((all.len(), all.words), (2, 0));
        assert_eq!(all.images, BinaryMnist::fixed(digits()).fixed_batch(0, 2).expect("two images").images);
        let (grey, sharp) = all.images.split_at(SIDE * SIDE);
        assert!(grey.iter().all(|&pixel| pixel == 0.0 || pixel == 1.0));
        let share = grey.iter().sum::<f32>() / grey.len() as f32;
        assert!((share - 0.25).abs() < 0.05, "{share}");
        assert_eq!(sharp, &digits().pixels[SIDE * SIDE..], "0 and 1 are what they were");
        assert!(source.fixed_batch(1, 2).is_none());
        let drawn = source.batch(8, &mut Noise::new(1));
        let known = |image: &[f32]| image == grey || image == sharp;
        assert!(drawn.images.chunks_exact(SIDE * SIDE).all(known), "no image beside the fixed ones");
    }

    #[test]
    fn training_images_are_drawn_anew() {
        let source = BinaryMnist::fresh(Digits { pixels: vec![0.5; SIDE * SIDE], labels: vec![0] });
        assert!(source.fixed_len().is_none() && source.fixed_batch(0, 1).is_none());
        let mut noise = Noise::new(1);
        let (one, other) = (source.batch(1, &mut noise), source.batch(1, &mut noise));
        assert_ne!(one.images, other.images);
        assert!(one.images.iter().all(|&pixel| pixel == 0.0 || pixel == 1.0));
        assert_eq!(one.images, source.batch(1, &mut Noise::new(1)).images, "a seed is a batch");
    }
}
