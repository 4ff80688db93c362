//! Checkpoints that are either whole or absent: each record is written beside its name and renamed.

use std::io::Write;
use std::path::{Path, PathBuf};

use burn::train::checkpoint::{Checkpoint, Checkpointer, CheckpointerError};

/// The records of a checkpoint, in the order in which burn's engine writes them.
const RECORDS: [&str; 3] = ["model", "optim", "scheduler"];

/// Writes `bytes` to `path` so that a reader sees the old file or the new one, never half of it.
///
/// **Errors** those of the file system.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
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

/// The last epoch of which every record was written.
pub fn last_complete(folder: &Path) -> Option<usize> {
    let names = std::fs::read_dir(folder).ok()?;
    let epochs = names.filter_map(|entry| {
        let name = entry.ok()?.file_name().into_string().ok()?;
        name.strip_prefix("model-")?.strip_suffix(".bpk")?.parse().ok()
    });
    epochs.filter(|&epoch| RECORDS.iter().all(|record| path(folder, record, epoch).is_file())).max()
}

impl<R: Checkpoint> Checkpointer<R> for AtomicCheckpointer {
    fn save(&self, epoch: usize, record: R) -> Result<(), CheckpointerError> {
        let bytes = record.checkpoint_into_bytes().map_err(CheckpointerError::Record)?;
        write_atomically(&self.path(epoch), &bytes).map_err(CheckpointerError::IOError)
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
        let bytes = std::fs::read(self.path(epoch)).map_err(CheckpointerError::IOError)?;
        R::checkpoint_from_bytes(burn::tensor::Bytes::from_bytes_vec(bytes))
            .map_err(CheckpointerError::Record)
    }
}
