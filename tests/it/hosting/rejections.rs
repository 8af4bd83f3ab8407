//! Rejected requests of the example, as `docs/hosting.md` shows them.

use std::fmt::Write as _;

use octopus_sample::keys;
use serde_json::{Value, json};

use super::{FRIDAY_EVENING, TUESDAY, fixture::HostingFixture, result_field};
use crate::{
    auth::test_issuer::now,
    support::{Era, Reply},
};

fn deploy_arguments(environment: &str) -> Value {
    json!({
        "space": "Default", "projectName": "Parcel Tracking API", "releaseVersion": "1.11.7",
        "environmentNames": [environment],
    })
}

/// A rejected request and its response.
struct Rejection {
    title: &'static str,
    reply: Reply,
}

impl Rejection {
    /// Returns the message of the JSON-RPC error, tool error or preview.
    fn message(&self) -> String {
        let json = self.reply.json();
        let content = &json["result"]["structuredContent"];
        if let Some(preview) = content["preview"].as_str() {
            // The audit ID changes between runs.
            let (before, rest) = preview.split_once("Audit ID: ").unwrap();
            let rest = rest.trim_start_matches(|c: char| c.is_ascii_hexdigit() || c == '-');
            let message = content["message"].as_str().unwrap();
            return format!("{before}Audit ID: ...{rest}\n\n{message}");
        }
        let text = json["error"]["message"].as_str();
        let text = text.or_else(|| json["result"]["content"][0]["text"].as_str());
        text.unwrap_or_else(|| panic!("{}: {}", self.title, self.reply.text)).to_owned()
    }

    fn to_markdown(&self) -> String {
        let json = self.reply.json();
        let form = if json["error"].is_object() {
            format!("JSON-RPC error {}", json["error"]["code"])
        } else {
            assert_eq!(json["result"]["isError"], true, "{}: {json}", self.title);
            "a tool result with `isError`".to_owned()
        };
        let mut shown = format!("**{}.** HTTP {}, {form}", self.title, self.reply.status);
        for name in ["www-authenticate", "retry-after", "x-ratelimit-limit"] {
            let value = self.reply.header(name);
            if !value.is_empty() {
                let _ = write!(shown, "; `{name}: {value}`");
            }
        }
        let message = self.message().replace('\n', "\n> ");
        let _ = write!(shown, "\n\n> {message}\n\n");
        shown
    }
}

pub async fn render_rejections() -> String {
    let company = Box::pin(HostingFixture::start_at(TUESDAY)).await;
    let mut found = Vec::new();
    let mut add = |title, reply| found.push(Rejection { title, reply });
    let spaces = json!({});

    add("No token", company.request("", &[], "tools/list", json!({})).await);
    let expired = company.person_token(&["engineers"], &json!({ "exp": now() - 600 }));
    add("Expired token", company.call("", &expired, "list_spaces", &spaces).await);
    let other =
        company.person_token(&["engineers"], &json!({ "aud": "https://other.example.com" }));
    add("Token for another server", company.call("", &other, "list_spaces", &spaces).await);
    let unknown = format!("omcp_{}", "0".repeat(64));
    add("Unknown server token", company.call("", &unknown, "list_spaces", &spaces).await);
    let unauthorized = company.person_token(&["marketing"], &json!({}));
    add(
        "User without an authorized group",
        company.call("", &unauthorized, "list_spaces", &spaces).await,
    );
    let reader = company.person_token(&["engineers"], &json!({ "scope": "octopus:read" }));
    let release = deploy_arguments("Staging");
    add(
        "Change with a read-only token",
        company.call("", &reader, "deploy_release", &release).await,
    );
    let guest = company.person_token(&["guests"], &json!({ "scope": "octopus:read" }));
    add(
        "User whose groups have no key for `europe`",
        company.call("", &guest, "list_spaces", &spaces).await,
    );
    let engineer = company.engineer_token();
    add("Unknown instance", company.call("/i/asia", &engineer, "list_spaces", &spaces).await);
    add(
        "Instance that the token does not cover",
        company.call("/i/lab", &company.night_agent_token, "list_spaces", &spaces).await,
    );
    let both =
        [("authorization", &*format!("Bearer {engineer}")), ("x-octopus-apikey", keys::ADMIN)];
    let params = json!({ "name": "list_spaces", "arguments": {} });
    let own_key = company.server.rpc_at("", &both, Era::Legacy, "tools/call", params).await;
    add("Own API key where the key of a group is used", own_key);
    add(
        "Unknown space",
        company.call("/i/europe/nowhere", &engineer, "list_environments", &spaces).await,
    );
    add(
        "Change on a read-only instance",
        company.call("/i/lab", &company.engineer_token(), "deploy_release", &release).await,
    );
    add(
        "Change by an agent with read access",
        company.call("", &company.notes_agent_token, "deploy_release", &release).await,
    );
    let production = deploy_arguments("Production");
    add(
        "Deployment to production by an agent",
        company.call("", &company.night_agent_token, "deploy_release", &production).await,
    );
    let manager = company.release_manager_token();
    let preview = company.call("", &manager, "deploy_release", &production).await;
    let code = result_field(&preview, "/confirm").trim_matches('"').to_owned();
    add("Deployment to production without approval", preview);
    let mut wrong = production.clone();
    wrong["confirm"] = json!(format!("{code} production-like"));
    add(
        "Approval with a wrong confirmation word",
        company.call("", &manager, "deploy_release", &wrong).await,
    );
    assert!(company.server.sample.changes().is_empty(), "no rejected request changed anything");

    let mut right = production.clone();
    right["confirm"] = json!(format!("{code} Production"));
    let done = company.call("", &manager, "deploy_release", &right).await;
    assert_eq!(done.json()["result"]["structuredContent"]["success"], true, "{}", done.text);
    assert_eq!(company.server.sample.changes().len(), 1);

    let friday = Box::pin(HostingFixture::start_at(FRIDAY_EVENING)).await;
    let engineer = friday.engineer_token();
    add(
        "Deployment to production by an engineer on Friday evening",
        friday.call("", &engineer, "deploy_release", &production).await,
    );
    assert!(friday.server.sample.changes().is_empty());
    let manager =
        friday.call("", &friday.release_manager_token(), "deploy_release", &production).await;
    assert!(manager.text.contains("confirmationRequired"), "{}", manager.text);

    let limited = async {
        for _ in 0..400 {
            let reply = friday.call("", &engineer, "list_spaces", &spaces).await;
            if reply.json()["error"].is_object() {
                return reply;
            }
        }
        panic!("the rate limit was not reached");
    };
    add("Rate limit exceeded", limited.await);
    found.iter().map(Rejection::to_markdown).collect()
}
