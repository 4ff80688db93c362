//! The alignment of two sentences as a picture: a row for each word that is said, a column for each that was read
//! (Bahdanau, Cho & Bengio 2015, figure 3).

use ab_glyph::{Font, FontRef, PxScale, ScaleFont};
use anyhow::{Context, Result};
use image::{ImageFormat, Rgb, RgbImage, imageops};

use super::picture::{PAPER, draw_word, lay_out};
use crate::describe::Description;
use crate::font;

/// Side of a cell, pixels.
const CELL: u32 = 30;
const GAP: u32 = 2;
const MARGIN: u32 = 12;
const TEXT_SIZE: f32 = 17.0;
/// A word that is attended to with a weight of 1.
const INK: [f32; 3] = [38.0, 36.0, 40.0];
/// A word without attention: seen on paper.
const EMPTY: [f32; 3] = [232.0, 230.0, 224.0];

/// Which words of a sentence the words of another attend to.
pub struct AlignmentMatrix<'a> {
    /// The words that were read.
    pub read: &'a [String],
    /// The sentence that is said, its attention over the words that were read.
    pub said: &'a Description,
}

/// The width of a word, pixels.
fn width(face: &FontRef, word: &str) -> u32 {
    let scaled = face.as_scaled(PxScale::from(TEXT_SIZE));
    word.chars().map(|c| scaled.h_advance(face.glyph_id(c))).sum::<f32>().ceil() as u32
}

/// A word on paper, from left to right.
fn label(face: &FontRef, word: &str) -> RgbImage {
    let text = [word.to_owned()];
    let size = width(face, word) + 2;
    let (placed, height) = lay_out(&text, face, TEXT_SIZE, size.max(1) + TEXT_SIZE as u32);
    let mut out = RgbImage::from_pixel(size, height, Rgb(PAPER.map(|x| x as u8)));
    placed.iter().for_each(|word| draw_word(&mut out, face, TEXT_SIZE, word, 1.0, 0.0, 0.0));
    out
}

impl AlignmentMatrix<'_> {
    /// The picture as PNG: the darker a cell, the more of the attention; the words that are said stand on the left, those
    /// that were read above, turned.
    ///
    /// **Errors** those of the encoder.
    pub fn png(&self) -> Result<Vec<u8>> {
        let face = FontRef::try_from_slice(font::BYTES).context("the built-in font")?;
        let rows: Vec<RgbImage> = self.said.words.iter().map(|word| label(&face, &word.text)).collect();
        let columns: Vec<RgbImage> =
            self.read.iter().map(|word| imageops::rotate270(&label(&face, word))).collect();
        let left = 2 * MARGIN + rows.iter().map(RgbImage::width).max().unwrap_or(0);
        let top = 2 * MARGIN + columns.iter().map(RgbImage::height).max().unwrap_or(0);
        let side = CELL + GAP;
        let (width, height) =
            (left + columns.len() as u32 * side + MARGIN, top + rows.len() as u32 * side + MARGIN);
        let mut out = RgbImage::from_pixel(width, height, Rgb(PAPER.map(|x| x as u8)));
        let middle = |of: u32| i64::from(CELL.saturating_sub(of) / 2);
        for (at, label) in (0..).zip(&columns) {
            let y = i64::from(top - MARGIN / 2) - i64::from(label.height());
            imageops::replace(&mut out, label, i64::from(left + at * side) + middle(label.width()), y);
        }
        for (row, (word, label)) in (0..).zip(self.said.words.iter().zip(&rows)) {
            let x = i64::from(left - MARGIN / 2) - i64::from(label.width());
            imageops::replace(&mut out, label, x, i64::from(top + row * side) + middle(label.height()));
            for (column, weight) in (0..).zip(word.attention.iter().flatten()) {
                self.cell(&mut out, left + column * side, top + row * side, *weight);
            }
        }
        let mut png = std::io::Cursor::new(Vec::new());
        out.write_to(&mut png, ImageFormat::Png).context("encoding the PNG")?;
        Ok(png.into_inner())
    }

    fn cell(&self, out: &mut RgbImage, left: u32, top: u32, weight: f32) {
        let colour = std::array::from_fn(|c| (EMPTY[c] + weight * (INK[c] - EMPTY[c])).round() as u8);
        for y in top..top + CELL {
            (left..left + CELL).for_each(|x| out.put_pixel(x, y, Rgb(colour)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::describe::SaidWord;

    #[test]
    fn what_is_attended_to_is_dark_and_nothing_lies_outside() {
        let word = |text: &str, attention: &[f32]| SaidWord {
            text: text.to_owned(),
            log_prob: 0.0,
            attention: Some(attention.to_vec()),
        };
        let words = vec![word("an", &[1.0, 0.0, 0.0]), word("extraordinarily", &[0.0, 0.5, 0.5])];
        let said = Description { words, log_prob: 0.0, score: 0.0 };
        let read = ["a", "remarkable", "dog"].map(str::to_owned);
        let png = AlignmentMatrix { read: &read, said: &said }.png().expect("a PNG");
        let picture = image::load_from_memory(&png).expect("a PNG").to_rgb8();
        let (width, height) = picture.dimensions();
        // The middle of a cell, counted from the bottom right corner.
        let cell = |row: u32, column: u32| {
            let from_end = |at: u32, of: u32| MARGIN + GAP + (of - 1 - at) * (CELL + GAP) + CELL / 2;
            picture.get_pixel(width - from_end(column, 3), height - from_end(row, 2)).0
        };
        assert_eq!(cell(0, 0), INK.map(|x| x as u8));
        assert_eq!([cell(0, 1), cell(1, 0)], [EMPTY.map(|x| x as u8); 2]);
        assert_eq!(cell(1, 1), cell(1, 2));
        let dark = |x: u32, y: u32| picture.get_pixel(x, y).0[0] < 150;
        let (left, top) = (width - MARGIN - 3 * (CELL + GAP), height - MARGIN - 2 * (CELL + GAP));
        assert!((0..left).any(|x| (top..height).any(|y| dark(x, y))), "words on the left");
        assert!((left..width).any(|x| (0..top).any(|y| dark(x, y))), "words above");
        let edge = |x: u32, y: u32| picture.get_pixel(x, y).0 == PAPER.map(|x| x as u8);
        assert!((0..width).all(|x| edge(x, 0)) && (0..height).all(|y| edge(0, y)), "no word is cut");
    }
}
