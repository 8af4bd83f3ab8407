//! An Octopus in which everybody writes a secret and something invisible, wherever they can write.

use axum::{Router, body::Body, middleware::map_response, response::Response};
use octopus_sample::{Sample, keys};
use serde_json::Value;

/// A secret, of a kind that is known wherever it stands.
pub const SECRET: &str = "API-POISONPOISONPOISON0001";
/// A character that nobody sees: `U+2063`.
pub const UNSEEN: char = '\u{2063}';

/// Fields that Octopus itself writes, in a form of its own: people cannot write into them, and
/// looking things up goes by them. All others are written into.
const OCTOPUS_WRITES: &[&str] = &[
    "Id",
    "Slug",
    "Version",
    "State",
    "Status",
    "HealthStatus",
    "AccountType",
    "CommunicationStyle",
    "CanonicalName",
    "DefaultBranch",
    "Type",
];

/// This router, with poison in every text that it answers.
pub fn poisoned(router: Router) -> Router {
    router.layer(map_response(async |response: Response| {
        let (mut parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let body = match serde_json::from_str::<Value>(&text) {
            Ok(mut document) => {
                write(&mut document, "");
                document.to_string()
            }
            Err(_) => text.lines().map(|line| poison(line) + "\n").collect(),
        };
        parts.headers.remove("content-length");
        Response::from_parts(parts, Body::from(body))
    }))
}

fn poison(text: &str) -> String {
    format!("{text} {SECRET}{UNSEEN}")
}

fn write(value: &mut Value, field: &str) {
    let is_id = field.ends_with("Id") || field.ends_with("Ids");
    if field == "Links" || is_id || OCTOPUS_WRITES.contains(&field) {
        return;
    }
    match value {
        Value::String(text) if !is_of_octopus(text) => *text = poison(text),
        Value::Array(items) => items.iter_mut().for_each(|item| write(item, field)),
        Value::Object(object) => {
            // What is prompted for is filled in by its name.
            let is_kept = |name: &str| field == "Control" && name == "Name";
            let fields = object.iter_mut().filter(|(name, _)| !is_kept(name));
            fields.for_each(|(field, item)| write(item, field));
        }
        _ => {}
    }
}

/// Times, IDs and GUIDs.
fn is_of_octopus(text: &str) -> bool {
    let is_time = text.len() >= 19 && text.as_bytes()[10] == b'T' && text.starts_with("20");
    let is_id = text.rsplit_once('-').is_some_and(|(kind, number)| {
        kind.chars().all(char::is_alphabetic) && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    is_time || is_id || text.is_empty()
}

/// Whether there is any poison in this text, as it is or escaped.
pub fn is_poisoned(text: &str) -> bool {
    text.contains(SECRET) || text.contains(UNSEEN) || text.contains("\\u2063")
}

/// Names and their IDs: where names hold poison, nothing is found by them.
pub struct Ids(Vec<(String, String)>);

impl Ids {
    pub async fn of(sample: &Sample) -> Self {
        let octopus = crate::support::serve(sample.router());
        let http = crate::support::client();
        let mut ids = vec![("main".to_owned(), "refs/heads/main".to_owned())];
        for path in [
            "spaces",
            "Spaces-1/projects",
            "Spaces-1/environments",
            "Spaces-1/tenants",
            "Spaces-1/runbooks",
        ] {
            let url = format!("http://{}/api/{path}?take=1000", octopus.address);
            let request = http.get(url).header("x-octopus-apikey", keys::ADMIN);
            let page = crate::support::reply(request).await.json();
            for item in page["Items"].as_array().unwrap() {
                let id = item["Id"].as_str().unwrap();
                for name in [&item["Name"], &item["Slug"]].into_iter().filter_map(Value::as_str) {
                    ids.push((name.to_lowercase(), id.to_owned()));
                }
            }
        }
        Self(ids)
    }

    /// The same arguments, with IDs in place of names.
    pub fn replace(&self, value: &mut Value) {
        match value {
            Value::String(text) => {
                *text = text.replace("spaces/Default", "spaces/Spaces-1");
                let found = self.0.iter().find(|(name, _)| *name == text.to_lowercase());
                if let Some((_, id)) = found {
                    id.clone_into(text);
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.replace(item)),
            Value::Object(object) => object.values_mut().for_each(|item| self.replace(item)),
            _ => {}
        }
    }
}
