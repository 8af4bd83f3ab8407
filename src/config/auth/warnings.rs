//! What the settings of callers may say, and should not.

use super::{
    super::{Config, CredentialSource, Effect, Instance, StoreAddress},
    AuthMode, Scope,
};

impl Config {
    /// What is risky in the settings of who may call, in words for whoever starts the server.
    pub fn risks(&self) -> Vec<String> {
        let (auth, modes) = (&self.auth, self.auth_modes());
        let mut risks = Vec::new();
        if auth.allow_anonymous {
            let risk = "anybody who reaches the listener acts with the configured credential";
            risks.push(risk.to_owned());
        }
        let is_open = !self.http.listen.ip().to_canonical().is_loopback();
        let is_clear =
            self.http.tls.certificate.is_none() && self.http.trusted_proxies.0.is_empty();
        let bearing = [AuthMode::Octopus, AuthMode::Tokens, AuthMode::Oauth];
        if bearing.into_iter().any(|mode| modes.has(mode)) && is_open && is_clear {
            let risk = "keys and tokens may travel to the listener in clear text, and all callers \
                        behind a proxy count as one address; give http.tls, or name the proxy that \
                        has TLS in http.trusted_proxies";
            risks.push(risk.to_owned());
        }
        if modes.has(AuthMode::Tokens) {
            for (name, token) in &auth.tokens {
                if token.expires.is_none() {
                    risks.push(format!("the token '{name}' never expires (auth.tokens)"));
                }
                if token.scope == Scope::Admin && token.instances.0.is_empty() {
                    risks.push(format!("the token '{name}' may remove things at every instance"));
                }
            }
        }
        if modes.has(AuthMode::Oauth) && self.http.public_url.is_none() {
            let risk = "http.public_url is not set, so clients are told the address that stands in \
                        Host";
            risks.push(risk.to_owned());
        }
        for rule in &self.policy.rules {
            let callers = rule.callers.iter().flat_map(|callers| &callers.0);
            let is_name = |caller: &&String| !caller.contains('|') && *caller != "*";
            let mut names = callers.filter(is_name);
            if modes.has(AuthMode::Oauth) && rule.effect == Effect::Allow && names.next().is_some()
            {
                risks.push(format!(
                    "the rule '{}' lets callers through by a name that others may get from their \
                     issuer as well; write issuer|subject, or match a group (policy.rules)",
                    rule.name
                ));
            }
        }
        for network in &self.http.trusted_proxies.0 {
            let is_wide = network.prefix_len() < if network.addr().is_ipv4() { 8 } else { 32 };
            if is_wide {
                risks.push(format!("http.trusted_proxies: {network} is very many proxies"));
            }
        }
        if self.forgets_starters() {
            let risk = "many act with one Octopus user, and who started what is remembered until \
                        this process ends; after that nobody behind that user can answer the \
                        interruptions of it (policy.four_eyes). Give limits.store a Redis or Valkey";
            risks.push(risk.to_owned());
        }
        risks
    }

    /// Whether this process alone tells apart who started what, and only as long as it runs.
    fn forgets_starters(&self) -> bool {
        let modes = self.auth_modes();
        let proving = [AuthMode::Tokens, AuthMode::Oauth, AuthMode::Proxy, AuthMode::Certificate];
        let is_one_user = |instance: &Instance| {
            !instance.read_only && instance.credential() != CredentialSource::Caller
        };
        self.policy.four_eyes
            && !self.tools.read_only
            && matches!(self.limits.store, StoreAddress::Memory)
            && proving.into_iter().any(|mode| modes.has(mode))
            && self.each_instance().into_iter().any(|(_, _, instance)| is_one_user(instance))
    }
}
