//! Sample instance that adds a secret and an invisible character to every text that users can
//! write.

use axum::{Router, body::Body, middleware::map_response, response::Response};
use octopus_sample::{Sample, keys};
use serde_json::Value;

/// A secret that is recognised in any context.
pub const SECRET: &str = "API-POISONPOISONPOISON0001";
/// An invisible character (`U+2063`).
pub const INVISIBLE: char = '\u{2063}';

/// Fields that Octopus generates and users cannot write. Lookups depend on them, so they are not
/// poisoned.
const GENERATED_FIELDS: &[&str] = &[
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

/// Adds poison to every text in the responses of a router.
pub fn poison_responses(router: Router) -> Router {
    router.layer(map_response(async |response: Response| {
        let (mut parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let body = match serde_json::from_str::<Value>(&text) {
            Ok(mut document) => {
                poison_value(&mut document, "");
                document.to_string()
            }
            Err(_) => text.lines().map(|line| append_poison(line) + "\n").collect(),
        };
        parts.headers.remove("content-length");
        Response::from_parts(parts, Body::from(body))
    }))
}

fn append_poison(text: &str) -> String {
    format!("{text} {SECRET}{INVISIBLE}")
}

fn poison_value(value: &mut Value, field: &str) {
    let is_id = field.ends_with("Id") || field.ends_with("Ids");
    if field == "Links" || is_id || GENERATED_FIELDS.contains(&field) {
        return;
    }
    match value {
        Value::String(text) if !is_generated(text) => *text = append_poison(text),
        Value::Array(items) => items.iter_mut().for_each(|item| poison_value(item, field)),
        Value::Object(object) => {
            // Values of prompted variables are given by the name of the control.
            let is_kept = |name: &str| field == "Control" && name == "Name";
            let fields = object.iter_mut().filter(|(name, _)| !is_kept(name));
            fields.for_each(|(field, item)| poison_value(item, field));
        }
        _ => {}
    }
}

/// Returns whether a text is empty, a time or an ID.
fn is_generated(text: &str) -> bool {
    let is_time = text.len() >= 19 && text.as_bytes()[10] == b'T' && text.starts_with("20");
    let is_id = text.rsplit_once('-').is_some_and(|(kind, number)| {
        kind.chars().all(char::is_alphabetic) && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    is_time || is_id || text.is_empty()
}

/// Returns whether a text contains poison, also in escaped form.
pub fn is_poisoned(text: &str) -> bool {
    text.contains(SECRET) || text.contains(INVISIBLE) || text.contains("\\u2063")
}

/// Names with their IDs. Lookups by name fail on a poisoned instance.
pub struct NameToId(Vec<(String, String)>);

impl NameToId {
    pub async fn load(sample: &Sample) -> Self {
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
            let page = crate::support::send(request).await.json();
            for item in page["Items"].as_array().unwrap() {
                let id = item["Id"].as_str().unwrap();
                for name in [&item["Name"], &item["Slug"]].into_iter().filter_map(Value::as_str) {
                    ids.push((name.to_lowercase(), id.to_owned()));
                }
            }
        }
        Self(ids)
    }

    /// Replaces names in arguments with IDs.
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
