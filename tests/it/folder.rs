//! Folders of captioned images: three layouts, and everything that can be wrong with them.

use std::path::Path;

use aligndraw::data::folder::{Folder, Index};
use aligndraw::data::noise::Noise;
use aligndraw::data::source::Source;
use image::{Rgb, RgbImage};

fn picture(path: &Path, width: u32, height: u32, colour: [u8; 3]) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("created");
    RgbImage::from_pixel(width, height, Rgb(colour)).save(path).expect("saved");
}

/// Ten images of odd sizes with unicode names, one broken, one missing, one listed twice, one outside.
fn lines(folder: &Path) {
    let mut lines = String::new();
    for i in 0..12u8 {
        let name = format!("bilder/käse {i}.png");
        picture(&folder.join("images").join(&name), 5 + 7 * u32::from(i), 40, [20 * i, 0, 255]);
        lines += &format!("{{\"image\": \"{name}\", \"caption\": \"A blue thing , number {i} .\"}}\n");
    }
    std::fs::write(folder.join("images/broken.png"), b"\x89PNG but not really").expect("written");
    lines += "{\"image\": \"broken.png\", \"caption\": \"a broken picture\"}\n";
    lines += "{\"image\": \"missing.png\", \"captions\": [\"not there\"]}\n";
    lines += "{\"image\": \"bilder/käse 0.png\", \"caption\": \"a blue thing again\"}\n";
    lines += "{\"image\": \"../secret.png\", \"caption\": \"a blue thing\"}\n";
    lines += "not json\n";
    lines += "{\"image\": \"bilder/käse 1.png\", \"caption\": \"   \"}\n";
    std::fs::write(folder.join("captions.jsonl"), lines).expect("written");
}

#[test]
fn broken_files_odd_sizes_unicode_and_duplicates() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    lines(folder.path());
    let cache = folder.path().join("run/pixels.bin");
    let read = Folder::read(folder.path(), 16, Some(&cache), None).expect("usable");
    assert_eq!((read.images, read.captions), (12, 13));
    let skipped = read.skipped.join("\n");
    for what in [
        "broken.png: ",
        "missing.png: ",
        "../secret.png\": not a path",
        "line 17: ",
        "käse 1.png: no caption",
    ] {
        assert!(skipped.contains(what), "{what} is not in\n{skipped}");
    }
    assert!(read.vocabulary.id("blue").is_some() && read.vocabulary.id("again").is_none());
    let batch = read.train.batch(6, &mut Noise::new(1));
    assert_eq!((batch.len(), batch.images.len()), (6, 6 * 3 * 16 * 16));
    assert!(batch.images.chunks(256).nth(2).expect("blue").iter().all(|&blue| blue == 1.0));

    // From the cache: the same, the faults included.
    let again = Folder::read(folder.path(), 16, Some(&cache), None).expect("usable");
    let mut sorted = [read.skipped.clone(), again.skipped.clone()];
    sorted.iter_mut().for_each(|skipped| skipped.sort());
    assert_eq!(sorted[0], sorted[1]);
    assert_eq!(again.train.batch(6, &mut Noise::new(1)).images, batch.images);
    // A changed image is read again.
    picture(&folder.path().join("images/bilder/käse 0.png"), 9, 9, [255, 255, 0]);
    let changed = Folder::read(folder.path(), 16, Some(&cache), None).expect("usable");
    let yellow = (0..20).any(|seed| {
        let batch = changed.train.batch(6, &mut Noise::new(seed));
        batch.images.chunks(768).any(|image| image[0] == 1.0 && image[512] == 0.0)
    });
    assert!(yellow);
}

#[test]
fn ms_cocos_and_karpathys_layouts() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let coco = r#"{"images": [{"id": 7, "file_name": "a.jpg"}, {"id": 8, "file_name": "b.jpg"}],
        "annotations": [{"image_id": 7, "caption": "one"}, {"image_id": 7, "caption": "two"},
                        {"image_id": 9, "caption": "lost"}]}"#;
    std::fs::write(folder.path().join("captions_val.json"), coco).expect("written");
    let index = Index::read(folder.path()).expect("an index");
    assert_eq!(index.entries.len(), 1);
    assert_eq!(index.entries[0].captions, ["one", "two"]);
    assert_eq!(index.skipped.len(), 2, "{:?}", index.skipped);

    let karpathy = r#"{"dataset": "flickr8k", "images": [
        {"filename": "a.jpg", "split": "train", "sentences": [{"raw": "A dog ."}, {"raw": "A cat ."}]},
        {"filename": "b.jpg", "filepath": "val2014", "split": "test", "sentences": [{"raw": "A cow ."}]},
        {"filename": "c.jpg", "split": "extra", "sentences": [{"raw": "Nothing ."}]}]}"#;
    std::fs::write(folder.path().join("captions_val.json"), karpathy).expect("written");
    let index = Index::read(folder.path()).expect("an index");
    let files: Vec<&str> = index.entries.iter().map(|entry| entry.file.as_str()).collect();
    assert_eq!(files, ["a.jpg", "val2014/b.jpg"]);
    assert!(index.skipped[0].contains("c.jpg"));
}

#[test]
fn a_folder_without_captions_says_what_it_needs() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let error = Index::read(folder.path()).expect_err("nothing to read").to_string();
    assert!(error.contains("captions.jsonl") && error.contains("dataset_*.json"), "{error}");
    std::fs::write(folder.path().join("captions.jsonl"), "").expect("written");
    let error = Folder::read(folder.path(), 16, None, None).err().expect("no images").to_string();
    assert!(error.contains("has no caption of 1 to 29 words"), "{error}");
}
