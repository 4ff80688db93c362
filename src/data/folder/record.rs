//! One record of an index, read leniently: whatever its keys are called, and with a reason when it is of no
//! use.

use serde_json::Value;

/// A result with the reason why a record is passed over.
pub type Lenient<T> = std::result::Result<T, String>;

/// What the file of an image is called in other people's indices.
const FILE: [&str; 6] = ["image", "file_name", "filename", "file", "image_path", "path"];
/// What its captions are called.
const CAPTIONS: [&str; 5] = ["caption", "captions", "text", "sentences", "raw"];

/// The first of some keys that has a value.
fn first<'a>(record: &'a Value, keys: &[&str]) -> Option<&'a Value> {
    keys.iter().filter_map(|key| record.get(key)).find(|value| !value.is_null())
}

/// An id, a number or a string.
pub fn id(record: &Value, key: &str) -> Option<String> {
    match record.get(key)? {
        Value::String(text) => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The file of a record's image, below `images/`: `./`, `images/` and backslashes do not matter.
pub fn file(record: &Value) -> Lenient<String> {
    let value = first(record, &FILE).ok_or_else(|| format!("no file name ({})", FILE.join(", ")))?;
    let name = value.as_str().ok_or_else(|| format!("the file name is {value}, not a string"))?;
    let folder = record.get("filepath").and_then(Value::as_str).unwrap_or_default();
    let joined = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
    let slashes = joined.trim().replace('\\', "/");
    let parts: Vec<&str> = slashes.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    // What leads to a folder of images does not matter, wherever on somebody's disk that was.
    let rooted = slashes.starts_with('/') || slashes.contains(':') || parts.first() == Some(&"..");
    let leads = parts.iter().rposition(|part| *part == "images").filter(|at| rooted || *at == 0);
    let below = leads.map_or(&parts[..], |at| &parts[at + 1..]);
    if below.is_empty() || below.contains(&"..") || (rooted && leads.is_none()) {
        return Err(format!("{joined:?}: not a path below images/"));
    }
    Ok(below.join("/"))
}

/// The captions of a record: a text, several, tokens of one, or records with a text each. Records among them
/// that are of no use are left out.
pub fn captions(record: &Value) -> Lenient<Vec<String>> {
    let value =
        first(record, &CAPTIONS).ok_or_else(|| format!("no caption ({})", CAPTIONS[..3].join(", ")))?;
    let captions: Vec<String> =
        texts(value).into_iter().filter(|caption| !caption.trim().is_empty()).collect();
    if captions.is_empty() { Err("no caption".to_owned()) } else { Ok(captions) }
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(parts) if is_one_sentence(parts) => vec![join(parts)],
        Value::Array(parts) => parts.iter().flat_map(texts).collect(),
        Value::Object(_) => match (first(value, &["raw", "caption", "text"]), value.get("tokens")) {
            (Some(text), _) => texts(text),
            (None, Some(Value::Array(tokens))) => vec![join(tokens)],
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

/// What a sentence has and a list of one-word captions lacks.
const OF_SENTENCES: [&str; 16] =
    ["a", "an", "the", "of", "in", "on", "at", "with", "and", "is", "are", "to", "his", "her", "by", "."];

/// Whether a list holds the words of one sentence: at least three texts, none of several words, and one of those
/// that hold sentences together.
fn is_one_sentence(parts: &[Value]) -> bool {
    let word = |part: &Value| part.as_str().is_some_and(|text| !text.trim().contains(char::is_whitespace));
    let holds =
        |part: &Value| part.as_str().is_some_and(|text| OF_SENTENCES.contains(&&*text.to_lowercase()));
    parts.len() >= 3 && parts.iter().all(word) && parts.iter().any(holds)
}

fn join(tokens: &[Value]) -> String {
    tokens.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_are_read_below_images_whatever_leads_to_them() {
        for name in ["a.png", "./a.png", "images/a.png", "./images/a.png", "images\\a.png", " a.png"] {
            assert_eq!(file(&json!({ "file_name": name })).as_deref(), Ok("a.png"), "{name}");
        }
        assert_eq!(
            file(&json!({ "filename": "a.jpg", "filepath": "val2014" })).as_deref(),
            Ok("val2014/a.jpg")
        );
        for name in ["/home/me/data/images/a.png", "../images/a.png", "C:\\data\\images\\a.png"] {
            assert_eq!(file(&json!({ "file_name": name })).as_deref(), Ok("a.png"), "{name}");
        }
        for name in ["../a.png", "/etc/a.png", "C:\\a.png", "", "images/../../a.png"] {
            assert!(file(&json!({ "image": name })).is_err(), "{name}");
        }
        assert!(file(&json!({ "image": 3 })).is_err_and(|why| why.contains("not a string")));
    }

    #[test]
    fn captions_are_texts_lists_tokens_or_records() {
        let read = |value: Value| captions(&value).unwrap_or_default();
        assert_eq!(read(json!({ "text": "a dog" })), ["a dog"]);
        assert_eq!(read(json!({ "caption": "a dog", "text": "another" })), ["a dog"]);
        assert_eq!(read(json!({ "captions": ["a dog", "a cat"] })), ["a dog", "a cat"]);
        assert_eq!(read(json!({ "caption": ["a", "dog", "runs"] })), ["a dog runs"]);
        assert_eq!(read(json!({ "caption": ["sunset", "beach", "sea"] })).len(), 3);
        assert_eq!(read(json!({ "captions": [["a", "dog", "runs"], ["a", "cat", "sits"]] })).len(), 2);
        assert_eq!(
            read(json!({ "sentences": [{ "raw": "a dog" }, { "tokens": ["a", "cat"] }, 4] })).len(),
            2
        );
        assert!(captions(&json!({ "caption": null })).is_err());
        assert!(captions(&json!({ "caption": " " })).is_err());
    }
}
