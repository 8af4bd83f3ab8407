//! Pagination of `resources/list`: each page is bounded, and all pages together list every space
//! once.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    Json, Router,
    extract::{Query, Request},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
};
use octopus_mcp::config::Config;
use octopus_sample::{Fault, Sample, keys};
use serde_json::{Value, json};

use crate::{
    policy::set_rules,
    support::{ERAS, Era, TestServer},
};

const SPACES: usize = 2_050;
/// Maximum bytes of a page of spaces with short names.
const MAX_PAGE_BYTES: usize = 64 * 1024;

/// Number of requests that Octopus received.
type Count = Arc<AtomicUsize>;

/// Returns a sample instance with many spaces, which supports paging or ignores it.
fn octopus(is_paged: bool, count: Count) -> (Sample, Router) {
    let sample = Sample::new();
    let layer = from_fn(move |request: Request, next: Next| {
        count.fetch_add(1, Ordering::Relaxed);
        spaces(is_paged, request, next)
    });
    let router = sample.router().layer(layer);
    (sample, router)
}

async fn spaces(is_paged: bool, request: Request, next: Next) -> Response {
    if request.uri().path() != "/api/spaces" {
        return next.run(request).await;
    }
    let query = Query::<HashMap<String, String>>::try_from_uri(request.uri()).unwrap();
    let number = |name: &str| query.get(name).and_then(|text| text.parse().ok());
    let (skip, take) = match (number("skip"), number("take")) {
        (Some(skip), Some(take)) if is_paged => (skip, take),
        _ => (0, SPACES),
    };
    let space = |n: usize| json!({ "Id": format!("Spaces-{n}"), "Name": format!("Space {n}") });
    let items: Vec<Value> = (1..=SPACES).skip(skip).take(take).map(space).collect();
    Json(json!({ "Items": items, "TotalResults": SPACES })).into_response()
}

async fn server(is_paged: bool, change: impl FnOnce(&mut Config)) -> (TestServer, Count) {
    let count = Count::default();
    let (sample, router) = octopus(is_paged, Arc::clone(&count));
    (TestServer::with_router(sample, router, change).await, count)
}

/// Follows the cursors to the end and returns the space names in order.
async fn pages((server, request_count): &(TestServer, Count), era: Era) -> Vec<String> {
    let (mut names, mut params, mut count) = (Vec::new(), json!({}), 0);
    loop {
        let before = request_count.load(Ordering::Relaxed);
        let reply = server.rpc(era, "resources/list", params).await;
        let page = reply.json()["result"].clone();
        assert!(reply.text.len() < MAX_PAGE_BYTES, "{} bytes", reply.text.len());
        assert!(
            request_count.load(Ordering::Relaxed) - before <= 2,
            "at most two upstream requests per page"
        );
        let listed = page["resources"].as_array().unwrap();
        assert!(listed.len() <= 120, "{} resources", listed.len());
        let spaces = listed.iter().filter_map(|resource| resource["title"].as_str());
        let spaces = spaces.filter_map(|title| title.strip_prefix("Space Space "));
        names.extend(spaces.map(str::to_owned));
        assert_eq!(
            listed.iter().any(|one| one["name"] == "catalog-llms-txt"),
            count == 0,
            "{page}"
        );
        count += 1;
        assert!(count <= SPACES / 100 + 1, "the number of pages is bounded");
        match page["nextCursor"].as_str() {
            Some(cursor) => params = json!({ "cursor": cursor }),
            None => return names,
        }
    }
}

#[tokio::test]
async fn pages_are_bounded_and_list_every_space_once() {
    let all: Vec<String> = (1..=SPACES).map(|number| number.to_string()).collect();
    for is_paged in [true, false] {
        let server = server(is_paged, |_| {}).await;
        for era in ERAS {
            assert_eq!(pages(&server, era).await, all, "{era:?}, paged: {is_paged}");
        }
    }
}

#[tokio::test]
async fn hidden_spaces_are_on_no_page() {
    let denied = json!([{ "name": "secret", "effect": "deny", "tiers": ["read"],
        "spaces": ["Space 5", "Space 15*"] }]);
    let server = server(true, |config| set_rules(config, &denied)).await;
    let names = pages(&server, Era::Modern).await;
    let is_hidden = |name: &String| name == "5" || name.starts_with("15");
    let all = (1..=SPACES).map(|number| number.to_string());
    let rest: Vec<String> = all.filter(|name| !is_hidden(name)).collect();
    assert_eq!(names, rest);
}

#[tokio::test]
async fn rejects_forged_cursors() {
    let (server, request_count) = server(true, |_| {}).await;
    let first = server.rpc(Era::Modern, "resources/list", json!({})).await.json();
    let next = first["result"]["nextCursor"].as_str().unwrap().to_owned();
    let before = request_count.load(Ordering::Relaxed);
    for wrong in ["", "x", "100", &format!("{next}A"), &next[1..], "YWZ0ZXI6LTEwMA"] {
        for era in ERAS {
            let reply = server.rpc(era, "resources/list", json!({ "cursor": wrong })).await;
            assert_eq!(reply.error_code(), -32602, "{wrong}: {}", reply.text);
            assert!(reply.text.contains("expected the `nextCursor`"), "{}", reply.text);
        }
    }
    assert_eq!(
        request_count.load(Ordering::Relaxed),
        before,
        "an invalid cursor sends no upstream request"
    );
    // An unreadable page is an error, because the list would otherwise look complete.
    let params = json!({ "cursor": next });
    let spaceless = TestServer::start().await;
    spaceless.sample.faults().add(Fault::on("/api/spaces").status(500));
    let reply = spaceless.rpc_as(Era::Modern, keys::ADMIN, "resources/list", params).await;
    assert_eq!(reply.error_code(), -32603, "{}", reply.text);
}
