//! Measurements that are kept, so that a comparison that was interrupted goes on where it stood.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Serialize, de::DeserializeOwned};

use super::super::files::{read_json, write_json};

/// What is kept of one model on one set of pictures.
pub struct Kept {
    folder: PathBuf,
}

impl Kept {
    /// Below `cache`, by the hashes of weights and data.
    pub fn new(cache: &Path, weights: &str, data: &str) -> Self {
        let folder = cache.join(format!("{}-{data}", &weights[..16.min(weights.len())]));
        Self { folder }
    }

    /// A measurement by its name, measured when it is not there.
    pub fn or_measure<T: Serialize + DeserializeOwned>(
        &self,
        name: &str,
        measure: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let path = self.folder.join(format!("{name}.json"));
        if let Ok(known) = read_json(&path) {
            return Ok(known);
        }
        let found = measure()?;
        std::fs::create_dir_all(&self.folder).with_context(|| self.folder.display().to_string())?;
        write_json(&path, &found)?;
        // As it will be read the next time: the last digit of a number may differ.
        read_json(&path)
    }

    /// Rows of numbers that grow one after the other.
    pub fn rows(&self, name: &str, width: usize) -> Result<Rows> {
        std::fs::create_dir_all(&self.folder).with_context(|| self.folder.display().to_string())?;
        Rows::open(self.folder.join(format!("{name}.f32")), width)
    }
}

/// A file of rows of 32-bit floats, little-endian.
pub struct Rows {
    path: PathBuf,
    /// All whole rows.
    pub values: Vec<f32>,
}

impl Rows {
    /// What is there already; half a row at its end is cut off.
    fn open(path: PathBuf, width: usize) -> Result<Self> {
        let bytes = std::fs::read(&path).unwrap_or_default();
        let whole = bytes.len() - bytes.len() % (4 * width);
        if whole < bytes.len() {
            let file = OpenOptions::new().write(true).open(&path);
            file.and_then(|file| file.set_len(whole as u64)).with_context(|| path.display().to_string())?;
        }
        let value = |four: &[u8]| f32::from_le_bytes([four[0], four[1], four[2], four[3]]);
        Ok(Self { values: bytes[..whole].chunks_exact(4).map(value).collect(), path })
    }

    /// Adds a row.
    pub fn push(&mut self, row: &[f32]) -> Result<()> {
        let bytes: Vec<u8> = row.iter().flat_map(|value| value.to_le_bytes()).collect();
        let file = OpenOptions::new().create(true).append(true).open(&self.path);
        file.and_then(|mut file| file.write_all(&bytes)).with_context(|| self.path.display().to_string())?;
        self.values.extend(row);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_go_on_after_an_interruption_that_cut_one() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let kept = Kept::new(folder.path(), "abc", "def");
        let mut rows = kept.rows("scores", 2).expect("opened");
        rows.push(&[1.0, 2.0]).expect("written");
        rows.push(&[3.0, 4.0]).expect("written");
        let path = folder.path().join("abc-def/scores.f32");
        let bytes = std::fs::read(&path).expect("read");
        std::fs::write(&path, &bytes[..13]).expect("cut");
        let mut again = kept.rows("scores", 2).expect("opened");
        assert_eq!(again.values, [1.0, 2.0]);
        again.push(&[5.0, 6.0]).expect("written");
        assert_eq!(kept.rows("scores", 2).expect("opened").values, [1.0, 2.0, 5.0, 6.0]);
    }

    #[test]
    fn what_is_known_is_not_measured_again() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let kept = Kept::new(folder.path(), "abc", "def");
        assert_eq!(kept.or_measure("one", || Ok(1)).expect("measured"), 1);
        assert_eq!(kept.or_measure("one", || Ok(2)).expect("known"), 1);
        assert_eq!(Kept::new(folder.path(), "abd", "def").or_measure("one", || Ok(2)).expect("measured"), 2);
    }
}
