//! What people's folders really hold: each kind of fault costs no more than itself and is named.

use std::path::{Path, PathBuf};
use std::process::Command;

use aligndraw::data::folder::Folder;
use aligndraw::error::{Error, Result};
use image::{Rgb, RgbImage, Rgba, RgbaImage};
use tempfile::TempDir;

/// A folder with images 00.png to 11.png.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let images = folder.path().join("images");
    std::fs::create_dir(&images).expect("created");
    for at in 0..12u8 {
        let path = images.join(format!("{at:02}.png"));
        RgbImage::from_pixel(20, 16, Rgb([20 * at, 0, 255])).save(path).expect("saved");
    }
    folder
}

/// Writes `captions.jsonl` with a line for each image, made by `line` from its name.
fn lines(folder: &TempDir, line: impl Fn(usize, &str) -> String) {
    let text: Vec<String> = (0..12).map(|at| line(at, &format!("{at:02}.png"))).collect();
    std::fs::write(folder.path().join("captions.jsonl"), text.join("\n")).expect("written");
}

fn plain(_: usize, name: &str) -> String {
    format!("{{\"image\": \"{name}\", \"caption\": \"a blue square\"}}")
}

fn read(folder: &TempDir) -> Result<Folder> {
    Folder::read(folder.path(), 16, None, None)
}

fn write(folder: &TempDir, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("written");
    path
}

#[test]
fn marks_line_ends_prefixes_and_spellings_are_read() {
    let cases: [fn(usize, &str) -> String; 7] = [
        |at, name| format!("{}{}\r", if at == 0 { "\u{feff}" } else { "" }, plain(at, name)),
        |_, name| format!("{{\"file_name\": \"images/{name}\", \"text\": \"a blue square\"}}"),
        |_, name| format!("{{\"filename\": \"./{name}\", \"captions\": [\"a blue square\"]}}"),
        |_, name| format!("{{\"image\": \"images\\\\{name}\", \"caption\": [\"a\", \"blue\", \"square\"]}}"),
        |_, name| format!("{{\"image\": \"{name}\", \"caption\": \"a blue square\", \"text\": \"other\"}}"),
        |_, name| format!("{{\"image\": \"{name}\", \"caption\": \"a blue square\", \"split\": null}}"),
        |_, name| format!("{{\"image\": \"{name}\", \"caption\": \"A “blue” square!\"}}"),
    ];
    for line in cases {
        let folder = folder();
        lines(&folder, line);
        let read = read(&folder).expect("usable");
        assert_eq!((read.images, read.captions, read.skipped.len()), (12, 12, 0), "{:?}", read.skipped);
        let mut words = read.vocabulary.words[1..].to_vec();
        words.sort();
        assert_eq!(words, ["a", "blue", "square"]);
    }
}

#[test]
fn a_bad_line_is_named_and_the_others_are_read() {
    let folder = folder();
    let long = format!("{{\"image\": [\"{}\"], \"caption\": \"a\"}}", "x".repeat(10_000));
    let bad: [(&[u8], &str); 6] = [
        (long.as_bytes(), "line 1: the file name is [\"xxx"),
        (b"{\"image\": \"00.png\", \"caption\": \"caf\xe9\"}", "line 1: byte 36 is not UTF-8"),
        (b"{\"image\": \"00.png\", \"caption\": null}", "line 1: 00.png: no caption"),
        (b"{\"image\": 7, \"caption\": \"a\"}", "line 1: the file name is 7"),
        (b"{\"image\": \"00.png\"", "line 1: not JSON"),
        (
            b"{\"image\": \"00.png\", \"caption\": \"a\", \"split\": \"extra\"}",
            "split \"extra\", expected train",
        ),
    ];
    for (line, why) in bad {
        let mut text = line.to_vec();
        (1..12).for_each(|at| text.extend(format!("\n{}", plain(at, &format!("{at:02}.png"))).bytes()));
        write(&folder, "captions.jsonl", text);
        let read = read(&folder).expect("usable");
        assert_eq!((read.images, read.skipped.len()), (11, 1), "{:?}", read.skipped);
        assert!(read.skipped[0].contains(why), "{why}: {:?}", read.skipped);
        assert!(read.skipped[0].chars().count() <= 401, "{why}");
    }
}

/// MS-COCO's layout for images `from..to`, ids as `id` writes them.
fn coco(from: usize, to: usize, id: impl Fn(usize) -> String, more: &str) -> String {
    let image = |at: usize| format!("{{\"id\": {}, \"file_name\": \"{at:02}.png\"}}", id(at));
    let said =
        |at: usize| format!("{{\"id\": {at}, \"image_id\": {}, \"caption\": \"a blue square\"}}", id(at));
    let join = |parts: Vec<String>| parts.join(", ");
    let (images, annotations) = (join((from..to).map(image).collect()), join((from..to).map(said).collect()));
    format!("{{\"images\": [{images}], \"annotations\": [{annotations}{more}]}}")
}

#[test]
fn coco_ids_of_any_kind_and_annotations_of_no_use() {
    let ids: [fn(usize) -> String; 2] = [|at| at.to_string(), |at| format!("\"img-{at}\"")];
    for id in ids {
        let folder = folder();
        let more = ", {\"id\": 98, \"image_id\": 3}, {\"id\": 99, \"image_id\": 3, \"caption\": null}, 7";
        write(&folder, "captions_all.json", coco(0, 12, id, more));
        let read = read(&folder).expect("usable");
        assert_eq!((read.images, read.captions), (12, 12));
        let skipped = read.skipped.join("\n");
        assert!(skipped.contains("annotation 98") && skipped.contains("annotation 99"), "{skipped}");
        assert_eq!(read.skipped.len(), 3);
    }
}

#[test]
fn every_index_is_used_or_named() {
    let folder = folder();
    std::fs::create_dir(folder.path().join("annotations")).expect("created");
    let number = |at: usize| at.to_string();
    write(&folder, "annotations/captions_train2017.json", coco(0, 8, number, ""));
    // Image 7 is in both: it stays where it was read first.
    write(&folder, "annotations/captions_val2017.json", coco(7, 12, number, ""));
    write(
        &folder,
        "annotations/instances_val2017.json",
        "{\"images\": [{\"id\": 1, \"file_name\": \"01.png\"}], \"annotations\": [{\"image_id\": 1, \"bbox\": [0, 0, 1, 1]}]}",
    );
    write(&folder, "annotations/broken.json", "{");
    let read = read(&folder).expect("usable");
    assert_eq!(read.images, 12);
    assert_eq!((read.train.images() + read.test.images(), read.validation.images()), (8, 4));
    let said = [read.notes.join("\n"), read.skipped.join("\n")].join("\n");
    for what in [
        "captions_train2017.json is used",
        "captions_val2017.json is used",
        "instances_val2017.json is not used: it has no images with captions",
        "broken.json is not used: it is not JSON",
        "no image is in Test",
        "07.png: in Train and in Validation",
    ] {
        assert!(said.contains(what), "{what} is not in\n{said}");
    }
}

#[test]
fn no_part_is_left_without_captions() {
    let folder = folder();
    lines(&folder, |at, name| plain(at, name).replace('}', ", \"split\": \"train\"}"));
    let all_train = read(&folder).expect("usable");
    assert!(!all_train.validation.is_empty() && !all_train.test.is_empty());
    assert!(all_train.notes[0].contains("every image is in Train"), "{:?}", all_train.notes);
    // The only image of the validation has a caption that is too long.
    let long = "very ".repeat(40);
    lines(&folder, |at, name| match at {
        0 => format!("{{\"image\": \"{name}\", \"caption\": \"{long}\", \"split\": \"val\"}}"),
        1 => plain(at, name).replace('}', ", \"split\": \"test\"}"),
        _ => plain(at, name).replace('}', ", \"split\": \"train\"}"),
    });
    let read_again = read(&folder).expect("usable");
    assert!(!read_again.validation.is_empty(), "{:?}", read_again.notes);
    assert!(read_again.skipped[0].contains("00.png: a caption of 40 words, expected 1 to 29"));
    // No caption at all is an error, and the command's exit code 2.
    lines(&folder, |_, name| format!("{{\"image\": \"{name}\", \"caption\": \"{long}\"}}"));
    assert!(matches!(read(&folder), Err(Error::NoCaptions { .. })));
    let output = Command::new(env!("CARGO_BIN_EXE_aligndraw")).arg("data").arg(folder.path()).output();
    assert_eq!(output.expect("it runs").status.code(), Some(2));
}

/// The red plane of an image as it is kept, 16×16.
fn red(folder: &Folder, at: usize) -> Vec<f32> {
    folder.train.image(at)[..256].to_vec()
}

#[test]
fn pictures_are_upright_on_white_and_whole() {
    let folder = folder();
    lines(&folder, plain);
    let images = folder.path().join("images");
    // Red beside blue, stored on its side with EXIF orientation 6: red is above blue.
    let side = RgbImage::from_fn(32, 32, |x, _| if x < 16 { Rgb([255, 0, 0]) } else { Rgb([0, 0, 255]) });
    let mut jpeg = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 95).encode_image(&side).expect("encoded");
    let exif = b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let rotated = [&jpeg[..2], exif, &jpeg[2..]].concat();
    std::fs::write(images.join("00.png"), &rotated).expect("written");
    let clear = RgbaImage::from_pixel(16, 16, Rgba([0, 0, 0, 0]));
    clear.save(images.join("01.png")).expect("saved");
    std::fs::write(images.join("02.png"), &jpeg[..jpeg.len() / 2]).expect("written");
    // A file that claims to hold more than a machine can.
    let mut huge = b"BM\x3a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
    huge.extend([30_000i32.to_le_bytes(), 30_000i32.to_le_bytes()].concat());
    huge.extend(b"\x01\0\x18\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    std::fs::write(images.join("03.png"), huge).expect("written");
    #[cfg(unix)]
    {
        std::fs::remove_file(images.join("04.png")).expect("removed");
        assert!(Command::new("mkfifo").arg(images.join("04.png")).status().expect("mkfifo").success());
    }
    let read = read(&folder).expect("usable");
    let upright = red(&read, 0);
    assert!(upright[..16].iter().all(|&red| red > 0.9) && upright[240..].iter().all(|&red| red < 0.1));
    assert!(red(&read, 1).iter().all(|&red| red == 1.0), "transparent is white");
    assert!(read.notes[0].contains("1 images are transparent in part"), "{:?}", read.notes);
    let skipped = read.skipped.join("\n");
    for what in
        ["02.png: the file ends before its image does", "03.png: 30000×30000 pixels, expected at most"]
    {
        assert!(skipped.contains(what), "{what} is not in\n{skipped}");
    }
    #[cfg(unix)]
    assert!(skipped.contains("04.png: not a regular file"), "{skipped}");
}

#[test]
fn words_are_what_people_mean() {
    let folder = folder();
    let caption = "A (square), the &quot;dog’s&quot; bread &amp; cafe\u{301} — man–riding\u{2026}";
    lines(&folder, |at, name| {
        let caption = if at % 2 == 0 { caption } else { "a square , the dog's bread & caf\u{e9} man riding" };
        format!("{{\"image\": \"{name}\", \"caption\": \"{caption}\"}}")
    });
    let read = read(&folder).expect("usable");
    let mut words = read.vocabulary.words[1..].to_vec();
    words.sort();
    assert_eq!(words, ["&", "a", "bread", "caf\u{e9}", "dog's", "man", "riding", "square", "the"]);
}

#[test]
fn the_data_verb_describes_and_training_keeps_the_list() {
    let folder = folder();
    lines(&folder, |at, name| if at < 9 { plain(at, name) } else { format!("no record {at}") });
    write(&folder, "captions.jsonl", {
        let mut text = std::fs::read_to_string(folder.path().join("captions.jsonl")).expect("written");
        (0..20).for_each(|at| text += &format!("\nnor is this {at}"));
        text
    });
    let path = |name: &str| folder.path().join(name).to_str().expect("UTF-8").to_owned();
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_aligndraw")).args(arguments).output().expect("it runs")
    };
    let sheet = path("sheet.png");
    let folder_path = folder.path().to_str().expect("UTF-8");
    let output = run(&["data", folder_path, "--sheet", &sheet]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && said.contains("and 13 more") && said.lines().count() < 20, "{said}");
    assert!(image::open(&sheet).is_ok());
    let output = run(&["data", folder_path, "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["passed_over"].as_array().map(Vec::len), Some(23));
    let out = path("run");
    let train =
        ["--side", "16", "--epochs", "1", "--batches", "1", "--batch", "4", "--steps", "2", "--threads", "1"];
    let train = [&["train", "--preset", "folder", "--data", folder_path, "--out", &out][..], &train].concat();
    let output = run(&train);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let skipped = std::fs::read_to_string(Path::new(&out).join("skipped.txt")).expect("the whole list");
    assert_eq!(skipped.lines().count(), 23);
}
