//! A caption cut into words, the same way wherever one is read: typed, trained on or shared in a link.

use crate::platform::nfc;

/// What stands for a word that is too rare to be known by itself.
pub const UNKNOWN: &str = "<unk>";
/// What is left of a word in text whose words were cut apart: "the dog 's ball".
const CLITICS: [&str; 7] = ["s", "re", "ll", "ve", "d", "m", "t"];

/// A word of a caption.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// In lower case and normalisation form C, with straight apostrophes and hyphens.
    pub text: String,
    /// Start and end in the caption, in UTF-16 code units, as JavaScript counts.
    pub span: [usize; 2],
}

/// What a character does.
enum Kind {
    /// Part of a word.
    Letter,
    /// Part of a word when it stands inside of one, written so.
    Joiner(char),
    /// A word by itself.
    Alone,
    /// Between words.
    Apart,
    /// Invisible: neither part of a word nor its end.
    Ignored,
}

fn kind(c: char) -> Kind {
    match c {
        '.' | '&' => Kind::Alone,
        '\'' | '‘' | '’' | '‛' | 'ʼ' | '`' | '´' | '′' | '＇' => Kind::Joiner('\''),
        '-' | '‐' | '‑' => Kind::Joiner('-'),
        '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}' => Kind::Ignored,
        ',' | ';' | ':' | '!' | '?' | '"' | '(' | ')' | '[' | ']' | '{' | '}' | '<' | '>' => Kind::Apart,
        '/' | '\\' | '|' | '*' | '_' | '~' | '^' | '=' => Kind::Apart,
        '¡' | '¿' | '«' | '»' | '·' | '¨' | '¸' | '−' | '⁓' | '₊' | '\u{37e}' => Kind::Apart,
        // General punctuation but for the joiners of scripts and emoji; that of Chinese and Japanese, of full width too.
        '\u{2012}'..='\u{2027}' | '\u{2030}'..='\u{205e}' => Kind::Apart,
        '\u{3001}'..='\u{3003}' | '\u{3008}'..='\u{3011}' | '\u{3014}'..='\u{301f}' => Kind::Apart,
        '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}' | '\u{ff3b}'..='\u{ff40}' => Kind::Apart,
        '\u{ff5b}'..='\u{ff65}' => Kind::Apart,
        c if c.is_whitespace() || c.is_control() => Kind::Apart,
        _ => Kind::Letter,
    }
}

/// A character of a word, with its place in the caption.
#[derive(Clone, Copy)]
struct Placed {
    letter: char,
    start: usize,
}

/// Cuts a caption into words. A full stop and an ampersand are words by themselves; other punctuation
/// parts words and is dropped, except for apostrophes and single hyphens inside of a word.
pub fn words(caption: &str) -> Vec<Word> {
    let (mut found, mut word) = (Vec::new(), Vec::<Placed>::new());
    let mut start = 0;
    // Bytes up to which a marker was taken whole.
    let mut taken = 0;
    for (byte, c) in caption.char_indices() {
        let end = start + c.len_utf16();
        if byte >= taken {
            match kind(c) {
                Kind::Letter => word.push(Placed { letter: c, start }),
                Kind::Joiner(letter) => {
                    if letter == '-' && word.last().is_some_and(|last| last.letter == '-') {
                        finish(&mut word, &mut found);
                    }
                    word.push(Placed { letter, start });
                }
                Kind::Alone => {
                    finish(&mut word, &mut found);
                    found.push(Word { text: c.into(), span: [start, end] });
                }
                Kind::Apart => {
                    finish(&mut word, &mut found);
                    let marker = caption.get(byte..byte + UNKNOWN.len());
                    if marker.is_some_and(|marker| marker.eq_ignore_ascii_case(UNKNOWN)) {
                        taken = byte + UNKNOWN.len();
                        found.push(Word { text: UNKNOWN.into(), span: [start, start + UNKNOWN.len()] });
                    }
                }
                Kind::Ignored => {}
            }
        }
        start = end;
    }
    finish(&mut word, &mut found);
    found
}

/// Ends a word: quotes and dashes around it are no part of it.
fn finish(word: &mut Vec<Placed>, found: &mut Vec<Word>) {
    let inside = |placed: &Placed| !matches!(placed.letter, '\'' | '-');
    if let (Some(mut first), Some(last)) = (word.iter().position(inside), word.iter().rposition(inside)) {
        let text = |of: &[Placed]| of.iter().map(|placed| placed.letter).collect::<String>().to_lowercase();
        let mut letters = text(&word[first..=last]);
        if first > 0 && word[first - 1].letter == '\'' && CLITICS.contains(&letters.as_str()) {
            first -= 1;
            letters.insert(0, '\'');
        }
        let Placed { letter, start } = word[last];
        found.push(Word { text: nfc(letters), span: [word[first].start, start + letter.len_utf16()] });
    }
    word.clear();
}
