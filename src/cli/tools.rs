//! `octopus-mcp tools`.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::tool::{Catalog, Policy, Tier};

/// The tools as lines: toolset, name, what it does to Octopus, since when, what it is.
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
            tier(tool.tier),
            tool.since.to_string(),
            tool.title
        );
    }
    text
}

/// The tools as one JSON document, with their schemas.
pub(super) fn json(catalog: &Catalog, policy: &Policy) -> String {
    let tools: Vec<Value> = catalog
        .shown(policy)
        .map(|entry| {
            json!({
                "toolset": entry.toolset,
                "tier": tier(entry.definition.tier),
                "since": entry.definition.since.to_string(),
                "tool": entry.model,
            })
        })
        .collect();
    format!("{:#}\n", Value::from(tools))
}

fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::Read => "read",
        Tier::Write => "write",
        Tier::Delete => "delete",
    }
}
