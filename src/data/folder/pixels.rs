//! Images cut to squares, and kept.

use std::io::Cursor;
use std::path::Path;
use std::time::UNIX_EPOCH;

use image::imageops::{FilterType, crop_imm, resize};
use image::{DynamicImage, ImageDecoder, ImageFormat, Rgb, RgbImage};
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};

use super::store::{Squares, Writer};
use super::{Entry, LEAST_IMAGES};
use crate::error::{Error, Result};

/// Images that were loaded.
pub struct Loaded {
    /// Those that are usable.
    pub entries: Vec<Entry>,
    /// Their pixels, planar, [image, 3, side, side].
    pub pixels: Squares,
    /// Width and height of each as it lies in its file, upright; none where all came from the cache.
    pub sizes: Vec<(u32, u32)>,
}

/// Loads the images of the entries as squares. Broken ones are named in `skipped`, and their entries left out.
pub fn load(
    folder: &Path,
    entries: Vec<Entry>,
    side: usize,
    cache: Option<&Path>,
    skipped: &mut Vec<String>,
    notes: &mut Vec<String>,
) -> Result<Loaded> {
    let stamp = stamp(folder, &entries, side);
    if let Some((pixels, faults)) = cache.and_then(|path| Squares::kept(path, &stamp, 3 * side * side)) {
        let mut used = Vec::with_capacity(entries.len());
        for (entry, fault) in entries.into_iter().zip(faults) {
            match fault {
                None => used.push(entry),
                Some(why) => skipped.push(format!("{}: {why}", entry.file)),
            }
        }
        return Ok(Loaded { entries: used, pixels, sizes: Vec::new() });
    }
    let made = Making { folder, side, cache, stamp };
    made.decode(entries, skipped, notes).map_err(|error| {
        let place = cache.map_or_else(std::env::temp_dir, Path::to_path_buf);
        Error::Data(format!("{}: {error}", place.display()))
    })
}

/// Squares in the making.
struct Making<'a> {
    folder: &'a Path,
    side: usize,
    cache: Option<&'a Path>,
    stamp: Vec<String>,
}

impl Making<'_> {
    /// Decodes images, some at a time, on all threads.
    ///
    /// **Errors** of writing them.
    fn decode(
        &self,
        entries: Vec<Entry>,
        skipped: &mut Vec<String>,
        notes: &mut Vec<String>,
    ) -> std::io::Result<Loaded> {
        let mut writer = Writer::new(self.cache)?;
        let (mut used, mut sizes, mut faults) = (Vec::new(), Vec::new(), Vec::new());
        let mut transparent = 0;
        for some in entries.chunks(TOGETHER) {
            let squares: Vec<_> =
                some.par_iter().map(|entry| square(&self.folder.join(&entry.path), self.side)).collect();
            for (entry, square) in some.iter().zip(squares) {
                match square {
                    Ok(square) => {
                        writer.push(&square.pixels)?;
                        sizes.push(square.size);
                        transparent += usize::from(square.transparent);
                        faults.push(None);
                        used.push(entry.clone());
                    }
                    Err(why) => {
                        skipped.push(format!("{}: {why}", entry.file));
                        faults.push(Some(why));
                    }
                }
            }
        }
        if transparent > 0 {
            notes.push(format!("{transparent} images are transparent in part: they are laid on white"));
        }
        // Nothing is kept of a folder that is refused.
        let kept = self.cache.filter(|_| used.len() >= LEAST_IMAGES);
        let pixels = writer.finish(kept, &self.stamp, &faults)?;
        Ok(Loaded { entries: used, pixels, sizes })
    }
}

/// Images that are decoded before they are written.
const TOGETHER: usize = 256;
/// Pixels of the largest image that is decoded: a small file can claim to hold billions.
const MOST_PIXELS: u64 = 100_000_000;

/// The middle of an image as a square of `side` pixels, planar.
fn square(path: &Path, side: usize) -> std::result::Result<Square, String> {
    let Upright { image, transparent } = upright(&bytes_of(path)?)?;
    let (width, height) = image.dimensions();
    let short = width.min(height);
    let middle = crop_imm(&image, (width - short) / 2, (height - short) / 2, short, short).to_image();
    let small = resize(&middle, side as u32, side as u32, FilterType::Triangle);
    Ok(Square { pixels: planar(&small), size: (width, height), transparent })
}

/// A whole image squeezed into a square of `side` pixels, planar RGB [3, side, side]: nothing that a caption may
/// name is cut off.
pub fn squeezed(image: &RgbImage, side: usize) -> Vec<u8> {
    planar(&resize(image, side as u32, side as u32, FilterType::Triangle))
}

/// Planar pixels in [0, 1] of a square of `side` pixels, RGB or one plane, in a square of another side, as planar RGB:
/// what a painter of small pictures made, for a network that looks at large ones.
pub fn resized(planar: &[f32], side: usize, to: usize) -> Vec<u8> {
    let plane = side * side;
    let channels = planar.len() / plane;
    let picture = RgbImage::from_fn(side as u32, side as u32, |x, y| {
        let at = y as usize * side + x as usize;
        let value = |channel: usize| (255.0 * planar[channel.min(channels - 1) * plane + at]).round() as u8;
        Rgb(std::array::from_fn(value))
    });
    squeezed(&picture, to)
}

/// Any image file, whole, squeezed into a square: planar RGB [3, side, side].
///
/// **Errors** [`Error::Data`] with the reason when it cannot be read, is broken or too large.
pub fn open_squeezed(path: &Path, side: usize) -> Result<Vec<u8>> {
    let read = bytes_of(path).and_then(|bytes| upright(&bytes));
    let read = read.map_err(|why| Error::Data(format!("{}: {why}", path.display())))?;
    Ok(squeezed(&read.image, side))
}

fn planar(image: &RgbImage) -> Vec<u8> {
    (0..3).flat_map(|channel| image.pixels().map(move |pixel| pixel.0[channel])).collect()
}

/// The bytes of an image file.
///
/// **Errors** the reason, for people.
pub fn bytes_of(path: &Path) -> std::result::Result<Vec<u8>, String> {
    let about = std::fs::metadata(path).map_err(|error| error.to_string())?;
    // Opening a pipe would wait for its writer.
    if !about.is_file() {
        return Err("not a regular file".to_owned());
    }
    std::fs::read(path).map_err(|error| error.to_string())
}

/// An image as it is meant to be seen.
pub struct Upright {
    /// On white where it was transparent.
    pub image: RgbImage,
    /// Whether something of it was transparent.
    pub transparent: bool,
}

/// Decodes an image file: upright as its camera says, on white where it is transparent.
///
/// **Errors** the reason, for people.
pub fn upright(bytes: &[u8]) -> std::result::Result<Upright, String> {
    let wrong = |error: image::ImageError| error.to_string();
    let reader = image::ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let reader = reader.map_err(|error| error.to_string())?;
    if reader.format() == Some(ImageFormat::Jpeg) && !jpeg_is_whole(bytes) {
        return Err("the file ends before its image does".to_owned());
    }
    let mut decoder = reader.into_decoder().map_err(wrong)?;
    let (width, height) = decoder.dimensions();
    let pixels = u64::from(width) * u64::from(height);
    if pixels > MOST_PIXELS {
        return Err(format!("{width}×{height} pixels, expected at most {MOST_PIXELS} in all"));
    }
    let orientation = decoder.orientation().map_err(wrong)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(wrong)?;
    image.apply_orientation(orientation);
    let transparent = image.color().has_alpha() && image.to_rgba8().pixels().any(|pixel| pixel.0[3] < 255);
    Ok(Upright { image: on_white(image), transparent })
}

/// The middle of any image file as a square, RGB in [0, 1], planar [3, side, side]: upright as its camera says,
/// on white where it is transparent.
///
/// **Errors** [`Error::Data`] with the reason when it cannot be read, is broken or too large.
pub fn open(path: &Path, side: usize) -> Result<Vec<f32>> {
    let square = square(path, side).map_err(|why| Error::Data(format!("{}: {why}", path.display())))?;
    Ok(square.pixels.into_iter().map(|byte| f32::from(byte) / 255.0).collect())
}

/// An image as it is kept.
struct Square {
    /// [3, side, side].
    pixels: Vec<u8>,
    /// Width and height before it was cut.
    size: (u32, u32),
    /// Whether something of the image was transparent.
    transparent: bool,
}

/// An image without transparency.
fn on_white(image: DynamicImage) -> RgbImage {
    if !image.color().has_alpha() {
        return image.to_rgb8();
    }
    let image = image.to_rgba8();
    RgbImage::from_fn(image.width(), image.height(), |x, y| {
        let [r, g, b, a] = image.get_pixel(x, y).0.map(u32::from);
        Rgb([r, g, b].map(|c| ((c * a + 255 * (255 - a) + 127) / 255) as u8))
    })
}

/// Whether a JPEG's image data ends with its end-of-image marker (ITU T.81, B.1.1): decoders take half a file
/// for a whole one and fill the rest with grey.
fn jpeg_is_whole(bytes: &[u8]) -> bool {
    let mut at = 2;
    while let Some(&[0xff, marker]) = bytes.get(at..at + 2) {
        match marker {
            0xd9 => return true,
            // Fill bytes and markers without a length.
            0xff => at += 1,
            0x01 | 0xd0..=0xd8 => at += 2,
            _ => {
                let Some(&[high, low]) = bytes.get(at + 2..at + 4) else { return false };
                at += 2 + usize::from(u16::from_be_bytes([high, low]));
                if marker == 0xda {
                    // Entropy-coded data: to the next marker that is neither stuffing nor a restart.
                    let data = bytes.get(at..).unwrap_or_default();
                    let end = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xd0..=0xd7 | 0xff);
                    let Some(len) = data.windows(2).position(end) else { return false };
                    at += len;
                }
            }
        }
    }
    false
}

/// What the kept pixels were made from: every file's name, length and time of change.
fn stamp(folder: &Path, entries: &[Entry], side: usize) -> Vec<String> {
    let mut stamp = vec![format!("aligndraw pixels 4, side {side}")];
    stamp.extend(entries.iter().map(|entry| {
        let changed = std::fs::metadata(folder.join(&entry.path)).ok().and_then(|about| {
            let changed = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos();
            Some((about.len(), changed))
        });
        format!("{} {changed:?}", entry.path)
    }));
    stamp
}
