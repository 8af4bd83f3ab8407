//! `octopus-mcp tools`: lists the enabled tools.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Value, json};

use crate::{access::ToolAccess, tool::Catalog};

/// Minimum width of the column of titles. With less space, titles have lines of their own.
const MIN_TITLE_WIDTH: usize = 20;

/// Returns a table of the tools with one line for each.
///
/// If `width`, the number of columns of the terminal, is too small, titles are wrapped within their
/// column. Without a terminal, each tool has one line, for other programs.
pub(super) fn table(catalog: &Catalog, policy: &ToolAccess, width: Option<usize>) -> String {
    let heading = ["TOOLSET", "TOOL", "TIER", "SINCE", "TITLE"].map(str::to_owned);
    let rows = catalog.visible(policy).map(|entry| {
        let tool = entry.metadata;
        [
            entry.toolset.to_owned(),
            tool.name.to_owned(),
            tool.tier.name().to_owned(),
            tool.since.to_string(),
            tool.title.to_owned(),
        ]
    });
    format_rows(&std::iter::once(heading).chain(rows).collect::<Vec<_>>(), width)
}

fn format_rows(rows: &[[String; 5]], width: Option<usize>) -> String {
    let column = |cell: fn(&[String; 5]) -> &String| {
        rows.iter().map(|row| cell(row).chars().count()).max().unwrap_or(0)
    };
    let first = column(|[cell, ..]| cell);
    let second = column(|[_, cell, ..]| cell);
    let third = column(|[_, _, cell, ..]| cell);
    let fourth = column(|[.., cell, _]| cell);
    let start = first + second + third + fourth + 4 * 2;
    let (indent, own_line) = match width {
        Some(width) if width < start + MIN_TITLE_WIDTH => (4, true),
        _ => (start, false),
    };
    let title_width =
        width.map_or(usize::MAX, |width| width.saturating_sub(indent).max(MIN_TITLE_WIDTH));
    let mut text = String::new();
    for [toolset, tool, tier, since, title] in rows {
        let cells =
            format!("{toolset:<first$}  {tool:<second$}  {tier:<third$}  {since:<fourth$}  ");
        let title = wrap(title, title_width).join(&format!("\n{:indent$}", ""));
        let line = if own_line {
            format!("{}\n{:indent$}{title}", cells.trim_end(), "")
        } else {
            format!("{cells}{title}")
        };
        let _ = writeln!(text, "{line}");
    }
    text
}

/// Breaks text between words into lines of at most `width` characters. A longer word has its own
/// line.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line)
                if (line.chars().count() + 1).saturating_add(word.chars().count()) <= width =>
            {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Returns the number of columns of the terminal, or `None` if standard output is none.
pub(super) fn terminal_width() -> Option<usize> {
    #[cfg(unix)]
    {
        let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
        Some(usize::from(size.ws_col)).filter(|columns| *columns > 0)
    }
    #[cfg(not(unix))]
    None
}

/// Returns the tools grouped by the minimum Octopus version, oldest first.
pub(super) fn by_version(catalog: &Catalog, policy: &ToolAccess) -> String {
    let mut versions: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for entry in catalog.visible(policy) {
        let line = format!("- {} ({})", entry.metadata.name, entry.toolset);
        versions.entry(entry.metadata.since).or_default().push(line);
    }
    let total: usize = versions.values().map(Vec::len).sum();
    let newest = versions.keys().next_back().map(ToString::to_string).unwrap_or_default();
    let oldest = versions.keys().next().map(ToString::to_string).unwrap_or_default();
    let mut text = format!(
        "Octopus {oldest} is the oldest supported version; {newest} has all {total} tools.\n"
    );
    for (version, lines) in &versions {
        let _ = writeln!(text, "\nSince {version} ({}):\n{}", lines.len(), lines.join("\n"));
    }
    text
}

/// Returns a JSON array of the tools with their schemas.
pub(super) fn json(catalog: &Catalog, policy: &ToolAccess) -> String {
    let tools: Vec<Value> = catalog
        .visible(policy)
        .map(|entry| {
            json!({
                "toolset": entry.toolset,
                "tier": entry.metadata.tier.name(),
                "since": entry.metadata.since.to_string(),
                "tool": entry.listing(policy.pinned(), false),
            })
        })
        .collect();
    format!("{:#}\n", Value::from(tools))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Vec<[String; 5]> {
        [
            ["TOOLSET", "TOOL", "TIER", "SINCE", "TITLE"],
            ["core", "list_spaces", "read", "2021.1", "List the spaces of this instance"],
            ["projects", "get_project", "read", "2026.2.3916", "Get"],
        ]
        .map(|row| row.map(str::to_owned))
        .to_vec()
    }

    #[test]
    fn table_without_terminal_has_one_line_per_tool() {
        let text = format_rows(&rows(), None);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        let column = lines[0].find("TITLE");
        assert_eq!(lines[1].find("List the spaces of this instance"), column, "{text}");
        assert_eq!(lines[2].find("Get"), column, "{text}");
    }

    #[test]
    fn titles_wrap_within_their_column_of_a_terminal() {
        let text = format_rows(&rows(), Some(64));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert!(lines.iter().all(|line| line.len() <= 64), "{text}");
        assert_eq!(lines[2].find("this"), lines[0].find("TITLE"), "{text}");
    }

    #[test]
    fn titles_have_own_lines_in_a_narrow_terminal() {
        let text = format_rows(&rows(), Some(50));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 6, "{text}");
        assert_eq!(lines[3], "    List the spaces of this instance");
        assert!(lines.iter().all(|line| line.len() <= 50), "{text}");
    }
}
