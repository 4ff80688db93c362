//! Indices in one JSON: MS-COCO's layout, Karpathy's, a plain list of records, or captions by file name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use super::index::{Index, read, split, split_of_name};
use super::{Split, encoding, record};
use crate::error::Result;

/// What a record with bytes that are no UTF-8 holds in their place.
const STRAY: char = char::REPLACEMENT_CHARACTER;

impl Index {
    /// Reads a JSON file; false, with a note, when it holds no images with captions.
    pub(super) fn add_json(&mut self, path: &Path) -> Result<bool> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = read(path)?;
        let used = match encoding::to_utf8(&bytes) {
            Ok(bytes) => self.add_value(&name, &bytes),
            Err(why) => Err(why),
        };
        match used {
            Ok(()) => self.notes.push(format!("{name} is used")),
            Err(ref why) => self.notes.push(format!("{name} is not used: {why}")),
        }
        Ok(used.is_ok())
    }

    /// Reads a text that is a list of records.
    pub(super) fn add_array(&mut self, name: &str, bytes: &[u8]) {
        if let Err(why) = self.add_value(name, bytes) {
            self.notes.push(format!("{name} is not used: {why}"));
        }
    }

    /// Reads a JSON text in any layout.
    fn add_value(&mut self, name: &str, bytes: &[u8]) -> record::Lenient<()> {
        let stray = encoding::damage(bytes);
        // Some tools write a missing value as NaN, which is not JSON.
        let text = String::from_utf8_lossy(bytes).replace(": NaN", ": null").replace(":NaN", ":null");
        let json: Value = serde_json::from_str(&text).map_err(|error| format!("it is not JSON: {error}"))?;
        let list = |key: &str| json.get(key).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let (images, annotations) = (list("images"), list("annotations"));
        let says = |value: &Value| record::captions(value).is_ok();
        let whole = |value: &Value| says(value) && record::file(value).is_ok();
        let records = json.as_array().map_or(annotations, Vec::as_slice);
        if !images.is_empty() && (images.iter().any(says) || annotations.iter().any(says)) {
            self.add_coco(name, images, annotations);
        } else if images.is_empty() && records.iter().any(whole) {
            self.add_records(name, records);
        } else if json.as_object().is_some_and(|map| map.iter().any(|(file, _)| is_picture(file))) {
            self.add_map(name, &json);
        } else {
            return Err("it has no images with captions".to_owned());
        }
        if let Some((count, first, line)) = stray {
            let what =
                format!("{name}: {count} bytes are not UTF-8, the first is byte {first} in line {line}");
            self.notes.push(format!("{what}: captions with such bytes are passed over"));
        }
        Ok(())
    }

    /// A list of records, each with its picture and captions.
    fn add_records(&mut self, name: &str, records: &[Value]) {
        for (at, value) in records.iter().enumerate() {
            let added = utf8(value).and_then(|value| self.add_record(&value, "", split_of_name(name)));
            if let Err(why) = added {
                self.skipped.push(format!("{name}, record {}: {why}", at + 1));
            }
        }
    }

    /// Captions by the name of their picture.
    fn add_map(&mut self, name: &str, json: &Value) {
        for (file, captions) in json.as_object().into_iter().flatten().filter(|(file, _)| is_picture(file)) {
            let value = serde_json::json!({ "image": file, "captions": captions });
            let added = utf8(&value).and_then(|value| self.add_record(&value, "", split_of_name(name)));
            if let Err(why) = added {
                self.skipped.push(format!("{name}, {file}: {why}"));
            }
        }
    }

    /// MS-COCO's layout or Karpathy's.
    fn add_coco(&mut self, name: &str, images: &[Value], annotations: &[Value]) {
        let mut said = self.annotations(name, annotations);
        let mut files = BTreeMap::<String, String>::new();
        for (at, image) in images.iter().enumerate() {
            let id = record::id(image, "id");
            let what = id.as_ref().map_or_else(|| format!("image {}", at + 1), |id| format!("image {id}"));
            let file = record::file(image).unwrap_or_default();
            if let Some(first) = id.as_ref().and_then(|id| files.get(id)) {
                let twice = if *first == file { "it is listed twice" } else { "its id is another image's" };
                self.skipped.push(format!("{name}, {what}: {file}: {twice} ({first})"));
                continue;
            }
            files.extend(id.map(|id| (id, file)));
            if let Err(why) = self.add_image(image, &mut said, split_of_name(name)) {
                self.skipped.push(format!("{name}, {what}: {why}"));
            }
        }
        for (id, captions) in said {
            self.skipped
                .push(format!("{name}: {} captions of image {id}, which is not listed", captions.len()));
        }
    }

    /// Captions by the id of their image.
    fn annotations(&mut self, name: &str, annotations: &[Value]) -> BTreeMap<String, Vec<String>> {
        let mut said = BTreeMap::<String, Vec<String>>::new();
        let mut ids = BTreeSet::new();
        let mut twice = Vec::new();
        for (at, annotation) in annotations.iter().enumerate() {
            let id = record::id(annotation, "id");
            let what = id.clone().unwrap_or_else(|| (at + 1).to_string());
            twice.extend(id.filter(|id| !ids.insert(id.clone())));
            let image = record::id(annotation, "image_id").ok_or_else(|| "no image_id".to_owned());
            let read = image.and_then(|image| Ok((image, record::captions(&utf8(annotation)?)?)));
            match read {
                Ok((image, captions)) => said.entry(image).or_default().extend(captions),
                Err(why) => self.skipped.push(format!("{name}, annotation {what}: {why}")),
            }
        }
        if let Some(first) = twice.first() {
            let count = twice.len();
            self.notes.push(format!(
                "{name}: {count} annotations have the id of another, as {first}: all are read"
            ));
        }
        said
    }

    fn add_image(
        &mut self,
        image: &Value,
        said: &mut BTreeMap<String, Vec<String>>,
        part: Option<Split>,
    ) -> record::Lenient<()> {
        let mut captions = record::captions(&utf8(image)?).unwrap_or_default();
        captions.extend(record::id(image, "id").and_then(|id| said.remove(&id)).unwrap_or_default());
        let file = record::file(image)?;
        if captions.is_empty() {
            return Err(format!("{file}: no caption"));
        }
        let split = split(image.get("split")).map_err(|why| format!("{file}: {why}"))?;
        self.add(file, captions, split.or(part));
        Ok(())
    }
}

/// Whether this is the name of a picture's file.
fn is_picture(name: &str) -> bool {
    let ending = Path::new(name).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    ["jpg", "jpeg", "png", "gif", "bmp", "webp"].contains(&ending.to_ascii_lowercase().as_str())
}

/// The record, unless bytes that are not UTF-8 stand in it. Of several sentences only those are left out.
fn utf8(record: &Value) -> record::Lenient<Value> {
    let mut record = record.clone();
    if let Some(Value::Array(sentences)) = record.get_mut("sentences") {
        sentences.retain(|sentence| !sentence.to_string().contains(STRAY));
    }
    let text = record.to_string();
    match text.find(STRAY) {
        None => Ok(record),
        Some(at) => {
            let before = text[..at].char_indices().rev().nth(11).map_or(0, |(from, _)| from);
            Err(format!("a byte after {:?} is not UTF-8", &text[before..at]))
        }
    }
}
