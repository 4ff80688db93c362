//! All of wasm-bindgen: converts and delegates. The JavaScript around it is `www/lib/`, whose worker
//! owns one [`Model`].

use std::task::{Context, Poll, Waker};

use js_sys::{Float32Array, Uint8Array};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::checkpoint::{self, Manifest};
use crate::data::vocabulary::Vocabulary;
use crate::error::Error;
use crate::kernels::window::Window;
use crate::paint::{Drawing, Frame, Painter};

/// Panics show up in the console with their place.
#[wasm_bindgen(start)]
fn start() {
    console_error_panic_hook::set_once();
}

/// A JavaScript error with the library's message; `code` names the kind and `words` the unknown
/// words with suggestions.
fn js_error(error: Error) -> JsValue {
    let js = js_sys::Error::new(&error.to_string());
    let code = match &error {
        Error::UnknownWords(_) => "unknown-words",
        Error::EmptyCaption { .. } => "empty-caption",
        Error::LongCaption { .. } => "long-caption",
        Error::WrongHash { .. } => "wrong-hash",
        Error::Device(_) => "device",
        Error::Config(_) | Error::Data(_) | Error::Model(_) => "model",
    };
    // Setting a property of a fresh error object cannot fail.
    let _ = js_sys::Reflect::set(&js, &"code".into(), &code.into());
    if let Error::UnknownWords(words) = &error {
        if let Ok(words) = serde_wasm_bindgen::to_value(words) {
            let _ = js_sys::Reflect::set(&js, &"words".into(), &words);
        }
    }
    js.into()
}

fn to_js(value: &impl Serialize) -> Result<JsValue, JsValue> {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    value.serialize(&serializer).map_err(|error| JsError::new(&error.to_string()).into())
}

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
export interface ModelInfo { name: string; width: number; height: number; channels: number; numSteps: number; writeSize: number; maxWords: number; words: string[]; aliases: Record<string, string>; fullStop: string | null; example: string; }
"#;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ModelInfo<'a> {
    name: &'a str,
    width: usize,
    height: usize,
    channels: usize,
    num_steps: usize,
    write_size: usize,
    #[serde(flatten)]
    vocabulary: &'a Vocabulary,
}

/// Makes the browser's GPU ready; exactly once, before a model is loaded on it.
#[cfg(feature = "webgpu")]
#[wasm_bindgen(js_name = initGpu)]
pub async fn init_gpu() -> Result<(), JsValue> {
    burn::tensor::Device::wgpu_options()
        .init_async()
        .await
        .map(|_| ())
        .map_err(|error| js_error(Error::Device(error.to_string())))
}

/// A model in memory.
#[wasm_bindgen]
pub struct Model {
    painter: std::rc::Rc<Painter>,
}

#[wasm_bindgen]
impl Model {
    /// Builds a model from its manifest and weights, whose hash is checked.
    #[wasm_bindgen(constructor)]
    pub fn new(manifest: &[u8], weights: &Uint8Array, gpu: bool) -> Result<Model, JsValue> {
        let build = || {
            let manifest = Manifest::parse(manifest)?;
            let bytes = weights.to_vec();
            manifest.weights.verify(&bytes)?;
            let host = checkpoint::decode(&manifest.config, &bytes)?;
            drop(bytes);
            if !gpu {
                return Ok(Painter::on_cpu(manifest, host));
            }
            #[cfg(feature = "webgpu")]
            return Ok(Painter::on_device(manifest, host, burn::tensor::Device::default()));
            #[cfg(not(feature = "webgpu"))]
            Err(Error::Device("this build has no WebGPU".into()))
        };
        build().map(|painter| Model { painter: painter.into() }).map_err(js_error)
    }

    /// Sizes and vocabulary.
    #[wasm_bindgen(unchecked_return_type = "ModelInfo")]
    pub fn info(&self) -> Result<JsValue, JsValue> {
        let manifest = self.painter.manifest();
        to_js(&ModelInfo {
            name: &manifest.name,
            width: manifest.config.width,
            height: manifest.config.height,
            channels: manifest.config.channels,
            num_steps: manifest.config.num_steps,
            write_size: manifest.config.write_size,
            vocabulary: &manifest.vocabulary,
        })
    }

    /// The words of a caption as the alignment counts them. Throws what is wrong with it.
    pub fn words(&self, caption: &str) -> Result<Vec<String>, JsValue> {
        let tokens = self.painter.manifest().vocabulary.tokens(caption);
        tokens.map(|tokens| tokens.written).map_err(js_error)
    }

    /// Whether a caption names a combination that was never trained on.
    #[wasm_bindgen(js_name = isHeldOut)]
    pub fn is_held_out(&self, caption: &str) -> bool {
        self.painter.manifest().data.bans.contains(caption)
    }

    /// Begins a picture for each seed.
    pub fn begin(&self, caption: &str, seeds: Vec<u64>) -> Result<Session, JsValue> {
        let drawing = self.painter.begin(caption, &seeds).map_err(js_error)?;
        Ok(Session { painter: self.painter.clone(), drawing })
    }
}

/// Drawings in progress, or finished: they can be branched from.
#[wasm_bindgen]
pub struct Session {
    painter: std::rc::Rc<Painter>,
    drawing: Drawing,
}

#[wasm_bindgen]
impl Session {
    /// Draws the next step, or returns undefined at the end. For each seed: the write window (x, y,
    /// stride, standard deviation, intensity), the alignment over the words, the image.
    #[wasm_bindgen(unchecked_return_type = "Float32Array | undefined")]
    pub async fn step(&mut self) -> Result<JsValue, JsValue> {
        pack(self.painter.step(&mut self.drawing).await)
    }

    /// Begins a picture that goes on from picture `picture` as it stood after `step` steps, with a
    /// caption and a seed of its own.
    pub fn branch(&self, picture: usize, step: usize, caption: &str, seed: u64) -> Result<Session, JsValue> {
        let drawing = self.painter.branch(&self.drawing, picture, step, caption, seed).map_err(js_error)?;
        Ok(Session { painter: self.painter.clone(), drawing })
    }

    /// [`Session::step`] without a promise: for the CPU alone, which never waits.
    #[wasm_bindgen(js_name = stepNow, unchecked_return_type = "Float32Array | undefined")]
    pub fn step_now(&mut self) -> Result<JsValue, JsValue> {
        let step = std::pin::pin!(self.painter.step(&mut self.drawing));
        match Future::poll(step, &mut Context::from_waker(Waker::noop())) {
            Poll::Ready(frames) => pack(frames),
            Poll::Pending => Err(js_error(Error::Device("this device answers later: use step".into()))),
        }
    }
}

/// The frames of a step in one array; undefined at the end.
fn pack(frames: crate::error::Result<Option<Vec<Frame>>>) -> Result<JsValue, JsValue> {
    let Some(frames) = frames.map_err(js_error)? else { return Ok(JsValue::UNDEFINED) };
    let mut packed = Vec::new();
    for Frame { image, alignment, window, .. } in frames {
        let Window { center_x, center_y, stride, std, intensity } = window;
        packed.extend([center_x, center_y, stride, std, intensity]);
        packed.extend(alignment.unwrap_or_default());
        packed.extend(image);
    }
    Ok(Float32Array::from(packed.as_slice()).into())
}

/// Bytes of wasm memory in use by this instance.
#[wasm_bindgen(js_name = memoryBytes)]
pub fn memory_bytes() -> f64 {
    let buffer = wasm_bindgen::memory().unchecked_into::<js_sys::WebAssembly::Memory>().buffer();
    f64::from(buffer.unchecked_into::<js_sys::ArrayBuffer>().byte_length())
}
