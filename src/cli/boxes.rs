//! Phrases and their regions over a picture, as a sheet.

use ab_glyph::FontRef;
use anyhow::{Context, Result};
use image::{ImageFormat, Rgb, RgbImage};

use super::picture::{LIT, PAPER, draw_word, lay_out};
use crate::font;
use crate::model::Region;

/// Side of a picture of a sheet, pixels.
pub const SIDE: u32 = 192;
/// How much of what is outside of the region is paper.
const FADED: f32 = 0.65;
/// Width of a region's outline, pixels.
const OUTLINE: u32 = 2;
const MARGIN: u32 = 12;
const TEXT_SIZE: f32 = 17.0;

/// Words that are in one region.
pub struct Phrase {
    /// Neighbours in the sentence.
    pub words: Vec<String>,
    /// Where they are.
    pub region: Region,
}

/// Where a region is, in words.
pub fn place(region: &Region) -> String {
    let Region { x, y, width, height } = *region;
    let [left, top, right, bottom] = [x, y, x + width, y + height].map(|share| 100.0 * share);
    format!("{left:>3.0}–{right:.0} % across, {top:>3.0}–{bottom:.0} % down")
}

/// Edges of a region in pixels of a picture: left, top, right, bottom; the last two are outside.
fn edges(region: &Region) -> [u32; 4] {
    let place = |share: f32| (share.clamp(0.0, 1.0) * SIDE as f32).round() as u32;
    let Region { x, y, width, height } = *region;
    [place(x), place(y), place(x + width), place(y + height)]
}

/// Puts the picture at a place, with a region outlined and what is outside of it faded to paper.
fn put(out: &mut RgbImage, pixels: &[f32], region: Option<&Region>, left: u32, top: u32) {
    let plane = (SIDE * SIDE) as usize;
    let edges = region.map(edges);
    for y in 0..SIDE {
        for x in 0..SIDE {
            // How far inside of the region, 0 at its edge.
            let depth = edges.map(|[left, top, right, bottom]| {
                let inside = (left..right).contains(&x) && (top..bottom).contains(&y);
                inside.then(|| (x - left).min(y - top).min(right - 1 - x).min(bottom - 1 - y))
            });
            let colour = match depth {
                Some(Some(depth)) if depth < OUTLINE => LIT.map(|x| x as u8),
                _ => std::array::from_fn(|c| {
                    let faded = if depth == Some(None) { FADED } else { 0.0 };
                    let pixel = 255.0 * pixels[c * plane + (y * SIDE + x) as usize];
                    (pixel + faded * (PAPER[c] - pixel)).round() as u8
                }),
            };
            out.put_pixel(left + x, top + y, Rgb(colour));
        }
    }
}

/// All phrases as a sheet, the picture itself first, as PNG. `pixels` are RGB in [0, 1], planar
/// [3, [`SIDE`], [`SIDE`]].
///
/// **Errors** those of the encoder.
pub fn sheet(pixels: &[f32], phrases: &[Phrase]) -> Result<Vec<u8>> {
    let face = FontRef::try_from_slice(font::BYTES).context("the built-in font")?;
    let laid: Vec<_> = phrases.iter().map(|phrase| lay_out(&phrase.words, &face, TEXT_SIZE, SIDE)).collect();
    let text = laid.iter().map(|(_, height)| *height).max().unwrap_or(0);
    let tiles = phrases.len() as u32 + 1;
    let columns = (f64::from(tiles).sqrt().ceil() as u32).max(1);
    let (width, height) = (SIDE + MARGIN, SIDE + text + MARGIN);
    let paper = Rgb(PAPER.map(|x| x as u8));
    let mut out =
        RgbImage::from_pixel(columns * width + MARGIN, tiles.div_ceil(columns) * height + MARGIN, paper);
    for tile in 0..tiles {
        let (left, top) = (MARGIN + tile % columns * width, MARGIN + tile / columns * height);
        let phrase = tile.checked_sub(1).map(|at| at as usize);
        put(&mut out, pixels, phrase.map(|at| &phrases[at].region), left, top);
        for word in phrase.iter().flat_map(|&at| &laid[at].0) {
            draw_word(&mut out, &face, TEXT_SIZE, word, left as f32, (top + SIDE) as f32, 1.0);
        }
    }
    let mut png = std::io::Cursor::new(Vec::new());
    out.write_to(&mut png, ImageFormat::Png).context("encoding the PNG")?;
    Ok(png.into_inner())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_region_stays_as_it_is_and_has_an_outline() {
        let black = vec![0.0; 3 * (SIDE * SIDE) as usize];
        let region = Region { x: 0.5, y: 0.0, width: 0.5, height: 1.0 };
        let phrase = Phrase { words: vec!["here".to_owned()], region };
        let sheet =
            image::load_from_memory(&sheet(&black, &[phrase]).expect("a PNG")).expect("a PNG").to_rgb8();
        let (first, second, middle) = (MARGIN, 2 * MARGIN + SIDE, MARGIN + SIDE / 2);
        assert_eq!(sheet.get_pixel(first + 3, middle).0, [0; 3], "the picture itself");
        assert!(sheet.get_pixel(second + 3, middle).0[0] > 120, "outside");
        assert_eq!(sheet.get_pixel(second + SIDE / 2, middle).0, LIT.map(|x| x as u8), "the outline");
        assert_eq!(sheet.get_pixel(second + SIDE / 2 + 20, middle).0, [0; 3], "inside");
    }
}
