//! Describes how a change differs from the preview that was approved.

use std::collections::{HashMap, HashSet};

use super::preview::{ChangePreview, PreviewLine};
use crate::text::step_counter;

/// Returns one line for each preview line that differs from the approved preview. `approved` holds
/// the digests of all approved lines. `shown` holds the lines themselves, or nothing if they were
/// evicted.
pub(super) fn describe_drift(
    approved: &[[u8; 4]],
    shown: &[PreviewLine],
    preview: &ChangePreview,
) -> Vec<String> {
    if preview.is_too_large() {
        return vec![format!("the {} is now too large for a preview", preview.action)];
    }
    let mut shown_values: HashMap<&str, &str> = HashMap::new();
    for PreviewLine { label, value } in shown {
        step_counter::add(1);
        shown_values.entry(label).or_insert(value);
    }
    let approved: HashSet<&[u8; 4]> = approved.iter().collect();
    let mut current_labels: HashSet<&str> = HashSet::new();
    let mut lines = Vec::new();
    for line in &preview.lines {
        step_counter::add(1);
        let PreviewLine { label, value } = line;
        current_labels.insert(label);
        if !approved.contains(&line.digest()) {
            let was = shown_values.get(label.as_str()).map_or_else(
                || "differs from the approved preview".to_owned(),
                |was| format!("was shown as '{was}'"),
            );
            lines.push(format!("{label}: {was}, is now '{value}'"));
        }
    }
    for PreviewLine { label, value } in shown {
        step_counter::add(1);
        if !current_labels.contains(label.as_str()) {
            lines.push(format!("{label}: was '{value}', is no longer present"));
        }
    }
    if lines.is_empty() {
        lines.push(format!("the state that the {} depends on has changed", preview.action));
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::octopus::{ApiPath, ChangeRequest};

    fn preview(count: usize, value: &str) -> ChangePreview {
        let request = ChangeRequest::post(ApiPath::new(["x"]), json!({}));
        let empty = ChangePreview::new("test", "Do it?", request);
        (0..count).fold(empty, |preview, n| preview.line(&format!("F{n}"), value))
    }

    fn compare(before: &ChangePreview, now: &ChangePreview) -> Vec<String> {
        let approved: Vec<_> = before.lines.iter().map(PreviewLine::digest).collect();
        describe_drift(&approved, &before.lines, now)
    }

    #[test]
    fn compares_each_line_once() {
        let (before, now) = (preview(600, "a"), preview(600, "b"));
        let (lines, steps) = step_counter::count(|| compare(&before, &now));
        assert!(steps <= 3 * 600, "{steps}");
        assert_eq!(lines.len(), 600);
        assert_eq!(lines[7], "F7: was shown as 'a', is now 'b'");
    }

    #[test]
    fn describes_added_removed_and_hidden_changes() {
        let (two, three) = (preview(2, "a"), preview(3, "a"));
        assert_eq!(compare(&two, &three), ["F2: differs from the approved preview, is now 'a'"]);
        assert_eq!(compare(&three, &two), ["F2: was 'a', is no longer present"]);
        assert_eq!(compare(&two, &two), ["the state that the test depends on has changed"]);
        let lines = compare(&two, &preview(40_000, "a"));
        assert_eq!(lines, ["the test is now too large for a preview"]);
    }
}
