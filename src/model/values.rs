//! Values that lie on the host, or on a device until they are read.

use burn::tensor::Tensor;

use crate::error::{Error, Result};
use crate::nn::floats;

/// Values of a batch that lie on the host, or on a device until they are read.
pub enum Values {
    /// Row-major.
    Host(Vec<f32>),
    /// Flattened, row-major.
    Device(Box<Tensor<1>>),
}

impl Values {
    /// The values on the host: the only place that waits for a device.
    ///
    /// **Errors** [`Error::Device`] when the device fails or is lost.
    pub async fn read(self) -> Result<Vec<f32>> {
        match self {
            Self::Host(values) => Ok(values),
            Self::Device(tensor) => {
                let data = tensor.into_data_async().await;
                Ok(floats(data.map_err(|error| Error::Device(error.to_string()))?))
            }
        }
    }
}

impl<const D: usize> From<Tensor<D>> for Values {
    fn from(tensor: Tensor<D>) -> Self {
        let len = tensor.shape().num_elements();
        Self::Device(Box::new(tensor.reshape([len])))
    }
}
