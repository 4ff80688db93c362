//! The MNIST files: gzip, SHA-256, IDX.

use std::io::Read;

use flate2::read::GzDecoder;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// Side of a digit image, pixels.
pub const SIDE: usize = 28;
/// Images of MNIST's training file that the recipe trains on; the other 10 000 validate.
const TRAIN: usize = 50_000;

/// File name and SHA-256 of the uncompressed file.
const FILES: [(&str, &str); 4] = [
    ("train-images-idx3-ubyte", "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
    ("train-labels-idx1-ubyte", "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
    ("t10k-images-idx3-ubyte", "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
    ("t10k-labels-idx1-ubyte", "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
];

/// Digit images with their labels.
#[derive(Clone, Debug, Default)]
pub struct Digits {
    /// Pixels in [0, 1], [digit, 28, 28].
    pub pixels: Vec<f32>,
    /// 0–9.
    pub labels: Vec<u8>,
}

impl Digits {
    /// Number of digits.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The pixels of digit `i`.
    pub fn image(&self, i: usize) -> &[f32] {
        &self.pixels[i * SIDE * SIDE..][..SIDE * SIDE]
    }

    fn split_off(&mut self, at: usize) -> Self {
        Self { pixels: self.pixels.split_off(at * SIDE * SIDE), labels: self.labels.split_off(at) }
    }
}

/// MNIST in the recipe's three parts: 50 000 / 10 000 / 10 000.
#[derive(Clone, Debug)]
pub struct Mnist {
    /// The first 50 000 of the training file.
    pub train: Digits,
    /// The last 10 000 of the training file.
    pub validation: Digits,
    /// MNIST's own test file.
    pub test: Digits,
}

impl Mnist {
    /// Unpacks the four files; `read` returns the bytes of a file of `data/mnist/` by its name.
    ///
    /// **Errors** [`Error::Data`], naming the file that is missing, damaged or not MNIST's.
    pub fn load(read: impl Fn(&str) -> Result<Vec<u8>>) -> Result<Self> {
        let mut train = digits(&read, FILES[0], FILES[1])?;
        let validation = train.split_off(TRAIN);
        Ok(Self { train, validation, test: digits(&read, FILES[2], FILES[3])? })
    }
}

type File = (&'static str, &'static str);

fn digits(read: impl Fn(&str) -> Result<Vec<u8>>, images: File, labels: File) -> Result<Digits> {
    let image_bytes = unpack(&read, images)?;
    let label_bytes = unpack(&read, labels)?;
    // The hashes vouch for the IDX headers: 16 bytes before the pixels, 8 before the labels.
    let pixels = image_bytes[16..].iter().map(|&byte| f32::from(byte) / 255.0).collect();
    Ok(Digits { pixels, labels: label_bytes[8..].to_vec() })
}

fn unpack(read: impl Fn(&str) -> Result<Vec<u8>>, (name, sha256): File) -> Result<Vec<u8>> {
    let name = format!("{name}.gz");
    let mut bytes = Vec::new();
    GzDecoder::new(read(&name)?.as_slice())
        .read_to_end(&mut bytes)
        .map_err(|error| Error::Data(format!("{name}: {error}")))?;
    let found: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    if found != sha256 {
        return Err(Error::Data(format!("{name}: its SHA-256 is {found}, MNIST's is {sha256}")));
    }
    Ok(bytes)
}
