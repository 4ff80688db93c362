//! The eyes of captioners of photos: reading them, looking at photos, and where features are kept.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use burn::tensor::Device;

use super::files::read_weights;
use super::open::{Opened, passed_over};
use crate::cli::output::{note, progress};
use crate::data::folder::photos::{Looking, Photos};
use crate::data::vocabulary::Vocabulary;
use crate::eyes::{Eyes, EyesManifest};
use crate::nn::floats;
use crate::train::Data;

/// Tells features apart that other ways of squeezing a photo would give.
const REVISION: u32 = 1;

/// Reads the eyes of a models folder.
pub fn read_eyes(models: &Path) -> Result<(EyesManifest, Eyes)> {
    let path = models.join("eyes.json");
    let json = std::fs::read(&path)
        .with_context(|| format!("a captioner of photos needs {} and its weights", path.display()))?;
    let manifest = EyesManifest::parse(&json).with_context(|| path.display().to_string())?;
    let weights = read_weights(models, &manifest.weights)?;
    let eyes = Eyes::load(&manifest, &weights, &Device::flex())?;
    Ok((manifest, eyes))
}

/// Where features made by these weights are kept, unless there is no home folder:
/// `$ALIGNDRAW_CACHE/features/…`, else `~/.cache/aligndraw/features/…`.
fn features_folder(manifest: &EyesManifest) -> Option<PathBuf> {
    let named = std::env::var_os("ALIGNDRAW_CACHE").filter(|path| !path.is_empty()).map(PathBuf::from);
    let home = || std::env::home_dir().map(|home| home.join(".cache/aligndraw"));
    let hash = &manifest.weights.sha256[..16.min(manifest.weights.sha256.len())];
    Some(named.or_else(home)?.join("features").join(format!("{hash}-{REVISION}")))
}

/// A folder of captioned photos, each looked at once, and so many random parts of those that are learned from: features are
/// kept for the next time.
pub fn open_photos(
    folder: Option<&Path>,
    models: &Path,
    vocabulary: Option<Vocabulary>,
    crops: usize,
) -> Result<(Photos, Opened)> {
    let Some(path) = folder else {
        bail!("--data names the folder of captioned photos: images/ and captions.jsonl, say");
    };
    let (manifest, eyes) = read_eyes(models)?;
    let cache = features_folder(&manifest);
    let bar = progress(0);
    let looking = Looking {
        side: Eyes::SIDE,
        crops,
        len: Eyes::SIZE.len(),
        most: Eyes::MOST,
        look: &|pixels| Ok(floats(eyes.features(pixels)?.into_data())),
        cache: cache.as_deref(),
        progress: &|done, all| {
            bar.set_length(all as u64);
            bar.set_position(done as u64);
        },
    };
    let photos = Photos::read(path, &looking, vocabulary).with_context(|| path.display().to_string())?;
    bar.finish_and_clear();
    note!(
        "{}: {} photos to learn from, {} to validate and {} to measure on, {} words",
        path.display(),
        photos.train.photos.len(),
        photos.validation.photos.len(),
        photos.test.photos.len(),
        photos.vocabulary.words.len()
    );
    photos.notes.iter().for_each(|what| note!("  {what}"));
    passed_over(&photos.skipped);
    let opened = Opened {
        data: Data { train: photos.train.clone(), validation: photos.validation.clone() },
        test: photos.test.clone(),
        vocabulary: photos.vocabulary.clone(),
        skipped: photos.skipped.clone(),
    };
    Ok((photos, opened))
}
