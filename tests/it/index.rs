//! The list of models that the page reads: `aligndraw index`.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

fn index(folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_aligndraw"));
    command.arg("index").arg("--models").arg(folder).output().expect("the binary starts")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A folder with some of the shipped models.
fn copy_of(files: &[&str]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    for file in files {
        std::fs::copy(shipped.join(file), folder.path().join(file)).expect("a shipped file");
    }
    folder
}

fn read(folder: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(folder.join("index.json")).expect("the list")).expect("JSON")
}

fn write(folder: &Path, name: &str, value: &Value) {
    std::fs::write(folder.join(name), value.to_string()).expect("a written file");
}

/// Adds the digits' model under another name, changed.
fn add(folder: &Path, name: &str, change: impl FnOnce(&mut Value)) {
    let text = std::fs::read(folder.join("digits.json")).expect("the manifest");
    let mut manifest: Value = serde_json::from_slice(&text).expect("JSON");
    manifest["name"] = json!(name);
    change(&mut manifest);
    write(folder, &format!("{name}.json"), &manifest);
}

#[test]
fn every_shipped_model_is_listed_with_its_captions() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("models");
    let names =
        std::fs::read_dir(shipped).expect("the models").map(|entry| entry.expect("an entry").file_name());
    let names: Vec<String> = names.filter_map(|name| name.into_string().ok()).collect();
    let files: Vec<&str> = names.iter().map(String::as_str).filter(|name| *name != "index.json").collect();
    let folder = copy_of(&files);
    let output = index(folder.path());
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stderr(&output), "");
    let list = read(folder.path());
    let models = list.as_array().expect("a list");
    let pages = files.iter().filter_map(|name| name.strip_suffix(".page.json"));
    for name in pages {
        let model = models.iter().find(|model| model["name"] == name);
        let model = model.unwrap_or_else(|| panic!("{name} has page data and is not listed"));
        assert_ne!(model["title"], model["name"]);
        // Plain DRAW hears no caption.
        let captioned = model["kind"] == "text-to-image" && model["data"] != "binary-mnist";
        assert_eq!(!model["groups"].as_array().expect("groups").is_empty(), captioned, "{name}");
        let weights = folder.path().join(format!("{name}.safetensors"));
        assert_eq!(model["bytes"], std::fs::metadata(weights).expect("weights").len());
    }
    let digits = &models[0];
    assert_eq!(digits["name"], "digits");
    let expected = json!({ "system": "framed", "kind": "text-to-image", "width": 60, "height": 60,
        "channels": 1, "numSteps": 8, "seed": 7 });
    for (key, value) in expected.as_object().expect("an object") {
        assert_eq!(&digits[key], value, "{key}");
    }
}

#[test]
fn a_model_of_ones_own_follows_with_its_example() {
    let folder = copy_of(&["digits.json", "digits.page.json", "digits.safetensors", "judge.json"]);
    add(folder.path(), "another", |_| {});
    let output = index(folder.path());
    assert!(output.status.success(), "{}", stderr(&output));
    let list = read(folder.path());
    let names: Vec<&Value> = list.as_array().expect("a list").iter().map(|model| &model["name"]).collect();
    assert_eq!(names, ["digits", "another"], "judges paint nothing");
    assert_eq!(list[1]["title"], "another");
    assert_eq!(list[1]["caption"], "the digit seven is on the left of the digit two");
    assert_eq!(list[1]["groups"], json!([]));
}

#[test]
fn what_cannot_be_loaded_is_named_and_left_out() {
    let folder = copy_of(&["digits.json", "digits.safetensors"]);
    add(folder.path(), "broken", |manifest| manifest["temperature"] = json!(7));
    add(folder.path(), "unfinished", |manifest| manifest["weights"]["file"] = json!("nothing.safetensors"));
    std::fs::write(folder.path().join("cut.json"), "{\"name\": ").expect("a written file");
    let output = index(folder.path());
    assert!(output.status.success(), "{}", stderr(&output));
    for reason in [
        "broken.json: not listed: model configuration: the temperature is 7",
        "nothing.safetensors is missing",
        "cut.json",
    ] {
        assert!(stderr(&output).contains(reason), "{reason}: {}", stderr(&output));
    }
    assert_eq!(read(folder.path()).as_array().expect("a list").len(), 1);
}

#[test]
fn page_data_that_do_not_fit_the_model_are_refused() {
    let folder = copy_of(&["digits.json", "digits.safetensors"]);
    let page = |value: Value| {
        write(folder.path(), "digits.page.json", &value);
        let output = index(folder.path());
        assert_eq!(output.status.code(), Some(1));
        assert!(!folder.path().join("index.json").exists(), "nothing is written");
        stderr(&output)
    };
    let caption = "a red bus";
    let group = json!([{ "title": "Buses", "note": "None.", "captions": [caption] }]);
    let message = page(json!({ "groups": group }));
    assert!(message.contains("digits.page.json: \"a red bus\": unknown words: \"red\""), "{message}");
    let message = page(json!({ "titel": "Digits" }));
    assert!(message.contains("digits.page.json") && message.contains("unknown field `titel`"), "{message}");
}

#[test]
fn an_exported_model_is_listed() {
    let folder = copy_of(&["digits.json", "digits.page.json", "digits.safetensors"]);
    let path = folder.path().to_str().expect("a UTF-8 path");
    let from = format!("{path}/digits");
    let arguments = ["export", "--from", &from, "--models", path, "--name", "mine", "--bits", "8"];
    let output =
        Command::new(env!("CARGO_BIN_EXE_aligndraw")).args(arguments).output().expect("the binary starts");
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(read(folder.path())[1]["name"], "mine");
}
