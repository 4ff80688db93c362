//! The command line: one file per verb. Flags become the library's options before any work begins.

mod align;
mod boxes;
mod compare;
mod data;
mod describe;
mod eval;
mod export;
mod eyes;
mod files;
mod heat;
mod index;
mod look;
mod matrix;
mod open;
mod output;
mod paint;
mod paraphrase;
mod picture;
mod regions;
mod roundtrip;
mod scenes;
mod search;
mod serve;
mod snippets;
mod train;
mod train_classifier;
mod train_judge;

use clap::{CommandFactory, Parser, Subcommand};

use crate::error::Error;

/// Drawing from words: train alignDRAW, measure it, paint with it, serve it to a browser.
#[derive(Parser)]
#[command(version, about, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// No notes and no progress on standard error: errors alone
    #[arg(long, short, global = true)]
    quiet: bool,
    #[command(subcommand)]
    verb: Verb,
}

/// What the exit code says, for `--help`.
const EXIT_CODES: &str = "\
Exit codes: 0 it worked; 1 it failed; 2 what was typed cannot be done (a caption, a flag, data without captions).
Results go to standard output, notes and progress to standard error; NO_COLOR is respected.";

#[derive(Subcommand)]
enum Verb {
    /// Train a model on captioned images
    Train(Box<train::Args>),
    /// Train the digit classifier that judges caption fidelity
    TrainClassifier(train_classifier::Args),
    /// Train the judge that reads colour scenes
    TrainJudge(train_judge::Args),
    /// Measure a model: bound in nats and what of the captions is shown, seen and held out
    Eval(eval::Args),
    /// Write the model of a run's last checkpoint
    Export(export::Args),
    /// List the models of a folder in its index.json, from which the page offers them
    Index(index::Args),
    /// Draw a caption into a PNG, a grid or a GIF
    Paint(paint::Args),
    /// Say in words what a picture shows, and where each word was looked for
    Describe(describe::Args),
    /// Find the pictures that a sentence suits best
    Search(search::Args),
    /// Say where in a picture each word of a sentence is
    Align(align::Args),
    /// Say a sentence in other words, and which of its words each of them is from
    Paraphrase(paraphrase::Args),
    /// Caption, picture, caption: what of a caption comes back from a painter through a captioner
    Roundtrip(roundtrip::Args),
    /// The paper's tables on a folder of captioned images: bounds, retrieval, similarity, how pictures look
    Compare(compare::Args),
    /// Say what a folder of captioned images holds, and what is passed over
    Data(data::Args),
    /// Look at the colour scenes: a sheet of them, or those of a caption
    Scenes(scenes::Args),
    /// Serve the page
    Serve(serve::Args),
    /// Print a script that completes this command in a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// Parses the arguments and runs the verb.
///
/// **Errors** whatever the verb reports, with its context.
pub fn run() -> anyhow::Result<()> {
    let cli = Cli::parse();
    if cli.quiet {
        crate::platform::set_quiet();
    }
    match cli.verb {
        Verb::Train(args) => train::run(*args),
        Verb::TrainClassifier(args) => train_classifier::run(args),
        Verb::TrainJudge(args) => train_judge::run(args),
        Verb::Eval(args) => eval::run(args),
        Verb::Export(args) => export::run(args),
        Verb::Index(args) => index::run(args),
        Verb::Paint(args) => paint::run(args),
        Verb::Describe(args) => describe::run(args),
        Verb::Search(args) => search::run(args),
        Verb::Align(args) => align::run(args),
        Verb::Paraphrase(args) => paraphrase::run(args),
        Verb::Roundtrip(args) => roundtrip::run(args),
        Verb::Compare(args) => compare::run(args),
        Verb::Data(args) => data::run(args),
        Verb::Scenes(args) => scenes::run(args),
        Verb::Serve(args) => serve::run(args),
        Verb::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "aligndraw", &mut script);
            output::write(std::path::Path::new("-"), &script)
        }
    }
}

/// 2 for what the caller can mend by typing something else, 1 for everything else.
pub fn exit_code(error: &anyhow::Error) -> u8 {
    match error.downcast_ref::<Error>() {
        Some(
            Error::UnknownWords(_)
            | Error::EmptyCaption { .. }
            | Error::LongCaption { .. }
            | Error::Undrawable(_)
            | Error::NoCaptions { .. },
        ) => 2,
        _ => 1,
    }
}
