//! Captioners in the browser: pictures to sentences with the attention of each word.

use std::rc::Rc;

use burn::tensor::Device;
use js_sys::Uint8Array;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::look::Look;
use super::{js_error, to_js};
use crate::checkpoint::Manifest;
use crate::describe::{Describer, Description, Search};
use crate::model::ImageSize;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** What a captioner looks at (the whole picture squeezed, or its middle square), and the rows and columns of its attention. */
export interface CaptionerInfo { name: string; system: string; describes: true; width: number; height: number; channels: number; whole: boolean; grid: [number, number] | null; }
/** A word of a sentence: its log-probability in nats, and how much each cell was attended to, row by row, summing to 1. */
export interface SaidWord { text: string; logProb: number; attention?: number[]; }
export interface Description { words: SaidWord[]; logProb: number; score: number; }
"#;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CaptionerInfo<'a> {
    name: &'a str,
    system: &'static str,
    describes: bool,
    width: usize,
    height: usize,
    channels: usize,
    whole: bool,
    grid: Option<[usize; 2]>,
}

/// A captioner in memory.
#[wasm_bindgen]
pub struct Captioner {
    manifest: Manifest,
    describer: Rc<Describer>,
    look: Look,
}

#[wasm_bindgen]
impl Captioner {
    /// Builds a captioner from its manifest and weights, whose hash is checked.
    #[wasm_bindgen(constructor)]
    pub fn new(manifest: &[u8], weights: &Uint8Array) -> Result<Captioner, JsValue> {
        let build = || {
            let manifest = Manifest::parse(manifest)?;
            let bytes = weights.to_vec();
            manifest.weights.verify(&bytes)?;
            let describer = Rc::new(Describer::load(&manifest, &bytes, &Device::flex())?);
            let look = Look::new(describer.captioner().input());
            Ok(Captioner { manifest, describer, look })
        };
        build().map_err(js_error)
    }

    /// Gives a captioner of photos its eyes, from their manifest and weights, whose hash is checked.
    #[wasm_bindgen(js_name = openEyes)]
    pub fn open_eyes(&mut self, manifest: &[u8], weights: &Uint8Array) -> Result<(), JsValue> {
        self.look.open_eyes(manifest, &weights.to_vec(), &Device::flex()).map_err(js_error)
    }

    /// What it looks at.
    #[wasm_bindgen(unchecked_return_type = "CaptionerInfo")]
    pub fn info(&self) -> Result<JsValue, JsValue> {
        let ImageSize { channels, height, width } = self.look.size();
        to_js(&CaptionerInfo {
            name: &self.manifest.name,
            system: self.manifest.system.name(),
            describes: true,
            width,
            height,
            channels,
            whole: self.look.whole(),
            grid: self.describer.captioner().grid(),
        })
    }

    /// Describes a picture of [`Captioner::info`]'s size as a canvas gives it, RGBA row by row: the sentences of a
    /// beam, the best first.
    #[wasm_bindgen(unchecked_return_type = "Description[]")]
    pub async fn describe(&self, rgba: Vec<u8>, beam: usize) -> Result<JsValue, JsValue> {
        let pixels = self.look.at(&rgba).await.map_err(js_error)?;
        let search = Search { beam, ..Search::default() };
        let found = self.describer.describe(pixels, &search).await.map_err(js_error)?;
        let sentences: Vec<Description> = found.into_iter().flatten().collect();
        to_js(&sentences)
    }
}
