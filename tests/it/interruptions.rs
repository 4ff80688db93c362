//! What ends a run from outside: kills, files that cannot be written, a full disk. What was saved stays, the reason
//! is said, and the run goes on as if nothing had happened.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use aligndraw::train::checkpoints::find;
use aligndraw::train::report::read_log;

/// Epochs of the runs.
const EPOCHS: &str = "60";

fn train(out: &Path, more: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aligndraw"));
    command.args(["train", "--threads", "1", "--epochs", EPOCHS, "--out"]).arg(out).args(more);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

fn output(mut command: Command) -> (Output, String) {
    let output = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output, said)
}

/// The weights of a run that nothing disturbed.
fn undisturbed(folder: &Path) -> Vec<u8> {
    let out = folder.join("whole");
    let (output, said) = output(train(&out, &["--preset", "tiny", "--name", "tiny"]));
    assert!(output.status.success(), "{said}");
    weights(&out)
}

fn weights(out: &Path) -> Vec<u8> {
    std::fs::read(out.join("tiny.safetensors")).expect("the finished model")
}

/// Waits until a run has logged so many epochs.
fn wait_for_epoch(child: &mut Child, out: &Path, epoch: usize) {
    while read_log(&out.join("log.jsonl")).len() < epoch {
        assert!(child.try_wait().expect("its state").is_none(), "it ended before epoch {epoch}");
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

#[test]
fn six_kills_in_a_row_change_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let whole = undisturbed(folder.path());
    let out = folder.path().join("killed");
    for (kill, epoch) in [4, 11, 19, 30, 38, 50].into_iter().enumerate() {
        let flags: &[&str] = if kill == 0 { &["--preset", "tiny", "--name", "tiny"] } else { &["--resume"] };
        let mut child = train(&out, flags).spawn().expect("it starts");
        wait_for_epoch(&mut child, &out, epoch);
        // Anywhere in the epoch, while a checkpoint is written too: the moment is the machine's.
        child.kill().expect("it is killed");
        child.wait().expect("its end");
        // A write that a kill interrupts leaves its unfinished file.
        std::fs::write(out.join("checkpoints/.part-killed"), b"half").expect("written");
        assert!(find(&out.join("checkpoints")).whole.is_some_and(|found| found + 2 >= epoch));
    }
    let (output, said) = output(train(&out, &["--resume"]));
    assert!(output.status.success(), "{said}");
    assert!(weights(&out) == whole, "the weights differ");
    let epochs: Vec<usize> = read_log(&out.join("log.jsonl")).iter().map(|line| line.epoch).collect();
    assert_eq!(epochs, (1..=60).collect::<Vec<usize>>());
    let left = files(&out).into_iter().chain(files(&out.join("checkpoints")));
    let parts: Vec<PathBuf> = left
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')))
        .collect();
    assert_eq!(parts, Vec::<PathBuf>::new(), "nothing half-written is left");
}

#[test]
fn a_checkpoint_that_cannot_be_written_is_named_and_the_one_before_goes_on() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let whole = undisturbed(folder.path());
    for record in ["model", "optim", "scheduler"] {
        let out = folder.path().join(record);
        // A folder stands where the file would go.
        let obstacle = out.join(format!("checkpoints/{record}-7.bpk"));
        std::fs::create_dir_all(obstacle.join("full")).expect("created");
        let (failed, said) = output(train(&out, &["--preset", "tiny", "--name", "tiny"]));
        assert_eq!(failed.status.code(), Some(1), "{said}");
        let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("error: ")).collect();
        assert_eq!(errors.len(), 1, "{said}");
        assert!(errors[0].contains(&format!("checkpoints/{record}-7.bpk: ")), "{said}");
        // The epoch after may have been saved before the failure was heard of.
        let kept = find(&out.join("checkpoints")).whole.expect("a whole checkpoint");
        let hint = format!("the checkpoint of epoch {kept} is whole, --resume goes on from it");
        assert!(kept >= 6 && errors[0].contains(&hint), "{kept}: {said}");
        assert!(!said.contains("panicked"), "{said}");
        assert!(!out.join("tiny.json").exists() && !out.join("tiny.safetensors").exists());
        std::fs::remove_dir_all(obstacle).expect("removed");
        let (resumed, said) = output(train(&out, &["--resume"]));
        assert!(resumed.status.success(), "{said}");
        assert!(weights(&out) == whole, "the weights differ");
    }
}

/// A disk that is full, as far as a process can be told so without one: files may not grow beyond some bytes.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_said_once_and_keeps_the_older_checkpoints() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let whole = undisturbed(folder.path());
    let out = folder.path().join("full");
    let mut child = train(&out, &["--preset", "tiny", "--name", "tiny"]).spawn().expect("it starts");
    wait_for_epoch(&mut child, &out, 5);
    child.kill().expect("it is killed");
    child.wait().expect("its end");
    let checkpoints = out.join("checkpoints");
    let before = find(&checkpoints);
    // Of 512 bytes: less than a record of the weights takes.
    let limited = "trap '' XFSZ; ulimit -f 8; exec \"$@\"";
    let mut command = Command::new("sh");
    command.args([
        "-c",
        limited,
        "sh",
        env!("CARGO_BIN_EXE_aligndraw"),
        "train",
        "--resume",
        "--threads",
        "1",
        "--out",
    ]);
    let (full, said) = output({
        command.arg(&out).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    });
    assert_eq!(full.status.code(), Some(1), "{said}");
    let errors: Vec<&str> = said.lines().filter(|line| line.starts_with("error: ")).collect();
    assert!(
        errors.len() == 1 && errors[0].contains("full/") && errors[0].contains("File too large"),
        "{said}"
    );
    assert!(!said.contains("panicked"), "{said}");
    assert!(find(&checkpoints).whole >= before.whole);
    let (resumed, said) = output(train(&out, &["--resume"]));
    assert!(resumed.status.success(), "{said}");
    assert!(weights(&out) == whole, "the weights differ");
}
