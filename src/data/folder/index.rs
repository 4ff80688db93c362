//! Which images a folder has and what is said of them, in any of three layouts. One bad record never costs the
//! good ones: it is named and passed over.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Split;
use super::record;
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
    /// In the order of their first mention, each file once.
    pub entries: Vec<Entry>,
    /// Records that were passed over and why.
    pub skipped: Vec<String>,
    /// Which files were read, which were not and why.
    pub notes: Vec<String>,
    known: BTreeMap<String, usize>,
}

impl Index {
    /// Reads `captions.jsonl`, or else every `*.json` of the folder (and of its `annotations/`) that has
    /// images and captions.
    ///
    /// **Errors** [`Error::Data`] when there is none.
    pub fn read(folder: &Path) -> Result<Self> {
        if !folder.is_dir() {
            let what = if folder.exists() { "is not a folder" } else { "does not exist" };
            return Err(Error::Data(format!("{} {what}", folder.display())));
        }
        let mut index = Self::default();
        index.name_unread(folder);
        let lines = folder.join("captions.jsonl");
        let mut files = json_files(folder);
        files.extend(json_files(&folder.join("annotations")));
        if lines.is_file() {
            index.add_lines(&read(&lines)?);
        }
        if !index.entries.is_empty() {
            index.notes.extend(
                files.iter().map(|path| format!("{} is not used: captions.jsonl is", path.display())),
            );
            return Ok(index);
        }
        let mut used = 0;
        for path in files {
            used += usize::from(index.add_json(&path)?);
        }
        if used > 0 || lines.is_file() {
            return Ok(index);
        }
        let found = match index.notes.as_slice() {
            [] => "none of them is there".to_owned(),
            notes => notes.join("; "),
        };
        Err(Error::Data(format!(
            "{} needs images/ and captions.jsonl, MS-COCO's JSON or Karpathy's dataset_*.json: {found}",
            folder.display()
        )))
    }

    /// Names the indices of other kinds, which are not read.
    fn name_unread(&mut self, folder: &Path) {
        let names = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
        let mut names: Vec<String> = names.filter_map(|name| name.into_string().ok()).collect();
        names.sort();
        let index =
            |name: &&String| name.ends_with(".jsonl") || name.ends_with(".csv") || name.ends_with(".tsv");
        for name in names.iter().filter(index).filter(|name| *name != "captions.jsonl") {
            self.notes.push(format!("{name} is not used: it is not called captions.jsonl"));
        }
    }

    fn add_lines(&mut self, bytes: &[u8]) {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        for (at, line) in bytes.split(|&byte| byte == b'\n').enumerate() {
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            if let Err(why) = self.add_line(line) {
                self.skipped.push(format!("captions.jsonl, line {}: {why}", at + 1));
            }
        }
    }

    fn add_line(&mut self, line: &[u8]) -> record::Lenient<()> {
        let text = std::str::from_utf8(line)
            .map_err(|error| format!("byte {} is not UTF-8", error.valid_up_to() + 1))?;
        let value: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
        let file = record::file(&value)?;
        let captions = record::captions(&value).map_err(|why| format!("{file}: {why}"))?;
        let split = split(value.get("split")).map_err(|why| format!("{file}: {why}"))?;
        self.add(file, captions, split);
        Ok(())
    }

    /// Reads MS-COCO's layout or Karpathy's; false, with a note, when a file is neither.
    fn add_json(&mut self, path: &Path) -> Result<bool> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = read(path)?;
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        // A stray byte costs the caption that it stands in no more than a letter.
        // Some tools write a missing value as NaN, which is not JSON.
        let text = String::from_utf8_lossy(bytes).replace(": NaN", ": null").replace(":NaN", ":null");
        let json: Value = match serde_json::from_str(&text) {
            Ok(json) => json,
            Err(error) => {
                self.notes.push(format!("{name} is not used: it is not JSON: {error}"));
                return Ok(false);
            }
        };
        let list = |key: &str| json.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let (images, annotations) = (list("images"), list("annotations"));
        let says = |value: &Value| record::captions(value).is_ok();
        if images.is_empty() || !(images.iter().any(says) || annotations.iter().any(says)) {
            self.notes.push(format!("{name} is not used: it has no images with captions"));
            return Ok(false);
        }
        let mut said = self.annotations(&name, annotations);
        for (at, image) in images.iter().enumerate() {
            let what = record::id(image, "id")
                .map_or_else(|| format!("image {}", at + 1), |id| format!("image {id}"));
            if let Err(why) = self.add_image(image, &mut said, split_of_name(&name)) {
                self.skipped.push(format!("{name}, {what}: {why}"));
            }
        }
        for (id, captions) in said {
            self.skipped
                .push(format!("{name}: {} captions of image {id}, which is not listed", captions.len()));
        }
        self.notes.push(format!("{name} is used"));
        Ok(true)
    }

    /// Captions by the id of their image.
    fn annotations(&mut self, name: &str, annotations: &[Value]) -> BTreeMap<String, Vec<String>> {
        let mut said = BTreeMap::<String, Vec<String>>::new();
        for (at, annotation) in annotations.iter().enumerate() {
            let what = record::id(annotation, "id").unwrap_or_else(|| (at + 1).to_string());
            let image = record::id(annotation, "image_id").ok_or_else(|| "no image_id".to_owned());
            match image.and_then(|image| Ok((image, record::captions(annotation)?))) {
                Ok((image, captions)) => said.entry(image).or_default().extend(captions),
                Err(why) => self.skipped.push(format!("{name}, annotation {what}: {why}")),
            }
        }
        said
    }

    fn add_image(
        &mut self,
        image: &Value,
        said: &mut BTreeMap<String, Vec<String>>,
        part: Option<Split>,
    ) -> record::Lenient<()> {
        let mut captions = record::captions(image).unwrap_or_default();
        captions.extend(record::id(image, "id").and_then(|id| said.remove(&id)).unwrap_or_default());
        let file = record::file(image)?;
        if captions.is_empty() {
            return Err(format!("{file}: no caption"));
        }
        let split = split(image.get("split")).map_err(|why| format!("{file}: {why}"))?;
        self.add(file, captions, split.or(part));
        Ok(())
    }

    /// Adds captions to an image, known or new. An image that is given to two parts stays in the first.
    fn add(&mut self, file: String, captions: Vec<String>, split: Option<Split>) {
        let Some(&at) = self.known.get(&file) else {
            self.known.insert(file.clone(), self.entries.len());
            return self.entries.push(Entry { file, captions, split });
        };
        let entry = &mut self.entries[at];
        for caption in captions {
            if !entry.captions.contains(&caption) {
                entry.captions.push(caption);
            }
        }
        match (entry.split, split) {
            (None, split) => entry.split = split,
            (Some(first), Some(second)) if first != second => {
                self.skipped.push(format!("{file}: in {first:?} and in {second:?}: it stays in {first:?}"));
            }
            _ => {}
        }
    }
}

/// The part that a record names.
fn split(value: Option<&Value>) -> record::Lenient<Option<Split>> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(name)) => match name.to_lowercase().as_str() {
            "train" | "training" | "restval" => Ok(Some(Split::Train)),
            "val" | "valid" | "validation" | "dev" => Ok(Some(Split::Validation)),
            "test" | "testing" => Ok(Some(Split::Test)),
            _ => Err(format!("split {name:?}, expected train, val or test")),
        },
        Some(other) => Err(format!("split {other}, expected train, val or test")),
    }
}

/// The part that the name of an official file tells: `captions_val2017.json`.
fn split_of_name(name: &str) -> Option<Split> {
    let words = name.split(|c: char| !c.is_ascii_alphabetic());
    words.filter_map(|word| split(Some(&Value::String(word.to_owned()))).ok().flatten()).next()
}

fn read(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| Error::Data(format!("{}: {error}", path.display())))
}

/// The regular `*.json` files of a folder, in order of their names.
fn json_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let json = |path: &PathBuf| path.is_file() && path.extension().is_some_and(|ending| ending == "json");
    let mut files: Vec<_> = entries.filter(json).collect();
    files.sort();
    files
}
