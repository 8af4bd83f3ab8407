//! Task logs that are expensive to split, sanitize or search.

use bytes::Bytes;

/// Returns the logs with their names, each of about `size` bytes.
pub fn all(size: usize) -> Vec<(&'static str, Bytes)> {
    let repeated = |line: &str| Bytes::from(line.repeat(size / line.len()));
    vec![
        ("log of one line", repeated("abcdefgh")),
        ("log of letters, one line", Bytes::from(vec![b'a'; size])),
        (
            "log of ordinary lines",
            repeated("21:22:41   Info     |       Copying site/index.html\n"),
        ),
        ("log of secrets", repeated("21:22:41   Info     |       password=hunter2hunter2\n")),
        ("log of a name and a value below", repeated("DB_PASSWORD:\nhunter2hunter2\n")),
        (
            "log of begun private keys",
            repeated("-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQ\n"),
        ),
        ("log of escape sequences", repeated("\u{1b}[31m\u{1b}]8;;\u{1b}[")),
        ("log of line breaks", repeated("\n")),
        ("log of no UTF-8", Bytes::from([0xff, 0xc3, b'\n'].repeat(size / 3))),
        ("log of quotes", repeated("\"'\\=:;,{}[]()<>%3D%22 ")),
    ]
}

/// Patterns that are as costly as the limits permit, or are rejected.
pub const PATTERNS: &[&str] = &[
    "[a-z0-9][\\t-~]{9000}[^\\t-~]",
    "[a-z0-9][\\t-~]{900}[^\\t-~]",
    "[a-z][\\t-~]{90}[^\\t-~]",
    "(a|ab|abc|abcd|abcde|abcdef)*[^a-h]",
    "(?i)(\\w{1,20} ){5}z",
    "(a*)*b",
    "\\pL{40}[^\\pL]",
    "x*x*x*x*x*x*x*x*y",
    "(.*)(.*)(.*)(.*)(.*)[^\\x00-\\x7f]",
    "[ab][a-h]{60}\\d",
    "(?:password|secret|token|key).{0,40}[=:].{0,40}$",
    "^(.+)+$",
];
