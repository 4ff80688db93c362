//! Bytes and a manifest <-> a model. No file access: the CLI reads files, the browser fetches.

mod manifest;
mod tensors;

pub use manifest::{DataRecord, FORMAT, Manifest, WeightsRecord, as_trained, check_temperature};
pub use tensors::{
    NamedTensor, Precision, decode, encode, float_tensors, parse_safetensors, take, to_safetensors, towards,
    with_values,
};
