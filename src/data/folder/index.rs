//! Which images a folder has and what is said of them, in any of three layouts.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use serde::Deserialize;

use super::Split;
use crate::error::{Error, Result};

/// An image and its captions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Path below `images/`.
    pub file: String,
    /// At least one caption.
    pub captions: Vec<String>,
    /// The part of the data that the set's makers gave it to.
    pub split: Option<Split>,
}

/// What a folder holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// In the order of their first mention.
    pub entries: Vec<Entry>,
    /// What was passed over and why.
    pub skipped: Vec<String>,
}

/// A line of `captions.jsonl`.
#[derive(Deserialize)]
struct Line {
    #[serde(alias = "file_name", alias = "filename", alias = "file")]
    image: String,
    #[serde(alias = "captions", alias = "text")]
    caption: OneOrMany,
    split: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// Karpathy's `dataset_*.json`, and MS-COCO's.
#[derive(Deserialize)]
struct Json {
    images: Vec<Image>,
    #[serde(default)]
    annotations: Vec<Annotation>,
}

#[derive(Deserialize)]
struct Image {
    #[serde(alias = "file_name")]
    filename: String,
    #[serde(default)]
    filepath: String,
    id: Option<i64>,
    split: Option<String>,
    #[serde(default)]
    sentences: Vec<Sentence>,
}

#[derive(Deserialize)]
struct Sentence {
    raw: String,
}

#[derive(Deserialize)]
struct Annotation {
    image_id: i64,
    caption: String,
}

impl Index {
    /// Reads `captions.jsonl`, or else the first `*.json` of the folder (or of its `annotations/`)
    /// that has images and captions.
    ///
    /// **Errors** [`Error::Data`] when there is none, or it is not valid.
    pub fn read(folder: &Path) -> Result<Self> {
        let lines = folder.join("captions.jsonl");
        if lines.is_file() {
            return Self::from_lines(&read(&lines)?);
        }
        let mut files = json_files(folder);
        files.extend(json_files(&folder.join("annotations")));
        let mut wrong = Vec::new();
        for path in files {
            match serde_json::from_str::<Json>(&read(&path)?) {
                Ok(json) => return Ok(Self::from_json(json)),
                Err(error) => wrong.push(format!("{}: {error}", path.display())),
            }
        }
        let found = if wrong.is_empty() { "none of them is there".to_owned() } else { wrong.join("; ") };
        Err(Error::Data(format!(
            "{} needs images/ and captions.jsonl, MS-COCO's JSON or Karpathy's dataset_*.json: {found}",
            folder.display()
        )))
    }

    fn from_lines(text: &str) -> Result<Self> {
        let mut index = Self::default();
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            match serde_json::from_str::<Line>(line) {
                Ok(line) => {
                    let captions = match line.caption {
                        OneOrMany::One(caption) => vec![caption],
                        OneOrMany::Many(captions) => captions,
                    };
                    index.add(line.image, captions, line.split.as_deref());
                }
                Err(error) => index.skipped.push(format!("captions.jsonl, line {}: {error}", at + 1)),
            }
        }
        index.finish()
    }

    fn from_json(json: Json) -> Self {
        let mut index = Self::default();
        let mut said = BTreeMap::<i64, Vec<String>>::new();
        for annotation in json.annotations {
            said.entry(annotation.image_id).or_default().push(annotation.caption);
        }
        for image in json.images {
            let mut captions: Vec<String> =
                image.sentences.into_iter().map(|sentence| sentence.raw).collect();
            captions.extend(image.id.and_then(|id| said.remove(&id)).unwrap_or_default());
            let file = if image.filepath.is_empty() {
                image.filename
            } else {
                format!("{}/{}", image.filepath, image.filename)
            };
            index.add(file, captions, image.split.as_deref());
        }
        for (id, captions) in said {
            index.skipped.push(format!("{} captions of image {id}, which is not listed", captions.len()));
        }
        index
    }

    /// Adds captions to an image, known or new.
    fn add(&mut self, file: String, captions: Vec<String>, split: Option<&str>) {
        let inside = Path::new(&file).components().all(|part| matches!(part, Component::Normal(_)));
        if !inside || file.is_empty() {
            return self.skipped.push(format!("{file:?}: not a path below images/"));
        }
        let captions: Vec<_> = captions.into_iter().filter(|caption| !caption.trim().is_empty()).collect();
        if captions.is_empty() {
            return self.skipped.push(format!("{file}: no caption"));
        }
        let split = match split {
            Some("train" | "restval") => Some(Split::Train),
            Some("val" | "validation" | "dev") => Some(Split::Validation),
            Some("test") => Some(Split::Test),
            // In no official split.
            Some(other) => return self.skipped.push(format!("{file}: split {other:?}")),
            None => None,
        };
        match self.entries.iter_mut().rev().take(8).find(|entry| entry.file == file) {
            Some(known) => known.captions.extend(captions),
            None => self.entries.push(Entry { file, captions, split }),
        }
    }

    /// Joins images that are named more than once.
    fn finish(mut self) -> Result<Self> {
        let mut known = BTreeMap::<String, usize>::new();
        let mut joined: Vec<Entry> = Vec::new();
        for entry in self.entries {
            match known.get(&entry.file) {
                Some(&at) => joined[at].captions.extend(entry.captions),
                None => {
                    known.insert(entry.file.clone(), joined.len());
                    joined.push(entry);
                }
            }
        }
        self.entries = joined;
        Ok(self)
    }
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| Error::Data(format!("{}: {error}", path.display())))
}

/// The `*.json` files of a folder, in order of their names.
fn json_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<_> =
        entries.filter(|path| path.extension().is_some_and(|extension| extension == "json")).collect();
    files.sort();
    files
}
