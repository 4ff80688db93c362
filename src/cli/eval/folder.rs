//! Data sets of which nothing is held out: the bound on their test images.

use anyhow::Result;
use serde::Serialize;

use super::super::open::open;
use super::{Args, bounds, print_bounds, print_columns, print_head};
use crate::checkpoint::Manifest;
use crate::eval::bound::Bound;
use crate::model::Config;

/// What is written as JSON.
#[derive(Serialize)]
pub struct Evaluation {
    model: String,
    weights_sha256: String,
    seed: u64,
    bound: Option<Bound>,
}

/// Measures the bound.
pub fn evaluate(args: &Args, manifest: Manifest, weights: &[u8]) -> Result<Evaluation> {
    let opened = open(
        manifest.data.name,
        args.data.as_deref(),
        0,
        manifest.system.image_size().width,
        None,
        Some(manifest.vocabulary.clone()),
        &args.models,
    )?;
    let [bound, held_out] = bounds(args, &manifest, weights, opened.test.as_ref())?;
    if !args.json {
        print_head(&manifest.name, &manifest.weights.sha256, manifest.temperature);
        print_columns();
        print_bounds(&bound, &held_out);
    }
    let (model, weights_sha256) = (manifest.name, manifest.weights.sha256);
    Ok(Evaluation { model, weights_sha256, seed: args.seed, bound })
}
