//! Parts of photos that are learned from besides the whole ones, every second one mirrored: more pictures out of few.

use std::path::Path;

use image::RgbImage;
use image::imageops::{crop_imm, flip_horizontal};

use super::features::name;
use super::photos::{Looking, Waiting};
use super::{Entry, Split, pixels};
use crate::data::augment::other_side;
use crate::data::noise::Noise;
use crate::error::Result;

/// The least and the largest share of a photo's area.
const AREA: [f32; 2] = [0.5, 0.95];
/// The least and the largest width over height, those of the photo being 1.
const RATIO: [f32; 2] = [0.8, 1.25];

/// A part of a photo.
pub struct Crop {
    /// The photo's entry.
    pub entry: usize,
    /// Whether left is right.
    pub mirrored: bool,
}

impl Crop {
    /// The words of a caption of the photo, as they are true of the crop.
    pub fn said(&self, words: Vec<String>) -> Vec<String> {
        let other = |word: String| other_side(&word).to_owned();
        if self.mirrored { words.into_iter().map(other).collect() } else { words }
    }
}

/// A part of a photo at random.
fn cropped(photo: &RgbImage, mirrored: bool, noise: &mut Noise) -> RgbImage {
    let mut between = |[least, most]: [f32; 2]| least + (most - least) * noise.uniform();
    let (area, ratio) = (between(AREA), between(RATIO));
    let (width, height) = photo.dimensions();
    let side = |whole: u32, share: f32| ((whole as f32 * share.sqrt()) as u32).clamp(1, whole);
    let (across, down) = (side(width, area * ratio), side(height, area / ratio));
    let mut place = |room: u32| noise.below(room as usize + 1) as u32;
    let (left, top) = (place(width - across), place(height - down));
    let crop = crop_imm(photo, left, top, across, down).to_image();
    if mirrored { flip_horizontal(&crop) } else { crop }
}

/// Looks at crops of the photos that are learned from, whose features are added to those of the whole photos. Which they are
/// follows from the photo, so that their features are kept, too. A photo that cannot be read is named in `skipped`.
///
/// **Errors** those of `looking`.
pub fn look(
    folder: &Path,
    entries: &[Entry],
    splits: &[Split],
    waiting: &mut Waiting,
    features: &mut Vec<u8>,
    skipped: &mut Vec<String>,
) -> Result<Vec<Crop>> {
    let Looking { crops, side, progress, .. } = *waiting.looking;
    let mut found = Vec::new();
    if crops == 0 {
        return Ok(found);
    }
    for (entry, Entry { file, path, .. }) in
        entries.iter().enumerate().filter(|(at, _)| splits[*at] == Split::Train)
    {
        let mut add = || -> std::result::Result<(), String> {
            let bytes = pixels::bytes_of(&folder.join(path))?;
            let name = name(&bytes);
            let seed = u64::from_str_radix(&name[..16], 16).unwrap_or_default();
            // Where all features are kept no photo is decoded.
            let mut decoded = None;
            for at in 0..crops {
                let mirrored = at % 2 == 0;
                let pixels = || {
                    let photo = match &mut decoded {
                        Some(photo) => photo,
                        none => none.insert(pixels::upright(&bytes)?.image),
                    };
                    let crop = cropped(photo, mirrored, &mut Noise::stream(seed, at as u64));
                    Ok(pixels::squeezed(&crop, side))
                };
                waiting.add(format!("{name}-{at}"), features, pixels)?;
                found.push(Crop { entry, mirrored });
            }
            Ok(())
        };
        if let Err(why) = add() {
            skipped.push(format!("{file}: {why}"));
        }
        waiting.look_if_many(features)?;
        progress(entry + 1, entries.len());
    }
    waiting.look(features)?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::Rgb;

    #[test]
    fn crops_are_parts_of_the_photo_and_half_of_them_mirrored() {
        let photo = RgbImage::from_fn(60, 40, |x, y| Rgb([x as u8, y as u8, 0]));
        for seed in 0..200 {
            for mirrored in [false, true] {
                let crop = cropped(&photo, mirrored, &mut Noise::new(seed));
                let area = crop.width() * crop.height();
                assert!((1_000..=2_280).contains(&area), "{area}");
                let across = i32::from(crop.get_pixel(1, 0).0[0]) - i32::from(crop.get_pixel(0, 0).0[0]);
                assert_eq!(across, if mirrored { -1 } else { 1 });
            }
        }
        let said =
            |mirrored: bool| Crop { entry: 0, mirrored }.said(vec!["left".to_owned(), "dog".to_owned()]);
        assert_eq!(
            (said(true), said(false)),
            (vec!["right".into(), "dog".into()], vec!["left".into(), "dog".into()])
        );
        assert_eq!(cropped(&RgbImage::new(1, 1), true, &mut Noise::new(1)).dimensions(), (1, 1));
    }
}
