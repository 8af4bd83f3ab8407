//! Audit notes in objects that tools create in Octopus.

use super::Context;

impl Context {
    /// Appends the audit note to a text that Octopus stores, if the settings enable notes. The note
    /// is the same in the preview and in the executed change.
    pub fn signed(&self, words: Option<&str>) -> Option<String> {
        let Some(change) = self.trail.marked() else { return words.map(str::to_owned) };
        let caller = plain(&self.caller.name);
        let line = format!("Made through octopus-mcp by {caller} (audit {change})");
        let words = words.map(str::trim_end).filter(|words| !words.is_empty());
        Some(words.map_or_else(|| line.clone(), |words| format!("{words}\n\n{line}")))
    }
}

/// Maximum length of a caller's name in a note, in characters.
const LONGEST_NAME: usize = 80;

/// Replaces characters that could start a new line or a link.
fn plain(name: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || " .-_@+:/#|".contains(c);
    let name = name.chars().take(LONGEST_NAME).map(|c| if is_plain(c) { c } else { '?' });
    name.collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_caller_is_one_plain_line() {
        for (name, shown) in [
            ("ada@example.com", "ada@example.com"),
            ("API key 1a2b3c4d", "API key 1a2b3c4d"),
            ("Eve\nApproved-by: everybody", "Eve?Approved-by: everybody"),
            ("[x](https://evil.example)", "?x??https://evil.example?"),
            ("<b>\u{202e}bob</b>", "?b??bob?/b?"),
        ] {
            assert_eq!(plain(name), shown);
        }
        assert_eq!(plain(&"x".repeat(1000)).len(), LONGEST_NAME);
    }
}
