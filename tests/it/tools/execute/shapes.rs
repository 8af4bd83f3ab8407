//! Answers of hostile shapes come within their size, and have what the output schema requires.

use octopus_sample::Fault;
use serde_json::{Map, Value, json};

use super::{super::held::Held, get};
use crate::support::TestServer;

/// Names that differ in invisible characters alone.
fn colliding(count: usize) -> Map<String, Value> {
    let bit = |set: bool| if set { '\u{200c}' } else { '\u{200b}' };
    let name = |n: usize| (0..14).map(|place| bit(n >> place & 1 == 1)).collect::<String>();
    (0..count).map(|n| (format!("x{}", name(n)), json!(n))).collect()
}

/// Answers that are far larger than any call may get, each in another way.
fn shapes() -> Vec<(&'static str, Value)> {
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
        ("colliding names", Value::Object(colliding(2000))),
        ("numbers", (0..20_000).collect()),
        ("deep", (0..10).map(|_| deep.clone()).collect()),
        ("tree", json!({ "tree": vec![tree; 20] })),
        ("page", json!({ "Items": texts(2000).collect::<Vec<_>>(), "TotalResults": 2000 })),
        ("one text", json!({ "Notes": "\u{e9}\"\n".repeat(20_000) })),
    ]
}

#[tokio::test]
async fn every_shape_is_bounded_and_valid() {
    let server = Held::start().await;
    for (place, (name, shape)) in shapes().into_iter().enumerate() {
        let path = format!("/environments/Environments-{}", 70 + place);
        server.says(&path, &shape);
        for limit in [1024, 20 * 1024] {
            let mut arguments = get(&format!("/api/Spaces-1{path}"));
            arguments["maxBytes"] = json!(limit);
            // The size and the schema are checked there.
            let answer = server.answer_once("execute", arguments).await;
            let size = answer.to_string().len();
            assert!(size > limit / 8, "{name}: {size} of {limit} bytes");
            // What is left after the names are sanitized can fit; the rest was never kept then.
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
async fn names_that_become_equal_get_numbers() {
    let server = Held::start().await;
    server.says("/environments/Environments-77", &json!(colliding(5)));
    let answer = server.answer("execute", get("/api/Spaces-1/environments/Environments-77")).await;
    let shown = json!({ "x": 0, "x_": 1, "x_3": 2, "x_4": 3, "x_5": 4 });
    assert_eq!(answer["response"], shown);
}

#[tokio::test]
async fn an_error_repeats_a_part_of_a_long_text_only() {
    let server = TestServer::start().await;
    let said = server.failure("list_projects", json!({ "x".repeat(100_000): 1 })).await;
    assert!(said.len() < 1000 && said.contains("takes no argument `xxxx"), "{said}");
    let message = json!({ "ErrorMessage": "no ".repeat(100_000), "Errors": [] }).to_string();
    server
        .sample
        .faults()
        .add(Fault::on("/environments/Environments-77").status(400).body(&message));
    let said = server.failure("execute", get("/api/Spaces-1/environments/Environments-77")).await;
    assert!(said.len() <= 8 * 1024, "{}", said.len());
}
