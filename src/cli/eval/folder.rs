//! Data sets of which nothing is held out: the bound on their test images.

use anyhow::{Result, bail};
use serde::Serialize;

use super::super::data::open;
use super::{Args, bounds, print_bounds, print_columns, print_head};
use crate::checkpoint::Manifest;
use crate::eval::bound::Bound;
use crate::text2image::draw::ParameterValues;

/// What is written as JSON.
#[derive(Serialize)]
pub struct Evaluation {
    model: String,
    weights_sha256: String,
    seed: u64,
    bound: Option<Bound>,
}

/// Measures the bound.
pub fn evaluate(args: &Args, manifest: Manifest, host: ParameterValues) -> Result<Evaluation> {
    let opened = open(manifest.data.name, args.data.as_deref(), 0, manifest.config.width, None)?;
    if opened.vocabulary != manifest.vocabulary {
        bail!("the data set's words are not the model's: it was trained on other captions");
    }
    let [bound, held_out] = bounds(args, &manifest, &host, opened.test.as_ref());
    print_head(&manifest.name, &manifest.weights.sha256, manifest.temperature);
    print_columns();
    print_bounds(&bound, &held_out);
    let (model, weights_sha256) = (manifest.name, manifest.weights.sha256);
    Ok(Evaluation { model, weights_sha256, seed: args.seed, bound })
}
