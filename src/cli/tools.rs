//! `octopus-mcp tools`: lists the enabled tools.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::{Value, json};

use crate::tool::{Catalog, Policy};

/// Returns one line for each tool: toolset, name, tier, minimum Octopus version and title.
pub(super) fn table(catalog: &Catalog, policy: &Policy) -> String {
    let mut text = String::new();
    let width = catalog.shown(policy).map(|entry| entry.definition.name.len()).max().unwrap_or(0);
    for entry in catalog.shown(policy) {
        let tool = entry.definition;
        let _ = writeln!(
            text,
            "{:<12}{:<width$}  {:<7}since {:<12}{}",
            entry.toolset,
            tool.name,
            tool.tier.name(),
            tool.since.to_string(),
            tool.title
        );
    }
    text
}

/// Returns the tools grouped by the minimum Octopus version, oldest first.
pub(super) fn by_version(catalog: &Catalog, policy: &Policy) -> String {
    let mut versions: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for entry in catalog.shown(policy) {
        let line = format!("- {} ({})", entry.definition.name, entry.toolset);
        versions.entry(entry.definition.since).or_default().push(line);
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
pub(super) fn json(catalog: &Catalog, policy: &Policy) -> String {
    let tools: Vec<Value> = catalog
        .shown(policy)
        .map(|entry| {
            json!({
                "toolset": entry.toolset,
                "tier": entry.definition.tier.name(),
                "since": entry.definition.since.to_string(),
                "tool": entry.listed(policy.fixed(), false),
            })
        })
        .collect();
    format!("{:#}\n", Value::from(tools))
}
