//! Which part of the data an image belongs to.

use super::{Entry, Split};

const PARTS: [Split; 3] = [Split::Train, Split::Validation, Split::Test];

/// The part of every entry: as the set's makers say; where they say nothing, or leave a part empty, as eight,
/// one and one of ten. What is done about it is noted.
pub fn parts(entries: &[Entry], notes: &mut Vec<String>) -> Vec<Split> {
    let mut parts: Vec<Split> =
        entries.iter().enumerate().map(|(at, entry)| entry.split.unwrap_or(by_tens(at))).collect();
    let count = |parts: &[Split], part: Split| parts.iter().filter(|found| **found == part).count();
    let said = entries.iter().any(|entry| entry.split.is_some());
    if said && count(&parts, Split::Train) == 0 && count(&parts, parts[0]) < entries.len() {
        notes.push("no image is in Train: eight of ten are trained on, whatever their part".to_owned());
        parts = (0..entries.len()).map(by_tens).collect();
    }
    if said && PARTS.iter().any(|part| count(&parts, *part) == entries.len()) {
        notes.push(format!("every image is in {:?}: eight of ten are trained on instead", parts[0]));
        parts = (0..entries.len()).map(by_tens).collect();
    }
    for part in PARTS {
        if count(&parts, part) > 0 {
            continue;
        }
        // A tenth of the largest part, at least one image.
        let largest = PARTS.into_iter().max_by_key(|other| count(&parts, *other)).unwrap_or(Split::Train);
        let of_largest: Vec<usize> = (0..parts.len()).filter(|&at| parts[at] == largest).collect();
        let wanted = (of_largest.len() / 10).max(1);
        let every = (of_largest.len() / wanted).max(1);
        of_largest.iter().rev().step_by(every).take(wanted).for_each(|&at| parts[at] = part);
        if said {
            notes.push(format!("no image is in {part:?}: {wanted} of {largest:?} are"));
        }
    }
    parts
}

fn by_tens(at: usize) -> Split {
    match at % 10 {
        8 => Split::Validation,
        9 => Split::Test,
        _ => Split::Train,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(splits: &[Option<Split>]) -> (Vec<Split>, Vec<String>) {
        let entry = |split: &Option<Split>| Entry {
            file: String::new(),
            path: String::new(),
            captions: vec![],
            split: *split,
        };
        let mut notes = Vec::new();
        let parts = parts(&splits.iter().map(entry).collect::<Vec<_>>(), &mut notes);
        (parts, notes)
    }

    #[test]
    fn no_part_is_left_empty_and_what_is_done_is_said() {
        for (splits, noted) in [
            (vec![None; 20], 0),
            (vec![None; 3], 0),
            (vec![Some(Split::Train); 12], 1),
            (vec![Some(Split::Train); 3], 1),
            ([vec![Some(Split::Train); 9], vec![Some(Split::Test); 3]].concat(), 1),
        ] {
            let (parts, notes) = of(&splits);
            assert!(PARTS.iter().all(|part| parts.contains(part)), "{parts:?}");
            assert!(notes.len() >= noted && (noted > 0 || notes.is_empty()), "{notes:?}");
        }
        let official = [Split::Train, Split::Validation, Split::Test, Split::Train].map(Some);
        assert_eq!(of(&official), (official.into_iter().flatten().collect(), vec![]));
    }
}
