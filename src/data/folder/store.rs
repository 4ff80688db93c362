//! The squares of a folder's images on disk. They are mapped into memory, not read: the system keeps there what is used
//! and there is room for, so that a folder may be larger than the memory.
//!
//! A file holds the bytes of all squares, one after the other, then as JSON what they were made from and what is wrong
//! with each image, then the length of that JSON, eight bytes, the least first.

use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::Deref;
use std::path::Path;

use memmap2::Mmap;
use tempfile::NamedTempFile;

/// Bytes of the length at the end.
const TAIL: usize = 8;

/// What is wrong with each image; none where nothing is.
pub type Faults = Vec<Option<String>>;

/// The bytes of the squares.
pub struct Squares {
    map: Mmap,
    len: usize,
}

impl Squares {
    /// Maps the first `len` bytes of a file.
    fn of(file: &File, len: usize) -> std::io::Result<Self> {
        // SAFETY: the file is this program's own: a temporary one, or one of the cache, which is never changed in its
        // place but replaced as a whole, whereupon a mapping keeps the old one.
        let map = unsafe { Mmap::map(file)? };
        Ok(Self { map, len })
    }

    /// Those that were kept in a file, if they were made from the same and are whole: `len` bytes for each good image.
    pub fn kept(path: &Path, stamp: &[String], len: usize) -> Option<(Self, Faults)> {
        let mut file = File::open(path).ok()?;
        let total = usize::try_from(file.metadata().ok()?.len()).ok()?;
        file.seek(SeekFrom::Start(total.checked_sub(TAIL)? as u64)).ok()?;
        let mut tail = [0; TAIL];
        file.read_exact(&mut tail).ok()?;
        let about = usize::try_from(u64::from_le_bytes(tail)).ok()?;
        let end = total.checked_sub(TAIL)?.checked_sub(about)?;
        file.seek(SeekFrom::Start(end as u64)).ok()?;
        let mut json = vec![0; about];
        file.read_exact(&mut json).ok()?;
        let (found, faults): (Vec<String>, Faults) = serde_json::from_slice(&json).ok()?;
        let good = faults.iter().filter(|fault| fault.is_none()).count();
        if found != stamp || end != good * len {
            return None;
        }
        Some((Self::of(&file, end).ok()?, faults))
    }
}

impl Deref for Squares {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.map[..self.len]
    }
}

/// Squares that are being written, to a temporary file until they are complete.
pub struct Writer {
    file: BufWriter<NamedTempFile>,
    len: usize,
}

impl Writer {
    /// Of squares that are to be kept under a path, whose folder is made, or that last as long as they are used.
    ///
    /// **Errors** of the file system.
    pub fn new(kept: Option<&Path>) -> std::io::Result<Self> {
        let file = match kept.and_then(Path::parent) {
            Some(folder) => {
                std::fs::create_dir_all(folder)?;
                NamedTempFile::new_in(folder)?
            }
            None => NamedTempFile::new()?,
        };
        Ok(Self { file: BufWriter::new(file), len: 0 })
    }

    /// Adds a square.
    ///
    /// **Errors** of the file system.
    pub fn push(&mut self, square: &[u8]) -> std::io::Result<()> {
        self.len += square.len();
        self.file.write_all(square)
    }

    /// The squares, and the file under its path, if one is given, whole.
    ///
    /// **Errors** of the file system.
    pub fn finish(
        mut self,
        kept: Option<&Path>,
        stamp: &[String],
        faults: &Faults,
    ) -> std::io::Result<Squares> {
        let about = serde_json::to_vec(&(stamp, faults))?;
        self.file.write_all(&about)?;
        self.file.write_all(&(about.len() as u64).to_le_bytes())?;
        let file = self.file.into_inner().map_err(|error| error.into_error())?;
        match kept {
            Some(path) => {
                file.as_file().sync_all()?;
                Squares::of(&file.persist(path)?, self.len)
            }
            None => Squares::of(file.as_file(), self.len),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_cut_off_or_made_from_something_else_is_not_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("made/pixels.bin");
        let stamp = vec!["side 2".to_owned(), "a.png".to_owned()];
        let faults = vec![None, Some("broken".to_owned()), None];
        let mut writer = Writer::new(Some(&path)).expect("a file");
        for square in [[1, 2, 3, 4], [5, 6, 7, 8]] {
            writer.push(&square).expect("written");
        }
        let written = writer.finish(Some(&path), &stamp, &faults).expect("kept");
        assert_eq!(*written, [1, 2, 3, 4, 5, 6, 7, 8]);
        let (again, found) = Squares::kept(&path, &stamp, 4).expect("there");
        assert_eq!((&*again, &found), (&*written, &faults));
        assert!(Squares::kept(&path, &stamp[..1], 4).is_none(), "of other files");
        assert!(Squares::kept(&path, &stamp, 3).is_none(), "of another size");
        let whole = std::fs::read(&path).expect("a file");
        for len in 0..whole.len() {
            std::fs::write(&path, &whole[..len]).expect("written");
            assert!(Squares::kept(&path, &stamp, 4).is_none(), "{len} bytes");
        }
        let left = std::fs::read_dir(folder.path().join("made")).expect("a folder").count();
        assert_eq!(left, 1, "nothing half-written is left");
        let empty = Writer::new(None).and_then(|writer| writer.finish(None, &[], &Vec::new()));
        assert!(empty.expect("a temporary file").is_empty());
    }
}
