//! The command that a run was started with, from the options that its record and its model keep.

use std::path::Path;

use serde_json::Value;

use crate::model::Config;
use crate::options::{OptimizerKind, Schedule, TrainOptions};
use crate::systems::{self, System};

/// What the data decide, not a flag.
const FROM_DATA: [&str; 4] = ["vocabulary_size", "channels", "height", "width"];

/// `aligndraw train …`, with every flag by which the options differ from their preset's. Of the weights that a run began with,
/// its options know the hash; of word vectors and of a model of sentences, nothing.
pub fn command(options: &TrainOptions<System>, data: Option<&Path>) -> String {
    let mut said = vec![format!("aligndraw train --preset {}", options.preset)];
    said.extend(data.map(|data| format!("--data {}", data.display())));
    said.extend(options.started_from.as_deref().map(|hash| format!("--from <weights {:.12}…>", hash)));
    if let Some(preset) = systems::presets().into_iter().find(|preset| preset.name == options.preset) {
        said.extend(flags(options, &preset.options));
    }
    said.push(format!("--epochs {} --seed {}", options.epochs, options.seed));
    said.join(" ")
}

/// The flags that make these options of a preset's, epochs and seed apart.
fn flags(options: &TrainOptions<System>, preset: &TrainOptions<System>) -> Vec<String> {
    let side = |options: &TrainOptions<System>| options.config.image_size().width;
    let learned_from = |options: &TrainOptions<System>| options.augmentation.unwrap_or_default();
    let (augmented, usual) = (learned_from(options), learned_from(preset));
    let optimizer = |options: &TrainOptions<System>| match options.optimizer {
        OptimizerKind::Rmsprop => "rmsprop",
        OptimizerKind::Adam => "adam",
        OptimizerKind::AdversarialAdam => "adversarial-adam",
    };
    let schedule = |options: &TrainOptions<System>| match options.schedule {
        Schedule::Step { .. } => "step",
        Schedule::Cosine { .. } => "cosine",
    };
    let switch = if augmented.mirror { "on" } else { "off" };
    let numbers = [
        ("side", side(options).to_string(), side(preset).to_string()),
        ("batch", options.batch_size.to_string(), preset.batch_size.to_string()),
        ("batches", options.batches_per_epoch.to_string(), preset.batches_per_epoch.to_string()),
        ("word-dropout", augmented.word_dropout.to_string(), usual.word_dropout.to_string()),
        ("crops", augmented.crops.to_string(), usual.crops.to_string()),
        ("lr", options.learning_rate.to_string(), preset.learning_rate.to_string()),
        ("optimizer", optimizer(options).to_owned(), optimizer(preset).to_owned()),
        ("schedule", schedule(options).to_owned(), schedule(preset).to_owned()),
        ("clip", options.clip.to_string(), preset.clip.to_string()),
        ("average", options.average_decay.to_string(), preset.average_decay.to_string()),
        ("held-out-seed", options.held_out_seed.to_string(), preset.held_out_seed.to_string()),
    ];
    let mut said: Vec<String> = numbers
        .into_iter()
        .filter(|(_, value, usual)| value != usual)
        .map(|(flag, value, _)| format!("--{flag} {value}"))
        .collect();
    if augmented.mirror != usual.mirror {
        said.push(format!("--mirror {switch}"));
    }
    if let Some(patience) = options.patience.filter(|_| options.patience != preset.patience) {
        said.push(format!("--patience {patience}"));
    }
    let sizes = |options: &TrainOptions<System>| match serde_json::to_value(&options.config) {
        Ok(mut tagged) => tagged["config"].take(),
        Err(_) => Value::Null,
    };
    let (sizes, usual) = (sizes(options), sizes(preset));
    for (field, value) in sizes.as_object().into_iter().flatten() {
        if !FROM_DATA.contains(&field.as_str()) && without_data(value) != without_data(&usual[field]) {
            said.push(format!("--set '{field}={}'", rounded(value)));
        }
    }
    said
}

/// A size without what the data decide of it.
fn without_data(size: &Value) -> Value {
    match size {
        Value::Object(fields) => {
            let kept = fields.iter().filter(|(field, _)| !FROM_DATA.contains(&field.as_str()));
            Value::Object(kept.map(|(field, value)| (field.clone(), without_data(value))).collect())
        }
        other => other.clone(),
    }
}

/// A size with its fractions as short as single precision allows.
fn rounded(size: &Value) -> Value {
    match size {
        Value::Number(number) if number.is_f64() => {
            let single = number.as_f64().map(|number| (number as f32).to_string());
            single.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_else(|| size.clone())
        }
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(field, value)| (field.clone(), rounded(value))).collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::train::args::Args;

    #[derive(Parser)]
    struct Train {
        #[command(flatten)]
        args: Args,
    }

    fn options(command: &str) -> TrainOptions<System> {
        let words = command.split(' ').skip(1).map(|word| word.trim_matches('\''));
        Train::parse_from(words).args.options().expect("options that can be")
    }

    #[test]
    fn a_command_makes_the_options_that_it_was_written_of() {
        for asked in [
            "aligndraw train --preset digits --epochs 20 --seed 3",
            "aligndraw train --preset digits --steps 12 --held-out-seed 2 --epochs 180 --seed 1",
            "aligndraw train --preset deconv-photos --data photos --side 32 --mirror on --word-dropout 0.1 --average 0.99 \
             --set prior=true --set deviation=0.25 --lr 0.001 --patience 3 --epochs 10 --seed 1",
            "aligndraw train --preset vae-photos --batch 50 --batches 40 --optimizer rmsprop --schedule step --clip 5 \
             --epochs 2 --seed 4",
            "aligndraw train --preset digits --set curriculum={\"singles_until\":0.1} --epochs 20 --seed 3",
        ] {
            let made = options(asked);
            let said = command(&made, None);
            assert_eq!(
                serde_json::to_value(options(&said)).expect("JSON"),
                serde_json::to_value(&made).expect("JSON"),
                "{asked}\n{said}"
            );
        }
        let unread =
            ["aligndraw", "--preset", "digits", "--set", "curriculum={\"singles_until\":0.1,\"noise\":1}"];
        let refused = Train::parse_from(unread).args.options().expect_err("nothing reads it").to_string();
        assert_eq!(refused, "curriculum has no noise");
        let said = command(&options("aligndraw train --preset digits --epochs 20 --seed 3"), None);
        assert_eq!(said, "aligndraw train --preset digits --epochs 20 --seed 3");
    }
}
