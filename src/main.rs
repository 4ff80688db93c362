//! The native binary: parse, run, exit code.

use std::io::Write;
use std::process::ExitCode;

/// The optimizer's passes allocate and free large tensors at every update; the system's allocator
/// returns them to the kernel each time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match aligndraw::cli::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // A closed standard error is no reason to panic.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::from(aligndraw::cli::exit_code(&error))
        }
    }
}
