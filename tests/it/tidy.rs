//! Rules of the repository.

use std::path::{Path, PathBuf};

/// Lines that a source file may have.
const MOST_LINES: usize = 400;
/// What lies above the folders that compute.
const ABOVE: [&str; 11] = [
    "text2image",
    "image2text",
    "text2text",
    "paint",
    "paraphrase",
    "describe",
    "rank",
    "train",
    "eval",
    "cli",
    "checkpoint",
];
/// Folders that must name nothing of it but what is listed.
const BELOW: [(&str, &[&str]); 6] = [
    ("src/kernels", &[]),
    ("src/nn", &[]),
    ("src/data", &[]),
    ("src/text2image", &["text2image"]),
    ("src/image2text", &["image2text"]),
    ("src/text2text", &["text2text", "image2text"]),
];
/// Modules around one kind of system, and what they must not name.
const FORBIDDEN: [(&str, &[&str]); 4] = [
    ("src/paraphrase.rs", &["paint", "rank", "train", "eval", "cli"]),
    ("src/paint.rs", &["describe", "rank", "train", "eval", "cli"]),
    ("src/describe.rs", &["paint", "rank", "train", "eval", "cli"]),
    ("src/rank.rs", &["paint", "describe", "train", "eval", "cli"]),
];

/// Who may import whom: a module and what it must not name.
fn forbidden() -> Vec<(&'static str, Vec<&'static str>)> {
    let below = BELOW
        .map(|(module, known)| (module, ABOVE.into_iter().filter(|above| !known.contains(above)).collect()));
    below.into_iter().chain(FORBIDDEN.map(|(module, names)| (module, names.to_vec()))).collect()
}

fn sources(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    if folder.is_file() {
        return vec![folder.to_path_buf()];
    }
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            found.extend(sources(&entry, extension));
        } else if entry.extension().is_some_and(|found| found == extension) {
            found.push(entry);
        }
    }
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("a source file")
}

#[test]
fn files_can_be_told_in_one_sentence() {
    let all = sources(&root().join("src"), "rs").into_iter().chain(sources(&root().join("www"), "js"));
    for path in all {
        let lines = read(&path).lines().count();
        assert!(lines <= MOST_LINES, "{} has {lines} lines", path.display());
    }
}

#[test]
fn only_the_platform_and_the_roots_know_wasm() {
    for path in sources(&root().join("src"), "rs") {
        let name = path.strip_prefix(root()).expect("inside").to_string_lossy().into_owned();
        let allowed = name.starts_with("src/platform") || ["src/lib.rs", "src/main.rs"].contains(&&*name);
        let knows = read(&path).contains("target_family = \"wasm\"");
        assert!(allowed || !knows, "{name} knows wasm");
    }
}

#[test]
fn imports_run_one_way() {
    for (folder, forbidden) in forbidden() {
        for path in sources(&root().join(folder), "rs") {
            let text = read(&path);
            for module in &forbidden {
                let names = text.contains(&format!("crate::{module}"));
                assert!(!names, "{} imports {module}", path.display());
            }
        }
    }
}

#[test]
fn no_unwrap_outside_tests() {
    for path in sources(&root().join("src"), "rs") {
        let text = read(&path);
        let code = text.split("#[cfg(test)]").next().expect("code before tests");
        assert!(!code.contains(".unwrap()"), "{} unwraps", path.display());
    }
}
