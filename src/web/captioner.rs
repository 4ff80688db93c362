//! Captioners in the browser: pictures to sentences with the attention of each word.

use std::rc::Rc;

use burn::tensor::Device;
use js_sys::Uint8Array;
use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::{js_error, to_js};
use crate::checkpoint::Manifest;
use crate::describe::{Describer, Description, Search};
use crate::error::Error;
use crate::eyes::{Eyes, EyesManifest};
use crate::model::{ImageSize, PictureInput, Values};

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
    device: Device,
    eyes: Option<Rc<Eyes>>,
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
            let device = Device::flex();
            let describer = Rc::new(Describer::load(&manifest, &bytes, &device)?);
            Ok(Captioner { manifest, describer, device, eyes: None })
        };
        build().map_err(js_error)
    }

    /// Gives a captioner of photos its eyes, from their manifest and weights, whose hash is checked.
    #[wasm_bindgen(js_name = openEyes)]
    pub fn open_eyes(&mut self, manifest: &[u8], weights: &Uint8Array) -> Result<(), JsValue> {
        let open = || Eyes::load(&EyesManifest::parse(manifest)?, &weights.to_vec(), &self.device);
        self.eyes = Some(Rc::new(open().map_err(js_error)?));
        Ok(())
    }

    /// The size of the pictures that it takes.
    fn size(&self) -> ImageSize {
        match self.describer.captioner().input() {
            PictureInput::Pixels(size) => size,
            PictureInput::Features(_) => ImageSize { channels: 3, height: Eyes::SIDE, width: Eyes::SIDE },
        }
    }

    /// A picture as the captioner looks at it.
    async fn look(&self, rgba: &[u8]) -> crate::error::Result<Vec<f32>> {
        let pixels = planar(rgba, self.size())?;
        let PictureInput::Features(size) = self.describer.captioner().input() else { return Ok(pixels) };
        let Some(eyes) = self.eyes.clone().filter(|_| size == Eyes::SIZE) else {
            return Err(Error::Model("it looks at photos with eyes, which are not loaded".into()));
        };
        let bytes: Vec<u8> = pixels.iter().map(|value| (value * 255.0).round() as u8).collect();
        Values::from(eyes.features(&bytes)?).read().await
    }

    /// What it looks at.
    #[wasm_bindgen(unchecked_return_type = "CaptionerInfo")]
    pub fn info(&self) -> Result<JsValue, JsValue> {
        let ImageSize { channels, height, width } = self.size();
        let whole = matches!(self.describer.captioner().input(), PictureInput::Features(_));
        to_js(&CaptionerInfo {
            name: &self.manifest.name,
            system: self.manifest.system.name(),
            describes: true,
            width,
            height,
            channels,
            whole,
            grid: self.describer.captioner().grid(),
        })
    }

    /// Describes a picture of [`Captioner::info`]'s size as a canvas gives it, RGBA row by row: the sentences of a
    /// beam, the best first.
    #[wasm_bindgen(unchecked_return_type = "Description[]")]
    pub async fn describe(&self, rgba: Vec<u8>, beam: usize) -> Result<JsValue, JsValue> {
        let pixels = self.look(&rgba).await.map_err(js_error)?;
        let search = Search { beam, ..Search::default() };
        let found = self.describer.describe(pixels, &search).await.map_err(js_error)?;
        let sentences: Vec<Description> = found.into_iter().flatten().collect();
        to_js(&sentences)
    }
}

/// A canvas's bytes as planar pixels in [0, 1], on white where they are transparent; grey is the mean.
fn planar(rgba: &[u8], size: ImageSize) -> crate::error::Result<Vec<f32>> {
    let plane = size.width * size.height;
    if rgba.len() != 4 * plane {
        let (found, expected) = (rgba.len(), 4 * plane);
        return Err(Error::Config(format!("the picture has {found} bytes, expected {expected}")));
    }
    let on_white = |pixel: &[u8], channel: usize| {
        let alpha = f32::from(pixel[3]) / 255.0;
        f32::from(pixel[channel]) / 255.0 * alpha + 1.0 - alpha
    };
    let pixels = rgba.chunks_exact(4);
    Ok(match size.channels {
        1 => pixels.map(|pixel| (0..3).map(|c| on_white(pixel, c)).sum::<f32>() / 3.0).collect(),
        _ => (0..3).flat_map(|c| pixels.clone().map(move |pixel| on_white(pixel, c))).collect(),
    })
}
