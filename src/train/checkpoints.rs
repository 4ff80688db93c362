//! Checkpoints that are either whole or passed over: each record ends with its hash, is written beside its
//! name and renamed.

use std::io::Write;
use std::path::{Path, PathBuf};

use burn::train::checkpoint::{Checkpoint, Checkpointer, CheckpointerError};
use sha2::{Digest, Sha256};

/// Bytes of the SHA-256 at the end of each record.
const HASH_LEN: usize = 32;
/// The records of a checkpoint, in the order in which burn's engine writes them.
const RECORDS: [&str; 3] = ["model", "optim", "scheduler"];

/// How the names of files begin that are being written.
const PART: &str = ".part-";

/// Removes what a process left that was killed while it wrote into a folder.
///
/// **Errors** those of the file system.
pub fn remove_parts(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(PART) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Writes `bytes` to `path` so that a reader sees the old file or the new one, never half of it.
///
/// **Errors** those of the file system.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix(PART).tempfile_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    // A temporary file is its owner's alone; what replaces it is as readable as any other file.
    readable(file.as_file())?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

#[cfg(unix)]
fn readable(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}

/// One record of the checkpoints in a folder.
pub struct AtomicCheckpointer {
    folder: PathBuf,
    record: &'static str,
}

impl AtomicCheckpointer {
    /// The three checkpointers of a run.
    pub fn all(folder: &Path) -> [Self; 3] {
        RECORDS.map(|record| Self { folder: folder.to_path_buf(), record })
    }

    fn path(&self, epoch: usize) -> PathBuf {
        path(&self.folder, self.record, epoch)
    }
}

fn path(folder: &Path, record: &str, epoch: usize) -> PathBuf {
    folder.join(format!("{record}-{epoch}.bpk"))
}

/// The checkpoints of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The newest epoch of which every record is whole.
    pub whole: Option<usize>,
    /// Files of newer checkpoints that are cut, damaged or missing.
    pub broken: Vec<PathBuf>,
}

/// Looks for the newest whole checkpoint, past those that are not.
pub fn find(folder: &Path) -> Found {
    let mut found = Found::default();
    let Ok(names) = std::fs::read_dir(folder) else { return found };
    let epochs = names.filter_map(|entry| {
        let name = entry.ok()?.file_name().into_string().ok()?;
        RECORDS.iter().find_map(|record| {
            name.strip_prefix(record)?.strip_prefix('-')?.strip_suffix(".bpk")?.parse::<usize>().ok()
        })
    });
    let mut epochs: Vec<usize> = epochs.collect();
    epochs.sort_unstable();
    epochs.dedup();
    for epoch in epochs.into_iter().rev() {
        let records = RECORDS.map(|record| path(folder, record, epoch));
        let broken: Vec<PathBuf> = records.into_iter().filter(|path| read(path).is_err()).collect();
        if broken.is_empty() {
            found.whole = Some(epoch);
            break;
        }
        found.broken.extend(broken);
    }
    found
}

/// Reads a record and checks the hash at its end.
fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = std::fs::read(path)?;
    let body = bytes.len().saturating_sub(HASH_LEN);
    if bytes.len() < HASH_LEN || Sha256::digest(&bytes[..body]).as_slice() != &bytes[body..] {
        let what = format!("{} is cut or damaged", path.display());
        return Err(std::io::Error::new(std::io::ErrorKind::InvalidData, what));
    }
    bytes.truncate(body);
    Ok(bytes)
}

impl<R: Checkpoint> Checkpointer<R> for AtomicCheckpointer {
    fn save(&self, epoch: usize, record: R) -> Result<(), CheckpointerError> {
        let mut bytes = record.checkpoint_into_bytes().map_err(CheckpointerError::Record)?.to_vec();
        let hash = Sha256::digest(&bytes);
        bytes.extend_from_slice(&hash);
        let path = self.path(epoch);
        write_atomically(&path, &bytes).map_err(|error| {
            let named = format!("{}: {error}", path.display());
            CheckpointerError::IOError(std::io::Error::new(error.kind(), named))
        })
    }

    fn delete(&self, epoch: usize) -> Result<(), CheckpointerError> {
        match std::fs::remove_file(self.path(epoch)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(CheckpointerError::IOError(error))
            }
            _ => Ok(()),
        }
    }

    fn restore(&self, epoch: usize) -> Result<R, CheckpointerError> {
        let bytes = read(&self.path(epoch)).map_err(CheckpointerError::IOError)?;
        R::checkpoint_from_bytes(burn::tensor::Bytes::from_bytes_vec(bytes))
            .map_err(CheckpointerError::Record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(folder: &Path, name: &str, epoch: usize) -> PathBuf {
        let path = path(folder, name, epoch);
        let mut bytes = format!("{name} {epoch}").into_bytes();
        let hash = Sha256::digest(&bytes);
        bytes.extend_from_slice(&hash);
        write_atomically(&path, &bytes).expect("it is written");
        path
    }

    #[test]
    fn the_newest_whole_checkpoint_is_found_past_cut_ones() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert_eq!(find(folder.path()), Found::default());
        let files: Vec<PathBuf> =
            (2..=4).flat_map(|epoch| RECORDS.map(|name| record(folder.path(), name, epoch))).collect();
        assert_eq!(find(folder.path()), Found { whole: Some(4), broken: vec![] });
        // The optimizer's record of the last is empty, the model's of the one before cut.
        std::fs::write(&files[7], b"").expect("it is written");
        let whole = std::fs::read(&files[3]).expect("it is there");
        std::fs::write(&files[3], &whole[..whole.len() - 1]).expect("it is written");
        assert_eq!(
            find(folder.path()),
            Found { whole: Some(2), broken: vec![files[7].clone(), files[3].clone()] }
        );
    }
}
