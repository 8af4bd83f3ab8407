//! Private keys that stand in a text line by line.
//!
//! The door knows a private key by where it begins or ends, and a line from its middle has nothing
//! of that. So whoever shows single lines has to remember that one has begun ([`super::lines`]).

use memchr::memmem;

/// Whether the lines that come now belong to a private key.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// How many lines may still belong to it.
    left: usize,
    /// Whether the last line belonged to it.
    is_inside: bool,
}

/// How many lines a key has at most.
const LINES: usize = 400;
/// As many letters of base64 in a row are no words.
const RUN: usize = 16;

impl Keys {
    /// Whether a key has begun and not ended.
    pub(super) fn have_begun(&self) -> bool {
        self.left > 0
    }

    /// Whether none of these lines needs to be read for its keys.
    pub(super) fn are_absent(&self, lines: &[u8]) -> bool {
        let has = |words: &[u8]| memmem::find(lines, words).is_some();
        self.left == 0 && !has(b"PRIVATE KEY") && !has(PUTTY)
    }

    /// Reads the next line, and says whether it is of the inside of a key.
    pub(super) fn hide(&mut self, line: &[u8]) -> bool {
        let was_inside = std::mem::take(&mut self.is_inside);
        if let Some(place) = memmem::rfind(line, b"PRIVATE KEY") {
            let before = line.get(..place).unwrap_or_default();
            let begins = memmem::rfind(before, b"-----BEGIN");
            let ends = memmem::rfind(before, b"-----END");
            self.left = if begins > ends { LINES } else { 0 };
            return false;
        }
        if let Some(lines) = lines_of_putty(line) {
            self.left = lines.min(LINES) + 1;
            return false;
        }
        self.left = self.left.saturating_sub(1);
        self.is_inside = self.left > 0 && (has_run(line) || (was_inside && is_end(line)));
        self.is_inside
    }
}

/// What stands before the number of lines that a key of `PuTTY` has.
const PUTTY: &[u8] = b"Private-Lines:";

fn lines_of_putty(line: &[u8]) -> Option<usize> {
    let place = memmem::rfind(line, PUTTY)?;
    let number = std::str::from_utf8(line.get(place + PUTTY.len()..)?).ok()?;
    number.trim().parse().ok()
}

/// Whether a line, without the time and level before its text, is one word of base64: what is left
/// of a key for its last line is short.
fn is_end(line: &[u8]) -> bool {
    let text = line.rsplit(|byte| *byte == b'|').next().unwrap_or_default().trim_ascii();
    let is_filler = |byte: &&u8| **byte == b'=';
    let letters = text.len() - text.iter().rev().take_while(is_filler).count();
    letters > 0 && text.iter().take(letters).all(|byte| is_base64(*byte) && *byte != b'=')
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)
}

fn has_run(line: &[u8]) -> bool {
    line.split(|byte| !is_base64(*byte)).any(|word| word.len() >= RUN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inside_of_a_key_is_hidden() {
        let mut keys = Keys::default();
        let inside = "10:00:00   Info     | RkFLRUZBS0VGQUtFRkFLRUZBS0VGQUtF";
        for (line, hidden) in [
            (inside, false),
            ("10:00:00   Info     | -----BEGIN RSA PRIVATE KEY-----", false),
            ("Proc-Type: 4,ENCRYPTED", false),
            (inside, true),
            (inside, true),
            ("10:00:00   Info     | RkFLRQ==", true),
            ("10:00:00   Info     | a step went on", false),
            ("10:00:00   Info     | RkFLRQ==", false),
            (inside, true),
            ("-----END RSA PRIVATE KEY-----", false),
            (inside, false),
            ("-----BEGIN PRIVATE KEY-----RkFL-----END PRIVATE KEY-----", false),
            (inside, false),
            ("no PRIVATE KEY was found", false),
            (inside, false),
            ("10:00:00   Info     | Private-Lines: 2", false),
            (inside, true),
            ("RkFLRQ==", true),
            ("Private-MAC: fa4e0fa4e1fa4e2fa4e3fa4e4fa4e5fa4e6fa4e7", false),
        ] {
            assert_eq!(keys.hide(line.as_bytes()), hidden, "{line}");
        }
    }

    #[test]
    fn a_key_without_an_end_ends() {
        let mut keys = Keys::default();
        keys.hide(b"-----BEGIN PRIVATE KEY-----");
        assert!(!keys.are_absent(b"anything"));
        let hidden = (0..1_000).filter(|_| keys.hide(&[b'A'; 64])).count();
        assert!(hidden < LINES && keys.are_absent(b"anything"));
    }
}
