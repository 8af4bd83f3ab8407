//! Validation of the instance settings.

use super::http::url_before;
use crate::config::{
    AuthMode, Config, CredentialSource, InstanceSettings, LoadedConfig, SAMPLE_NOT_BUILT_IN,
    is_loopback,
};

/// Adds the mistakes in the instance settings.
pub(super) fn validate(loaded: &mut LoadedConfig, config: &Config) {
    if config.sample.enabled && !cfg!(feature = "sample") {
        loaded.add_error("sample.enabled", SAMPLE_NOT_BUILT_IN);
    }
    if !config.instances.is_empty() {
        check_several_instances(loaded, config);
    }
    for (name, key, instance) in config.instances_with_keys() {
        if !is_valid_name(name) {
            let message =
                "an instance name consists of 1 to 40 lower-case letters, digits and hyphens";
            loaded.add_error(&format!("{key}.url"), message);
        }
        check_url(loaded, config, &key, instance);
        check_credential(loaded, config, &key, instance);
        check_token_endpoint_origin(loaded, &key, instance);
        if instance.concurrent_requests == 0 {
            let message = "the value must be at least 1";
            loaded.add_error(&format!("{key}.concurrent_requests"), message);
        }
    }
}

/// Returns whether a name is valid for an instance. It is used in URLs, headers and variables.
fn is_valid_name(name: &str) -> bool {
    (1..=40).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn check_several_instances(loaded: &mut LoadedConfig, config: &Config) {
    if config.octopus.url.is_some() {
        let message = "[instances] is set as well; move this instance to [instances.NAME]";
        loaded.add_error("octopus.url", message);
    }
    if config.octopus.has_credential() {
        let message = "[instances] is set; move the credential to [instances.NAME]";
        loaded.add_error("octopus.api_key", message);
    }
    if config.sample.enabled {
        loaded.add_error(
            "sample.enabled",
            "the sample instance cannot be combined with [instances]; remove one of the two",
        );
    }
    let defaults =
        config.instances_with_keys().into_iter().filter(|(_, _, instance)| instance.default);
    for (_, key, _) in defaults.skip(1) {
        loaded.add_error(&format!("{key}.default"), "another instance is already the default");
    }
}

fn check_url(loaded: &mut LoadedConfig, config: &Config, key: &str, instance: &InstanceSettings) {
    let (key, allow) = (&format!("{key}.url"), format!("{key}.allow_http"));
    match &instance.url {
        None if config.sample.enabled => {}
        None => loaded.add_error(
            key,
            if cfg!(feature = "sample") {
                "no Octopus instance is configured; set --server-url https://octopus.example.com, \
                 OCTOPUS_SERVER_URL, or `url` under [octopus] in the file, or use the embedded \
                 sample instance with --sample"
            } else {
                "no Octopus instance is configured; set --server-url https://octopus.example.com, \
                 OCTOPUS_SERVER_URL, or `url` under [octopus] in the file"
            },
        ),
        // Of `--sample` and a URL, the later layer wins, so that a URL in the environment does not
        // block `--sample`.
        Some(_) if config.sample.enabled => {
            if loaded.layer_rank(key) >= loaded.layer_rank("sample.enabled") {
                loaded.add_error(
                    key,
                    "the sample instance is enabled as well; remove one of the two",
                );
            }
        }
        Some(url) => match url.scheme() {
            "https" => {}
            "http" if instance.allow_http || is_loopback(url) => {}
            "http" => loaded.add_error(
                key,
                &format!(
                    "credentials would be sent in clear text; use https, or set {allow} = true"
                ),
            ),
            _ => loaded.add_error(key, "the URL must begin with https://"),
        },
    }
    let Some(url) = instance.url.as_ref().filter(|_| !config.sample.enabled) else { return };
    if !url.username().is_empty() || url.password().is_some() {
        loaded.add_error(
            key,
            "the URL must not contain a user name or password; remove them, and set an API key as \
             the credential",
        );
    } else if let Some(base) = url_before(url, &["app", "api"]) {
        let message = format!(
            "this is the address of a page or of the API of Octopus; use the base URL {base}"
        );
        loaded.add_error(key, &message);
    } else if url.query().is_some() || url.fragment().is_some() {
        let mut base = url.clone();
        base.set_query(None);
        base.set_fragment(None);
        let base = base.as_str().trim_end_matches('/');
        let message =
            format!("the URL must not contain a query or a fragment; use the base URL {base}");
        loaded.add_error(key, &message);
    }
}

fn check_token_endpoint_origin(loaded: &mut LoadedConfig, key: &str, instance: &InstanceSettings) {
    let Some(origin) = &instance.exchange.token_endpoint_origin else { return };
    let setting = format!("{key}.exchange.token_endpoint_origin");
    let is_origin = origin.path() == "/"
        && origin.query().is_none()
        && origin.fragment().is_none()
        && origin.username().is_empty()
        && origin.password().is_none()
        && origin.has_host();
    if !is_origin {
        let message = "expected an origin: scheme, host and port without path, query or user, e.g. \
                       https://octopus.example.com";
        loaded.add_error(&setting, message);
    }
    match origin.scheme() {
        "https" => {}
        "http" if instance.allow_http || is_loopback(origin) => {}
        "http" => loaded.add_error(
            &setting,
            &format!(
                "tokens would be sent in clear text; use https, or set {key}.allow_http = true"
            ),
        ),
        _ => loaded.add_error(&setting, "the origin must begin with https://"),
    }
    if instance.exchange.audience.is_none() {
        let message = format!(
            "this setting is for the token exchange only; set {key}.exchange.audience, or remove it"
        );
        loaded.add_error(&setting, &message);
    }
}

fn check_credential(
    loaded: &mut LoadedConfig,
    config: &Config,
    key: &str,
    instance: &InstanceSettings,
) {
    let configured = [
        ("api_key", instance.api_key.is_some()),
        ("api_key_file", instance.api_key_file.is_some()),
        ("access_token", instance.access_token.is_some()),
        ("access_token_file", instance.access_token_file.is_some()),
    ];
    let mut configured = configured
        .into_iter()
        .filter(|configured| configured.1)
        .map(|configured| format!("{key}.{}", configured.0));
    if let Some(first) = configured.next() {
        for other in configured {
            let message = format!(
                "`{first}` ({}) is set as well; keep only one credential",
                loaded.origin(&first)
            );
            loaded.add_error(&other, &message);
        }
    }
    check_credential_source(loaded, config, key, instance);
    for group in &instance.groups {
        if group.api_key.is_some() == group.api_key_file.is_some() {
            let message =
                format!("group '{}' needs either an api_key or an api_key_file", group.group);
            loaded.add_error(&format!("{key}.groups"), &message);
        }
    }
}

/// Checks that the selected credential source is configured and compatible with the auth mode.
fn check_credential_source(
    loaded: &mut LoadedConfig,
    config: &Config,
    key: &str,
    instance: &InstanceSettings,
) {
    let source = match (instance.credential, instance.credential()) {
        (None, CredentialSource::Caller | CredentialSource::Configured) => return,
        (_, source) => source,
    };
    let modes = config.auth_modes();
    let is_octopus_mode = modes.has(AuthMode::Octopus);
    let missing = match source {
        CredentialSource::Caller => None,
        _ if is_octopus_mode => Some(
            "with auth.mode = \"octopus\" callers send their own credential; remove this setting \
             or change auth.mode",
        ),
        CredentialSource::Configured if !instance.has_credential() => Some(
            "no credential is configured; set api_key, api_key_file, access_token or \
             access_token_file",
        ),
        CredentialSource::Group if instance.groups.is_empty() => {
            Some("no credentials of groups are configured; set `groups`")
        }
        CredentialSource::Exchange if instance.exchange.audience.is_none() => {
            Some("set `exchange.audience` to the ID of the service account's OIDC identity")
        }
        CredentialSource::Exchange
            if instance.exchange.token_file.is_none() && !modes.has(AuthMode::Oauth) =>
        {
            Some(
                "callers send no token to exchange; set `exchange.token_file`, or set \
                 auth.mode = \"oauth\"",
            )
        }
        _ => None,
    };
    if let Some(message) = missing {
        loaded.add_error(&format!("{key}.credential"), message);
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{ConfigErrors, Flags, load};

    /// Returns the mistakes in settings with this URL of Octopus.
    fn url_mistakes(key: &'static str, url: &str) -> String {
        let mut flags = Flags::default();
        flags.set("--server-url", "octopus.url", Some("https://octopus.example.com"));
        flags.set("--flag", key, Some(url));
        match load(&flags).into_config() {
            Ok(_) => String::new(),
            Err(errors @ ConfigErrors(_)) => errors.to_string(),
        }
    }

    #[test]
    fn url_of_a_page_is_refused_with_the_base_url() {
        for (url, base) in [
            ("https://octopus.example.com/app#/Spaces-1", "https://octopus.example.com"),
            ("https://octopus.example.com/app", "https://octopus.example.com"),
            ("https://octopus.example.com/App/", "https://octopus.example.com"),
            ("https://octopus.example.com/api", "https://octopus.example.com"),
            ("https://octopus.example.com/api/Spaces-1", "https://octopus.example.com"),
            ("https://example.com:8443/octopus/app#/x", "https://example.com:8443/octopus"),
            ("https://octopus.example.com/?a=b", "https://octopus.example.com"),
            ("https://octopus.example.com/#/Spaces-1", "https://octopus.example.com"),
        ] {
            let found = url_mistakes("octopus.url", url);
            assert!(found.ends_with(&format!("use the base URL {base}")), "{url}: {found}");
        }
        for url in ["https://octopus.example.com/", "https://example.com/octopus", "https://h/apps"]
        {
            assert_eq!(url_mistakes("octopus.url", url), "", "{url}");
        }
    }

    #[test]
    fn url_with_credentials_is_masked_in_its_mistake() {
        let found = url_mistakes("octopus.url", "https://me:hunter2@octopus.example.com");
        assert!(found.contains("user name or password") && !found.contains("hunter2"), "{found}");
    }

    #[test]
    fn public_url_must_not_end_in_mcp() {
        for (url, base) in [
            ("https://mcp.example.com/mcp", "https://mcp.example.com"),
            ("https://example.com/octopus/mcp/", "https://example.com/octopus"),
        ] {
            let found = url_mistakes("http.public_url", url);
            assert!(found.ends_with(&format!("use the base URL {base}")), "{url}: {found}");
        }
        assert_eq!(url_mistakes("http.public_url", "https://mcp.example.com"), "");
    }
}
