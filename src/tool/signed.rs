//! The line in what is made that leads from there to the record.

use super::Context;

impl Context {
    /// Words that go into what is made, with the line that leads from there to the record, where
    /// the settings want one. It is the same from the question to the end.
    pub fn signed(&self, words: Option<&str>) -> Option<String> {
        let Some(change) = self.trail.marked() else { return words.map(str::to_owned) };
        let caller = plain(&self.caller.name);
        let line = format!("Made through octopus-mcp by {caller} (audit {change})");
        let words = words.map(str::trim_end).filter(|words| !words.is_empty());
        Some(words.map_or_else(|| line.clone(), |words| format!("{words}\n\n{line}")))
    }
}

/// How long the name of a caller can be in what is made.
const LONGEST_NAME: usize = 80;

/// A name without what could be more than a name: a line of its own, or a link.
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
