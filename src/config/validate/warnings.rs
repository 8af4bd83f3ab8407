//! Warnings about risky but valid settings of caller authentication.

use crate::config::{
    AuthMode, Config, CredentialSource, Effect, InstanceSettings, StoreAddress, TokenScope,
};

impl Config {
    /// Returns warnings about risky authentication settings, which are logged at startup.
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
        if modes.has(AuthMode::Tokens) {
            for (name, token) in &auth.tokens {
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
        risks
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
