//! Features of photos, kept on disk under the hash of the photo: each is looked at once.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use crate::error::{Error, Result};

/// A folder of features, a file for each photo. Several processes may share it.
pub struct FeatureCache {
    folder: PathBuf,
    /// Bytes of a photo's features.
    len: usize,
}

/// The name of a photo: the hash of its file.
pub fn name(photo: &[u8]) -> String {
    Sha256::digest(photo).iter().map(|byte| format!("{byte:02x}")).collect()
}

impl FeatureCache {
    /// The cache in a folder, which is made when something is put in.
    pub fn new(folder: &Path, len: usize) -> Self {
        Self { folder: folder.to_path_buf(), len }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.z"))
    }

    /// The features of a photo; none when they are not there, or damaged.
    pub fn get(&self, name: &str) -> Option<Vec<u8>> {
        let file = std::fs::read(self.path(name)).ok()?;
        let mut features = Vec::with_capacity(self.len);
        ZlibDecoder::new(&*file).read_to_end(&mut features).ok()?;
        (features.len() == self.len).then_some(features)
    }

    /// Keeps the features of a photo: whole or not at all.
    ///
    /// **Errors** [`Error::Data`] when the folder cannot be written.
    pub fn put(&self, name: &str, features: &[u8]) -> Result<()> {
        let write = || -> std::io::Result<()> {
            std::fs::create_dir_all(&self.folder)?;
            let mut file = NamedTempFile::new_in(&self.folder)?;
            let mut encoder = ZlibEncoder::new(&mut file, Compression::fast());
            encoder.write_all(features)?;
            encoder.finish()?;
            file.persist(self.path(name))?;
            Ok(())
        };
        write().map_err(|error| Error::Data(format!("{}: {error}", self.folder.display())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_damaged_is_not_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let cache = FeatureCache::new(&folder.path().join("kept"), 300);
        let features: Vec<u8> = (0..300).map(|at| (at % 7) as u8).collect();
        let name = name(b"a photo");
        assert_eq!(cache.get(&name), None);
        cache.put(&name, &features).expect("a folder that can be written");
        assert_eq!(cache.get(&name).as_ref(), Some(&features));
        assert_eq!(FeatureCache::new(&folder.path().join("kept"), 299).get(&name), None);
        let mut file = std::fs::read(cache.path(&name)).expect("a file");
        let middle = file.len() / 2;
        file[middle] ^= 0x55;
        std::fs::write(cache.path(&name), &file).expect("written");
        assert_eq!(cache.get(&name), None);
        std::fs::write(cache.path(&name), &file[..middle]).expect("written");
        assert_eq!(cache.get(&name), None);
        let left = std::fs::read_dir(folder.path().join("kept")).expect("a folder").count();
        assert_eq!(left, 1, "nothing half-written is left");
    }
}
