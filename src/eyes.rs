//! What captioners see of a photo: the features of a network trained on ImageNet, `models/eyes`, which is not
//! trained any further. `scripts/eyes.py` writes it.

use burn::tensor::{Device, Tensor, TensorData};
use serde::{Deserialize, Serialize};

use crate::checkpoint::{WeightsRecord, decode, parse_safetensors};
use crate::error::{Error, Result};
use crate::model::ImageSize;
use crate::nn::efficientnet::{EfficientNetLite0, FEATURES, GRID, SIDE};

/// The network that manifests name.
const NETWORK: &str = "efficientnet-lite0";
/// The format of manifests that is read.
const FORMAT: u32 = 1;

/// What stands beside the weights: `models/eyes.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EyesManifest {
    /// The format of the manifest.
    pub format: u32,
    /// `eyes`.
    pub name: String,
    /// The network.
    pub network: String,
    /// Where the weights come from, and their licence.
    pub source: String,
    /// Side of the pictures, pixels.
    pub side: usize,
    /// The weights file.
    pub weights: WeightsRecord,
}

impl EyesManifest {
    /// Parses a manifest.
    ///
    /// **Errors** [`Error::Model`], naming what is wrong with it.
    pub fn parse(json: &[u8]) -> Result<Self> {
        let manifest: Self = serde_json::from_slice(json)
            .map_err(|error| Error::Model(format!("the manifest of the eyes is not valid: {error}")))?;
        let Self { format, network, side, .. } = &manifest;
        let wrong = |what: String| Err(Error::Model(format!("the manifest of the eyes: {what}")));
        if *format != FORMAT {
            return wrong(format!("format {format}, expected {FORMAT}"));
        }
        if network != NETWORK {
            return wrong(format!("the network is \"{network}\", expected \"{NETWORK}\""));
        }
        if *side != SIDE {
            return wrong(format!("side is {side}, expected {SIDE}"));
        }
        Ok(manifest)
    }
}

/// A frozen network that turns pictures into features.
pub struct Eyes {
    network: EfficientNetLite0,
    device: Device,
}

impl Eyes {
    /// Side of the square pictures that it looks at, pixels.
    pub const SIDE: usize = SIDE;
    /// Bytes of a picture, planar RGB.
    pub const PICTURE: usize = 3 * SIDE * SIDE;
    /// Features of a cell, and rows and columns of cells.
    pub const SIZE: ImageSize = ImageSize { channels: FEATURES, height: GRID, width: GRID };
    /// The largest that a feature can be (ReLU6); the least is 0.
    pub const MOST: f32 = 6.0;

    /// The network with the weights of a file, their hash checked.
    ///
    /// **Errors** [`Error::WrongHash`], [`Error::Model`].
    pub fn load(manifest: &EyesManifest, weights: &[u8], device: &Device) -> Result<Self> {
        manifest.weights.verify(weights)?;
        let network = decode(EfficientNetLite0::init(device), &parse_safetensors(weights)?)?;
        Ok(Self { network, device: device.clone() })
    }

    /// Features of pictures: `pixels` are planar RGB [picture, 3, 224, 224] from 0 to 255; returns
    /// [picture, feature, row, column], 0 to [`Self::MOST`].
    ///
    /// **Errors** [`Error::Config`] when the pixels are not those of whole pictures.
    pub fn features(&self, pixels: &[u8]) -> Result<Tensor<4>> {
        let len = Self::PICTURE;
        if pixels.is_empty() || !pixels.len().is_multiple_of(len) {
            let found = pixels.len();
            return Err(Error::Config(format!("{found} bytes of pixels, expected {len} for each picture")));
        }
        let values: Vec<f32> = pixels.iter().map(|&value| f32::from(value)).collect();
        let shape = [pixels.len() / len, 3, SIDE, SIDE];
        Ok(self.network.forward(Tensor::from_data(TensorData::new(values, shape), &self.device)))
    }
}
