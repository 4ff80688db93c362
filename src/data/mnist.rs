//! The MNIST files: gzip, MD5, IDX.

use std::io::Read;

use flate2::read::GzDecoder;
use md5::{Digest, Md5};

use crate::error::{Error, Result};

/// Side of a digit image, pixels.
pub const SIDE: usize = 28;
/// Images of MNIST's training file that the recipe trains on; the other 10 000 validate.
const TRAIN: usize = 50_000;

/// File name and MD5 of the uncompressed file.
const FILES: [(&str, &str); 4] = [
    ("train-images-idx3-ubyte", "6bbc9ace898e44ae57da46a324031adb"),
    ("train-labels-idx1-ubyte", "a25bea736e30d166cdddb491f175f624"),
    ("t10k-images-idx3-ubyte", "2646ac647ad5339dbf082846283269ea"),
    ("t10k-labels-idx1-ubyte", "27ae3e4e09519cfbb04c329615203637"),
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
    // The MD5 sums vouch for the IDX headers: 16 bytes before the pixels, 8 before the labels.
    let pixels = image_bytes[16..].iter().map(|&byte| f32::from(byte) / 255.0).collect();
    Ok(Digits { pixels, labels: label_bytes[8..].to_vec() })
}

fn unpack(read: impl Fn(&str) -> Result<Vec<u8>>, (name, md5): File) -> Result<Vec<u8>> {
    let name = format!("{name}.gz");
    let mut bytes = Vec::new();
    GzDecoder::new(read(&name)?.as_slice())
        .read_to_end(&mut bytes)
        .map_err(|error| Error::Data(format!("{name}: {error}")))?;
    let found: String = Md5::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    if found != md5 {
        return Err(Error::Data(format!("{name}: its MD5 is {found}, MNIST's is {md5}")));
    }
    Ok(bytes)
}
