//! The server of the hosting example, with its issuer, keys and callers.

use std::{fs, path::Path};

use octopus_mcp::{
    auth::generate_token,
    config::{self, Config, Flags},
    policy::PolicyClock,
};
use octopus_sample::keys;
use serde_json::{Value, json};

use super::{AUDIENCE, SETTINGS_FILE};
use crate::{
    auth::test_issuer::{Signer, TestIssuer},
    docs::root,
    support::{Era, Reply, TestServer},
};

/// The server of the hosting example, and tokens of its callers.
pub struct HostingFixture {
    pub server: TestServer,
    issuer: TestIssuer,
    signer: Signer,
    pub notes_agent_token: String,
    pub night_agent_token: String,
}

pub fn load_settings() -> Config {
    let mut flags = Flags::default();
    flags.file = Some(root().join(SETTINGS_FILE));
    let mut loaded = config::load(&flags);
    // The key files are not in the repository.
    loaded.drop_errors(|key| key.ends_with("api_key_file") || key.ends_with(".groups"));
    loaded.into_config().unwrap()
}

/// Writes the key files of the example to a folder and updates their paths in the settings.
pub fn write_keys(folder: &Path, config: &mut Config) {
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

impl HostingFixture {
    pub async fn start_at(time: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let signer = Signer::new("company");
        let issuer = TestIssuer::start(&[&signer]);
        let mut config = load_settings();
        write_keys(folder.path(), &mut config);
        config.auth.oauth.issuers[0].issuer.clone_from(&issuer.url);
        let agent = |config: &mut Config, name: &str| {
            let (token, hash) = generate_token().unwrap();
            config.auth.tokens.get_mut(name).unwrap().sha256 = hash;
            token
        };
        let notes_agent = agent(&mut config, "notes-agent");
        let night_agent = agent(&mut config, "night-agent");
        config.audit.stdout = false;
        config.audit.file.path = Some(folder.path().join("audit.jsonl"));
        let clock = PolicyClock::new(move || time.parse().unwrap());
        let server = TestServer::with_config(clock, config).await;
        Self {
            server,
            issuer,
            signer,
            notes_agent_token: notes_agent,
            night_agent_token: night_agent,
        }
    }

    /// Returns an access token of a user in these groups, with changed claims.
    pub fn person_token(&self, groups: &[&str], change: &Value) -> String {
        let mut claims = self.issuer.claims_with(&json!({ "scope": null, "aud": AUDIENCE }));
        claims["groups"] = json!(groups);
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        self.signer.sign(&claims)
    }

    pub fn engineer_token(&self) -> String {
        self.person_token(&["engineers"], &json!({}))
    }

    pub fn release_manager_token(&self) -> String {
        self.person_token(&["release-managers", "engineers"], &json!({}))
    }

    /// Calls a tool at a path below `/mcp` with a bearer token.
    pub async fn call(&self, path: &str, token: &str, tool: &str, arguments: &Value) -> Reply {
        let params = json!({ "name": tool, "arguments": arguments });
        self.request(path, &[("authorization", &format!("Bearer {token}"))], "tools/call", params)
            .await
    }

    pub async fn request(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        method: &str,
        params: Value,
    ) -> Reply {
        let mut headers = headers.to_vec();
        headers.push(("x-octopus-apikey", ""));
        self.server.rpc_at(path, &headers, Era::Legacy, method, params).await
    }
}
