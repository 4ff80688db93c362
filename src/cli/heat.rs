//! Where a captioner looked: a picture for each word, bright where it attended, as a sheet or one after another.

use ab_glyph::FontRef;
use anyhow::{Context, Result};
use image::{ImageFormat, Rgb, RgbImage};

use super::picture::{PAPER, draw_word, lay_out};
use crate::describe::Description;
use crate::font;

/// Side of a picture of a sheet, pixels.
pub const SIDE: u32 = 192;
/// How much of a place without attention is paper.
const FADED: f32 = 0.8;
const MARGIN: u32 = 12;
const TEXT_SIZE: f32 = 17.0;
/// Hundredths of a second that a word stays, and the whole sentence.
const WORD_DELAY: u16 = 60;
const LAST_DELAY: u16 = 220;

/// A described picture.
pub struct HeatMaps<'a> {
    /// What was looked at, RGB in [0, 1], planar [3, [`SIDE`], [`SIDE`]].
    pub pixels: &'a [f32],
    /// What is said of it.
    pub description: &'a Description,
    /// Rows and columns of the attention.
    pub grid: [usize; 2],
}

/// The attention at a pixel, between the middles of four cells; 1 is the most that a cell gets.
fn weight(attention: &[f32], [rows, columns]: [usize; 2], x: u32, y: u32) -> f32 {
    let most = attention.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    let place = |at: u32, cells: usize| {
        let cell = ((at as f32 + 0.5) * cells as f32 / SIDE as f32 - 0.5).clamp(0.0, (cells - 1) as f32);
        let low = (cell as usize).min(cells.saturating_sub(2));
        (low, (low + 1).min(cells - 1), cell - low as f32)
    };
    let ((top, bottom, down), (left, right, across)) = (place(y, rows), place(x, columns));
    let row = |row: usize| {
        let [near, far] = [left, right].map(|column| attention[row * columns + column]);
        near + across * (far - near)
    };
    let (upper, lower) = (row(top), row(bottom));
    (upper + down * (lower - upper)) / most
}

impl HeatMaps<'_> {
    /// Puts the picture at a place, faded to paper where it was not attended to.
    fn put(&self, out: &mut RgbImage, attention: Option<&Vec<f32>>, left: u32, top: u32) {
        let plane = (SIDE * SIDE) as usize;
        for y in 0..SIDE {
            for x in 0..SIDE {
                let faded = attention.map_or(0.0, |a| FADED * (1.0 - weight(a, self.grid, x, y)));
                let at = (y * SIDE + x) as usize;
                let colour = std::array::from_fn(|c| {
                    let pixel = 255.0 * self.pixels[c * plane + at];
                    (pixel + faded * (PAPER[c] - pixel)).round() as u8
                });
                out.put_pixel(left + x, top + y, Rgb(colour));
            }
        }
    }

    /// All words as a sheet, the picture itself first, as PNG.
    ///
    /// **Errors** those of the encoder.
    pub fn sheet(&self) -> Result<Vec<u8>> {
        let face = FontRef::try_from_slice(font::BYTES).context("the built-in font")?;
        let tiles = self.description.words.len() as u32 + 1;
        let columns = (f64::from(tiles).sqrt().ceil() as u32).max(1);
        let text = (TEXT_SIZE * 1.8) as u32;
        let (width, height) = (SIDE + MARGIN, SIDE + text + MARGIN);
        let paper = Rgb(PAPER.map(|x| x as u8));
        let mut out =
            RgbImage::from_pixel(columns * width + MARGIN, tiles.div_ceil(columns) * height + MARGIN, paper);
        for tile in 0..tiles {
            let (left, top) = (MARGIN + tile % columns * width, MARGIN + tile / columns * height);
            let word = tile.checked_sub(1).map(|at| &self.description.words[at as usize]);
            self.put(&mut out, word.and_then(|word| word.attention.as_ref()), left, top);
            let Some(word) = word else { continue };
            let text = [word.text.clone()];
            let (placed, _) = lay_out(&text, &face, TEXT_SIZE, SIDE);
            for word in &placed {
                draw_word(&mut out, &face, TEXT_SIZE, word, left as f32, (top + SIDE) as f32, 1.0);
            }
        }
        let mut png = std::io::Cursor::new(Vec::new());
        out.write_to(&mut png, ImageFormat::Png).context("encoding the PNG")?;
        Ok(png.into_inner())
    }

    /// One word after the other above the sentence, as a GIF that repeats.
    ///
    /// **Errors** those of the encoder.
    pub fn animation(&self) -> Result<Vec<u8>> {
        let face = FontRef::try_from_slice(font::BYTES).context("the built-in font")?;
        let words: Vec<String> = self.description.words.iter().map(|word| word.text.clone()).collect();
        let (placed, text_height) = lay_out(&words, &face, TEXT_SIZE, SIDE);
        let (width, height) = (SIDE + 2 * MARGIN, SIDE + 3 * MARGIN + text_height);
        let (gif_width, gif_height) = (u16::try_from(width)?, u16::try_from(height)?);
        let mut out = Vec::new();
        let mut encoder = gif::Encoder::new(&mut out, gif_width, gif_height, &[])?;
        encoder.set_repeat(gif::Repeat::Infinite)?;
        for lit in 0..=words.len() {
            let mut picture = RgbImage::from_pixel(width, height, Rgb(PAPER.map(|x| x as u8)));
            let attention = self.description.words.get(lit).and_then(|word| word.attention.as_ref());
            self.put(&mut picture, attention, MARGIN, MARGIN);
            for (at, word) in placed.iter().enumerate() {
                let lit = f32::from(u8::from(at == lit));
                let top = (SIDE + 2 * MARGIN) as f32;
                draw_word(&mut picture, &face, TEXT_SIZE, word, MARGIN as f32, top, lit);
            }
            let mut frame = gif::Frame::from_rgb_speed(gif_width, gif_height, picture.as_raw(), 10);
            frame.delay = if lit == words.len() { LAST_DELAY } else { WORD_DELAY };
            encoder.write_frame(&frame)?;
        }
        drop(encoder);
        Ok(out)
    }
}
