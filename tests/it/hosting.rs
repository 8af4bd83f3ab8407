//! The worked example of `docs/hosting.md`: exactly `config/hosting.toml`, with an issuer that the
//! test starts. Addresses, keys and hashes are put in the place of those that nobody may have.

use std::{fmt::Write as _, fs, path::Path};

use octopus_mcp::{
    callers::new_token,
    config::{self, Config, Flags},
    rules::Clock,
    sample::keys,
};
use serde_json::{Value, json};

use crate::{
    callers::issuer::{Signer, TestIssuer, now},
    commands::program,
    docs::{ensure, root},
    support::{Era, Reply, TestServer},
};

const FILE: &str = "config/hosting.toml";
const TUESDAY: &str = "2026-11-24T10:00:00Z";
/// Half past five in Berlin.
const FRIDAY_EVENING: &str = "2026-11-27T16:30:00Z";
const AUDIENCE: &str = "https://mcp.example.com";

/// The server of the example, and whoever calls it.
struct Company {
    server: TestServer,
    issuer: TestIssuer,
    signer: Signer,
    notes_agent: String,
    night_agent: String,
}

fn settings() -> Config {
    let mut flags = Flags::default();
    flags.file = Some(root().join(FILE));
    let mut loaded = config::load(&flags);
    // The files of keys are not in the repository.
    loaded.forgive(|key| key.ends_with("api_key_file") || key.ends_with(".groups"));
    loaded.finish().unwrap()
}

/// The keys of the example, below a folder.
fn write_keys(folder: &Path, config: &mut Config) {
    fs::create_dir_all(folder.join("secrets")).unwrap();
    let write = |path: &mut Option<std::path::PathBuf>| {
        if let Some(path) = path {
            *path = folder.join(&*path);
            fs::write(&*path, keys::ADMIN).unwrap();
        }
    };
    for instance in config.instances.values_mut() {
        write(&mut instance.api_key_file);
        instance.groups.iter_mut().for_each(|group| write(&mut group.api_key_file));
    }
}

impl Company {
    async fn at(time: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let signer = Signer::new("company");
        let issuer = TestIssuer::with(&[&signer]);
        let mut config = settings();
        write_keys(folder.path(), &mut config);
        config.auth.oauth.issuers[0].issuer.clone_from(&issuer.url);
        let agent = |config: &mut Config, name: &str| {
            let (token, hash) = new_token().unwrap();
            config.auth.tokens.get_mut(name).unwrap().sha256 = hash;
            token
        };
        let notes_agent = agent(&mut config, "notes-agent");
        let night_agent = agent(&mut config, "night-agent");
        config.audit.stdout = false;
        config.audit.file.path = Some(folder.path().join("audit.jsonl"));
        let clock = Clock::of(move || time.parse().unwrap());
        let server = TestServer::hosting(clock, config).await;
        Self { server, issuer, signer, notes_agent, night_agent }
    }

    /// The access token of somebody in these groups.
    fn person(&self, groups: &[&str], change: &Value) -> String {
        let mut claims = self.issuer.claims_with(&json!({ "scope": null, "aud": AUDIENCE }));
        claims["groups"] = json!(groups);
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        self.signer.sign(&claims)
    }

    fn engineer(&self) -> String {
        self.person(&["engineers"], &json!({}))
    }

    fn release_manager(&self) -> String {
        self.person(&["release-managers", "engineers"], &json!({}))
    }

    /// Calls a tool at a path of the server, with this token.
    async fn call(&self, path: &str, token: &str, tool: &str, arguments: &Value) -> Reply {
        let params = json!({ "name": tool, "arguments": arguments });
        self.ask(path, &[("authorization", &format!("Bearer {token}"))], "tools/call", params).await
    }

    async fn ask(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        method: &str,
        params: Value,
    ) -> Reply {
        let mut headers = headers.to_vec();
        headers.push(("x-octopus-apikey", ""));
        self.server.ask_at(path, &headers, Era::Legacy, method, params).await
    }
}

fn deployment(environment: &str) -> Value {
    json!({
        "space": "Default", "projectName": "Parcel Tracking API", "releaseVersion": "1.11.7",
        "environmentNames": [environment],
    })
}

/// One refusal, as the caller sees it.
struct Refusal {
    what: &'static str,
    reply: Reply,
}

impl Refusal {
    /// The words: of the JSON-RPC error, or of the tool.
    fn words(&self) -> String {
        let json = self.reply.json();
        let asked = &json["result"]["structuredContent"];
        if let Some(preview) = asked["preview"].as_str() {
            // The number of the question is another each time.
            let (before, rest) = preview.split_once("Audit ID: ").unwrap();
            let rest = rest.trim_start_matches(|c: char| c.is_ascii_hexdigit() || c == '-');
            let message = asked["message"].as_str().unwrap();
            return format!("{before}Audit ID: ...{rest}\n\n{message}");
        }
        let said = json["error"]["message"].as_str();
        let said = said.or_else(|| json["result"]["content"][0]["text"].as_str());
        said.unwrap_or_else(|| panic!("{}: {}", self.what, self.reply.text)).to_owned()
    }

    fn shown(&self) -> String {
        let json = self.reply.json();
        let form = if json["error"].is_object() {
            format!("JSON-RPC error {}", json["error"]["code"])
        } else {
            assert_eq!(json["result"]["isError"], true, "{}: {json}", self.what);
            "a tool result with `isError`".to_owned()
        };
        let mut shown = format!("**{}.** HTTP {}, {form}", self.what, self.reply.status);
        for name in ["www-authenticate", "retry-after", "x-ratelimit-limit"] {
            let value = self.reply.header(name);
            if !value.is_empty() {
                let _ = write!(shown, "; `{name}: {value}`");
            }
        }
        let words = self.words().replace('\n', "\n> ");
        let _ = write!(shown, "\n\n> {words}\n\n");
        shown
    }
}

/// What an answer says in a field, for a page: compact and whole, but for what is another each time.
fn said(reply: &Reply, pointer: &str) -> String {
    let json = reply.json();
    let value = json["result"]["structuredContent"].pointer(pointer);
    let mut value = value.unwrap_or_else(|| panic!("no {pointer} in {json}")).clone();
    if value["knownBy"] == "oauth" {
        value["issuer"] = json!("https://login.example.com");
        value["expires"] = json!("...");
    }
    value.to_string()
}

/// Runs `octopus-mcp policy test` on the very file.
fn policy_test(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    write_keys(folder.path(), &mut settings());
    let file = root().join(FILE);
    let mut command =
        program(&[&["policy", "test", "--config", file.to_str().unwrap()], arguments].concat());
    let output = command.current_dir(folder.path()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let typed: Vec<String> = arguments
        .iter()
        .map(|word| if word.contains(' ') { format!("'{word}'") } else { (*word).to_owned() })
        .collect();
    format!(
        "```console\n$ octopus-mcp policy test --config {FILE} {}\n{}\n```\n\n",
        typed.join(" "),
        text.trim_end()
    )
}

async fn refusals() -> String {
    let company = Box::pin(Company::at(TUESDAY)).await;
    let mut found = Vec::new();
    let mut add = |what, reply| found.push(Refusal { what, reply });
    let spaces = json!({});

    add("No token", company.ask("", &[], "tools/list", json!({})).await);
    let expired = company.person(&["engineers"], &json!({ "exp": now() - 600 }));
    add("A token that has expired", company.call("", &expired, "list_spaces", &spaces).await);
    let other = company.person(&["engineers"], &json!({ "aud": "https://other.example.com" }));
    add("A token for another server", company.call("", &other, "list_spaces", &spaces).await);
    let unknown = format!("omcp_{}", "0".repeat(64));
    add("A token that nobody made", company.call("", &unknown, "list_spaces", &spaces).await);
    let nobody = company.person(&["marketing"], &json!({}));
    add("Somebody in no group that may", company.call("", &nobody, "list_spaces", &spaces).await);
    let reader = company.person(&["engineers"], &json!({ "scope": "octopus:read" }));
    let release = deployment("Staging");
    add(
        "A change with a token to read",
        company.call("", &reader, "deploy_release", &release).await,
    );
    let guest = company.person(&["guests"], &json!({ "scope": "octopus:read" }));
    add(
        "Somebody whose groups have no key at Europe",
        company.call("", &guest, "list_spaces", &spaces).await,
    );
    let engineer = company.engineer();
    add(
        "An instance that there is not",
        company.call("/i/asia", &engineer, "list_spaces", &spaces).await,
    );
    add(
        "An instance that the token is not for",
        company.call("/i/lab", &company.night_agent, "list_spaces", &spaces).await,
    );
    let both =
        [("authorization", &*format!("Bearer {engineer}")), ("x-octopus-apikey", keys::ADMIN)];
    let params = json!({ "name": "list_spaces", "arguments": {} });
    let own_key = company.server.ask_at("", &both, Era::Legacy, "tools/call", params).await;
    add("A key of one's own where the group's acts", own_key);
    add(
        "A space that there is not",
        company.call("/i/europe/nowhere", &engineer, "list_environments", &spaces).await,
    );
    add(
        "A change at an instance that is read only",
        company.call("/i/lab", &company.engineer(), "deploy_release", &release).await,
    );
    add(
        "A change by an agent that may read",
        company.call("", &company.notes_agent, "deploy_release", &release).await,
    );
    let production = deployment("Production");
    add(
        "An agent in production",
        company.call("", &company.night_agent, "deploy_release", &production).await,
    );
    let manager = company.release_manager();
    let asked = company.call("", &manager, "deploy_release", &production).await;
    let code = said(&asked, "/confirm").trim_matches('"').to_owned();
    add("A change of production", asked);
    let mut wrong = production.clone();
    wrong["confirm"] = json!(format!("{code} production-like"));
    add("The wrong word", company.call("", &manager, "deploy_release", &wrong).await);
    assert!(company.server.sample.changes().is_empty(), "nothing was changed by any of this");

    let mut right = production.clone();
    right["confirm"] = json!(format!("{code} Production"));
    let done = company.call("", &manager, "deploy_release", &right).await;
    assert_eq!(done.json()["result"]["structuredContent"]["success"], true, "{}", done.text);
    assert_eq!(company.server.sample.changes().len(), 1);

    let friday = Box::pin(Company::at(FRIDAY_EVENING)).await;
    let engineer = friday.engineer();
    add(
        "An engineer in production on Friday evening",
        friday.call("", &engineer, "deploy_release", &production).await,
    );
    assert!(friday.server.sample.changes().is_empty());
    let manager = friday.call("", &friday.release_manager(), "deploy_release", &production).await;
    assert!(manager.text.contains("confirmationRequired"), "{}", manager.text);

    let limited = async {
        for _ in 0..400 {
            let reply = friday.call("", &engineer, "list_spaces", &spaces).await;
            if reply.json()["error"].is_object() {
                return reply;
            }
        }
        panic!("a loop is never stopped");
    };
    add("A caller over the rate", limited.await);
    found.iter().map(Refusal::shown).collect()
}

async fn explanations() -> String {
    let company = Box::pin(Company::at(FRIDAY_EVENING)).await;
    let mut text = String::new();
    let mut add = |what: &str, reply: &Reply, pointers: &[&str]| {
        let _ =
            writeln!(text, "**{what}.** `explain_access` answers, among other things:\n\n```json");
        for pointer in pointers {
            let key = pointer.rsplit('/').next().unwrap();
            let _ = writeln!(text, "\"{key}\": {}", said(reply, pointer));
        }
        text.push_str("```\n\n");
    };
    let about = |tool: &str, environment: &str| {
        json!({
            "tool": tool, "space": "Default", "project": "Parcel Tracking API",
            "environment": environment,
        })
    };
    let production = about("deploy_release", "Production");
    let engineer = company.call("", &company.engineer(), "explain_access", &production).await;
    add("An engineer, on Friday evening", &engineer, EXPLAINED);
    let agent = company.call("", &company.night_agent, "explain_access", &production).await;
    add("The agent of the night", &agent, EXPLAINED);
    let manager = company.call("", &company.release_manager(), "explain_access", &production).await;
    add("A release manager", &manager, EXPLAINED);
    let lab = json!({ "tool": "deploy_release" });
    let lab = company.call("/i/lab", &company.engineer(), "explain_access", &lab).await;
    add("An engineer at the lab", &lab, &["/tool/hidden"]);
    let reader = json!({ "tool": "deploy_release" });
    let reader = company.call("", &company.notes_agent, "explain_access", &reader).await;
    add("The agent that writes notes", &reader, &["/tool/hidden"]);

    text.push_str("Whoever runs the server asks the same of the file, before it is in force:\n\n");
    let at = ["--instance", "europe", "--tool", "deploy_release", "--environment", "Production"];
    for (group, time) in
        [("engineers", FRIDAY_EVENING), ("release-managers", FRIDAY_EVENING), ("agents", TUESDAY)]
    {
        text.push_str(&policy_test(&[at.as_slice(), &["--group", group, "--time", time]].concat()));
    }
    text
}

const EXPLAINED: &[&str] = &["/caller", "/decision"];

#[tokio::test]
async fn every_refusal_of_the_example_is_given_and_explained_as_the_page_says() {
    const BEGINS: [&str; 2] = ["<!-- refusals -->\n", "<!-- explanations -->\n"];
    const END: &str = "<!-- end -->\n";
    let mut page = fs::read_to_string(root().join("docs/hosting.md")).unwrap();
    for (begin, text) in
        BEGINS.into_iter().zip([Box::pin(refusals()).await, Box::pin(explanations()).await])
    {
        let from = page.find(begin).unwrap() + begin.len();
        let to = from + page[from..].find(END).unwrap();
        page.replace_range(from..to, &format!("\n{text}"));
    }
    ensure("docs/hosting.md", &page);
}
