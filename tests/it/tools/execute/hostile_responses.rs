//! Responses of hostile shapes stay within the size limit and satisfy the output schema.

use octopus_sample::Fault;
use serde_json::{Map, Value, json};

use super::{super::checked_server::CheckedServer, get};
use crate::support::TestServer;

/// Returns keys that differ only in invisible characters.
fn colliding_keys(count: usize) -> Map<String, Value> {
    let bit = |set: bool| if set { '\u{200c}' } else { '\u{200b}' };
    let name = |n: usize| (0..14).map(|index| bit(n >> index & 1 == 1)).collect::<String>();
    (0..count).map(|n| (format!("x{}", name(n)), json!(n))).collect()
}

/// Returns responses that are far larger than any answer, each for another reason.
fn hostile_values() -> Vec<(&'static str, Value)> {
    let texts = |count: usize| (0..count).map(|n| format!("{n} {}", "x".repeat(300)));
    let entries = (0..6000).map(|n| (format!("key{n}"), json!("x".repeat(100)))).collect();
    let names = (0..100).map(|n| (format!("{n}{}", "k".repeat(300)), json!(n))).collect();
    let deep =
        (0..55).fold(json!("core"), |inner, n| json!({ "a": inner, "b": "y".repeat(n * 20) }));
    let tree = (0..10).fold(json!("leaf"), |inner, _| json!([inner, inner]));
    vec![
        ("texts", texts(2000).map(Value::from).collect()),
        ("entries", Value::Object(entries)),
        ("long names", Value::Object(names)),
        ("colliding names", Value::Object(colliding_keys(2000))),
        ("numbers", (0..20_000).collect()),
        ("deep", (0..10).map(|_| deep.clone()).collect()),
        ("tree", json!({ "tree": vec![tree; 20] })),
        ("page", json!({ "Items": texts(2000).collect::<Vec<_>>(), "TotalResults": 2000 })),
        ("one text", json!({ "Notes": "\u{e9}\"\n".repeat(20_000) })),
    ]
}

#[tokio::test]
async fn hostile_responses_are_bounded_and_valid() {
    let server = CheckedServer::start().await;
    for (index, (name, shape)) in hostile_values().into_iter().enumerate() {
        let path = format!("/environments/Environments-{}", 70 + index);
        server.mock_response(&path, &shape);
        for limit in [1024, 20 * 1024] {
            let mut arguments = get(&format!("/api/Spaces-1{path}"));
            arguments["maxBytes"] = json!(limit);
            // `CheckedServer` checks the size and the schema.
            let answer = server.call_ok_once("execute", arguments).await;
            let size = answer.to_string().len();
            assert!(size > limit / 8, "{name}: {size} of {limit} bytes");
            // If all retained fields fit after sanitizing, `omitted` is the number of dropped
            // fields.
            match answer["truncated"]["how"].as_str() {
                Some(how) => {
                    assert!(how.contains("maxBytes") || how.contains("skip"), "{name}: {how}");
                }
                None => assert!(answer["omitted"]["fields"].as_u64() > Some(0), "{name}: {answer}"),
            }
        }
    }
}

#[tokio::test]
async fn numbers_keys_that_collide_after_sanitizing() {
    let server = CheckedServer::start().await;
    server.mock_response("/environments/Environments-77", &json!(colliding_keys(5)));
    let answer = server.call_ok("execute", get("/api/Spaces-1/environments/Environments-77")).await;
    let shown = json!({ "x": 0, "x_": 1, "x_3": 2, "x_4": 3, "x_5": 4 });
    assert_eq!(answer["response"], shown);
}

#[tokio::test]
async fn errors_quote_only_part_of_long_texts() {
    let server = TestServer::start().await;
    let error = server.call_error("list_projects", json!({ "x".repeat(100_000): 1 })).await;
    assert!(error.len() < 1000 && error.contains("unknown argument `xxxx"), "{error}");
    let message = json!({ "ErrorMessage": "no ".repeat(100_000), "Errors": [] }).to_string();
    server
        .sample
        .faults()
        .add(Fault::on("/environments/Environments-77").status(400).body(&message));
    let error =
        server.call_error("execute", get("/api/Spaces-1/environments/Environments-77")).await;
    assert!(error.len() <= 8 * 1024, "{}", error.len());
}
