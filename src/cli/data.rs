//! Opening the data set that a run is trained or measured on.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, bail};

use super::files::read_mnist;
use crate::data::binary_mnist::{self, BinaryMnist};
use crate::data::folder::Folder;
use crate::data::mnist_captions;
use crate::data::scene_pictures::ScenePictures;
use crate::data::scenes;
use crate::data::source::{DataSet, Source};
use crate::data::vocabulary::Vocabulary;
use crate::train::Data;

/// Where MNIST lies unless another folder is named.
pub const MNIST: &str = "data/mnist";
/// Lines of what was skipped that are shown.
const SHOWN: usize = 12;

/// A data set that was opened.
pub struct Opened {
    /// What is trained and validated on.
    pub data: Data,
    /// What is measured on.
    pub test: Arc<dyn Source>,
    /// Its words.
    pub vocabulary: Vocabulary,
}

/// Opens a data set: MNIST from `folder` or `data/mnist`, scenes from nothing, any other from `folder`,
/// whose images are cut to `side` pixels and kept in the file `cache`.
pub fn open(
    set: DataSet,
    folder: Option<&Path>,
    bans_seed: u64,
    side: usize,
    cache: Option<&Path>,
) -> Result<Opened> {
    match set {
        DataSet::MnistCaptions => {
            let mnist = read_mnist(folder.unwrap_or(Path::new(MNIST)))?;
            let bans = mnist_captions::Bans::draw(bans_seed);
            let generator = |digits| Arc::new(mnist_captions::Scenes::new(Arc::new(digits), bans.clone()));
            Ok(Opened {
                data: Data { train: generator(mnist.train), validation: generator(mnist.validation) },
                test: generator(mnist.test),
                vocabulary: mnist_captions::vocabulary(),
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
            })
        }
        DataSet::Scenes => {
            let pictures: Arc<dyn Source> = Arc::new(ScenePictures::new(scenes::Bans::draw(bans_seed)));
            Ok(Opened {
                data: Data { train: pictures.clone(), validation: pictures.clone() },
                test: pictures,
                vocabulary: scenes::caption::vocabulary(),
            })
        }
        DataSet::Folder => {
            let Some(path) = folder else {
                bail!("--data names the folder of captioned images: images/ and captions.jsonl, say");
            };
            let read = Folder::read(path, side, cache).with_context(|| path.display().to_string())?;
            println!(
                "{}: {} images, {} captions, {} words; {} skipped",
                path.display(),
                read.images,
                read.captions,
                read.vocabulary.words.len(),
                read.skipped.len()
            );
            read.skipped.iter().take(SHOWN).for_each(|what| println!("  skipped {what}"));
            if read.skipped.len() > SHOWN {
                println!("  and {} more", read.skipped.len() - SHOWN);
            }
            Ok(Opened {
                data: Data { train: read.train, validation: read.validation },
                test: read.test,
                vocabulary: read.vocabulary,
            })
        }
    }
}
