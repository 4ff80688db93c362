//! Texts as other people's tools write them: UTF-8 with or without a mark, UTF-16, any line ends.

use std::borrow::Cow;

/// What a file's first bytes say it is.
enum Encoding {
    Utf8,
    Utf16 { big_endian: bool },
    Utf32,
}

/// By the byte order mark (Unicode 16, §23.8), or where there is none by the zeros of the first letter: JSON begins
/// with an ASCII one (RFC 4627, §3). Gives the mark's length too.
fn encoding(bytes: &[u8]) -> (Encoding, usize) {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] | [_, 0, 0, 0, ..] | [0, 0, 0, _, ..] => {
            (Encoding::Utf32, 4)
        }
        [0xff, 0xfe, ..] => (Encoding::Utf16 { big_endian: false }, 2),
        [0xfe, 0xff, ..] => (Encoding::Utf16 { big_endian: true }, 2),
        [0xef, 0xbb, 0xbf, ..] => (Encoding::Utf8, 3),
        [0, 1..=0x7f, ..] => (Encoding::Utf16 { big_endian: true }, 0),
        [1..=0x7f, 0, ..] => (Encoding::Utf16 { big_endian: false }, 0),
        _ => (Encoding::Utf8, 0),
    }
}

/// A file's bytes as UTF-8, as far as they are, without a mark; bytes that are not are left as they are.
///
/// **Errors** the reason why the file cannot be read.
pub fn to_utf8(bytes: &[u8]) -> std::result::Result<Cow<'_, [u8]>, String> {
    let (encoding, mark) = encoding(bytes);
    let bytes = bytes.get(mark..).unwrap_or_default();
    match encoding {
        Encoding::Utf8 => Ok(Cow::Borrowed(bytes)),
        Encoding::Utf16 { big_endian } => {
            let (pairs, rest) = bytes.as_chunks::<2>();
            let from = if big_endian { u16::from_be_bytes } else { u16::from_le_bytes };
            let units = pairs.iter().map(|&pair| from(pair));
            let text: String = char::decode_utf16(units)
                .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect();
            match rest {
                [] => Ok(Cow::Owned(text.into_bytes())),
                _ => Err("it is UTF-16 with half a letter at its end: it is cut".to_owned()),
            }
        }
        Encoding::Utf32 => Err("it is UTF-32, expected UTF-8".to_owned()),
    }
}

/// The lines of a text with their numbers from 1, whatever ends them: LF, CR LF, or CR alone.
pub fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let ends = |pair: (usize, &u8)| match pair {
        (at, b'\r') => bytes.get(at + 1) != Some(&b'\n'),
        (_, byte) => *byte == b'\n',
    };
    let ends = bytes.iter().enumerate().filter(move |pair| ends(*pair)).map(|(at, _)| at);
    let mut begin = 0;
    let all = ends.chain([bytes.len()]).map(move |end| {
        let line = &bytes[begin..end];
        begin = (end + 1).min(bytes.len());
        line.strip_suffix(b"\r").unwrap_or(line)
    });
    (1..).zip(all)
}

/// Where a text is not UTF-8: how many bytes are not, and the first's place from 1 with its line.
pub fn damage(bytes: &[u8]) -> Option<(usize, usize, usize)> {
    let mut wrong = 0;
    let mut first = None;
    let mut at = 0;
    for chunk in bytes.utf8_chunks() {
        at += chunk.valid().len();
        if !chunk.invalid().is_empty() {
            first.get_or_insert(at);
        }
        wrong += chunk.invalid().len();
        at += chunk.invalid().len();
    }
    let first = first?;
    Some((wrong, first + 1, lines(&bytes[..first]).count()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_end_counts_once() {
        let read = |text: &'static str| -> Vec<(usize, &str)> {
            lines(text.as_bytes()).map(|(at, line)| (at, std::str::from_utf8(line).expect("UTF-8"))).collect()
        };
        assert_eq!(read("a\nb\r\nc\rd"), [(1, "a"), (2, "b"), (3, "c"), (4, "d")]);
        assert_eq!(read("a\r\n\r\nb\n"), [(1, "a"), (2, ""), (3, "b"), (4, "")]);
        assert_eq!(read(""), [(1, "")]);
    }

    #[test]
    fn texts_of_two_bytes_a_letter_are_read() {
        let text = "{\"caption\": \"café 🐕\"}";
        for big_endian in [false, true] {
            for mark in ["", "\u{feff}"] {
                let bytes: Vec<u8> = format!("{mark}{text}")
                    .encode_utf16()
                    .flat_map(|unit| if big_endian { unit.to_be_bytes() } else { unit.to_le_bytes() })
                    .collect();
                assert_eq!(to_utf8(&bytes).as_deref(), Ok(text.as_bytes()));
                assert!(to_utf8(&bytes[..bytes.len() - 1]).is_err_and(|why| why.contains("cut")));
            }
        }
        assert!(to_utf8(b"\xff\xfe\0\0{\0\0\0").is_err_and(|why| why.contains("UTF-32")));
        assert_eq!(to_utf8(b"\xef\xbb\xbf{}").as_deref(), Ok(&b"{}"[..]));
    }

    #[test]
    fn the_first_stray_byte_is_found() {
        assert_eq!(damage("café".as_bytes()), None);
        assert_eq!(damage(b"a\nb\ncaf\xe9 \xe8"), Some((2, 8, 3)));
    }
}
