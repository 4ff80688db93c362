//! Rankers in the browser: which of some pictures a sentence suits best, and where its words are.

use burn::tensor::{Device, Tensor, TensorData};
use js_sys::{Float32Array, Uint8Array};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::look::Look;
use super::{js_error, to_js};
use crate::checkpoint::Manifest;
use crate::error::{Error, Result};
use crate::model::{ImageSize, Region, Values};
use crate::rank::Matcher;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"
/** A part of a picture in shares of it, from its top left corner. */
export interface Region { x: number; y: number; width: number; height: number; }
/** What a ranker looks at (the whole picture squeezed, or its middle square), and whether words have regions. */
export interface RankerInfo { name: string; system: string; ranks: true; width: number; height: number; channels: number; whole: boolean; aligns: boolean; }
/** A score for each picture, the words as they were read, and those that are not known. */
export interface Scores { scores: number[]; words: string[]; unknown: string[]; }
/** The region of each word, and the sentence's score for the picture. */
export interface Placed { words: { text: string; region: Region }[]; score: number; }
"#;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RankerInfo<'a> {
    name: &'a str,
    system: &'static str,
    ranks: bool,
    width: usize,
    height: usize,
    channels: usize,
    whole: bool,
    aligns: bool,
}

#[derive(Serialize)]
struct Scores {
    scores: Vec<f32>,
    words: Vec<String>,
    unknown: Vec<String>,
}

#[derive(Serialize)]
struct Placed {
    words: Vec<PlacedWord>,
    score: f32,
}

#[derive(Serialize)]
struct PlacedWord {
    text: String,
    region: Region,
}

/// A ranker in memory. It keeps nothing of the pictures: the page has what was seen of them, and forgets it with them.
#[wasm_bindgen(js_name = Ranker)]
pub struct WebRanker {
    manifest: Manifest,
    matcher: Matcher,
    look: Look,
}

#[wasm_bindgen(js_class = Ranker)]
impl WebRanker {
    /// Builds a ranker from its manifest and weights, whose hash is checked.
    #[wasm_bindgen(constructor)]
    pub fn new(manifest: &[u8], weights: &Uint8Array) -> std::result::Result<WebRanker, JsValue> {
        let build = || {
            let manifest = Manifest::parse(manifest)?;
            let bytes = weights.to_vec();
            manifest.weights.verify(&bytes)?;
            let matcher = Matcher::load(&manifest, &bytes, &Device::flex())?;
            let look = Look::new(matcher.ranker().input());
            Ok(WebRanker { manifest, matcher, look })
        };
        build().map_err(js_error)
    }

    /// Gives a ranker of photos its eyes, from their manifest and weights, whose hash is checked.
    #[wasm_bindgen(js_name = openEyes)]
    pub fn open_eyes(&mut self, manifest: &[u8], weights: &Uint8Array) -> std::result::Result<(), JsValue> {
        self.look.open_eyes(manifest, &weights.to_vec(), &Device::flex()).map_err(js_error)
    }

    /// What it looks at.
    #[wasm_bindgen(unchecked_return_type = "RankerInfo")]
    pub fn info(&self) -> std::result::Result<JsValue, JsValue> {
        let ImageSize { channels, height, width } = self.look.size();
        to_js(&RankerInfo {
            name: &self.manifest.name,
            system: self.manifest.system.name(),
            ranks: true,
            width,
            height,
            channels,
            whole: self.look.whole(),
            aligns: self.matcher.ranker().regions().is_some(),
        })
    }

    /// Looks at a picture of [`WebRanker::info`]'s size as a canvas gives it, RGBA row by row. Gives what sentences are
    /// compared with: its vectors [region, size].
    pub async fn see(&self, rgba: Vec<u8>) -> std::result::Result<Float32Array, JsValue> {
        let vectors = self.vectors(&rgba).await.map_err(js_error)?;
        Ok(Float32Array::from(vectors.as_slice()))
    }

    /// How well a sentence suits each of so many pictures that were seen; their vectors lie one after the other.
    #[wasm_bindgen(unchecked_return_type = "Scores")]
    pub async fn search(
        &self,
        vectors: Vec<f32>,
        pictures: usize,
        sentence: &str,
    ) -> std::result::Result<JsValue, JsValue> {
        to_js(&self.scores(vectors, pictures, sentence).await.map_err(js_error)?)
    }

    /// Where the words of a sentence are in a picture that was seen.
    #[wasm_bindgen(unchecked_return_type = "Placed")]
    pub async fn align(
        &self,
        vectors: Vec<f32>,
        sentence: &str,
        beta: f32,
    ) -> std::result::Result<JsValue, JsValue> {
        to_js(&self.placed(vectors, sentence, beta).await.map_err(js_error)?)
    }
}

impl WebRanker {
    async fn vectors(&self, rgba: &[u8]) -> Result<Vec<f32>> {
        Values::from(self.matcher.pictures(self.look.at(rgba).await?)?).read().await
    }

    /// What was seen of so many pictures, as the matcher compares it: [picture, region, size].
    fn seen(&self, vectors: Vec<f32>, pictures: usize) -> Result<Tensor<3>> {
        let regions = self.matcher.ranker().regions().map_or(1, |regions| regions.len());
        let each = pictures * regions;
        if each == 0 || vectors.is_empty() || !vectors.len().is_multiple_of(each) {
            let found = vectors.len();
            return Err(Error::Config(format!("{found} numbers are not the vectors of {pictures} pictures")));
        }
        let shape = [pictures, regions, vectors.len() / each];
        Ok(Tensor::from_data(TensorData::new(vectors, shape), &Device::flex()))
    }

    async fn scores(&self, vectors: Vec<f32>, pictures: usize, sentence: &str) -> Result<Scores> {
        let read = self.matcher.read(sentence)?;
        let scores = match pictures {
            0 => Vec::new(),
            _ => self.matcher.scores(&self.seen(vectors, pictures)?, &[&read.ids]).await?,
        };
        Ok(Scores { scores, words: read.words, unknown: read.unknown })
    }

    async fn placed(&self, vectors: Vec<f32>, sentence: &str, beta: f32) -> Result<Placed> {
        let read = self.matcher.read(sentence)?;
        let found = self.matcher.align(self.seen(vectors, 1)?, &read.ids, beta).await?;
        let places = self.matcher.ranker().regions().unwrap_or_default();
        let words = read.words.into_iter().zip(found.regions);
        let words = words.map(|(text, region)| PlacedWord { text, region: places[region] }).collect();
        Ok(Placed { words, score: found.score })
    }
}

/// Whether a system, as manifests name it, is a ranker.
#[wasm_bindgen(js_name = isRanker)]
pub fn is_ranker(system: &str) -> bool {
    crate::systems::ranks(system)
}
