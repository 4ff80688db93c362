//! What the command line writes: results to standard output, notes to standard error, files where the user
//! says. A reader that closes its pipe early ends nothing: what was asked for is still written.

use std::fmt::Arguments;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressDrawTarget};

use crate::platform::quiet;
use crate::train::checkpoints::write_atomically;

/// A line of results, on standard output.
macro_rules! say {
    ($($argument:tt)*) => { $crate::cli::output::line(format_args!($($argument)*)) };
}

/// A line about what is going on, on standard error; not with `--quiet`.
macro_rules! note {
    ($($argument:tt)*) => { $crate::cli::output::note_line(format_args!($($argument)*)) };
}

pub(crate) use {note, say};

/// Writes a line of results; one that nobody reads any more is dropped.
pub fn line(text: Arguments) {
    let _ = writeln!(std::io::stdout().lock(), "{text}");
}

/// Writes a note unless the user wants none.
pub fn note_line(text: Arguments) {
    if !quiet() {
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }
}

/// A progress bar on standard error; hidden with `--quiet`.
pub fn progress(len: u64) -> ProgressBar {
    let target = if quiet() { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    ProgressBar::with_draw_target(Some(len), target)
}

/// Writes a file that the user named. `-` is standard output; devices and pipes are written to as they are;
/// the file that a link points to is replaced, not the link; any other file is replaced as a whole or not at
/// all.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let written = if path == Path::new("-") {
        let mut out = std::io::stdout().lock();
        out.write_all(bytes).and_then(|()| out.flush())
    } else {
        match std::fs::metadata(path) {
            Ok(found) if !found.is_file() && !found.is_dir() => {
                std::fs::OpenOptions::new().write(true).open(path).and_then(|mut file| file.write_all(bytes))
            }
            _ => write_atomically(&target(path), bytes),
        }
    };
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(error).with_context(|| format!("writing {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// [`write`], and a note of where.
pub fn write_and_note(path: &Path, bytes: &[u8]) -> Result<()> {
    write(path, bytes)?;
    if path != Path::new("-") {
        note!("{}", path.display());
    }
    Ok(())
}

/// The file that a path means: links are followed, also those whose target is not there yet.
fn target(path: &Path) -> PathBuf {
    let mut path = path.to_path_buf();
    // As many links as the kernel follows.
    for _ in 0..40 {
        let Ok(next) = std::fs::read_link(&path) else { break };
        path = path.parent().unwrap_or(Path::new(".")).join(next);
    }
    path
}
