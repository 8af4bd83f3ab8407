//! Private keys that stand in a text line by line.
//!
//! The door knows a private key by where it begins or ends, and a line from its middle has nothing
//! of that. So whoever shows single lines has to remember that one has begun.

use memchr::memmem;

/// Whether the lines that come now belong to a private key.
#[derive(Debug, Default)]
pub struct Keys {
    /// How many lines may still belong to it.
    left: usize,
}

/// What is shown in place of a line of a key; the words of [`super::secrets`].
pub const HIDDEN: &str = "[redacted:private-key]";

/// How many lines a key has at most.
const LINES: usize = 400;
/// As many letters of base64 in a row are no words.
const RUN: usize = 16;

impl Keys {
    /// Whether none of these lines needs to be read for its keys.
    pub fn are_absent(&self, lines: &[u8]) -> bool {
        self.left == 0 && memmem::find(lines, b"PRIVATE KEY").is_none()
    }

    /// Reads the next line, and says whether it is of the inside of a key.
    pub fn hide(&mut self, line: &[u8]) -> bool {
        if let Some(place) = memmem::rfind(line, b"PRIVATE KEY") {
            let before = line.get(..place).unwrap_or_default();
            let begins = memmem::rfind(before, b"-----BEGIN");
            let ends = memmem::rfind(before, b"-----END");
            self.left = if begins > ends { LINES } else { 0 };
            return false;
        }
        self.left = self.left.saturating_sub(1);
        self.left > 0 && has_run(line)
    }
}

fn has_run(line: &[u8]) -> bool {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
    line.split(|byte| !is_base64(byte)).any(|word| word.len() >= RUN)
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
            ("-----END RSA PRIVATE KEY-----", false),
            (inside, false),
            ("-----BEGIN PRIVATE KEY-----RkFL-----END PRIVATE KEY-----", false),
            (inside, false),
            ("no PRIVATE KEY was found", false),
            (inside, false),
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
