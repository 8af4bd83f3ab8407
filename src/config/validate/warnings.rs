//! Warnings about valid settings that are risky or have no effect.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::config::{
    ApprovalMode, AuthMode, Config, CredentialSource, Effect, InstanceSettings, StoreAddress,
    TokenScope, TokenSettings, parse_tokens_file, read_text,
};

impl Config {
    /// Returns warnings about settings that are risky or have no effect. They are logged at startup
    /// and printed by `octopus-mcp check`. Reads the tokens file.
    pub fn warnings(&self) -> Vec<String> {
        let (auth, modes) = (&self.auth, self.auth_modes());
        let mut risks = Vec::new();
        if auth.allow_anonymous {
            let risk = "everyone who reaches the listener uses the configured Octopus credential \
                        (auth.allow_anonymous)";
            risks.push(risk.to_owned());
        }
        let is_open = !self.http.listen.ip().to_canonical().is_loopback();
        let is_clear =
            self.http.tls.certificate.is_none() && self.http.trusted_proxies.0.is_empty();
        let secret_modes = [AuthMode::Octopus, AuthMode::Tokens, AuthMode::Oauth];
        if secret_modes.into_iter().any(|mode| modes.has(mode)) && is_open && is_clear {
            let risk = "keys and tokens may be sent to the listener in clear text, and all callers \
                        behind a proxy count as one address; set http.tls, or list the TLS proxy in \
                        http.trusted_proxies";
            risks.push(risk.to_owned());
        }
        if self.tools.confirm == ApprovalMode::Never
            && self.tools.allow_deletes
            && !self.tools.read_only
            && is_open
        {
            let risk = "everyone who may call this server from other machines can delete objects \
                        without approval (tools.confirm = \"never\", tools.allow_deletes); set \
                        tools.confirm = \"code\", or allow_deletes = false";
            risks.push(risk.to_owned());
        }
        let tokens = self.all_tokens();
        if modes.has(AuthMode::Tokens) {
            for (name, token) in &tokens {
                let expired = token.expires.filter(|expires| expires.0 <= Timestamp::now());
                if let Some(expires) = expired {
                    risks.push(format!(
                        "the token '{name}' expired at {} and is rejected; remove it or issue a new \
                         one with `octopus-mcp token new` (auth.tokens)",
                        expires.0
                    ));
                }
                if token.expires.is_none() {
                    risks.push(format!("the token '{name}' never expires (auth.tokens)"));
                }
                if token.scope == TokenScope::Admin && token.instances.0.is_empty() {
                    risks.push(format!(
                        "the token '{name}' may delete objects on every instance (auth.tokens)"
                    ));
                }
            }
        }
        if modes.has(AuthMode::Oauth) && self.http.public_url.is_none() {
            let risk = "http.public_url is not set, so OAuth metadata contains the address from the \
                        Host header";
            risks.push(risk.to_owned());
        }
        for rule in &self.policy.rules {
            let callers = rule.callers.iter().flat_map(|callers| &callers.0);
            let is_name = |caller: &&String| !caller.contains('|') && *caller != "*";
            let mut names = callers.filter(is_name);
            if modes.has(AuthMode::Oauth) && rule.effect == Effect::Allow && names.next().is_some()
            {
                risks.push(format!(
                    "the rule '{}' allows callers by a name that an issuer can also give to others; \
                     use issuer|subject, or match a group (policy.rules)",
                    rule.name
                ));
            }
        }
        for network in &self.http.trusted_proxies.0 {
            let is_wide = network.prefix_len() < if network.addr().is_ipv4() { 8 } else { 32 };
            if is_wide {
                risks.push(format!("http.trusted_proxies: the network {network} is very large"));
            }
        }
        if self.loses_task_initiators() {
            let risk = "callers share one Octopus user, and task initiators are stored only until \
                        this process ends; after that, none of these callers can answer \
                        interruptions of those tasks (policy.four_eyes); set limits.store to a \
                        Redis or Valkey";
            risks.push(risk.to_owned());
        }
        risks.extend(self.unused_credentials());
        risks.extend(self.unknown_groups(&tokens));
        risks
    }

    /// Returns the tokens in the settings and in the tokens file, if it is valid.
    fn all_tokens(&self) -> BTreeMap<String, TokenSettings> {
        let instances: Vec<String> =
            self.instances_with_keys().into_iter().map(|(name, ..)| name.to_owned()).collect();
        let file = self.auth.tokens_file.as_deref().and_then(|path| read_text(path).ok());
        let in_file =
            file.and_then(|text| parse_tokens_file(&text, &self.auth.tokens, &instances).ok());
        self.auth.tokens.clone().into_iter().chain(in_file.into_iter().flatten()).collect()
    }

    /// Returns a warning for each configured key and credential that nothing uses.
    fn unused_credentials(&self) -> Vec<String> {
        let modes = self.auth_modes();
        let mut unused = Vec::new();
        let mut add = |key: &str, reason: &str| {
            unused.push(format!("{key} is not used, because {reason}; remove it"));
        };
        for (_, key, instance) in self.instances_with_keys() {
            let (source, reason) = if self.sample.enabled {
                (None, "the sample instance has its own keys".to_owned())
            } else if modes.has(AuthMode::Octopus) {
                (None, "callers send their own key (auth.mode = \"octopus\")".to_owned())
            } else {
                let source = instance.credential();
                let name = format!("{source:?}").to_lowercase();
                (Some(source), format!("the credential of the instance is \"{name}\""))
            };
            let credentials = [
                ("api_key", instance.api_key.is_some()),
                ("api_key_file", instance.api_key_file.is_some()),
                ("access_token", instance.access_token.is_some()),
                ("access_token_file", instance.access_token_file.is_some()),
            ];
            let credentials =
                credentials.map(|(name, is_set)| (name, is_set, CredentialSource::Configured));
            let others = [
                ("groups", !instance.groups.is_empty(), CredentialSource::Group),
                ("exchange", instance.exchange.audience.is_some(), CredentialSource::Exchange),
            ];
            for (name, is_set, used_by) in credentials.into_iter().chain(others) {
                if is_set && source != Some(used_by) {
                    add(&format!("{key}.{name}"), &reason);
                }
            }
        }
        if !self.audit.is_enabled() {
            for (key, is_set) in [
                ("audit.chain_key", self.audit.chain_key.is_some()),
                ("audit.chain_key_file", self.audit.chain_key_file.is_some()),
                ("audit.hash_key", self.audit.hash_key.is_some()),
            ] {
                if is_set {
                    add(key, "no audit output is configured");
                }
            }
        }
        if !modes.has(AuthMode::Tokens) {
            for (key, is_set) in [
                ("auth.tokens", !self.auth.tokens.is_empty()),
                ("auth.tokens_file", self.auth.tokens_file.is_some()),
            ] {
                if is_set {
                    add(key, "auth.mode does not contain \"tokens\"");
                }
            }
        }
        unused
    }

    /// Returns a warning for each group in rules and credentials that no caller can have.
    ///
    /// Groups of access tokens, proxies and certificates are not known here, so with these modes
    /// nothing is reported.
    fn unknown_groups(&self, tokens: &BTreeMap<String, TokenSettings>) -> Vec<String> {
        let modes = self.auth_modes();
        if [AuthMode::Oauth, AuthMode::Proxy, AuthMode::Certificate]
            .into_iter()
            .any(|m| modes.has(m))
        {
            return Vec::new();
        }
        let tokens = tokens.values().filter(|_| modes.has(AuthMode::Tokens));
        let known: BTreeSet<String> =
            tokens.flat_map(|token| &token.groups.0).map(|group| group.to_lowercase()).collect();
        let is_unknown = |group: &&String| {
            let group = group.trim_start_matches('!');
            !group.contains('*') && !known.contains(&group.to_lowercase())
        };
        let mut warnings = Vec::new();
        for (rule, number) in self.policy.rules.iter().zip(1..) {
            let groups = rule.groups.iter().flat_map(|groups| &groups.0);
            for group in groups.filter(is_unknown) {
                warnings.push(format!(
                    "rule {number} ('{}') names the group '{group}', which no caller has; correct \
                     it, or add the group to a token (policy.rules)",
                    rule.name
                ));
            }
        }
        for (_, key, instance) in self.instances_with_keys() {
            let is_used = instance.credential() == CredentialSource::Group
                && !modes.has(AuthMode::Octopus)
                && !self.sample.enabled;
            let groups = instance.groups.iter().map(|group| &group.group);
            for group in groups.filter(|group| is_used && is_unknown(group)) {
                warnings.push(format!(
                    "the credential of the group '{group}' is not used, because no caller has this \
                     group ({key}.groups)"
                ));
            }
        }
        warnings
    }

    /// Returns whether `policy.four_eyes` needs task initiators that are lost at a restart: callers
    /// share an Octopus user, changes are allowed and `limits.store` is the memory.
    fn loses_task_initiators(&self) -> bool {
        let modes = self.auth_modes();
        let verifying_modes =
            [AuthMode::Tokens, AuthMode::Oauth, AuthMode::Proxy, AuthMode::Certificate];
        let is_one_user = |instance: &InstanceSettings| {
            !instance.read_only && instance.credential() != CredentialSource::Caller
        };
        self.policy.four_eyes
            && !self.tools.read_only
            && matches!(self.limits.store, StoreAddress::Memory)
            && verifying_modes.into_iter().any(|mode| modes.has(mode))
            && self.instances_with_keys().into_iter().any(|(_, _, instance)| is_one_user(instance))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Expiry, GroupCredential, ListSetting, RuleSettings, Secret};

    fn token(groups: &[&str], expires: &str) -> TokenSettings {
        TokenSettings {
            groups: ListSetting(groups.iter().map(|group| (*group).to_owned()).collect()),
            expires: Some(Expiry(expires.parse().unwrap())),
            ..TokenSettings::default()
        }
    }

    /// Settings with two tokens, of which one has expired, and a rule for two groups.
    fn with_tokens() -> Config {
        let mut config = Config::default();
        config.auth.mode = Some(AuthMode::Tokens.into());
        config.auth.tokens.insert("ci".to_owned(), token(&["Agents"], "2999-01-01T00:00:00Z"));
        config.auth.tokens.insert("old".to_owned(), token(&[], "2020-01-01T00:00:00Z"));
        config.policy.rules = vec![RuleSettings {
            name: "night".to_owned(),
            groups: Some(ListSetting(["agents", "engineers", "ops-*"].map(str::to_owned).to_vec())),
            ..RuleSettings::default()
        }];
        config
    }

    fn assert_warned(config: &Config, expected: &str) {
        let warnings = config.warnings();
        let found = warnings.iter().filter(|warning| warning.contains(expected)).count();
        assert_eq!(found, 1, "{expected}: {warnings:#?}");
    }

    #[test]
    fn warns_about_expired_tokens_and_groups_without_callers() {
        let config = with_tokens();
        assert_warned(&config, "the token 'old' expired at 2020-01-01T00:00:00Z");
        assert_warned(&config, "rule 1 ('night') names the group 'engineers', which no caller has");
        let warnings = config.warnings().join("\n");
        assert!(!warnings.contains("'ci' expired"), "{warnings}");
        assert!(!warnings.contains("'agents'") && !warnings.contains("ops-*"), "{warnings}");
        let mut federated = with_tokens();
        federated.auth.mode =
            Some(crate::config::AuthModes(vec![AuthMode::Tokens, AuthMode::Proxy]));
        assert!(!federated.warnings().iter().any(|warning| warning.contains("engineers")));
    }

    #[test]
    fn warns_about_expired_tokens_of_the_tokens_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.toml");
        let hash = "0".repeat(64);
        let text = format!("[auth.tokens.late]\nsha256 = \"{hash}\"\nexpires = 2020-01-01\n");
        std::fs::write(&path, text).unwrap();
        let mut config = with_tokens();
        config.auth.tokens_file = Some(path);
        assert_warned(&config, "the token 'late' expired");
    }

    #[test]
    fn warns_about_deletes_without_approval_on_an_open_listener() {
        let mut config = Config::default();
        config.tools.read_only = false;
        config.tools.allow_deletes = true;
        config.tools.confirm = ApprovalMode::Never;
        let is_warned = |config: &Config| {
            config.warnings().iter().any(|warning| warning.contains("without approval"))
        };
        assert!(!is_warned(&config));
        config.http.listen = ([0, 0, 0, 0], 8080).into();
        assert!(is_warned(&config));
        config.tools.confirm = ApprovalMode::Code;
        assert!(!is_warned(&config));
    }

    #[test]
    fn warns_about_unused_keys() {
        let key = || Some(Secret::from("API-KEY".to_owned()));
        let mut config = with_tokens();
        config.octopus.api_key = key();
        config.audit.chain_key = key();
        assert_warned(&config, "audit.chain_key is not used, because no audit output");
        assert!(!config.warnings().iter().any(|warning| warning.contains("octopus.api_key")));
        config.octopus.groups =
            vec![GroupCredential { group: "sales".to_owned(), api_key: key(), api_key_file: None }];
        assert_warned(&config, "octopus.groups is not used");
        config.octopus.credential = Some(CredentialSource::Group);
        assert_warned(&config, "octopus.api_key is not used, because the credential of the");
        assert_warned(&config, "the credential of the group 'sales' is not used");
        config.auth.mode = Some(AuthMode::Octopus.into());
        assert_warned(&config, "octopus.api_key is not used, because callers send their own key");
        assert_warned(&config, "auth.tokens is not used, because auth.mode");
    }
}
