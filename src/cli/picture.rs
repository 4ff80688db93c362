//! Pictures from canvases: PNG grids, and the animated drawing with its words lit.

use ab_glyph::{Font, FontRef, Glyph, PxScale, ScaleFont, point};
use anyhow::{Context, Result};
use image::{ImageFormat, Rgb, RgbImage};

use crate::font;
use crate::kernels::window::Rect;
use crate::model::ImageSize;
use crate::paint::Frame;

/// Between the pictures of a grid.
const GAP: u32 = 2;
const GAP_COLOR: Rgb<u8> = Rgb([46, 46, 52]);
pub const PAPER: [f32; 3] = [250.0, 249.0, 246.0];
const INK: [f32; 3] = [38.0, 36.0, 40.0];
pub const LIT: [f32; 3] = [214.0, 73.0, 28.0];
/// Hundredths of a second that a step stays, and the last one.
const STEP_DELAY: u16 = 9;
const LAST_DELAY: u16 = 220;

/// A pixel of a planar canvas.
fn pixel(image: &[f32], size: ImageSize, x: usize, y: usize) -> Rgb<u8> {
    let plane = size.width * size.height;
    let at = |channel: usize| (image[channel * plane + y * size.width + x] * 255.0).round() as u8;
    if size.channels == 1 { Rgb([at(0); 3]) } else { Rgb([at(0), at(1), at(2)]) }
}

fn put(out: &mut RgbImage, image: &[f32], size: ImageSize, scale: u32, left: u32, top: u32) {
    for y in 0..size.height as u32 * scale {
        for x in 0..size.width as u32 * scale {
            let color = pixel(image, size, (x / scale) as usize, (y / scale) as usize);
            out.put_pixel(left + x, top + y, color);
        }
    }
}

/// Lays pictures out as a grid that is about square, row by row, and encodes it as PNG.
///
/// **Errors** those of the encoder.
pub fn grid(images: &[&[f32]], size: ImageSize, scale: u32) -> Result<Vec<u8>> {
    let columns = (images.len() as f64).sqrt().ceil() as u32;
    let rows = (images.len() as u32).div_ceil(columns);
    let (width, height) = (size.width as u32 * scale, size.height as u32 * scale);
    let mut out = RgbImage::from_pixel(
        columns * width + (columns - 1) * GAP,
        rows * height + (rows - 1) * GAP,
        GAP_COLOR,
    );
    for (i, image) in (0..).zip(images) {
        put(&mut out, image, size, scale, i % columns * (width + GAP), i / columns * (height + GAP));
    }
    let mut png = std::io::Cursor::new(Vec::new());
    out.write_to(&mut png, ImageFormat::Png).context("encoding the PNG")?;
    Ok(png.into_inner())
}

/// Drawings step by step under their captions, whose words light up as they are looked at.
pub struct Animation {
    /// The canvas.
    pub size: ImageSize,
    /// Pixels for each pixel of the canvas.
    pub scale: u32,
}

/// One drawing of an animation.
pub struct AnimatedDrawing<'a> {
    /// The words of the caption.
    pub words: &'a [String],
    /// All steps.
    pub frames: Vec<&'a Frame>,
}

/// A word with its place in the picture.
pub struct Placed<'a> {
    text: &'a str,
    left: f32,
    baseline: f32,
}

impl Animation {
    /// Encodes the drawings, one after the other, as a GIF that repeats.
    ///
    /// **Errors** those of the encoder.
    pub fn encode(&self, drawings: &[AnimatedDrawing]) -> Result<Vec<u8>> {
        let face = FontRef::try_from_slice(font::BYTES).context("the built-in font")?;
        let side = self.size.width as u32 * self.scale;
        let text_size = (side as f32 / 15.0).max(11.0);
        let margin = (text_size * 0.8) as u32;
        let texts: Vec<_> =
            drawings.iter().map(|drawing| lay_out(drawing.words, &face, text_size, side)).collect();
        let text_height = texts.iter().map(|(_, height)| *height).max().unwrap_or(0);
        let width = side + 2 * margin;
        let height = self.size.height as u32 * self.scale + 3 * margin + text_height;
        let (gif_width, gif_height) = (u16::try_from(width), u16::try_from(height));
        let (gif_width, gif_height) = (
            gif_width.context("the GIF is too wide: lower --scale")?,
            gif_height.context("the GIF is too high: lower --scale")?,
        );
        let mut out = Vec::new();
        let mut encoder = gif::Encoder::new(&mut out, gif_width, gif_height, &[])?;
        encoder.set_repeat(gif::Repeat::Infinite)?;
        let frames = drawings.iter().zip(&texts).flat_map(|(drawing, (placed, _))| {
            let count = drawing.frames.len();
            drawing.frames.iter().enumerate().map(move |(i, frame)| (frame, placed, i + 1 == count))
        });
        for (frame, placed, is_last) in frames {
            let paper = Rgb(PAPER.map(|x| x as u8));
            let mut picture = RgbImage::from_pixel(width, height, paper);
            put(&mut picture, &frame.image, self.size, self.scale, margin, margin);
            if let (false, Some(rect)) = (is_last, &frame.rect) {
                self.outline(&mut picture, rect, margin);
            }
            let top = (margin * 2 + self.size.height as u32 * self.scale) as f32;
            for (at, word) in placed.iter().enumerate() {
                let weight = frame.alignment.as_ref().map_or(0.0, |alignment| alignment[at]);
                let lit = if is_last { 0.0 } else { weight.sqrt() };
                draw_word(&mut picture, &face, text_size, word, margin as f32, top, lit);
            }
            let mut gif_frame = gif::Frame::from_rgb_speed(gif_width, gif_height, picture.as_raw(), 10);
            gif_frame.delay = if is_last { LAST_DELAY } else { STEP_DELAY };
            encoder.write_frame(&gif_frame)?;
        }
        drop(encoder);
        Ok(out)
    }

    /// A rectangle of the canvas as a frame of one pixel.
    fn outline(&self, picture: &mut RgbImage, rect: &Rect, margin: u32) {
        let place = |at: f32, len: usize| {
            let at = at.clamp(0.0, len as f32) * self.scale as f32;
            margin + (at as u32).min(len as u32 * self.scale - 1)
        };
        let (left, right) = (place(rect.x, self.size.width), place(rect.x + rect.width, self.size.width));
        let (top, bottom) = (place(rect.y, self.size.height), place(rect.y + rect.height, self.size.height));
        let color = Rgb(LIT.map(|x| x as u8));
        for x in left..=right {
            picture.put_pixel(x, top, color);
            picture.put_pixel(x, bottom, color);
        }
        for y in top..=bottom {
            picture.put_pixel(left, y, color);
            picture.put_pixel(right, y, color);
        }
    }
}

/// Breaks the words into lines of at most `width`; returns the height of all lines.
pub fn lay_out<'w>(words: &'w [String], face: &FontRef, size: f32, width: u32) -> (Vec<Placed<'w>>, u32) {
    let scaled = face.as_scaled(PxScale::from(size));
    let advance = |text: &str| text.chars().map(|c| scaled.h_advance(face.glyph_id(c))).sum::<f32>();
    let (space, line) = (advance(" "), size * 1.35);
    let (mut left, mut baseline) = (0.0, size);
    let mut placed = Vec::with_capacity(words.len());
    for word in words {
        let length = advance(word);
        let stop = word == ".";
        if !stop && left > 0.0 && left + space + length > width as f32 {
            left = 0.0;
            baseline += line;
        } else if left > 0.0 && !stop {
            left += space;
        }
        placed.push(Placed { text: word, left, baseline });
        left += length;
    }
    (placed, (baseline + size * 0.4) as u32)
}

/// Draws a word below `top`; `lit` from 0 to 1.
pub fn draw_word(
    picture: &mut RgbImage,
    face: &FontRef,
    size: f32,
    word: &Placed,
    left: f32,
    top: f32,
    lit: f32,
) {
    let scaled = face.as_scaled(PxScale::from(size));
    let color: [f32; 3] = std::array::from_fn(|c| INK[c] * 0.45 + PAPER[c] * 0.55);
    let color: [f32; 3] = std::array::from_fn(|c| color[c] + lit * (LIT[c] - color[c]));
    let mut x = left + word.left;
    for letter in word.text.chars() {
        let id = face.glyph_id(letter);
        let glyph = Glyph { id, scale: PxScale::from(size), position: point(x, top + word.baseline) };
        x += scaled.h_advance(id);
        let Some(outlined) = face.outline_glyph(glyph) else { continue };
        let bounds = outlined.px_bounds();
        outlined.draw(|dx, dy, coverage| {
            let (px, py) = (bounds.min.x as i64 + i64::from(dx), bounds.min.y as i64 + i64::from(dy));
            if px < 0 || py < 0 || px >= i64::from(picture.width()) || py >= i64::from(picture.height()) {
                return;
            }
            let pixel = picture.get_pixel_mut(px as u32, py as u32);
            for (under, color) in pixel.0.iter_mut().zip(color) {
                *under = (f32::from(*under) * (1.0 - coverage) + color * coverage) as u8;
            }
        });
    }
}
