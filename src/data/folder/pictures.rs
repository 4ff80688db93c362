//! Where the pictures of a folder lie.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Folders within folders that are looked into.
const DEEPEST: usize = 16;

/// The pictures of a folder, found by the names that an index gives them.
pub struct Pictures<'a> {
    folder: &'a Path,
    /// Paths below the folder, by file name; read when a picture is not where its name says.
    by_name: OnceCell<BTreeMap<String, Vec<String>>>,
}

impl<'a> Pictures<'a> {
    /// The pictures of this folder.
    pub fn of(folder: &'a Path) -> Self {
        Self { folder, by_name: OnceCell::new() }
    }

    /// The path below the folder of the picture that an index calls `file`: below `images/`, beside the index, or
    /// the only one of that name in a subfolder. One that is nowhere is expected below `images/`.
    ///
    /// **Errors** the pictures among which the name does not choose.
    pub fn find(&self, file: &str) -> std::result::Result<String, String> {
        let expected = format!("images/{file}");
        for path in [&expected, file] {
            if std::fs::symlink_metadata(self.folder.join(path)).is_ok_and(|about| !about.is_dir()) {
                return Ok(path.to_owned());
            }
        }
        let by_name = self.by_name.get_or_init(|| by_name(self.folder));
        let name = file.rsplit('/').next().unwrap_or(file);
        let ends = format!("/{file}");
        let mut found = by_name.get(name).into_iter().flatten().filter(|path| path.ends_with(&ends));
        match (found.next(), found.next()) {
            (None, _) => Ok(expected),
            (Some(only), None) => Ok(only.clone()),
            (Some(first), Some(second)) => Err(format!(
                "several pictures are called so: {first}, {second}: the index must name the subfolder"
            )),
        }
    }
}

/// The files below `images/`, or where there is no such folder below the folder itself.
fn by_name(folder: &Path) -> BTreeMap<String, Vec<String>> {
    let images = folder.join("images");
    let (root, prefix) = if images.is_dir() { (images, "images") } else { (folder.to_path_buf(), "") };
    let mut found = BTreeMap::<String, Vec<String>>::new();
    collect(&root, prefix, DEEPEST, &mut found);
    found.values_mut().for_each(|paths| paths.sort());
    found
}

fn collect(folder: &PathBuf, prefix: &str, deepest: usize, found: &mut BTreeMap<String, Vec<String>>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        // A link to a folder may lead back to where it stands.
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && deepest > 0 => collect(&entry.path(), &path, deepest - 1, found),
            Ok(kind) if kind.is_file() || kind.is_symlink() => found.entry(name).or_default().push(path),
            _ => {}
        }
    }
}
