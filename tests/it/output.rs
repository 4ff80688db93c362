//! What the command line writes and where: standard output, devices, pipes, links; what a resumed run owns.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Output, Stdio};

const CAPTION: &str = "the digit 3 is at the top left of the image";

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aligndraw"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

fn run(arguments: &[&str]) -> Output {
    command(arguments).output().expect("the binary runs")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn is_png(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x89PNG") && bytes.ends_with(b"IEND\xaeB\x60\x82")
}

#[test]
fn a_dash_is_standard_output_and_notes_go_elsewhere() {
    let output = run(&["paint", CAPTION, "-o", "-"]);
    assert!(output.status.success() && is_png(&output.stdout), "{}", stderr(&output));
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("a.png");
    let noted = run(&["paint", CAPTION, "-o", text(&path)]);
    assert!(noted.stdout.is_empty() && stderr(&noted).contains("a.png"));
    let quiet = run(&["paint", CAPTION, "-o", text(&path), "--quiet"]);
    assert!(quiet.status.success() && quiet.stdout.is_empty() && quiet.stderr.is_empty());
}

#[cfg(unix)]
#[test]
fn devices_pipes_and_links_are_written_through() {
    use std::os::unix::fs::FileTypeExt;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (link, real) = (folder.path().join("link.png"), folder.path().join("real.png"));
    std::os::unix::fs::symlink("real.png", &link).expect("a link");
    for _ in 0..2 {
        let output = run(&["paint", CAPTION, "-o", text(&link)]);
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(link.symlink_metadata().expect("it is there").is_symlink());
        assert!(is_png(&std::fs::read(&real).expect("the target is written")));
    }
    let pipe = folder.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    let child =
        command(&["paint", CAPTION, "-o", text(&pipe)]).stderr(Stdio::null()).spawn().expect("it runs");
    let mut read = Vec::new();
    std::fs::File::open(&pipe).expect("the pipe").read_to_end(&mut read).expect("it is read");
    assert!(child.wait_with_output().expect("it ends").status.success() && is_png(&read));
    assert!(pipe.symlink_metadata().expect("it is there").file_type().is_fifo());
    // /dev/null itself would be lost to the machine if this went wrong: a link to it is as good a test.
    let null = folder.path().join("null");
    std::os::unix::fs::symlink("/dev/null", &null).expect("a link");
    assert!(run(&["paint", CAPTION, "-o", text(&null)]).status.success());
    assert!(Path::new("/dev/null").metadata().expect("it is there").file_type().is_char_device());
}

#[test]
fn a_closed_pipe_ends_quietly_with_everything_written() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let json = folder.path().join("a.json");
    let mut child = command(&["paint", CAPTION, "-o", "-", "--json", text(&json)])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(!stderr(&output).contains("panicked"), "{}", stderr(&output));
    assert!(std::fs::read(&json).expect("it is written").starts_with(b"{"));
}

#[test]
fn completions_are_written_for_shells() {
    let output = run(&["completions", "bash"]);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("_aligndraw"));
    assert_eq!(run(&["completions", "no-shell"]).status.code(), Some(2));
}

#[test]
fn a_run_owns_what_it_was_made_of() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("run");
    let out = text(&out);
    let train = |more: &[&str]| run(&[&["train", "--out", out][..], more].concat());
    let begun = train(&["--preset", "tiny", "--epochs", "2", "--name", "mine"]);
    assert!(begun.status.success(), "{}", stderr(&begun));
    for refused in
        [&["--seed", "9"][..], &["--batch", "3"], &["--set", "latent_size=3"], &["--preset", "tiny"]]
    {
        let output = train(&[&["--resume"], refused].concat());
        assert!(!output.status.success());
        let said = stderr(&output);
        assert!(said.contains(refused[0]) && said.contains("cannot be changed"), "{said}");
    }
    // What may be changed is, and the name stays.
    let longer = train(&["--resume", "--epochs", "4"]);
    assert!(longer.status.success(), "{}", stderr(&longer));
    assert!(String::from_utf8_lossy(&longer.stdout).contains("mine.safetensors"), "{longer:?}");
    // The newest checkpoint is cut: it is named, and the one before goes on.
    let newest = Path::new(out).join("checkpoints/model-4.bpk");
    let bytes = std::fs::read(&newest).expect("a checkpoint");
    std::fs::File::create(&newest).and_then(|mut file| file.write_all(&bytes[..100])).expect("it is cut");
    let mended = train(&["--resume", "--epochs", "5"]);
    assert!(mended.status.success(), "{}", stderr(&mended));
    assert!(stderr(&mended).contains("model-4.bpk is cut, damaged or missing"), "{}", stderr(&mended));
    assert!(Path::new(out).join("checkpoints/model-5.bpk").is_file());
}
