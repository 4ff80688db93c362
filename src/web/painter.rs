//! Painters in the browser: captions to drawings, a step at a time.

use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use js_sys::{Float32Array, Uint8Array, Uint8ClampedArray};
use serde::Serialize;
use wasm_bindgen::prelude::*;
use web_sys::ImageData;

use super::{engine_of, js_error, to_js};
use crate::checkpoint::Manifest;
use crate::data::vocabulary::Vocabulary;
use crate::error::Error;
use crate::kernels::window::{Rect, Window};
use crate::model::{Config, ImageSize, Shows};
use crate::paint::{DrawOptions, Frame, Pictures, Pipeline};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** What a model's drawings have to show besides the image. */
export interface Shows { attention: boolean; window: boolean; branch: boolean; frame: boolean; }
/** Where a drawn word is put: its position in the caption, which of several, centre and size in shares of the canvas. */
export interface WordFrame { word: number; instance?: number; x: number; y: number; size: number; }
/** What may be asked of a drawing besides caption and seeds. */
export interface DrawOptions { temperature?: number; frames?: WordFrame[]; }
export interface ModelInfo { name: string; system: string; width: number; height: number; channels: number; numSteps: number; shows: Shows; sharpens: boolean; temperature: number; maxWords: number; words: string[]; aliases: Record<string, string>; fullStop: string | null; example: string; }
/** The words of a caption as the alignment counts them, and where each stands in it (UTF-16 units). */
export interface Tokens { words: string[]; spans: [number, number][]; heldOut: boolean; }
/** One step: packed numbers, and each picture as a canvas takes it where it is in colour. */
export interface Step { numbers: Float32Array; images: ImageData[]; }
"#;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ModelInfo<'a> {
    name: &'a str,
    system: &'static str,
    width: usize,
    height: usize,
    channels: usize,
    num_steps: usize,
    shows: Shows,
    /// Whether it sharpens what other painters drew.
    sharpens: bool,
    temperature: f32,
    #[serde(flatten)]
    vocabulary: &'a Vocabulary,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CaptionTokens {
    words: Vec<String>,
    spans: Vec<[usize; 2]>,
    held_out: bool,
}

/// A model in memory.
#[wasm_bindgen]
pub struct Model {
    manifest: Manifest,
    pipeline: Rc<Pipeline>,
}

#[wasm_bindgen]
impl Model {
    /// Builds a model from its manifest and weights, whose hash is checked. `engine` is "cpu", "flex" or
    /// "webgpu".
    #[wasm_bindgen(constructor)]
    pub fn new(manifest: &[u8], weights: &Uint8Array, engine: &str) -> Result<Model, JsValue> {
        let build = || {
            let manifest = Manifest::parse(manifest)?;
            let bytes = weights.to_vec();
            manifest.weights.verify(&bytes)?;
            let engine = engine_of(engine)?;
            let pipeline = Rc::new(Pipeline::load(&manifest, &bytes, &engine)?);
            Ok(Model { manifest, pipeline })
        };
        build().map_err(js_error)
    }

    /// Sizes, what there is to show, and the vocabulary.
    #[wasm_bindgen(unchecked_return_type = "ModelInfo")]
    pub fn info(&self) -> Result<JsValue, JsValue> {
        let manifest = &self.manifest;
        let ImageSize { channels, height, width } = manifest.system.image_size();
        to_js(&ModelInfo {
            name: &manifest.name,
            system: manifest.system.name(),
            width,
            height,
            channels,
            num_steps: manifest.system.num_steps(),
            shows: self.pipeline.painter().shows(),
            sharpens: self.pipeline.painter().sharpener().is_some(),
            temperature: manifest.temperature,
            vocabulary: &manifest.vocabulary,
        })
    }

    /// The words of a caption as the alignment counts them, where they stand in it, and whether it names a
    /// combination that was never trained on. Throws what is wrong with the caption.
    #[wasm_bindgen(unchecked_return_type = "Tokens")]
    pub fn tokens(&self, caption: &str) -> Result<JsValue, JsValue> {
        let manifest = &self.manifest;
        let tokens = manifest.vocabulary.tokens(caption).map_err(js_error)?;
        let held_out = manifest.data.bans.contains(caption);
        to_js(&CaptionTokens { words: tokens.written, spans: tokens.spans, held_out })
    }

    /// Begins a picture for each seed.
    pub fn begin(
        &self,
        caption: &str,
        seeds: Vec<u64>,
        #[wasm_bindgen(unchecked_param_type = "DrawOptions | undefined")] options: JsValue,
    ) -> Result<Session, JsValue> {
        let options = match options.is_undefined() {
            true => DrawOptions::default(),
            false => serde_wasm_bindgen::from_value(options)
                .map_err(|error| js_error(Error::Config(format!("what is asked of the drawing: {error}"))))?,
        };
        let pictures = self.pipeline.begin_with(caption, &seeds, &options).map_err(js_error)?;
        Ok(Session { pipeline: self.pipeline.clone(), pictures })
    }

    /// The finished picture of another painter, sharper: pixels, planar in [0, 1]. Throws when this model does not sharpen,
    /// or not pictures of this size.
    #[cfg(feature = "flex")]
    pub fn sharpen(&self, caption: &str, picture: &Float32Array) -> Result<Float32Array, JsValue> {
        let sharp = self.pipeline.sharpen(caption, picture.to_vec()).map_err(js_error)?;
        Ok(Float32Array::from(now(sharp.read())?.as_slice()))
    }
}

/// Drawings in progress, or finished: they can be branched from.
#[wasm_bindgen]
pub struct Session {
    pipeline: Rc<Pipeline>,
    pictures: Pictures,
}

#[wasm_bindgen]
impl Session {
    /// Draws the next step, or returns undefined at the end. The numbers of each picture are those sections
    /// that [`Model::info`] says it shows, then the image: write window (x, y, stride, standard deviation,
    /// intensity) and its rectangle (x, y, width, height), frame (the same four), alignment over the words, pixels.
    #[wasm_bindgen(unchecked_return_type = "Step | undefined")]
    pub async fn step(&mut self) -> Result<JsValue, JsValue> {
        let frames = self.pipeline.step(&mut self.pictures).await.map_err(js_error)?;
        pack(&self.pipeline, frames)
    }

    /// Begins a picture that goes on from picture `picture` as it stood after `step` steps, with a
    /// caption and a seed of its own.
    pub fn branch(&self, picture: usize, step: usize, caption: &str, seed: u64) -> Result<Session, JsValue> {
        let pictures =
            self.pipeline.branch(&self.pictures, picture, step, caption, seed).map_err(js_error)?;
        Ok(Session { pipeline: self.pipeline.clone(), pictures })
    }

    /// [`Session::step`] without a promise: for the CPU alone, which never waits.
    #[wasm_bindgen(js_name = stepNow, unchecked_return_type = "Step | undefined")]
    pub fn step_now(&mut self) -> Result<JsValue, JsValue> {
        let frames = now(self.pipeline.step(&mut self.pictures))?;
        pack(&self.pipeline, frames)
    }
}

/// What the CPU computes, which never waits.
fn now<T>(computed: impl Future<Output = crate::error::Result<T>>) -> Result<T, JsValue> {
    match Future::poll(std::pin::pin!(computed), &mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result.map_err(js_error),
        Poll::Pending => Err(js_error(Error::Device("this device answers later: use step".into()))),
    }
}

/// The frames of a step for JavaScript; undefined at the end.
fn pack(pipeline: &Pipeline, frames: Option<Vec<Frame>>) -> Result<JsValue, JsValue> {
    let Some(frames) = frames else { return Ok(JsValue::UNDEFINED) };
    let size = pipeline.painter().image_size();
    let mut numbers = Vec::new();
    let images = js_sys::Array::new();
    for frame in frames {
        if let Some(Window { center_x, center_y, stride, std, intensity }) = frame.window {
            numbers.extend([center_x, center_y, stride, std, intensity]);
        }
        if let Some(Rect { x, y, width, height }) = frame.rect {
            numbers.extend([x, y, width, height]);
        }
        if let Some(Rect { x, y, width, height }) = frame.frame {
            numbers.extend([x, y, width, height]);
        }
        numbers.extend(frame.alignment.iter().flatten());
        // Ink and paper of a grey picture are the page's to choose.
        if size.channels == 3 {
            let rgba = rgba(&frame.image, size);
            // A copy: an ImageData keeps the array that it is given, and this memory is used again.
            let rgba = Uint8ClampedArray::from(rgba.as_slice());
            let image = ImageData::new_with_js_u8_clamped_array(&rgba, size.width as u32)?;
            images.push(&image);
        }
        numbers.extend(frame.image);
    }
    let step = js_sys::Object::new();
    js_sys::Reflect::set(&step, &"numbers".into(), &Float32Array::from(numbers.as_slice()))?;
    js_sys::Reflect::set(&step, &"images".into(), &images)?;
    Ok(step.into())
}

/// Planar pixels in [0, 1], one or three planes, as a canvas takes them.
fn rgba(image: &[f32], size: ImageSize) -> Vec<u8> {
    let plane = size.width * size.height;
    let last = (size.channels - 1) * plane;
    let middle = last / 2;
    let byte = |x: f32| (x * 255.0 + 0.5) as u8;
    (0..plane)
        .flat_map(|at| [byte(image[at]), byte(image[at + middle]), byte(image[at + last]), 255])
        .collect()
}
