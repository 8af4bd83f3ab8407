//! Checks that the files named in the settings are readable.

use super::checks::check_readable;
use crate::config::{Config, LoadedConfig};

/// Checks that all files named in the settings are readable.
pub(super) fn validate(loaded: &mut LoadedConfig, config: &Config) {
    let tls = &config.http.tls;
    let mut files = vec![
        ("http.tls.certificate".to_owned(), &tls.certificate),
        ("http.tls.key".to_owned(), &tls.key),
        ("http.tls.client_ca".to_owned(), &tls.client_ca),
        ("auth.tokens_file".to_owned(), &config.auth.tokens_file),
        ("limits.store_ca_file".to_owned(), &config.limits.store_ca_file),
    ];
    let issuers = config.auth.oauth.issuers.iter();
    files.extend(issuers.map(|issuer| ("auth.oauth.issuers".to_owned(), &issuer.ca_file)));
    for (_, key, instance) in config.instances_with_keys() {
        files.extend([
            (format!("{key}.api_key_file"), &instance.api_key_file),
            (format!("{key}.access_token_file"), &instance.access_token_file),
            (format!("{key}.ca_file"), &instance.ca_file),
            (format!("{key}.exchange.token_file"), &instance.exchange.token_file),
        ]);
        let groups = instance.groups.iter();
        files.extend(groups.map(|group| (format!("{key}.groups"), &group.api_key_file)));
    }
    for (key, path) in files {
        if let Some(path) = path {
            check_readable(loaded, &key, path);
        }
    }
}
