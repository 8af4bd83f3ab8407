//! Selects the Octopus credential that acts for a caller at an instance.

use std::{collections::BTreeSet, sync::Arc};

use secrecy::SecretString;

use super::{
    configured_credential::ConfiguredCredential, credential_error::CredentialError,
    credentials::Credentials, instance_client::Client, token_exchange::TokenExchange,
};
use crate::config::{AuthMode, AuthModes, CredentialSource, InstanceSettings};

/// Source of the acting credential. There is no fallback from one source to another.
#[derive(Debug)]
pub enum CredentialProvider {
    /// The caller's own credential, sent with every request.
    Caller,
    /// The caller's own credential, or the configured one if the request contains none.
    CallerOrConfigured(ConfiguredCredential),
    /// The configured credential.
    Configured(ConfiguredCredential),
    /// The credential of the first of these groups that the caller is a member of.
    Groups(Vec<(String, ConfiguredCredential)>),
    /// An access token that Octopus issues in exchange for the caller's token, or for the token in
    /// a file.
    Exchange(Box<TokenExchange>),
}

/// Credentials and group memberships of a caller, from which the acting credential is selected.
#[derive(Debug, Clone, Default)]
pub struct CallerCredentials {
    /// The caller's own Octopus credential, sent with the request.
    pub own: Option<Credentials>,
    /// Groups of the caller.
    pub groups: Arc<BTreeSet<String>>,
    /// Token that authenticated the caller, for the token exchange.
    pub token: Option<SecretString>,
}

impl CredentialProvider {
    /// Creates the source from the settings of the instance.
    ///
    /// # Errors
    ///
    /// Returns a message that names the setting.
    pub(in crate::octopus) fn from_config(
        instance: &InstanceSettings,
        modes: &AuthModes,
        client: &Client,
    ) -> Result<Self, String> {
        let configured = || {
            ConfiguredCredential::from_config(instance)?.ok_or_else(|| {
                "credential: neither an API key nor an access token is configured".to_owned()
            })
        };
        if modes.has(AuthMode::Octopus) {
            return Ok(Self::Caller);
        }
        Ok(match instance.credential() {
            CredentialSource::Caller => Self::Caller,
            CredentialSource::Configured
                if instance.credential.is_none() && modes.has(AuthMode::None) =>
            {
                Self::CallerOrConfigured(configured()?)
            }
            CredentialSource::Configured => Self::Configured(configured()?),
            CredentialSource::Group => {
                let groups = instance.groups.iter().map(|group| {
                    let (key, file) = (group.api_key.as_ref(), group.api_key_file.as_deref());
                    let configured = ConfiguredCredential::api_key(key, file)?
                        .ok_or_else(|| format!("groups: '{}' has no API key", group.group))?;
                    Ok((group.group.clone(), configured))
                });
                Self::Groups(groups.collect::<Result<_, String>>()?)
            }
            CredentialSource::Exchange => {
                let exchange = TokenExchange::from_config(client.clone(), &instance.exchange)?;
                Self::Exchange(Box::new(exchange))
            }
        })
    }

    /// Returns the configured credentials with their names in the settings.
    pub(in crate::octopus) fn configured(&self) -> Vec<(&str, &ConfiguredCredential)> {
        match self {
            Self::CallerOrConfigured(one) | Self::Configured(one) => vec![("configured", one)],
            Self::Groups(groups) => {
                groups.iter().map(|(group, one)| (group.as_str(), one)).collect()
            }
            Self::Caller | Self::Exchange(_) => Vec::new(),
        }
    }

    /// Checks whether the caller's credentials fit this source, without sending a request.
    pub(in crate::octopus) fn check(
        &self,
        name: &str,
        brings: &CallerCredentials,
    ) -> Result<(), CredentialError> {
        let name = || name.to_owned();
        match (self, &brings.own) {
            (Self::Caller, None) => Err(CredentialError::Missing(name())),
            (Self::Caller | Self::CallerOrConfigured(_), _) | (_, None) => Ok(()),
            (_, Some(_)) => Err(CredentialError::NotAccepted(name())),
        }
    }

    /// Returns the credential that acts for a caller.
    pub(in crate::octopus) async fn credentials(
        &self,
        name: &str,
        brings: &CallerCredentials,
    ) -> Result<Credentials, CredentialError> {
        self.check(name, brings)?;
        match (self, &brings.own) {
            (Self::Caller | Self::CallerOrConfigured(_), Some(own)) => Ok(own.clone()),
            (Self::Caller, None) => Err(CredentialError::Missing(name.to_owned())),
            (Self::CallerOrConfigured(configured) | Self::Configured(configured), _) => {
                Ok(configured.current())
            }
            (Self::Groups(groups), _) => {
                let first = groups.iter().find(|(group, _)| brings.groups.contains(group));
                first.map_or_else(
                    || Err(CredentialError::NoGroup(name.to_owned())),
                    |(_, configured)| Ok(configured.current()),
                )
            }
            (Self::Exchange(exchange), _) => exchange.credentials(brings.token.as_ref()).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{GroupCredential, Secret, TokenExchangeSettings};
    use crate::octopus::client::error::Error;
    use crate::telemetry::Metrics;

    const OWN: &str = "API-OWN";
    const CONFIGURED: &str = "API-CONFIGURED";
    const READERS: &str = "API-READERS";
    const WRITERS: &str = "API-WRITERS";
    const NAME: &str = "freight";

    /// The acting credential, or the reason why none acts.
    #[derive(Debug, Clone, Copy, PartialEq)]
    enum ExpectedCredential {
        Key(&'static str),
        /// The exchange was attempted, but the instance is down.
        Exchanged,
        Missing,
        NotAsked,
        NoGroup,
        NoToken,
    }

    use ExpectedCredential::{Exchanged, Key, Missing, NoGroup, NoToken, NotAsked};

    fn source(mode: AuthMode, credential: Option<CredentialSource>) -> CredentialProvider {
        let group = |group: &str, key: &str| GroupCredential {
            group: group.to_owned(),
            api_key: Some(Secret::from(key.to_owned())),
            api_key_file: None,
        };
        let instance = InstanceSettings {
            // Nothing listens at this address.
            url: "http://127.0.0.1:9".parse().ok(),
            retries: 0,
            credential,
            api_key: Some(Secret::from(CONFIGURED.to_owned())),
            groups: vec![group("readers", READERS), group("writers", WRITERS)],
            exchange: TokenExchangeSettings {
                audience: Some("account".to_owned()),
                ..TokenExchangeSettings::default()
            },
            ..InstanceSettings::default()
        };
        let url = instance.url.clone().unwrap();
        let client = {
            let compute = crate::compute::ComputePool::new(1, std::time::Duration::from_secs(1));
            let memory = crate::octopus::client::budget::ResponseMemory::new(1024 * 1024);
            Client::new(NAME, url, &instance, &Metrics::default(), &compute, &memory).unwrap()
        };
        CredentialProvider::from_config(&instance, &AuthModes::from(mode), &client).unwrap()
    }

    fn caller_credentials(own: bool, groups: &[&str], token: bool) -> CallerCredentials {
        CallerCredentials {
            own: own.then(|| Credentials::api_key(OWN).unwrap()),
            groups: Arc::new(groups.iter().map(|&group| group.to_owned()).collect()),
            token: token.then(|| "eyJ.e30.x".to_owned().into()),
        }
    }

    async fn acting(source: &CredentialProvider, brings: &CallerCredentials) -> ExpectedCredential {
        match source.credentials(NAME, brings).await {
            Ok(credentials) => {
                let is = |key: &&str| {
                    let expected = Credentials::api_key(key).unwrap();
                    expected.fingerprint() == credentials.fingerprint()
                };
                Key([OWN, CONFIGURED, READERS, WRITERS].into_iter().find(is).unwrap())
            }
            Err(CredentialError::Missing(_)) => Missing,
            Err(CredentialError::NotAccepted(_)) => NotAsked,
            Err(CredentialError::NoGroup(_)) => NoGroup,
            Err(CredentialError::NoToken(_)) => NoToken,
            Err(CredentialError::Octopus(Error::Unreachable { .. })) => Exchanged,
            Err(other) => panic!("{other}"),
        }
    }

    #[tokio::test]
    #[expect(clippy::many_single_char_names, reason = "cells of a table")]
    async fn selects_one_credential_without_fallback() {
        use CredentialSource::{Caller, Configured, Exchange, Group};
        let none = caller_credentials(false, &[], false);
        let own = caller_credentials(true, &[], false);
        let grouped = caller_credentials(false, &["writers", "readers", "others"], false);
        let writer = caller_credentials(false, &["writers"], false);
        let stranger = caller_credentials(false, &["others"], false);
        let token = caller_credentials(false, &[], true);
        let all = caller_credentials(true, &["writers"], true);
        let everyone = [&none, &own, &grouped, &writer, &stranger, &token, &all];
        let (o, c, m, n) = (Key(OWN), Key(CONFIGURED), Missing, NotAsked);
        let (r, w, g, t) = (Key(READERS), Key(WRITERS), NoGroup, NoToken);
        let rows = [
            // Columns: no credential, own key, two groups, one group, a group without a credential,
            // a token, and all of these.
            (AuthMode::Octopus, None, [m, o, m, m, m, m, o]),
            (AuthMode::None, None, [c, o, c, c, c, c, o]),
            (AuthMode::Oauth, Some(Caller), [m, o, m, m, m, m, o]),
            (AuthMode::Oauth, Some(Configured), [c, n, c, c, c, c, n]),
            (AuthMode::Oauth, None, [c, n, c, c, c, c, n]),
            (AuthMode::Oauth, Some(Group), [g, n, r, w, g, g, n]),
            (AuthMode::Oauth, Some(Exchange), [t, n, t, t, t, Exchanged, n]),
        ];
        for (mode, credential, expected) in rows {
            let source = source(mode, credential);
            for (brings, expected) in everyone.iter().zip(expected) {
                let found = acting(&source, brings).await;
                assert_eq!(found, expected, "{mode:?} {credential:?} {brings:?}");
            }
        }
    }
}
