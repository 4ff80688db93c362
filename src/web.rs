//! All of wasm-bindgen: converts and delegates. The JavaScript around it is `www/lib/`, whose worker
//! owns one model: a painter, or in the `describe` engine a captioner or a ranker.

#[cfg(looks)]
pub mod captioner;
#[cfg(looks)]
pub mod look;
#[cfg(paints)]
pub mod painter;
#[cfg(looks)]
pub mod ranker;

use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::error::Error;

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
        Error::Undrawable(_) => "undrawable",
        Error::WrongHash { .. } => "wrong-hash",
        Error::Device(_) => "device",
        Error::Config(_) | Error::Data(_) | Error::NoCaptions { .. } | Error::Model(_) => "model",
    };
    // Setting a property of a fresh error object cannot fail.
    let _ = js_sys::Reflect::set(&js, &"code".into(), &code.into());
    if let Error::UnknownWords(words) = &error
        && let Ok(words) = serde_wasm_bindgen::to_value(words)
    {
        let _ = js_sys::Reflect::set(&js, &"words".into(), &words);
    }
    js.into()
}

fn to_js(value: &impl Serialize) -> Result<JsValue, JsValue> {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    value.serialize(&serializer).map_err(|error| JsError::new(&error.to_string()).into())
}

/// Makes the browser's GPU ready; exactly once, before a model is loaded on it. Gives the adapter's name;
/// `on_lost` is called with a message when the device can no longer be trusted.
#[cfg(feature = "webgpu")]
#[wasm_bindgen(js_name = initGpu)]
pub async fn init_gpu(on_lost: js_sys::Function) -> Result<String, JsValue> {
    crate::web_gpu::init(on_lost).await.map_err(js_error)
}

/// Makes the GPU device fail, for tests: an invalid "shader", or anything else for a loss.
#[cfg(feature = "webgpu")]
#[wasm_bindgen(js_name = failGpu)]
pub fn fail_gpu(how: &str) {
    crate::web_gpu::fail(how);
}

/// Which engine runs each system on the CPU, as manifests name the systems.
#[wasm_bindgen(js_name = engineOf)]
pub fn engine_of_systems() -> Result<JsValue, JsValue> {
    let engines: std::collections::BTreeMap<_, _> = crate::systems::engines().into_iter().collect();
    to_js(&engines)
}

/// Where a painter computes, by the name of the engine.
#[cfg(paints)]
fn engine_of(name: &str) -> crate::error::Result<crate::paint::Engine> {
    use crate::paint::Engine;
    match name {
        "cpu" => Ok(Engine::Cpu),
        #[cfg(any(feature = "flex", feature = "webgpu"))]
        "flex" => Ok(Engine::Device(burn::tensor::Device::flex())),
        #[cfg(feature = "webgpu")]
        "webgpu" => Ok(Engine::Device(crate::web_gpu::device()?)),
        other => Err(Error::Device(format!("this build has no engine \"{other}\""))),
    }
}

/// Bytes of wasm memory in use by this instance.
#[wasm_bindgen(js_name = memoryBytes)]
pub fn memory_bytes() -> f64 {
    let buffer = wasm_bindgen::memory().unchecked_into::<js_sys::WebAssembly::Memory>().buffer();
    f64::from(buffer.unchecked_into::<js_sys::ArrayBuffer>().byte_length())
}
