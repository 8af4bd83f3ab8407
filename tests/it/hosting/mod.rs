//! The worked example of `docs/hosting.md`: `config/hosting.toml` with a test issuer. The tests
//! replace only URLs, keys and token hashes.

mod explanations;
mod fixture;
mod rejections;

use std::fs;

use explanations::render_explanations;
use rejections::render_rejections;
use serde_json::json;

use crate::{
    docs::{ensure_current, root},
    support::Reply,
};

const SETTINGS_FILE: &str = "config/hosting.toml";
const TUESDAY: &str = "2026-11-24T10:00:00Z";
/// 17:30 in Berlin.
const FRIDAY_EVENING: &str = "2026-11-27T16:30:00Z";
const AUDIENCE: &str = "https://mcp.example.com";

/// Returns a field of a structured result as compact JSON, with values that change between runs
/// replaced.
fn result_field(reply: &Reply, pointer: &str) -> String {
    let json = reply.json();
    let value = json["result"]["structuredContent"].pointer(pointer);
    let mut value = value.unwrap_or_else(|| panic!("no {pointer} in {json}")).clone();
    if value["knownBy"] == "oauth" {
        value["issuer"] = json!("https://login.example.com");
        value["expires"] = json!("...");
    }
    value.to_string()
}

#[tokio::test]
async fn hosting_page_shows_actual_rejections_and_explanations() {
    const BEGINS: [&str; 2] = ["<!-- refusals -->\n", "<!-- explanations -->\n"];
    const END: &str = "<!-- end -->\n";
    let mut page = fs::read_to_string(root().join("docs/hosting.md")).unwrap();
    for (begin, text) in BEGINS
        .into_iter()
        .zip([Box::pin(render_rejections()).await, Box::pin(render_explanations()).await])
    {
        let from = page.find(begin).unwrap() + begin.len();
        let to = from + page[from..].find(END).unwrap();
        page.replace_range(from..to, &format!("\n{text}"));
    }
    ensure_current("docs/hosting.md", &page);
}
