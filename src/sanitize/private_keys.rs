//! Detects the inner lines of private keys in text that is read line by line.
//!
//! The redaction rules recognise a private key by its first or last line. A line from the middle
//! has no such marker. So [`LineSanitizer`](super::line_sanitizer::LineSanitizer) tracks the start
//! of a key with this scanner.

use memchr::memmem;

/// State that decides whether the next lines belong to a private key.
#[derive(Debug, Default)]
pub(super) struct PrivateKeyScanner {
    /// Number of lines that may still belong to the key.
    lines_left: usize,
    /// Whether the previous line belonged to the key.
    is_inside: bool,
}

/// Maximum number of lines of a key.
const MAX_KEY_LINES: usize = 400;
/// Minimum length of a base64 run; words are shorter.
const MIN_BASE64_RUN: usize = 16;

impl PrivateKeyScanner {
    /// Returns whether a key has begun and not ended.
    pub(super) fn is_inside_key(&self) -> bool {
        self.lines_left > 0
    }

    /// Returns whether `lines` can be skipped because no key is open and none begins in them.
    pub(super) fn can_skip(&self, lines: &[u8]) -> bool {
        let has = |marker: &[u8]| memmem::find(lines, marker).is_some();
        self.lines_left == 0 && !has(b"PRIVATE KEY") && !has(PUTTY_LINE_COUNT)
    }

    /// Reads the next line and returns whether it is an inner line of a key.
    pub(super) fn next_is_key_line(&mut self, line: &[u8]) -> bool {
        let was_inside = std::mem::take(&mut self.is_inside);
        if let Some(position) = memmem::rfind(line, b"PRIVATE KEY") {
            let before = line.get(..position).unwrap_or_default();
            let begins = memmem::rfind(before, b"-----BEGIN");
            let ends = memmem::rfind(before, b"-----END");
            self.lines_left = if begins > ends { MAX_KEY_LINES } else { 0 };
            return false;
        }
        if let Some(lines) = putty_line_count(line) {
            self.lines_left = lines.min(MAX_KEY_LINES) + 1;
            return false;
        }
        self.lines_left = self.lines_left.saturating_sub(1);
        self.is_inside =
            self.lines_left > 0 && (has_base64_run(line) || (was_inside && is_base64_word(line)));
        self.is_inside
    }
}

/// Label in front of the number of lines of a `PuTTY` private key.
const PUTTY_LINE_COUNT: &[u8] = b"Private-Lines:";

fn putty_line_count(line: &[u8]) -> Option<usize> {
    let position = memmem::rfind(line, PUTTY_LINE_COUNT)?;
    let number = std::str::from_utf8(line.get(position + PUTTY_LINE_COUNT.len()..)?).ok()?;
    number.trim().parse().ok()
}

/// Returns whether the message of a log line is a single base64 word. The last line of a key is
/// often too short for [`MIN_BASE64_RUN`].
fn is_base64_word(line: &[u8]) -> bool {
    let text = line.rsplit(|byte| *byte == b'|').next().unwrap_or_default().trim_ascii();
    let is_filler = |byte: &&u8| **byte == b'=';
    let letters = text.len() - text.iter().rev().take_while(is_filler).count();
    letters > 0 && text.iter().take(letters).all(|byte| is_base64(*byte) && *byte != b'=')
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)
}

fn has_base64_run(line: &[u8]) -> bool {
    line.split(|byte| !is_base64(*byte)).any(|word| word.len() >= MIN_BASE64_RUN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detects_inner_lines_of_private_keys() {
        let mut keys = PrivateKeyScanner::default();
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
            assert_eq!(keys.next_is_key_line(line.as_bytes()), hidden, "{line}");
        }
    }

    #[test]
    fn unterminated_key_ends_at_the_maximum_length() {
        let mut keys = PrivateKeyScanner::default();
        keys.next_is_key_line(b"-----BEGIN PRIVATE KEY-----");
        assert!(!keys.can_skip(b"anything"));
        let hidden = (0..1_000).filter(|_| keys.next_is_key_line(&[b'A'; 64])).count();
        assert!(hidden < MAX_KEY_LINES && keys.can_skip(b"anything"));
    }
}
