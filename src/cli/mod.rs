//! The command line: one file per verb. Flags become the library's options before any work begins.

mod data;
mod eval;
mod export;
mod files;
mod paint;
mod picture;
mod scenes;
mod serve;
mod train;
mod train_classifier;
mod train_judge;

use clap::{Parser, Subcommand};

use crate::error::Error;

/// Drawing from words: train alignDRAW, measure it, paint with it, serve it to a browser.
#[derive(Parser)]
#[command(version, about, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Train a model on captioned images
    Train(train::Args),
    /// Train the digit classifier that judges caption fidelity
    TrainClassifier(train_classifier::Args),
    /// Train the judge that reads colour scenes
    TrainJudge(train_judge::Args),
    /// Measure a model: bound in nats and what of the captions is shown, seen and held out
    Eval(eval::Args),
    /// Write the model of a run's last checkpoint
    Export(export::Args),
    /// Draw a caption into a PNG, a grid or a GIF
    Paint(paint::Args),
    /// Look at the colour scenes: a sheet of them, or those of a caption
    Scenes(scenes::Args),
    /// Serve the page
    Serve(serve::Args),
}

/// Parses the arguments and runs the verb.
///
/// **Errors** whatever the verb reports, with its context.
pub fn run() -> anyhow::Result<()> {
    match Cli::parse().verb {
        Verb::Train(args) => train::run(args),
        Verb::TrainClassifier(args) => train_classifier::run(args),
        Verb::TrainJudge(args) => train_judge::run(args),
        Verb::Eval(args) => eval::run(args),
        Verb::Export(args) => export::run(args),
        Verb::Paint(args) => paint::run(args),
        Verb::Scenes(args) => scenes::run(args),
        Verb::Serve(args) => serve::run(args),
    }
}

/// 2 for what the caller can mend by typing something else, 1 for everything else.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    match error.downcast_ref::<Error>() {
        Some(Error::UnknownWords(_) | Error::EmptyCaption { .. } | Error::LongCaption { .. }) => 2,
        _ => 1,
    }
}
