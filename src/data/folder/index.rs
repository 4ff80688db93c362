//! Which images a folder has and what is said of them, in any of three layouts. One bad record never costs the
//! good ones: it is named and passed over.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::pictures::Pictures;
use super::{Split, encoding, record};
use crate::error::{Error, Result};

/// The index of Hugging Face's image folders.
const METADATA_FILE: &str = "metadata.jsonl";
/// Where it may lie: for all pictures, or for those of a part.
const METADATA: [&str; 8] = ["", "images", "train", "training", "validation", "valid", "val", "test"];

/// An image and its captions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What the index calls it.
    pub file: String,
    /// Where it lies below the folder.
    pub path: String,
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
    /// Entries by path.
    known: BTreeMap<String, usize>,
}

impl Index {
    /// Reads `captions.jsonl`, or else every `metadata.jsonl` as Hugging Face's image folders have them, or else every
    /// `*.json` of the folder (and of its `annotations/`) that has images and captions; and finds the pictures.
    ///
    /// **Errors** [`Error::Data`] when there is none.
    pub fn read(folder: &Path) -> Result<Self> {
        if !folder.is_dir() {
            let what = if folder.exists() { "is not a folder" } else { "does not exist" };
            return Err(Error::Data(format!("{} {what}", folder.display())));
        }
        let mut index = Self::default();
        index.name_unread(folder);
        let mut there = index.add_all_lines(folder)?;
        let lines_are_used = !index.entries.is_empty();
        let mut files = json_files(folder);
        files.extend(json_files(&folder.join("annotations")));
        for path in files {
            if lines_are_used {
                index.notes.push(format!("{} is not used: a .jsonl is", path.display()));
            } else {
                there |= index.add_json(&path)?;
            }
        }
        if there {
            return Ok(index.found(folder));
        }
        let found = match index.notes.as_slice() {
            [] => "none of them is there".to_owned(),
            notes => notes.join("; "),
        };
        Err(Error::Data(format!(
            "{} needs images/ and captions.jsonl, metadata.jsonl, MS-COCO's JSON or Karpathy's dataset_*.json: \
             {found}",
            folder.display()
        )))
    }

    /// Reads `captions.jsonl`, or else every `metadata.jsonl`; false when there is none.
    fn add_all_lines(&mut self, folder: &Path) -> Result<bool> {
        let lines = folder.join("captions.jsonl");
        let mut there = lines.is_file();
        if there {
            self.add_lines(&lines, "captions.jsonl", "", None)?;
        }
        let lines_are_used = !self.entries.is_empty();
        for within in METADATA {
            let path = folder.join(within).join(METADATA_FILE);
            if !path.is_file() {
                continue;
            }
            let name = if within.is_empty() {
                METADATA_FILE.to_owned()
            } else {
                format!("{within}/{METADATA_FILE}")
            };
            if lines_are_used {
                self.notes.push(format!("{name} is not used: captions.jsonl is"));
                continue;
            }
            there = true;
            self.add_lines(&path, &name, within, split_of_name(within))?;
            self.notes.push(format!("{name} is used"));
        }
        Ok(there)
    }

    /// Names the indices of other kinds, which are not read.
    fn name_unread(&mut self, folder: &Path) {
        let names = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.file_name());
        let mut names: Vec<String> = names.filter_map(|name| name.into_string().ok()).collect();
        names.sort();
        let index =
            |name: &&String| name.ends_with(".jsonl") || name.ends_with(".csv") || name.ends_with(".tsv");
        for name in names
            .iter()
            .filter(index)
            .filter(|name| !["captions.jsonl", METADATA_FILE].contains(&name.as_str()))
        {
            self.notes.push(format!("{name} is not used: it is not called captions.jsonl"));
        }
    }

    /// Reads an index of a record a line; pictures are named from the folder `within` on.
    fn add_lines(&mut self, path: &Path, name: &str, within: &str, part: Option<Split>) -> Result<()> {
        let bytes = read(path)?;
        let bytes = match encoding::to_utf8(&bytes) {
            Ok(bytes) => bytes,
            Err(why) => {
                self.notes.push(format!("{name} is not used: {why}"));
                return Ok(());
            }
        };
        if bytes.trim_ascii_start().starts_with(b"[") {
            self.add_array(name, &bytes);
            return Ok(());
        }
        for (at, line) in encoding::lines(&bytes) {
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            if let Err(why) = self.add_line(line, within, part) {
                self.skipped.push(format!("{name}, line {at}: {why}"));
            }
        }
        Ok(())
    }

    fn add_line(&mut self, line: &[u8], within: &str, part: Option<Split>) -> record::Lenient<()> {
        let text = std::str::from_utf8(line)
            .map_err(|error| format!("byte {} is not UTF-8", error.valid_up_to() + 1))?;
        let value: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
        self.add_record(&value, within, part)
    }

    /// Adds a record that names its picture and its captions.
    pub(super) fn add_record(
        &mut self,
        value: &Value,
        within: &str,
        part: Option<Split>,
    ) -> record::Lenient<()> {
        let mut file = record::file(value)?;
        let captions = record::captions(value).map_err(|why| format!("{file}: {why}"))?;
        let split = split(value.get("split")).map_err(|why| format!("{file}: {why}"))?;
        if !matches!(within, "" | "images") {
            file = format!("{within}/{file}");
        }
        self.add(file, captions, split.or(part));
        Ok(())
    }

    /// The same with each picture once, where it is found; those among which a name does not choose are named.
    fn found(mut self, folder: &Path) -> Self {
        let pictures = Pictures::of(folder);
        let entries = std::mem::take(&mut self.entries);
        self.known.clear();
        let mut elsewhere = 0;
        for mut entry in entries {
            match pictures.find(&entry.file) {
                Ok(path) => {
                    let moved = path.strip_prefix("images/").unwrap_or(&path) != entry.file;
                    elsewhere += usize::from(moved);
                    entry.path = path;
                    self.merge(entry);
                }
                Err(why) => self.skipped.push(format!("{}: {why}", entry.file)),
            }
        }
        self.skipped.iter_mut().chain(&mut self.notes).for_each(shorten);
        if elsewhere > 0 {
            self.notes.push(format!("{elsewhere} pictures lie in subfolders that their names leave out"));
        }
        self
    }

    /// Adds captions to an image, known or new.
    pub(super) fn add(&mut self, file: String, captions: Vec<String>, split: Option<Split>) {
        let path = file.clone();
        self.merge(Entry { file, path, captions, split });
    }

    /// Adds an entry, or its captions to the one of the same path. An image that is given to two parts stays in the
    /// first.
    fn merge(&mut self, new: Entry) {
        let Some(&at) = self.known.get(&new.path) else {
            self.known.insert(new.path.clone(), self.entries.len());
            return self.entries.push(new);
        };
        let entry = &mut self.entries[at];
        for caption in new.captions {
            if !entry.captions.contains(&caption) {
                entry.captions.push(caption);
            }
        }
        match (entry.split, new.split) {
            (None, split) => entry.split = split,
            (Some(first), Some(second)) if first != second => {
                let file = &entry.file;
                self.skipped.push(format!("{file}: in {first:?} and in {second:?}: it stays in {first:?}"));
            }
            _ => {}
        }
    }
}

/// Cuts a remark that quotes a long value.
fn shorten(remark: &mut String) {
    const LONGEST: usize = 400;
    if let Some((end, _)) = remark.char_indices().nth(LONGEST) {
        remark.truncate(end);
        remark.push('…');
    }
}

/// The part that a record names.
pub(super) fn split(value: Option<&Value>) -> record::Lenient<Option<Split>> {
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
pub(super) fn split_of_name(name: &str) -> Option<Split> {
    let words = name.split(|c: char| !c.is_ascii_alphabetic());
    words.filter_map(|word| split(Some(&Value::String(word.to_owned()))).ok().flatten()).next()
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>> {
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
