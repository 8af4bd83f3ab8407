//! Audit notes in objects that tools create in Octopus.

use crate::tool::Context;

impl Context {
    /// Appends the audit note to a text that Octopus stores, if the settings enable notes. The note
    /// is the same in the preview and in the executed change.
    pub fn with_audit_note(&self, text: Option<&str>) -> Option<String> {
        let Some(change) = self.audit.change_mark() else { return text.map(str::to_owned) };
        let caller = single_line_name(&self.caller.name);
        let line = format!("Made through octopus-mcp by {caller} (audit {change})");
        let text = text.map(str::trim_end).filter(|text| !text.is_empty());
        Some(text.map_or_else(|| line.clone(), |text| format!("{text}\n\n{line}")))
    }
}

/// Maximum length of a caller's name in a note, in characters.
const MAX_CALLER_NAME: usize = 80;

/// Replaces characters that could start a new line or a link.
fn single_line_name(name: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || " .-_@+:/#|".contains(c);
    let name = name.chars().take(MAX_CALLER_NAME).map(|c| if is_plain(c) { c } else { '?' });
    name.collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caller_name_is_a_single_plain_line() {
        for (name, shown) in [
            ("ada@example.com", "ada@example.com"),
            ("API key 1a2b3c4d", "API key 1a2b3c4d"),
            ("Eve\nApproved-by: everybody", "Eve?Approved-by: everybody"),
            ("[x](https://evil.example)", "?x??https://evil.example?"),
            ("<b>\u{202e}bob</b>", "?b??bob?/b?"),
        ] {
            assert_eq!(single_line_name(name), shown);
        }
        assert_eq!(single_line_name(&"x".repeat(1000)).len(), MAX_CALLER_NAME);
    }
}
