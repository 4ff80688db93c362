//! Made-up input for everything that is read from elsewhere: nothing panics, nothing takes memory without measure.
//! Cases of each kind: ALIGNDRAW_FUZZ_CASES, 300 where it is not set (`make fuzz`: 100 000). The generator's seed is
//! fixed, so that a failure comes again; what was found is kept below as an input of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use aligndraw::checkpoint::{Manifest, Precision, decode, encode, parse_safetensors};
use aligndraw::data::folder::{Folder, Index};
use aligndraw::data::vocabulary::Vocabulary;
use aligndraw::model::{Config as _, MEMORY_LIMIT, Trainable};
use aligndraw::paint::{Engine, Pipeline};
use aligndraw::text2image::draw::{Draw, DrawConfig};
use burn::tensor::Device;
use image::{Rgb, RgbImage};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index as At, select};
use proptest::test_runner::{Config, TestCaseError, TestCaseResult, TestRunner};

use crate::allocation::peak;

/// Bytes that may be held for each byte of an input (a JSON value of two bytes takes 32, in a list that doubles), and
/// besides.
const MEMORY: (usize, usize) = (512, 4 << 20);

fn cases() -> u32 {
    std::env::var("ALIGNDRAW_FUZZ_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(300)
}

/// Holds a property for as many cases; a panic fails its case.
fn for_all<S: Strategy>(cases: u32, input: S, property: impl Fn(&S::Value) -> TestCaseResult)
where
    S::Value: AsRef<[u8]>,
{
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&input, |value| {
        let most = MEMORY.0 * value.as_ref().len() + MEMORY.1;
        let (outcome, peak) = peak(|| catch_unwind(AssertUnwindSafe(|| property(&value))));
        let outcome = outcome.map_err(|panic| {
            let said =
                panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
            TestCaseError::fail(format!("it panics: {}", said.unwrap_or_default()))
        })?;
        prop_assert!(peak <= most, "{} bytes of memory, expected at most {}", peak, most);
        outcome
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

/// Text as nobody types it: any letters, and pieces that mean something.
fn text(pieces: Vec<String>) -> impl Strategy<Value = String> {
    let letter = prop_oneof![
        6 => select(pieces),
        2 => any::<char>().prop_map(String::from),
        1 => select(vec![" ", ".", "'", "-", "<unk>", "&amp;", "\u{301}", "\u{feff}", "\u{202e}", "İ", "ﬁ"]).prop_map(str::to_owned),
    ];
    vec(letter, 0..40).prop_map(|letters| letters.concat())
}

/// A change of a text.
#[derive(Clone, Debug)]
enum Edit {
    Replace(At, u8),
    Remove(At, u8),
    Insert(At, &'static [u8]),
    Repeat(At, u8),
    Cut(At),
}

/// What breaks readers of JSON and of numbers.
const TOKENS: [&[u8]; 18] = [
    b"null",
    b"{}",
    b"[]",
    b"\"\"",
    b"-1",
    b"1e999",
    b"18446744073709551615",
    b"65536",
    b"0",
    b"0.5",
    b"\xff\xfe",
    b"\xe9",
    b"\\u0000",
    b"[[[[[[[[",
    b",",
    b"\"a\":",
    b"\r",
    b"NaN",
];

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (any::<At>(), any::<u8>()).prop_map(|(at, byte)| Edit::Replace(at, byte)),
        (any::<At>(), any::<u8>()).prop_map(|(at, count)| Edit::Remove(at, count)),
        (any::<At>(), select(TOKENS.to_vec())).prop_map(|(at, token)| Edit::Insert(at, token)),
        (any::<At>(), any::<u8>()).prop_map(|(at, count)| Edit::Repeat(at, count)),
        any::<At>().prop_map(Edit::Cut),
    ]
}

/// An input with up to five changes.
fn changed(input: Vec<u8>) -> impl Strategy<Value = Vec<u8>> {
    vec(edit(), 0..6).prop_map(move |edits| edits.iter().fold(input.clone(), apply))
}

fn apply(mut bytes: Vec<u8>, edit: &Edit) -> Vec<u8> {
    if bytes.is_empty() {
        return bytes;
    }
    let len = bytes.len();
    let to = |from: usize, count: u8| (from + usize::from(count) % 32).min(len);
    match edit {
        Edit::Replace(at, byte) => bytes[at.index(len)] = *byte,
        Edit::Remove(at, count) => drop(bytes.drain(at.index(len)..to(at.index(len), *count))),
        Edit::Insert(at, token) => drop(bytes.splice(at.index(len)..at.index(len), token.iter().copied())),
        Edit::Repeat(at, count) => bytes.extend_from_within(at.index(len)..to(at.index(len), *count)),
        Edit::Cut(at) => bytes.truncate(at.index(len)),
    }
    bytes
}

/// A value of a manifest in the place of another.
fn replaced(manifest: serde_json::Value) -> impl Strategy<Value = Vec<u8>> {
    let mut places = Vec::new();
    pointers(&manifest, String::new(), &mut places);
    let values = [
        "null",
        "0",
        "1",
        "2",
        "-1",
        "0.3",
        "65536",
        "4294967297",
        "1e30",
        "\"\"",
        "\"x\"",
        "[]",
        "{}",
        "[3]",
        "true",
    ];
    let change = (select(places), select(values.to_vec()));
    vec(change, 1..4).prop_map(move |changes| {
        let mut manifest = manifest.clone();
        for (place, value) in changes {
            if let Some(found) = manifest.pointer_mut(&place) {
                *found = serde_json::from_str(value).expect("JSON");
            }
        }
        manifest.to_string().into_bytes()
    })
}

/// The places of all values, as JSON pointers; of long lists the first.
fn pointers(value: &serde_json::Value, at: String, places: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                pointers(value, format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), places);
            }
        }
        serde_json::Value::Array(list) => {
            for (index, value) in list.iter().enumerate().take(3) {
                pointers(value, format!("{at}/{index}"), places);
            }
        }
        _ => {}
    }
    places.push(at);
}

fn shipped(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("models").join(name)).expect("a shipped model")
}

#[test]
fn captions() {
    for name in ["digits.json", "scenes.json"] {
        let vocabulary = Manifest::parse(&shipped(name)).expect("a manifest").vocabulary;
        let spaced = vocabulary.spellings().map(|word| format!("{word} ")).collect();
        for_all(cases(), text(spaced), |caption| check_caption(&vocabulary, caption));
    }
}

fn check_caption(vocabulary: &Vocabulary, caption: &str) -> TestCaseResult {
    let end = caption.encode_utf16().count();
    let Ok(tokens) = vocabulary.tokens(caption) else { return Ok(()) };
    prop_assert_eq!(tokens.ids.len(), tokens.written.len());
    prop_assert_eq!(tokens.ids.len(), tokens.spans.len());
    prop_assert!((1..=vocabulary.max_words).contains(&tokens.ids.len()));
    prop_assert!(tokens.ids.iter().all(|id| *id < vocabulary.words.len()));
    prop_assert!(tokens.spans.iter().all(|[from, to]| from <= to && *to <= end), "{:?}", tokens.spans);
    prop_assert!(tokens.spans.is_sorted(), "{:?}", tokens.spans);
    Ok(())
}

fn check_manifest(json: &[u8]) -> TestCaseResult {
    if let Ok(manifest) = Manifest::parse(json) {
        prop_assert!(manifest.system.memory_bytes() <= MEMORY_LIMIT);
        prop_assert!(manifest.system.image_size().len() as u64 <= MEMORY_LIMIT);
        prop_assert!((0.0..=2.0).contains(&manifest.temperature));
    }
    Ok(())
}

#[test]
fn manifests() {
    for name in ["digits.json", "aligndraw-digits.json"] {
        let json = shipped(name);
        let value = serde_json::from_slice(&json).expect("JSON");
        for_all(cases(), changed(json), |json| check_manifest(json));
        for_all(cases(), replaced(value), |json| check_manifest(json));
    }
}

/// A manifest that is read draws with its weights, or refuses them with a reason.
#[test]
fn manifests_that_are_read_draw() {
    let value = serde_json::from_slice(&shipped("digits.json")).expect("JSON");
    let weights = shipped("digits.safetensors");
    let draw = |json: &[u8]| {
        let Ok(manifest) = Manifest::parse(json) else { return };
        // Steps take time and no more memory than was checked.
        if manifest.system.num_steps() > 64 {
            return;
        }
        let Ok(pipeline) = Pipeline::load(&manifest, &weights, &Engine::Cpu) else { return };
        let example = &manifest.vocabulary.example;
        let Ok(mut pictures) = pipeline.begin(example, &[1]) else { return };
        while let Ok(Some(_)) = pollster::block_on(pipeline.step(&mut pictures)) {}
    };
    // What a drawing takes is checked by the manifest; here it must not panic.
    let config = Config { cases: (cases() / 10).max(30), failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&replaced(value), |json| {
        catch_unwind(AssertUnwindSafe(|| draw(&json))).map_err(|_| TestCaseError::fail("it panics"))
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn weights() {
    let config = DrawConfig::tiny();
    let fresh = || Draw::init(&config, 1, &Device::flex());
    for precision in [Precision::Half, Precision::Byte] {
        let bytes = encode(&fresh(), precision).expect("encodes");
        for_all(cases(), changed(bytes), |bytes| {
            if let Ok(file) = parse_safetensors(bytes) {
                // Of any shape and type: refused by name, or read.
                let _ = decode(fresh(), &file);
            }
            Ok(())
        });
    }
}

/// A folder with pictures 00.png to 05.png, whose index is written anew for each case.
struct Pictures(tempfile::TempDir);

impl Pictures {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::create_dir(folder.path().join("images")).expect("created");
        for at in 0..6u8 {
            let path = folder.path().join(format!("images/{at:02}.png"));
            RgbImage::from_pixel(4, 4, Rgb([40 * at, 0, 9])).save(path).expect("saved");
        }
        Self(folder)
    }

    fn check(&self, name: &str, bytes: &[u8]) -> TestCaseResult {
        let path = self.0.path();
        std::fs::write(path.join(name), bytes).expect("written");
        if let Ok(index) = Index::read(path) {
            let remarks = || index.skipped.iter().chain(&index.notes);
            prop_assert!(remarks().all(|remark| remark.chars().count() < 600), "{:?}", index.skipped);
            for entry in &index.entries {
                prop_assert!(!entry.captions.is_empty() && !entry.path.split('/').any(|part| part == ".."));
            }
        }
        if let Ok(read) = Folder::read(path, 8, None, None) {
            prop_assert!(read.images >= 3 && read.captions >= read.images);
            prop_assert!(!read.train.is_empty() && !read.validation.is_empty() && !read.test.is_empty());
        }
        Ok(())
    }
}

#[test]
fn captions_by_line() {
    let line = |at: usize| {
        format!("{{\"image\": \"{at:02}.png\", \"caption\": \"a red ball\", \"split\": \"train\"}}\n")
    };
    let text: String = (0..6).map(line).collect();
    let pictures = Pictures::new();
    for_all(cases(), changed(text.into_bytes()), |bytes| pictures.check("captions.jsonl", bytes));
}

#[test]
fn captions_in_ms_cocos_layout() {
    let image = |at: usize| format!("{{\"id\": {at}, \"file_name\": \"{at:02}.png\"}}");
    let annotation = |at: usize| format!("{{\"id\": {at}, \"image_id\": {at}, \"caption\": \"a red ball\"}}");
    let list = |of: &dyn Fn(usize) -> String| (0..6).map(of).collect::<Vec<_>>().join(", ");
    let text = format!("{{\"images\": [{}], \"annotations\": [{}]}}", list(&image), list(&annotation));
    let pictures = Pictures::new();
    for_all(cases(), changed(text.clone().into_bytes()), |bytes| pictures.check("captions.json", bytes));
    let value = serde_json::from_str(&text).expect("JSON");
    for_all(cases(), replaced(value), |bytes| pictures.check("captions.json", bytes));
}

#[test]
fn captions_in_karpathys_layout() {
    let image = |at: usize| {
        let sentences = "[{\"raw\": \"A red ball .\", \"tokens\": [\"a\", \"red\", \"ball\"]}]";
        format!("{{\"filename\": \"{at:02}.png\", \"split\": \"val\", \"sentences\": {sentences}}}")
    };
    let text = format!("{{\"images\": [{}]}}", (0..6).map(image).collect::<Vec<_>>().join(", "));
    let pictures = Pictures::new();
    for_all(cases(), changed(text.clone().into_bytes()), |bytes| pictures.check("dataset.json", bytes));
    let value = serde_json::from_str(&text).expect("JSON");
    for_all(cases(), replaced(value), |bytes| pictures.check("dataset.json", bytes));
}
