//! `aligndraw describe` with a captioner of regions: what is said of which part of a picture.

use std::path::Path;

use anyhow::{Result, bail};
use serde::Serialize;

use super::boxes::{self, Phrase};
use super::describe::Args;
use super::files::json;
use super::look::Reader;
use super::output;
use crate::cli::output::{say, write_and_note};
use crate::describe::{Describer, Description, Search};
use crate::image2text::windows::{WINDOWS, Window, average};
use crate::model::Region;
use crate::platform::block_on;

/// Regions that are shown unless more are asked for.
const SHOWN: usize = 5;

/// What is said of a region.
#[derive(Serialize)]
pub struct Said {
    #[serde(flatten)]
    region: Region,
    text: String,
    #[serde(flatten)]
    description: Description,
}

/// What a captioner says of every region of a picture, the best first; of regions of which the same is said, the one that
/// it suits best.
///
/// **Errors** those of the describer.
pub fn said(describer: &Describer, features: &[f32], search: &Search) -> Result<Vec<Said>> {
    let regions = WINDOWS.iter().flat_map(|window| average(features, window)).collect();
    let found = block_on(describer.describe(regions, search))?;
    let best = found.into_iter().map(|sentences| sentences.into_iter().next());
    let mut said: Vec<Said> = WINDOWS
        .iter()
        .map(Window::region)
        .zip(best)
        .filter_map(|(region, best)| best.map(|description| (region, description)))
        .map(|(region, description)| Said { region, text: description.text(), description })
        .collect();
    said.sort_by(|a, b| b.description.score.total_cmp(&a.description.score));
    let mut texts = std::collections::HashSet::new();
    said.retain(|said| texts.insert(said.text.clone()));
    Ok(said)
}

/// Describes in memory first: when a picture is broken, nothing is written.
pub fn run(args: &Args, describer: &Describer, search: &Search) -> Result<()> {
    let sheet = sheet(args)?;
    let reader = Reader::of_photos(&args.models)?;
    let of = |path| -> Result<Vec<Said>> {
        let mut said = said(describer, &reader.read(path)?, search)?;
        said.truncate(args.number.map_or(SHOWN, |number| number as usize));
        Ok(said)
    };
    let found: Vec<Vec<Said>> = args.pictures.iter().map(|path| of(path)).collect::<Result<_>>()?;
    let drawn = match sheet {
        Some(path) => {
            let pixels = reader.shown(&args.pictures[0], boxes::SIDE as usize)?;
            let phrases: Vec<Phrase> = found[0].iter().map(Said::phrase).collect();
            Some((path, boxes::sheet(&pixels, &phrases)?))
        }
        None => None,
    };
    print(args, &found)?;
    match drawn {
        Some((path, bytes)) => write_and_note(path, &bytes),
        None => Ok(()),
    }
}

impl Said {
    fn phrase(&self) -> Phrase {
        Phrase { words: self.text.split(' ').map(str::to_owned).collect(), region: self.region }
    }
}

/// Where the picture with its regions is to be written.
fn sheet(args: &Args) -> Result<Option<&Path>> {
    let Some(path) = args.map.as_deref() else { return Ok(None) };
    if args.pictures.len() > 1 {
        bail!("--map is of one picture, {} are named", args.pictures.len());
    }
    if path.extension().is_none_or(|found| !found.eq_ignore_ascii_case("png")) {
        bail!("{}: the picture with its regions is a .png", path.display());
    }
    Ok(Some(path))
}

fn print(args: &Args, found: &[Vec<Said>]) -> Result<()> {
    let pictures = args.pictures.iter().zip(found);
    if args.json {
        let pictures: Vec<_> = pictures
            .map(|(picture, regions)| serde_json::json!({ "picture": picture, "regions": regions }))
            .collect();
        let all = serde_json::json!({ "model": args.model, "pictures": pictures });
        return output::write(Path::new("-"), json(&all)?.as_bytes());
    }
    for (path, regions) in pictures {
        if args.pictures.len() > 1 {
            say!("{}", path.display());
        }
        for Said { region, text, .. } in regions {
            say!("{text:<28} {}", boxes::place(region));
        }
    }
    Ok(())
}
