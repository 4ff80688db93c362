//! Opening the data set that a run is trained or measured on.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};

use super::eyes::open_photos;
use super::files::read_mnist;
use super::snippets::{Aligned, open_aligned, snippets};
use crate::cli::output::note;
use crate::data::binary_mnist::{self, BinaryMnist};
use crate::data::folder::Folder;
use crate::data::folder::pairs::Pairs;
use crate::data::folder::photos::PhotoPart;
use crate::data::folder::said::Said;
use crate::data::mnist_captions;
use crate::data::noise::Noise;
use crate::data::paraphrases::{CaptionPairs, Paraphrases};
use crate::data::scene_pictures::ScenePictures;
use crate::data::scenes;
use crate::data::source::{DataSet, Source};
use crate::data::vocabulary::Vocabulary;
use crate::train::Data;

/// Where MNIST lies unless another folder is named.
pub const MNIST: &str = "data/mnist";
/// Scenes whose captions are paraphrased.
const PARAPHRASED: usize = 20_000;
/// Lines of what was skipped that are shown.
const SHOWN: usize = 10;

/// A data set that was opened.
pub struct Opened {
    /// What is trained and validated on.
    pub data: Data,
    /// What is measured on.
    pub test: Arc<dyn Source>,
    /// Its words.
    pub vocabulary: Vocabulary,
    /// What was passed over and why.
    pub skipped: Vec<String>,
}

/// How a data set is opened.
pub struct Reading<'a> {
    /// The folder that it lies in.
    pub folder: Option<&'a Path>,
    /// Seed of the combinations that are held out.
    pub held_out_seed: u64,
    /// Side that images of a folder are cut to, pixels.
    pub side: usize,
    /// The file that these are kept in.
    pub cache: Option<&'a Path>,
    /// The words of a run that goes on or of a model.
    pub vocabulary: Option<Vocabulary>,
    /// Folder of the eyes that photos are looked at with.
    pub models: &'a Path,
    /// Random parts of each photo that are learned from besides the whole.
    pub crops: usize,
}

/// Opens a data set: MNIST from its folder or `data/mnist`, scenes from nothing, any other from its folder.
pub fn open(set: DataSet, reading: Reading) -> Result<Opened> {
    let Reading { folder, held_out_seed, side, cache, vocabulary, models, crops } = reading;
    let rendered = matches!(set, DataSet::Scenes | DataSet::SceneParaphrases);
    if let Some(folder) = folder.filter(|_| rendered) {
        bail!(
            "--data {}: colour scenes are rendered as they are needed, there is no folder to read",
            folder.display()
        );
    }
    match set {
        DataSet::MnistCaptions | DataSet::MnistWordings => {
            let mnist = read_mnist(folder.unwrap_or(Path::new(MNIST)))?;
            let bans = match set {
                DataSet::MnistCaptions => mnist_captions::Bans::draw(held_out_seed),
                _ => mnist_captions::Bans::draw_wordings(held_out_seed),
            };
            let generator = |digits| Arc::new(mnist_captions::Scenes::new(Arc::new(digits), bans.clone()));
            Ok(Opened {
                data: Data { train: generator(mnist.train), validation: generator(mnist.validation) },
                test: generator(mnist.test),
                vocabulary: mnist_captions::vocabulary(),
                skipped: Vec::new(),
            })
        }
        DataSet::BinaryMnist => {
            let mnist = read_mnist(folder.unwrap_or(Path::new(MNIST)))?;
            Ok(Opened {
                data: Data {
                    train: Arc::new(BinaryMnist::fresh(mnist.train)),
                    validation: Arc::new(BinaryMnist::fixed(mnist.validation)),
                },
                test: Arc::new(BinaryMnist::fixed(mnist.test)),
                vocabulary: binary_mnist::vocabulary(),
                skipped: Vec::new(),
            })
        }
        DataSet::Scenes => {
            let pictures: Arc<dyn Source> = Arc::new(ScenePictures::new(scenes::Bans::draw(held_out_seed)));
            Ok(Opened {
                data: Data { train: pictures.clone(), validation: pictures.clone() },
                test: pictures,
                vocabulary: scenes::caption::vocabulary(),
                skipped: Vec::new(),
            })
        }
        DataSet::SceneParaphrases => {
            let bans = scenes::Bans::draw(held_out_seed);
            let pairs = |pictures: usize, seed: u64| -> Arc<dyn Source> {
                let mut noise = Noise::stream(held_out_seed, seed);
                Arc::new(CaptionPairs::new(Paraphrases::of_scenes(pictures, &bans, &mut noise)))
            };
            Ok(Opened {
                data: Data { train: pairs(PARAPHRASED, 1), validation: pairs(PARAPHRASED / 20, 2) },
                test: pairs(PARAPHRASED / 20, 3),
                vocabulary: scenes::caption::vocabulary(),
                skipped: Vec::new(),
            })
        }
        DataSet::Paraphrases => {
            let said = read_said(folder, vocabulary)?;
            let pairs = |captions| -> Arc<dyn Source> { Arc::new(CaptionPairs::new(captions)) };
            Ok(Opened {
                data: Data { train: pairs(said.train), validation: pairs(said.validation) },
                test: pairs(said.test),
                vocabulary: said.vocabulary,
                skipped: said.skipped,
            })
        }
        DataSet::Photos => Ok(open_photos(folder, models, vocabulary, crops)?.1),
        DataSet::PhotoPairs => {
            let (photos, opened) = open_photos(folder, models, vocabulary, crops)?;
            let pairs = |part: Arc<PhotoPart>| -> Arc<dyn Source> { Arc::new(Pairs::new(part)) };
            let data = Data { train: pairs(photos.train), validation: pairs(photos.validation) };
            Ok(Opened { data, test: pairs(photos.test), ..opened })
        }
        DataSet::Snippets => {
            let Aligned { aligner, photos, skipped } = open_aligned(folder, models, vocabulary)?;
            let of =
                |part| -> Result<Arc<dyn Source>> { Ok(Arc::new(snippets(&aligner, part, usize::MAX)?)) };
            Ok(Opened {
                data: Data { train: of(photos.train)?, validation: of(photos.validation)? },
                test: of(photos.test)?,
                vocabulary: photos.vocabulary,
                skipped,
            })
        }
        DataSet::Folder => {
            let Some(path) = folder else {
                bail!("--data names the folder of captioned images: images/ and captions.jsonl, say");
            };
            let read =
                Folder::read(path, side, cache, vocabulary).with_context(|| path.display().to_string())?;
            describe(path, &read);
            Ok(Opened {
                data: Data { train: read.train, validation: read.validation },
                test: read.test,
                vocabulary: read.vocabulary,
                skipped: read.skipped,
            })
        }
    }
}

/// Reads the captions of a folder, and says what was read.
pub fn read_said(folder: Option<&Path>, vocabulary: Option<Vocabulary>) -> Result<Said> {
    let Some(path) = folder else {
        bail!("--data names the folder of captions: captions.jsonl, say");
    };
    let said = Said::read(path, vocabulary).with_context(|| path.display().to_string())?;
    note!(
        "{}: {} captions of {} images to learn from, {} words; {} passed over",
        path.display(),
        said.train.captions.len(),
        said.train.pictures.len(),
        said.vocabulary.words.len(),
        said.skipped.len()
    );
    said.notes.iter().for_each(|what| note!("  {what}"));
    passed_over(&said.skipped);
    Ok(said)
}

/// Says what was read of a folder; a long list of what was passed over is cut.
fn describe(path: &Path, read: &Folder) {
    note!(
        "{}: {} images, {} captions, {} words; {} passed over",
        path.display(),
        read.images,
        read.captions,
        read.vocabulary.words.len(),
        read.skipped.len()
    );
    read.notes.iter().for_each(|what| note!("  {what}"));
    passed_over(&read.skipped);
}

/// Says what was passed over; a long list is cut.
pub fn passed_over(skipped: &[String]) {
    shorten(skipped).iter().for_each(|what| note!("  passed over: {what}"));
}

/// The first of a list's lines, and how many more there are.
pub fn shorten(lines: &[String]) -> Vec<String> {
    let mut shown: Vec<String> = lines.iter().take(SHOWN).cloned().collect();
    if lines.len() > SHOWN {
        shown.push(format!("and {} more", lines.len() - SHOWN));
    }
    shown
}
