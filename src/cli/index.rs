//! `aligndraw index`: `models/index.json`, the models that the page offers, from the manifests and from what
//! `models/<name>.page.json` says for visitors.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args as ClapArgs;
use serde::{Deserialize, Serialize};

use super::files::{read_json, write_json};
use crate::checkpoint::Manifest;
use crate::cli::output::{note, say};
use crate::data::source::DataSet;
use crate::error::Error;
use crate::model::Config;

/// The file that lists the models.
pub const INDEX: &str = "index.json";
/// The end of a name that is no manifest's: what is shown of a model on the page.
const PAGE: &str = ".page.json";

#[derive(ClapArgs)]
pub struct Args {
    /// Folder of the models
    #[arg(long, default_value = "models")]
    models: PathBuf,
}

pub fn run(args: Args) -> Result<()> {
    let listed = write_index(&args.models)?;
    say!("{}: {listed} models", args.models.join(INDEX).display());
    Ok(())
}

/// What `models/<name>.page.json` says of a model: all of it may be missing.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Page {
    /// Its name for visitors; the model's own where there is none.
    title: Option<String>,
    /// Its place in the list, from 1; models without one follow by name.
    order: Option<u32>,
    /// A sentence about what it can and cannot do.
    #[serde(default)]
    note: String,
    /// The caption that is drawn first; the vocabulary's example where there is none.
    caption: Option<String>,
    /// The seed of that drawing.
    #[serde(default)]
    seed: u64,
    /// Captions to try.
    #[serde(default)]
    groups: Vec<Group>,
}

/// Captions to try that belong together.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    /// What they have in common.
    title: String,
    /// A sentence about them.
    note: String,
    /// The captions.
    captions: Vec<String>,
}

/// A model in the list.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    name: String,
    title: String,
    note: String,
    data: DataSet,
    system: &'static str,
    kind: &'static str,
    caption: String,
    seed: u64,
    groups: Vec<Group>,
    width: usize,
    height: usize,
    channels: usize,
    num_steps: usize,
    /// Of the weights.
    bytes: usize,
}

/// Lists the models of a folder in its `index.json`; gives their number.
///
/// **Errors** a page's data that are not valid, or name a caption that the model does not understand. Manifests
/// that are not valid and models without weights are named and left out.
pub fn write_index(folder: &Path) -> Result<usize> {
    let mut models = Vec::new();
    for path in candidates(folder)? {
        let manifest = match read_manifest(&path) {
            Ok(Some(manifest)) => manifest,
            Ok(None) => continue,
            Err(error) => {
                note!("{}: not listed: {error}", path.display());
                continue;
            }
        };
        let page = page_of(folder, &manifest)?;
        models.push((page.order.unwrap_or(u32::MAX), entry(manifest, page)));
    }
    models.sort_by(|(a, one), (b, other)| a.cmp(b).then_with(|| one.name.cmp(&other.name)));
    let entries: Vec<Entry> = models.into_iter().map(|(_, entry)| entry).collect();
    write_json(&folder.join(INDEX), &entries)?;
    Ok(entries.len())
}

/// The JSON files of a folder that may be manifests.
fn candidates(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.with_context(|| format!("reading {}", folder.display()))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.ends_with(".json") && !name.ends_with(PAGE) && name != INDEX && path.is_file() {
            paths.push(path);
        }
    }
    Ok(paths)
}

/// The manifest in a file; none where the file is another's, an evaluation's say.
fn read_manifest(path: &Path) -> crate::error::Result<Option<Manifest>> {
    let invalid = |error: &dyn std::fmt::Display| Error::Model(error.to_string());
    let json = std::fs::read(path).map_err(|error| invalid(&error))?;
    let value: serde_json::Value = serde_json::from_slice(&json).map_err(|error| invalid(&error))?;
    if value.get("system").is_none() || value.get("weights").is_none() {
        return Ok(None);
    }
    let manifest = Manifest::parse(&json)?;
    let weights = path.with_file_name(&manifest.weights.file);
    if !weights.is_file() {
        return Err(Error::Model(format!("{} is missing", weights.display())));
    }
    Ok(Some(manifest))
}

/// What a model's page data say, checked against its vocabulary.
fn page_of(folder: &Path, manifest: &Manifest) -> Result<Page> {
    let path = folder.join(format!("{}{PAGE}", manifest.name));
    if !path.is_file() {
        return Ok(Page::default());
    }
    let page: Page = read_json(&path)?;
    for caption in page.caption.iter().chain(page.groups.iter().flat_map(|group| &group.captions)) {
        let understood = manifest.vocabulary.tokens(caption).map(|_| ());
        // Not a caption that was typed: the file is at fault, not the caller.
        understood.map_err(|error| Error::Model(format!("{}: \"{caption}\": {error}", path.display())))?;
    }
    Ok(page)
}

fn entry(manifest: Manifest, page: Page) -> Entry {
    let size = manifest.system.image_size();
    Entry {
        title: page.title.unwrap_or_else(|| manifest.name.clone()),
        name: manifest.name,
        note: page.note,
        data: manifest.data.name,
        system: manifest.system.name(),
        kind: manifest.system.kind(),
        caption: page.caption.unwrap_or(manifest.vocabulary.example),
        seed: page.seed,
        groups: page.groups,
        width: size.width,
        height: size.height,
        channels: size.channels,
        num_steps: manifest.system.num_steps(),
        bytes: manifest.weights.bytes,
    }
}
