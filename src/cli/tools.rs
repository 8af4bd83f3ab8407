//! `octopus-mcp tools`: lists the enabled tools.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Value, json};

use crate::{access::ToolAccess, tool::Catalog};

/// Returns a table with one line for each tool.
pub(super) fn table(catalog: &Catalog, policy: &ToolAccess) -> String {
    let heading = ["TOOLSET", "TOOL", "TIER", "SINCE", "TITLE"].map(str::to_owned);
    let rows: Vec<[String; 5]> = std::iter::once(heading)
        .chain(catalog.visible(policy).map(|entry| {
            let tool = entry.metadata;
            [
                entry.toolset.to_owned(),
                tool.name.to_owned(),
                tool.tier.name().to_owned(),
                tool.since.to_string(),
                tool.title.to_owned(),
            ]
        }))
        .collect();
    let width = |cell: fn(&[String; 5]) -> &String| {
        rows.iter().map(|row| cell(row).len()).max().unwrap_or(0)
    };
    let first = width(|[cell, ..]| cell);
    let second = width(|[_, cell, ..]| cell);
    let third = width(|[_, _, cell, ..]| cell);
    let fourth = width(|[.., cell, _]| cell);
    let mut text = String::new();
    for [toolset, tool, tier, since, title] in &rows {
        let _ = writeln!(
            text,
            "{toolset:<first$}  {tool:<second$}  {tier:<third$}  {since:<fourth$}  {title}"
        );
    }
    text
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
