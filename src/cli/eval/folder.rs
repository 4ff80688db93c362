//! Data sets of which nothing is held out: the bound on their test images.

use anyhow::Result;
use serde::Serialize;

use super::super::open::{Reading, open};
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
    let reading = Reading {
        folder: args.data.as_deref(),
        held_out_seed: 0,
        side: manifest.system.image_size().width,
        cache: None,
        vocabulary: Some(manifest.vocabulary.clone()),
        models: &args.models,
        crops: 0,
    };
    let opened = open(manifest.data.name, reading)?;
    let [bound, held_out] = bounds(args, &manifest, weights, opened.test.as_ref())?;
    if !args.json {
        print_head(&manifest.name, &manifest.weights.sha256, manifest.temperature);
        print_columns();
        print_bounds(&bound, &held_out);
    }
    let (model, weights_sha256) = (manifest.name, manifest.weights.sha256);
    Ok(Evaluation { model, weights_sha256, seed: args.seed, bound })
}
