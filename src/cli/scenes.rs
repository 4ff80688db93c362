//! `aligndraw scenes`: look at the colour scenes.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args as ClapArgs, ValueEnum};

use super::picture;
use crate::cli::output::{self, progress, say, write_and_note};
use crate::data::noise::Noise;
use crate::data::scene_pictures::{CANVAS, ScenePictures};
use crate::data::scenes::{Bans, Object, Place, Scene, Thing, caption};
use crate::model::ImageSize;

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Sheet {
    /// Scenes as they are trained on, their captions printed
    Random,
    /// Scenes of combinations that are never trained on
    HeldOut,
    /// Every object in every colour
    Objects,
    /// Every place
    Places,
}

/// The size of a scene.
const SIZE: ImageSize = ImageSize { channels: 3, height: CANVAS, width: CANVAS };

#[derive(ClapArgs)]
pub struct Args {
    /// A caption of the grammar to render (default: a sheet)
    caption: Option<String>,
    #[arg(long, value_enum, default_value = "random")]
    sheet: Sheet,
    /// Pictures of a caption or of a random sheet, 1000 at most (default: 36), or of a folder (default: 1000)
    #[arg(short = 'n', long, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    number: Option<u64>,
    /// Seed of the scenes
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Seed of the combinations that are held out
    #[arg(long, default_value_t = 1)]
    bans_seed: u64,
    /// Pixels of the picture for each pixel of the canvas
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=32))]
    scale: u32,
    /// Where to write the picture, a PNG
    #[arg(short, long, default_value = "scenes.png")]
    out: PathBuf,
    /// Write a folder of captioned images instead, as `train --data` reads them: five captions a scene, in parts to learn
    /// from, to validate and to measure on, nothing held out among them
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["caption", "sheet", "scale", "out"])]
    folder: Option<PathBuf>,
}

/// Pictures of a sheet.
const SHEET: u64 = 36;
/// At most.
const MOST_OF_SHEET: u64 = 1_000;
/// Pictures of a folder.
const FOLDER: u64 = 1_000;

/// Every object in its own colour, then in each that it can be said to have.
pub fn every_object() -> Vec<Scene> {
    let looks = |&object: &Object| {
        let coloured = object.colours().iter().map(move |&c| Thing { colour: Some(c), ..Thing::new(object) });
        std::iter::once(Thing::new(object)).chain(coloured)
    };
    let scene = |thing: Thing| {
        let place = thing.object.places()[0];
        Scene { things: vec![thing], relation: None, place, vintage: false, boards: false }
    };
    Object::ALL.iter().flat_map(looks).map(scene).collect()
}

/// Every place, with a ball or what stands on a table.
pub fn every_place() -> Vec<Scene> {
    let object = |place: Place| if place == Place::Table { Object::Apple } else { Object::Ball };
    let scene = |place| Scene {
        things: vec![Thing::new(object(place))],
        relation: None,
        place,
        vintage: false,
        boards: false,
    };
    Place::ALL.into_iter().map(scene).collect()
}

/// A caption in the words of the grammar ("grass" is "green grass"), as far as it knows them.
fn in_its_words(said: &str) -> String {
    let vocabulary = caption::vocabulary();
    let known = vocabulary.tokens(said).map(|tokens| {
        let words = tokens.ids.iter().map(|&id| vocabulary.words[id].as_str());
        words.collect::<Vec<_>>().join(" ")
    });
    known.unwrap_or_else(|_| said.to_owned())
}

/// The part of scene `at`: of twenty one is validated and two are measured on.
fn part(at: u64) -> &'static str {
    match at % 20 {
        17 => "val",
        18.. => "test",
        _ => "train",
    }
}

/// Writes scenes and their captions as a folder.
fn write_folder(folder: &Path, count: u64, pictures: &ScenePictures, noise: &mut Noise) -> Result<()> {
    if folder.exists() {
        bail!("{} exists already: name a folder that does not", folder.display());
    }
    let images = folder.join("images");
    std::fs::create_dir_all(&images).with_context(|| images.display().to_string())?;
    let bar = progress(count);
    let mut lines = String::new();
    for at in 0..count {
        let (scene, _) = pictures.draw(false, noise);
        let name = format!("{at}.png");
        let png = picture::grid(&[&pictures.paint(&scene, noise)], SIZE, 1)?;
        output::write(&images.join(&name), &png)?;
        let record =
            serde_json::json!({ "image": name, "captions": scene.captions(noise), "split": part(at) });
        lines += &format!("{record}\n");
        bar.inc(1);
    }
    bar.finish_and_clear();
    write_and_note(&folder.join("captions.jsonl"), lines.as_bytes())
}

pub fn run(args: Args) -> Result<()> {
    let pictures = ScenePictures::new(Bans::draw(args.bans_seed));
    let mut noise = Noise::new(args.seed);
    if let Some(folder) = &args.folder {
        return write_folder(folder, args.number.unwrap_or(FOLDER), &pictures, &mut noise);
    }
    let count = args.number.unwrap_or(SHEET);
    if count > MOST_OF_SHEET {
        bail!("a sheet of {count} pictures, expected at most {MOST_OF_SHEET}");
    }
    let count = count as usize;
    let scenes = match (&args.caption, args.sheet) {
        (Some(caption), _) => match Scene::parse(&in_its_words(caption)) {
            Some((scene, _)) => vec![scene; count],
            None => bail!("\"{caption}\" names no object that is known, a school bus say"),
        },
        (None, Sheet::Objects) => every_object(),
        (None, Sheet::Places) => every_place(),
        (None, sheet) => {
            let held_out = matches!(sheet, Sheet::HeldOut);
            let drawn = (0..count).map(|_| pictures.draw(held_out, &mut noise));
            let say = |(scene, caption)| {
                say!("{caption}");
                scene
            };
            drawn.map(say).collect()
        }
    };
    let painted: Vec<_> = scenes.iter().map(|scene| pictures.paint(scene, &mut noise)).collect();
    let images: Vec<&[f32]> = painted.iter().map(Vec::as_slice).collect();
    let png = picture::grid(&images, SIZE, args.scale)?;
    write_and_note(&args.out, &png)?;
    Ok(())
}
