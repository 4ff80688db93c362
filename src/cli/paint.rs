//! `aligndraw paint`.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args as ClapArgs;

use super::files::read_model;
use super::picture::{self, AnimatedDrawing, Animation};
use crate::cli::output::write_and_note;
use crate::data::vocabulary::{Tokens, Vocabulary};
use crate::model::Config;
use crate::model::WordFrame;
use crate::paint::{DrawOptions, Engine, Frame, Pipeline, Sharpening};
use crate::platform::block_on;

#[derive(ClapArgs)]
pub struct Args {
    /// What to draw, for example "the digit seven is on the left of the digit two"
    caption: String,
    /// The picture of a seed is the same on every device and in every browser
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How much pictures of one caption differ: 0 draws the most typical, 1 as the model was trained
    /// (default: the model's own)
    #[arg(long)]
    temperature: Option<f32>,
    /// Draw a word elsewhere: the word, in any of its spellings, or its position from 0, and centre and size in shares of the
    /// canvas; several by repeating the flag. A number is a position: write "seven" for a 7. Of several things by one
    /// word the first moves, WORD.1 is the second
    #[arg(long = "frame", value_name = "WORD=X,Y,SIZE", allow_hyphen_values = true)]
    frames: Vec<String>,
    /// Where to write the picture, a PNG; - is standard output
    #[arg(short, long, default_value = "out.png")]
    out: PathBuf,
    /// Pictures, from seed on; more than one are laid out as a grid
    #[arg(short = 'n', long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_000))]
    number: u64,
    /// Write all steps of the drawing as a grid instead of the last
    #[arg(long, conflicts_with = "number")]
    steps_grid: bool,
    /// Also write the drawing as a GIF with the words lit
    #[arg(long, value_name = "FILE", conflicts_with = "number")]
    gif: Option<PathBuf>,
    /// Further captions that the GIF draws afterwards, from the same seed
    #[arg(long, value_name = "CAPTION", requires = "gif")]
    then: Vec<String>,
    /// Also write every step as numbers: image, alignment over the words, write window
    #[arg(long, value_name = "FILE", conflicts_with = "number")]
    json: Option<PathBuf>,
    /// Pixels of the picture for each pixel of the canvas
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=32))]
    scale: u32,
    /// Sharpen the finished picture with the last level of a LAPGAN of this name, without noise
    #[arg(long, value_name = "MODEL")]
    sharpen: Option<String>,
    /// Name of the model
    #[arg(long, default_value = "digits")]
    model: String,
    /// Folder of the models
    #[arg(long, default_value = "models")]
    models: PathBuf,
}

/// Paints in memory first: when the caption is wrong, or anything else is, nothing is written.
pub fn run(args: Args) -> Result<()> {
    let (manifest, weights) = read_model(&args.models, &args.model)?;
    let size = manifest.system.image_size();
    let tokens = manifest.vocabulary.tokens(&args.caption)?;
    let frames: Result<Vec<_>> =
        args.frames.iter().map(|text| word_frame(text, &tokens, &manifest.vocabulary)).collect();
    let options = DrawOptions { temperature: args.temperature, frames: frames? };
    let pipeline = Pipeline::load(&manifest, &weights, &Engine::Cpu)?;
    let seeds: Vec<u64> = (0..args.number).map(|i| args.seed.wrapping_add(i)).collect();

    let mut steps = draw(&pipeline, &args.caption, &seeds, &options)?;
    if let (Some(model), Some(last)) = (&args.sharpen, steps.last_mut()) {
        let (manifest, weights) = read_model(&args.models, model)?;
        let sharpening = Sharpening::load(&manifest, &weights, &Engine::Cpu)?;
        block_on(sharpening.apply(&pipeline, &args.caption, last))?;
    }
    let last = steps.last().context("a model draws at least one step")?;
    let images: Vec<&[f32]> = if args.steps_grid {
        steps.iter().map(|frames| frames[0].image.as_slice()).collect()
    } else {
        last.iter().map(|frame| frame.image.as_slice()).collect()
    };
    let png = picture::grid(&images, size, args.scale)?;
    let gif = match &args.gif {
        Some(_) => {
            let mut drawn = vec![(tokens.clone(), steps.clone())];
            for caption in &args.then {
                let words = pipeline.vocabulary().tokens(caption)?;
                let options = DrawOptions { frames: Vec::new(), ..options };
                drawn.push((words, draw(&pipeline, caption, &seeds, &options)?));
            }
            let drawings: Vec<AnimatedDrawing> = drawn
                .iter()
                .map(|(tokens, steps)| AnimatedDrawing {
                    words: &tokens.written,
                    frames: steps.iter().map(|frames| &frames[0]).collect(),
                })
                .collect();
            Some(Animation { size, scale: args.scale }.encode(&drawings)?)
        }
        None => None,
    };
    let json = match &args.json {
        Some(_) => {
            let frames: Vec<&Frame> = steps.iter().map(|frames| &frames[0]).collect();
            let words = &tokens.written;
            Some(serde_json::to_vec(&serde_json::json!({ "words": words, "frames": frames }))?)
        }
        None => None,
    };
    write_and_note(&args.out, &png)?;
    if let (Some(path), Some(json)) = (&args.json, json) {
        write_and_note(path, &json)?;
    }
    if let (Some(path), Some(gif)) = (&args.gif, gif) {
        write_and_note(path, &gif)?;
    }
    Ok(())
}

/// Every step of a picture for each seed.
fn draw(pipeline: &Pipeline, caption: &str, seeds: &[u64], options: &DrawOptions) -> Result<Vec<Vec<Frame>>> {
    let mut drawing = pipeline.begin_with(caption, seeds, options)?;
    let mut steps = Vec::new();
    while let Some(frames) = block_on(pipeline.step(&mut drawing))? {
        steps.push(frames);
    }
    Ok(steps)
}

/// A frame as it was typed: "dog=0.3,0.7,0.4", of the second dog of two "dogs.1=…", or by the word's position, "5=…", as links
/// have it. A word may be spelt in another way than in the caption: "seven=…" where it says "7".
fn word_frame(text: &str, tokens: &Tokens, vocabulary: &Vocabulary) -> Result<WordFrame> {
    let expected = || format!("--frame {text}: expected WORD=X,Y,SIZE, dog=0.3,0.7,0.4 for example");
    let (name, numbers) = text.split_once('=').with_context(expected)?;
    let numbers: Vec<f32> = numbers
        .split(',')
        .map(|number| number.trim().parse())
        .collect::<Result<_, _>>()
        .with_context(expected)?;
    let [x, y, size] = numbers[..] else { bail!(expected()) };
    let (name, instance) = match name.rsplit_once('.') {
        Some((name, instance)) => (name, instance.parse().with_context(expected)?),
        None => (name, 0),
    };
    let id = vocabulary.id(&name.to_lowercase());
    let position = name.parse().ok();
    let written = || tokens.written.iter().position(|written| written.eq_ignore_ascii_case(name));
    let known = || tokens.ids.iter().position(|of| Some(*of) == id);
    let word = position.or_else(written).or_else(known).with_context(|| {
        let words = tokens.written.join(", ");
        format!("--frame {text}: \"{name}\" is not a word of the caption, which has {words}")
    })?;
    Ok(WordFrame { word, instance, x, y, size })
}
