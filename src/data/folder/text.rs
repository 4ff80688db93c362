//! Captions as people's files hold them, made plain.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// Decodes HTML entities, also those that were encoded twice, and composes letters with their accents (NFC).
pub fn clean(caption: &str) -> String {
    let once = html_escape::decode_html_entities(caption);
    let twice = match html_escape::decode_html_entities(&once) {
        Cow::Borrowed(_) => once.clone(),
        Cow::Owned(twice) => Cow::Owned(twice),
    };
    twice.nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entities_and_accents_become_letters() {
        assert_eq!(clean("bread &amp; butter"), "bread & butter");
        assert_eq!(clean("the &amp;quot;run&quot;"), "the \"run\"");
        assert_eq!(clean("cafe\u{301}"), clean("caf\u{e9}"));
        assert_eq!(clean("a dog"), "a dog");
    }
}
