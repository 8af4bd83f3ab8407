//! Which Octopus credential acts for a caller at an instance.

use std::{collections::BTreeSet, sync::Arc};

use secrecy::SecretString;

use super::{Configured, Credentials};
use crate::config::{AuthMode, CredentialSource, Instance, Modes};

/// Where the credential that acts comes from. Nothing falls back from one to another.
#[derive(Debug)]
pub enum Source {
    /// The caller's own, with every request.
    Caller,
    /// The caller's own, or the configured one where the request brings none.
    CallerOr(Configured),
    /// The configured one.
    Configured(Configured),
    /// That of the first of these groups which the caller is in.
    Groups(Vec<(String, Configured)>),
}

/// What a caller brings to the question which credential acts.
#[derive(Debug, Clone, Default)]
pub struct Brings {
    /// Their own credential, sent with the request.
    pub own: Option<Credentials>,
    /// The groups that they are in.
    pub groups: Arc<BTreeSet<String>>,
    /// The token that they proved who they are with, for an exchange.
    pub token: Option<SecretString>,
}

/// Why no credential acts for a caller.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoCredential {
    /// The caller must bring their own, and has not.
    #[error(
        "calls to the instance '{0}' need your own Octopus credential; send the header \
         X-Octopus-ApiKey: API-... with your API key"
    )]
    Missing(String),
    /// The caller brings one where another acts.
    #[error(
        "the instance '{0}' acts with a credential of its own; leave X-Octopus-ApiKey out, or it \
         would be unclear which of the two counts"
    )]
    NotAsked(String),
    /// The caller is in no group that has one.
    #[error(
        "none of your groups has an Octopus credential at the instance '{0}'; whoever runs this \
         server can add one under instances.{0}.groups"
    )]
    NoGroup(String),
    /// The one that should act cannot be had now.
    #[error("the Octopus credential for the instance '{0}' cannot be had: {1}")]
    Broken(String, String),
}

impl Source {
    /// The way that the settings of the instance name.
    pub(super) fn from_config(instance: &Instance, modes: &Modes) -> Result<Self, String> {
        let configured = || {
            Configured::from_config(instance)?
                .ok_or_else(|| "credential: no key and no token is configured".to_owned())
        };
        if modes.has(AuthMode::Octopus) {
            return Ok(Self::Caller);
        }
        Ok(match instance.credential() {
            CredentialSource::Caller => Self::Caller,
            CredentialSource::Configured
                if instance.credential.is_none() && modes.has(AuthMode::None) =>
            {
                Self::CallerOr(configured()?)
            }
            CredentialSource::Configured => Self::Configured(configured()?),
            CredentialSource::Group => {
                let groups = instance.groups.iter().map(|group| {
                    let (key, file) = (group.api_key.as_ref(), group.api_key_file.as_deref());
                    let configured = Configured::api_key(key, file)?
                        .ok_or_else(|| format!("groups: '{}' has no key", group.group))?;
                    Ok((group.group.clone(), configured))
                });
                Self::Groups(groups.collect::<Result<_, String>>()?)
            }
            CredentialSource::Exchange => {
                return Err("credential: exchange is not served".to_owned());
            }
        })
    }

    /// What is wrong with what a caller brings, as far as that can be said without asking anybody.
    pub(super) fn suits(&self, name: &str, brings: &Brings) -> Result<(), NoCredential> {
        let name = || name.to_owned();
        match (self, &brings.own) {
            (Self::Caller, None) => Err(NoCredential::Missing(name())),
            (Self::Caller | Self::CallerOr(_), _) | (_, None) => Ok(()),
            (_, Some(_)) => Err(NoCredential::NotAsked(name())),
        }
    }

    /// The credential that acts for a caller.
    pub(super) async fn credentials(
        &self,
        name: &str,
        brings: &Brings,
    ) -> Result<Credentials, NoCredential> {
        self.suits(name, brings)?;
        let read = |configured: &Configured| {
            configured.read().map_err(|reason| {
                tracing::error!(instance = name, reason, "a configured credential cannot be read");
                let told = "whoever runs this server finds the reason in its log";
                NoCredential::Broken(name.to_owned(), told.to_owned())
            })
        };
        match (self, &brings.own) {
            (Self::Caller | Self::CallerOr(_), Some(own)) => Ok(own.clone()),
            (Self::Caller, None) => Err(NoCredential::Missing(name.to_owned())),
            (Self::CallerOr(configured) | Self::Configured(configured), _) => read(configured),
            (Self::Groups(groups), _) => {
                let first = groups.iter().find(|(group, _)| brings.groups.contains(group));
                first.map_or_else(
                    || Err(NoCredential::NoGroup(name.to_owned())),
                    |(_, configured)| read(configured),
                )
            }
        }
    }
}
