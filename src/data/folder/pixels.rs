//! Images cut to squares, and kept.

use std::io::Write;
use std::path::Path;
use std::time::UNIX_EPOCH;

use image::imageops::{FilterType, crop_imm, resize};

use super::Entry;
use crate::error::{Error, Result};

/// Loads the images of the entries as squares, planar, [image, 3, side, side]. Broken ones are named
/// in `skipped`, and their entries left out.
pub fn load(
    folder: &Path,
    entries: Vec<Entry>,
    side: usize,
    cache: Option<&Path>,
    skipped: &mut Vec<String>,
) -> Result<(Vec<Entry>, Vec<u8>)> {
    let images = folder.join("images");
    let stamp = stamp(&images, &entries, side);
    if let Some((kept, pixels)) = cache.and_then(|path| from_cache(path, &stamp, side)) {
        let mut kept = kept.into_iter();
        let entries = entries.into_iter().filter(|entry| match kept.next().flatten() {
            None => true,
            Some(why) => {
                skipped.push(format!("{}: {why}", entry.file));
                false
            }
        });
        return Ok((entries.collect(), pixels));
    }
    let (mut used, mut pixels, mut faults) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries {
        match square(&images.join(&entry.file), side) {
            Ok(image) => {
                pixels.extend(image);
                faults.push(None);
                used.push(entry);
            }
            Err(why) => {
                skipped.push(format!("{}: {why}", entry.file));
                faults.push(Some(why));
            }
        }
    }
    if let Some(path) = cache {
        to_cache(path, &stamp, &faults, &pixels)
            .map_err(|error| Error::Data(format!("{}: {error}", path.display())))?;
    }
    Ok((used, pixels))
}

/// The middle of an image as a square of `side` pixels, planar.
fn square(path: &Path, side: usize) -> std::result::Result<Vec<u8>, String> {
    let reader = image::ImageReader::open(path).map_err(|error| error.to_string())?;
    let reader = reader.with_guessed_format().map_err(|error| error.to_string())?;
    let image = reader.decode().map_err(|error| error.to_string())?.to_rgb8();
    let (width, height) = image.dimensions();
    let short = width.min(height);
    let middle = crop_imm(&image, (width - short) / 2, (height - short) / 2, short, short).to_image();
    let small = resize(&middle, side as u32, side as u32, FilterType::Triangle);
    Ok((0..3).flat_map(|channel| small.pixels().map(move |pixel| pixel.0[channel])).collect())
}

/// What the kept pixels were made from: every file's name, length and time of change.
fn stamp(images: &Path, entries: &[Entry], side: usize) -> Vec<String> {
    let mut stamp = vec![format!("aligndraw pixels 1, side {side}")];
    stamp.extend(entries.iter().map(|entry| {
        let changed = std::fs::metadata(images.join(&entry.file)).ok().and_then(|about| {
            let changed = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?.as_nanos();
            Some((about.len(), changed))
        });
        format!("{} {changed:?}", entry.file)
    }));
    stamp
}

/// What is wrong with each image (none: nothing), and the pixels of the others.
type Kept = (Vec<Option<String>>, Vec<u8>);

/// The kept pixels, if they were made from the same files and are whole.
fn from_cache(path: &Path, stamp: &[String], side: usize) -> Option<Kept> {
    let bytes = std::fs::read(path).ok()?;
    let end = bytes.iter().position(|&byte| byte == b'\n')?;
    let (found, faults): (Vec<String>, Vec<Option<String>>) = serde_json::from_slice(&bytes[..end]).ok()?;
    let pixels = bytes[end + 1..].to_vec();
    let images = faults.iter().filter(|fault| fault.is_none()).count();
    (found == stamp && pixels.len() == images * 3 * side * side).then_some((faults, pixels))
}

fn to_cache(path: &Path, stamp: &[String], faults: &[Option<String>], pixels: &[u8]) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let part = path.with_extension("part");
    let mut file = std::fs::File::create(&part)?;
    serde_json::to_writer(&mut file, &(stamp, faults))?;
    file.write_all(b"\n")?;
    file.write_all(pixels)?;
    file.sync_all()?;
    std::fs::rename(&part, path)
}
