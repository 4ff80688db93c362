//! Indices in other encodings, layouts and places than our own.

use std::path::Path;
use std::process::Command;

use aligndraw::data::folder::{Folder, Index, Split};
use image::{Rgb, RgbImage};
use tempfile::TempDir;

/// Saves twelve pictures below a subfolder of a fresh folder.
fn folder(below: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    pictures(folder.path(), below);
    folder
}

fn pictures(folder: &Path, below: &str) {
    let images = folder.join(below);
    std::fs::create_dir_all(&images).expect("created");
    for at in 0..12u8 {
        let path = images.join(format!("{at:02}.png"));
        RgbImage::from_pixel(10 + u32::from(at), 8, Rgb([20 * at, 0, 255])).save(path).expect("saved");
    }
}

fn write(folder: &TempDir, name: &str, bytes: impl AsRef<[u8]>) {
    let path = folder.path().join(name);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("created");
    std::fs::write(path, bytes).expect("written");
}

fn read(folder: &TempDir) -> Folder {
    Folder::read(folder.path(), 16, None, None).expect("usable")
}

/// Everything that is said about a folder.
fn remarks(folder: &Folder) -> String {
    [folder.notes.join("\n"), folder.skipped.join("\n")].join("\n")
}

fn lines(name: impl Fn(usize) -> String, end: &str) -> String {
    let line = |at| format!("{{\"file_name\": \"{}\", \"text\": \"a blue square\"}}{end}", name(at));
    (0..12).map(line).collect()
}

fn numbered(at: usize) -> String {
    format!("{at:02}.png")
}

#[test]
fn line_ends_and_encodings_are_read() {
    let utf16 = |text: &str, big_endian: bool| -> Vec<u8> {
        let bytes = |unit: u16| if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() };
        format!("\u{feff}{text}").encode_utf16().flat_map(bytes).collect()
    };
    let text = lines(numbered, "\r\n");
    for bytes in [
        lines(numbered, "\r").into_bytes(),
        utf16(&text, false),
        utf16(&text, true),
        utf16(&text, false)[2..].to_vec(),
    ] {
        let folder = folder("images");
        write(&folder, "captions.jsonl", bytes);
        let read = read(&folder);
        assert_eq!((read.images, read.skipped.len()), (12, 0), "{}", remarks(&read));
    }
    let folder = folder("images");
    let mut cut = utf16(&text, false);
    cut.pop();
    write(&folder, "captions.jsonl", cut);
    let index = Index::read(folder.path()).expect("an index");
    assert!(
        index.notes[0].contains("captions.jsonl is not used: it is UTF-16 with half a letter"),
        "{index:?}"
    );
}

/// MS-COCO's layout of some images.
fn coco(from: usize, to: usize) -> String {
    let image = |at: usize| format!("{{\"id\": {at}, \"file_name\": \"{at:02}.png\"}}");
    let annotation =
        |at: usize| format!("{{\"id\": {at}, \"image_id\": {at}, \"caption\": \"a blue square\"}}");
    let join = |parts: Vec<String>| parts.join(", ");
    let (images, annotations) =
        (join((from..to).map(image).collect()), join((from..to).map(annotation).collect()));
    format!("{{\"images\": [{images}], \"annotations\": [{annotations}]}}")
}

#[test]
fn a_cut_file_and_a_stray_byte_are_named_and_the_rest_is_used() {
    let folder = folder("images");
    let whole = coco(0, 8);
    write(&folder, "captions_train.json", &whole);
    write(&folder, "captions_val.json", &coco(8, 12)[..120]);
    let mut stray = coco(8, 12).into_bytes();
    let text = String::from_utf8(stray.clone()).expect("UTF-8");
    let at = text.rfind("blue").expect("the last caption");
    stray[at + 3] = 0xe9;
    write(&folder, "captions_test.json", stray);
    let read = read(&folder);
    assert_eq!(read.images, 11, "{}", remarks(&read));
    for what in [
        "captions_val.json is not used: it is not JSON",
        &format!("captions_test.json: 1 bytes are not UTF-8, the first is byte {} in line 1", at + 4),
        "captions_test.json, annotation 11: a byte after ",
        "captions_test.json, image 11: 11.png: no caption",
    ] {
        assert!(remarks(&read).contains(what), "{what} is not in\n{}", remarks(&read));
    }
}

#[test]
fn ids_that_stand_twice_are_named() {
    let folder = folder("images");
    let text = coco(0, 11).replace(
        "], \"annotations\": [",
        ", {\"id\": 3, \"file_name\": \"11.png\"}, {\"id\": 4, \"file_name\": \"04.png\"}], \"annotations\": [\
         {\"id\": 5, \"image_id\": 5, \"caption\": \"another square\"}, ",
    );
    write(&folder, "captions.json", text);
    let read = read(&folder);
    assert_eq!((read.images, read.captions), (11, 12), "{}", remarks(&read));
    for what in [
        "captions.json, image 3: 11.png: its id is another image's (03.png)",
        "captions.json, image 4: 04.png: it is listed twice",
        "captions.json: 1 annotations have the id of another, as 5: all are read",
    ] {
        assert!(remarks(&read).contains(what), "{what} is not in\n{}", remarks(&read));
    }
}

#[test]
fn pictures_in_subfolders_are_found_by_their_name_alone() {
    let folder = folder("images/first/one");
    write(&folder, "captions.jsonl", lines(numbered, "\n"));
    let read_once = read(&folder);
    assert_eq!(read_once.images, 12);
    assert!(remarks(&read_once).contains("12 pictures lie in subfolders that their names leave out"));
    // The same picture by two names is one picture, and cannot come into two parts.
    let twice = lines(numbered, "\n") + &lines(|at| format!("one/{at:02}.png"), "\n").replace("blue", "dark");
    write(&folder, "captions.jsonl", twice);
    let read_twice = read(&folder);
    assert_eq!((read_twice.images, read_twice.captions), (12, 24));
    // A name that does not choose.
    let other = folder.path().join("images/second");
    std::fs::create_dir(&other).expect("created");
    std::fs::copy(folder.path().join("images/first/one/03.png"), other.join("03.png")).expect("copied");
    write(&folder, "captions.jsonl", lines(numbered, "\n"));
    let read_again = read(&folder);
    assert_eq!(read_again.images, 11);
    let why = "03.png: several pictures are called so: images/first/one/03.png, images/second/03.png";
    assert!(remarks(&read_again).contains(why), "{}", remarks(&read_again));
}

#[test]
fn image_folders_of_hugging_face_are_read() {
    let beside = folder("");
    write(&beside, "metadata.jsonl", lines(numbered, "\n"));
    assert_eq!(read(&beside).images, 12, "{}", remarks(&read(&beside)));
    let within = folder("images");
    write(&within, "images/metadata.jsonl", lines(numbered, "\n"));
    assert_eq!(read(&within).images, 12);
    let parts = folder("train");
    pictures(parts.path(), "test");
    for part in ["train", "test"] {
        write(&parts, &format!("{part}/metadata.jsonl"), lines(numbered, "\n"));
    }
    let index = Index::read(parts.path()).expect("an index");
    let of = |split| index.entries.iter().filter(|entry| entry.split == Some(split)).count();
    assert_eq!((of(Split::Train), of(Split::Test)), (12, 12));
    assert_eq!(read(&parts).images, 24);
    // Beside an index of our own it is named.
    write(&within, "captions.jsonl", lines(numbered, "\n"));
    assert!(remarks(&read(&within)).contains("images/metadata.jsonl is not used: captions.jsonl is"));
}

#[test]
fn lists_and_maps_of_captions_are_read() {
    let record = |at: usize| format!("{{\"image\": \"{at:02}.png\", \"caption\": \"a blue square\"}}");
    let list: Vec<String> = (0..12).map(record).collect();
    let list = format!("[{}, 7]", list.join(", "));
    let map: Vec<String> =
        (0..12).map(|at| format!("\"{at:02}.png\": [\"a blue square\", \"a square\"]")).collect();
    let map = format!("{{{}}}", map.join(", "));
    for (name, text, captions) in
        [("captions.json", &list, 12), ("captions.jsonl", &list, 12), ("captions.json", &map, 24)]
    {
        let folder = folder("images");
        write(&folder, name, text);
        let read = read(&folder);
        assert_eq!((read.images, read.captions), (12, captions), "{name}: {}", remarks(&read));
        assert_eq!(text.ends_with("7]"), remarks(&read).contains(&format!("{name}, record 13: ")));
    }
}

#[test]
fn the_data_verb_prints_the_sizes_of_pictures() {
    let folder = folder("images");
    write(&folder, "captions.jsonl", lines(numbered, "\n"));
    let run = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_aligndraw"));
        let output = command.arg("data").arg(folder.path()).args(more).output().expect("it runs");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    assert!(run(&[]).contains("smallest 10×8, median 16×8, largest 21×8"), "{}", run(&[]));
    let json: serde_json::Value = serde_json::from_str(&run(&["--json"])).expect("JSON");
    assert_eq!(json["sizes"]["median"], serde_json::json!([16, 8]));
}
