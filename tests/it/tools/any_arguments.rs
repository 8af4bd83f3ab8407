//! Arbitrary arguments: every tool returns an answer or a short error.

use octopus_sample::keys;
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde_json::{Value, json};

use super::{arguments::sample_calls, checked_server::CAP};
use crate::support::{Era, TestServer};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "(?s).{0,30}".prop_map(Value::from),
        "[A-Za-z]{0,3000}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec(("(?s).{0,9}", inner), 0..4).prop_map(Value::from_iter),
        ]
    })
}

#[tokio::test]
async fn arbitrary_arguments_get_an_answer_or_short_error() {
    let server = TestServer::start().await;
    let mut runner = TestRunner::deterministic();
    let extra = ["take", "skip", "maxBytes", "spaceId", "project", "x"];
    for (tool, valid) in sample_calls() {
        let names = valid.as_object().unwrap().keys().map(String::as_str).chain(extra);
        let names: Vec<String> = names.map(str::to_owned).collect();
        let changes = prop::collection::vec((prop::sample::select(names), any_json()), 1..4);
        for _ in 0..4 {
            let mut arguments = valid.clone();
            for (name, value) in changes.new_tree(&mut runner).unwrap().current() {
                arguments[name] = value;
            }
            let called = server.call_in(Era::Legacy, keys::ADMIN, tool, arguments.clone()).await;
            let limit = if called.is_error { 8 * 1024 } else { CAP };
            let size = called.text.len();
            assert!((1..=limit).contains(&size), "{tool} {arguments}: {size} bytes");
        }
    }
    assert_eq!(server.call_ok("list_spaces", json!({})).await["skip"], 0);
}
