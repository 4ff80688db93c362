//! Captions cut into words: what never matters, and where each word stands.

use aligndraw::data::vocabulary::Vocabulary;
use aligndraw::data::words::{UNKNOWN, words};
use aligndraw::error::Error;

fn texts(caption: &str) -> Vec<String> {
    words(caption).into_iter().map(|word| word.text).collect()
}

/// A vocabulary of these words, the full stop not among them.
fn vocabulary(known: &[&str], full_stop: Option<&str>) -> Vocabulary {
    Vocabulary {
        words: known.iter().map(|&word| word.to_owned()).chain(full_stop.map(str::to_owned)).collect(),
        aliases: std::collections::BTreeMap::new(),
        full_stop: full_stop.map(str::to_owned),
        max_words: 8,
        example: known.join(" "),
        alternatives: Vec::new(),
        meanings: Default::default(),
    }
}

#[test]
fn punctuation_is_apart_from_words() {
    for (caption, expected) in [
        ("A red, green; and blue: square!?", "a red green and blue square"),
        ("(a red square) [on white] {big} <here>", "a red square on white big here"),
        ("a square… a man—riding – fast --no--really", "a square a man riding fast no really"),
        ("a red/green thing\\other|one", "a red green thing other one"),
        ("a red-green t-shirt - and -this-", "a red-green t-shirt and this"),
        ("a red\u{2010}green re\u{ad}fri\u{200b}gerator", "a red-green refrigerator"),
        ("the dog’s ball, the dog`s and the dog´s", "the dog's ball the dog's and the dog's"),
        (
            "‘quoted’ 'quoted' “quoted” \"quoted\" «quoted» ``quoted''",
            "quoted quoted quoted quoted quoted quoted",
        ),
        ("the dogs' ball, the dog 's ball", "the dogs ball the dog 's ball"),
        ("¿qué? ¡sí! 一只狗。黑色", "qué sí 一只狗 黑色"),
        ("Tom & Jerry, black&white", "tom & jerry black & white"),
        ("at 3.5 u.s.", "at 3 . 5 u . s ."),
        ("one\u{a0}two\tthree\r\nfour\u{0}five", "one two three four five"),
        (" … — ' - ", ""),
    ] {
        assert_eq!(texts(caption).join(" "), expected, "{caption}");
    }
}

#[test]
fn one_word_has_one_spelling() {
    assert_eq!(texts("cafe\u{301} CAFÉ Cafe\u{301}"), ["caf\u{e9}"; 3]);
    assert_eq!(texts("a <UNK> b<unk>"), ["a", UNKNOWN, "b", UNKNOWN]);
}

#[test]
fn spans_are_counted_as_javascript_does() {
    // Each word is cut out of the caption again.
    for caption in ["A 🐶 dog’s “big” cafe\u{301}", "  (red)  🐶🐶, .", "don't — 'stop' re\u{ad}fit <unk>"]
    {
        let units: Vec<u16> = caption.encode_utf16().collect();
        let cut = words(caption).into_iter().map(|word| {
            let [start, end] = word.span;
            (word.text, String::from_utf16(&units[start..end]).expect("whole characters"))
        });
        for (text, cut) in cut {
            assert_eq!(texts(&cut), [text], "{caption}: {cut:?}");
        }
    }
    let spans = |caption| words(caption).into_iter().map(|word| word.span).collect::<Vec<_>>();
    assert_eq!(spans("A 🐶 dog’s “big”"), [[0, 1], [2, 4], [5, 10], [12, 15]]);
}

#[test]
fn a_final_full_stop_never_matters() {
    let known = ["a", "dog", "on", "the", "beach"];
    let plain = vocabulary(&known, None);
    let ids = plain.tokens("a dog on the beach").expect("known").ids;
    for typed in [
        "a dog on the beach.",
        "A dog on the beach...",
        "\"a dog, on the beach!\"",
        "‘A dog’ on the beach?!",
        "a dog. on the beach .",
        "(a dog) on the beach…",
    ] {
        assert_eq!(plain.tokens(typed).unwrap_or_else(|error| panic!("{typed}: {error}")).ids, ids);
    }
    assert!(matches!(plain.tokens(" . "), Err(Error::EmptyCaption { .. })));

    let stopped = vocabulary(&known, Some("."));
    let with = stopped.tokens("A dog…").expect("known");
    assert_eq!(with.written, ["a", "dog", "."]);
    assert_eq!(with.spans, [[0, 1], [2, 5], [6, 6]]);
    let typed = stopped.tokens("a dog. .").expect("known");
    assert_eq!((typed.ids, typed.spans), (with.ids, vec![[0, 1], [2, 5], [5, 6]]));
    // Inside of a caption it is a word like any other.
    assert_eq!(stopped.tokens("a dog. a dog").expect("known").written.len(), 6);
    let unknown = plain.tokens("a “dogg”.").expect_err("unknown").to_string();
    assert_eq!(unknown, "unknown word: \"dogg\" (did you mean dog?)");
}

#[test]
fn every_spelling_of_the_shipped_models_is_cut_into_its_words() {
    for name in ["aligndraw-digits", "digits", "scenes"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("models/{name}.json"));
        let json = std::fs::read(path).expect("a manifest");
        let vocabulary = aligndraw::checkpoint::Manifest::parse(&json).expect("valid").vocabulary;
        for spelling in vocabulary.spellings() {
            assert_eq!(texts(spelling), spelling.split(' ').collect::<Vec<_>>());
        }
    }
}
