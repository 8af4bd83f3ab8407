//! What the settings of instances may not say together.

use super::{
    AuthMode, Config, CredentialSource, Instance, Loaded, SAMPLE_NOT_BUILT_IN, is_loopback,
};

/// Adds the mistakes in the settings of instances.
pub(super) fn validate(loaded: &mut Loaded, config: &Config) {
    if config.sample.enabled && !cfg!(feature = "sample") {
        loaded.refuse("sample.enabled", SAMPLE_NOT_BUILT_IN);
    }
    if !config.instances.is_empty() {
        several(loaded, config);
    }
    for (name, key, instance) in config.each_instance() {
        if !is_name(name) {
            let message = "an instance is called with up to 40 small letters, digits and hyphens";
            loaded.refuse(&format!("{key}.url"), message);
        }
        url(loaded, config, &key, instance);
        credential(loaded, config, &key, instance);
        if instance.concurrent_requests == 0 {
            let message = "at least one request must be let through";
            loaded.refuse(&format!("{key}.concurrent_requests"), message);
        }
    }
}

/// Whether an instance may be called so. The name stands in addresses, headers and variables.
fn is_name(name: &str) -> bool {
    (1..=40).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn several(loaded: &mut Loaded, config: &Config) {
    if config.octopus.url.is_some() {
        let message = "there are [instances] as well; make this one of them, with a name";
        loaded.refuse("octopus.url", message);
    }
    if config.octopus.has_credential() {
        let message = "a key is for one instance; write it under [instances.NAME]";
        loaded.refuse("octopus.api_key", message);
    }
    if config.sample.enabled {
        loaded.refuse("sample.enabled", "the sample instance stands alone; leave out [instances]");
    }
    let defaults = config.each_instance().into_iter().filter(|(_, _, instance)| instance.default);
    for (_, key, _) in defaults.skip(1) {
        loaded.refuse(&format!("{key}.default"), "another instance is the default already");
    }
}

fn url(loaded: &mut Loaded, config: &Config, key: &str, instance: &Instance) {
    let (key, allow) = (&format!("{key}.url"), format!("{key}.allow_http"));
    match &instance.url {
        None if config.sample.enabled => {}
        None => loaded.refuse(
            key,
            &("say which Octopus to reach: --server-url https://octopus.example.com, the variable \
             OCTOPUS_SERVER_URL, or `url` under [octopus] in the file"
                .to_owned() + if cfg!(feature = "sample") {
                "; or try the embedded sample instance with --sample"
            } else {
                ""
            }),
        ),
        // `--sample` wins over a URL that happens to stand in the environment, and the other way.
        Some(_) if config.sample.enabled => {
            if loaded.layer(key) >= loaded.layer("sample.enabled") {
                loaded.refuse(key, "the sample instance is on as well; leave one of the two out");
            }
        }
        Some(url) => match url.scheme() {
            "https" => {}
            "http" if instance.allow_http || is_loopback(url) => {}
            "http" => loaded.refuse(
                key,
                &format!(
                    "credentials would travel in clear text; use https, or say {allow} = true"
                ),
            ),
            _ => loaded.refuse(key, "the URL must begin with https://"),
        },
    }
    if let Some(url) = &instance.url
        && (url.query().is_some() || !url.username().is_empty() || url.password().is_some())
    {
        loaded.refuse(key, "leave out the query and any user name or password");
    }
}

fn credential(loaded: &mut Loaded, config: &Config, key: &str, instance: &Instance) {
    let given = [
        ("api_key", instance.api_key.is_some()),
        ("api_key_file", instance.api_key_file.is_some()),
        ("access_token", instance.access_token.is_some()),
        ("access_token_file", instance.access_token_file.is_some()),
    ];
    let mut given =
        given.into_iter().filter(|given| given.1).map(|given| format!("{key}.{}", given.0));
    if let Some(first) = given.next() {
        for other in given {
            let message = format!(
                "`{first}` ({}) is given as well; keep the one that calls should use",
                loaded.origin(&first)
            );
            loaded.refuse(&other, &message);
        }
    }
    source(loaded, config, key, instance);
    for group in &instance.groups {
        if group.api_key.is_some() == group.api_key_file.is_some() {
            let message = format!(
                "the group '{}' needs an api_key or an api_key_file, and not both",
                group.group
            );
            loaded.refuse(&format!("{key}.groups"), &message);
        }
    }
}

/// The credential that is to act must be there, and must suit how callers are known.
fn source(loaded: &mut Loaded, config: &Config, key: &str, instance: &Instance) {
    let source = match (instance.credential, instance.credential()) {
        (None, CredentialSource::Caller | CredentialSource::Configured) => return,
        (_, source) => source,
    };
    let modes = config.auth_modes();
    let alone = modes.has(AuthMode::Octopus);
    let missing = match source {
        CredentialSource::Caller => None,
        _ if alone => Some(
            "with auth.mode = \"octopus\" callers bring their own credential; leave this out, or \
             say how callers are known",
        ),
        CredentialSource::Configured if !instance.has_credential() => {
            Some("give api_key, api_key_file, access_token or access_token_file too")
        }
        CredentialSource::Group if instance.groups.is_empty() => Some("give `groups` too"),
        CredentialSource::Exchange if instance.exchange.audience.is_none() => {
            Some("give `exchange.audience` too: the ID of the service account's OIDC identity")
        }
        CredentialSource::Exchange
            if instance.exchange.token_file.is_none() && !modes.has(AuthMode::Oauth) =>
        {
            Some(
                "callers bring no token to exchange; give `exchange.token_file`, or set \
                 auth.mode = \"oauth\"",
            )
        }
        _ => None,
    };
    if let Some(message) = missing {
        loaded.refuse(&format!("{key}.credential"), message);
    }
}
