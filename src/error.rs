//! The errors of the library.

/// What can go wrong, each naming what was found and what would be right.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A caption holds words that the model has never heard.
    #[error("{}", unknown_words(.0))]
    UnknownWords(Vec<UnknownWord>),
    /// A caption without words.
    #[error("the caption is empty: write, for example, \"{example}\"")]
    EmptyCaption {
        /// A caption that the model can draw.
        example: String,
    },
    /// A caption that is longer than any that the model was trained on.
    #[error("the caption has {words} words, at most {most} are understood")]
    LongCaption {
        /// Words found.
        words: usize,
        /// Words allowed.
        most: usize,
    },
    /// A caption that names nothing that the model draws, or too much.
    #[error("{0}")]
    Undrawable(String),
    /// Sizes that no model can have.
    #[error("model configuration: {0}")]
    Config(String),
    /// A data file is missing or not what it should be.
    #[error("data: {0}")]
    Data(String),
    /// A folder of captioned images without a usable caption.
    #[error("data: {folder} has no caption of 1 to {most} words: nothing can be learned from it{reasons}")]
    NoCaptions {
        /// The folder.
        folder: String,
        /// The first reasons why records were passed over, if any were.
        reasons: String,
        /// Words of the longest caption that is used.
        most: usize,
    },
    /// Weights or a manifest are missing or not what they should be.
    #[error("model: {0}")]
    Model(String),
    /// The weights are not the file that the manifest describes.
    #[error("model: the weights have SHA-256 {found}, the manifest says {expected}: fetch them again")]
    WrongHash {
        /// Hash of the bytes found.
        found: String,
        /// Hash in the manifest.
        expected: String,
    },
    /// The device failed.
    #[error("device: {0}")]
    Device(String),
}

/// A word outside the vocabulary, with near ones.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct UnknownWord {
    /// The word as written.
    pub word: String,
    /// Words of the vocabulary that are spelled alike, nearest first.
    pub suggestions: Vec<String>,
}

/// The library's result.
pub type Result<T> = std::result::Result<T, Error>;

fn unknown_words(words: &[UnknownWord]) -> String {
    let named = words.iter().map(|unknown| match unknown.suggestions.as_slice() {
        [] => format!("\"{}\"", unknown.word),
        near => format!("\"{}\" (did you mean {}?)", unknown.word, near.join(", ")),
    });
    let named: Vec<_> = named.collect();
    format!("unknown word{}: {}", if named.len() == 1 { "" } else { "s" }, named.join("; "))
}
