//! `aligndraw scenes`: look at the colour scenes.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::{Args as ClapArgs, ValueEnum};

use super::picture;
use crate::cli::output::{say, write_and_note};
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
    /// Pictures of a caption or of a random sheet
    #[arg(short = 'n', long, default_value_t = 36, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    number: u64,
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
}

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

pub fn run(args: Args) -> Result<()> {
    let pictures = ScenePictures::new(Bans::draw(args.bans_seed));
    let mut noise = Noise::new(args.seed);
    let count = args.number as usize;
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
