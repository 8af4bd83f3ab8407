//! Verification of an instance and its configured credentials: at startup, and for
//! `octopus-mcp check`.
//!
//! It reads the root document without a credential, and the user, permissions and expiry of each
//! configured credential. It changes nothing. Every request has the timeout of the instance.

use std::{cmp::Ordering, collections::BTreeMap};

use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_with::{As, DefaultOnNull};

use super::{
    client::{
        credential_error::CredentialError,
        credential_provider::CallerCredentials,
        credentials::{Credentials, Fingerprint},
        error::Error,
        instances::Instance,
        path::ApiPath,
        session::Session,
        version::OctopusVersion,
    },
    model::{
        api_keys, instance_info,
        resource::Resource,
        users::{self, User},
    },
};
use crate::{sanitize::sanitize, text::printable};

/// Result of the verification of one instance.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InstanceReport {
    /// Name in the settings.
    pub name: String,
    /// URL in the settings.
    pub url: String,
    /// Whether requests are encrypted.
    pub tls: bool,
    /// Version of Octopus, if it was read.
    pub version: Option<String>,
    /// The configured credentials. Empty if callers send their own.
    pub credentials: Vec<CredentialReport>,
    /// Problems of the instance itself.
    pub problems: Vec<Problem>,
}

/// Result of the verification of one configured credential.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialReport {
    /// A group, `configured`, or `exchange` for the token in `exchange.token_file`.
    pub name: String,
    /// User name of the credential, if Octopus accepts it.
    pub user: Option<String>,
    /// Expiry, if Octopus reports it.
    pub expires: Option<Timestamp>,
    /// Permissions of the user, if they were read.
    pub rights: Option<Rights>,
    /// Problems of the credential.
    pub problems: Vec<Problem>,
}

/// Permissions of a user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rights {
    /// Whether the user may administer the whole instance.
    pub is_administrator: bool,
    /// Whether the user may change anything in a space.
    pub can_change: bool,
    /// Names of the permissions in at least one space, in alphabetical order.
    pub space_permissions: Vec<String>,
}

/// A problem that the verification found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Whether calls fail because of it.
    pub severity: Severity,
    /// Area of the problem.
    pub cause: Cause,
    /// What is wrong, and what to do.
    pub message: String,
}

/// Severity of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Calls fail.
    Error,
    /// Calls work now.
    Warning,
}

/// Area of a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, strum::IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Cause {
    /// The URL does not lead to the API of Octopus.
    Url,
    /// No connection, or no answer in time.
    Connection,
    /// The certificate of the instance is not trusted.
    Tls,
    /// The version is not supported.
    Version,
    /// Octopus does not accept the credential.
    Credential,
    /// The credential expires soon.
    Expiry,
    /// The credential lacks permissions.
    Rights,
    /// Any other failure of Octopus.
    Octopus,
}

/// Remaining days of a credential below which its expiry is a warning.
const EXPIRY_WARNING_DAYS: i64 = 14;

/// Verifies an instance and its configured credentials. `key` is the section of the instance in the
/// settings; `offers_changes` tells whether callers can change the instance through this server.
pub async fn verify_instance(
    instance: &Instance,
    key: &str,
    offers_changes: bool,
) -> InstanceReport {
    let mut report = InstanceReport {
        name: instance.name.clone(),
        url: instance.client.url().to_string(),
        tls: instance.client.url().scheme() == "https",
        version: None,
        credentials: Vec::new(),
        problems: Vec::new(),
    };
    match read_version(&session(instance, Credentials::none())).await {
        Ok(version) => set_version(&mut report, &version),
        // Proxies in front of Octopus can require a credential for every request.
        Err(Error::Unauthorized { .. } | Error::Forbidden { .. }) => {}
        Err(error) => {
            report.problems.push(instance_problem(&error, key));
            return report;
        }
    }
    for (name, credentials) in configured_credentials(instance).await {
        let mut found = CredentialReport {
            name,
            user: None,
            expires: None,
            rights: None,
            problems: Vec::new(),
        };
        match credentials {
            Ok(credentials) => {
                let session = session(instance, credentials);
                verify_credential(&mut found, &session, key, offers_changes).await;
                if report.version.is_none()
                    && found.user.is_some()
                    && let Ok(version) = read_version(&session).await
                {
                    set_version(&mut report, &version);
                }
            }
            Err(error) => {
                found.problems.push(error_of(Cause::Credential, error.to_string()));
            }
        }
        report.credentials.push(found);
    }
    report
}

impl InstanceReport {
    /// Returns all problems with the name of their credential; `None` for those of the instance.
    pub fn all_problems(&self) -> impl Iterator<Item = (Option<&str>, &Problem)> {
        let own = self.problems.iter().map(|problem| (None, problem));
        let of_credentials = self.credentials.iter().flat_map(|credential| {
            credential.problems.iter().map(|problem| (Some(credential.name.as_str()), problem))
        });
        own.chain(of_credentials)
    }

    /// Returns whether calls fail because of a problem.
    pub fn has_errors(&self) -> bool {
        self.all_problems().any(|(_, problem)| problem.severity == Severity::Error)
    }
}

fn session(instance: &Instance, credentials: Credentials) -> Session {
    let caller = Fingerprint::of([b"verification".as_slice()]);
    Session::new(instance.client.clone(), credentials, caller, None)
}

/// Returns the credentials that need no caller. A token exchange counts if its token is in a file.
async fn configured_credentials(
    instance: &Instance,
) -> Vec<(String, Result<Credentials, CredentialError>)> {
    let configured = instance.credential_provider().configured();
    if !configured.is_empty() {
        let current = |(name, credential): (&str, &super::ConfiguredCredential)| {
            (name.to_owned(), Ok(credential.current()))
        };
        return configured.into_iter().map(current).collect();
    }
    match instance.credentials(&CallerCredentials::default()).await {
        Err(CredentialError::Missing(_) | CredentialError::NoToken(_)) => Vec::new(),
        exchanged => vec![("exchange".to_owned(), exchanged)],
    }
}

async fn read_version(session: &Session) -> Result<String, Error> {
    instance_info::root(session).await.map(|root| root.version)
}

fn set_version(report: &mut InstanceReport, version: &str) {
    let parsed = version.parse::<OctopusVersion>();
    if parsed.is_ok_and(|version| version < OctopusVersion::MIN_SUPPORTED) {
        let min = OctopusVersion::MIN_SUPPORTED;
        let message = format!(
            "Octopus {version} is older than {min}, the oldest supported version; upgrade Octopus"
        );
        report.problems.push(warning_of(Cause::Version, message));
    }
    report.version = Some(one_line(version));
}

async fn verify_credential(
    report: &mut CredentialReport,
    session: &Session,
    key: &str,
    offers_changes: bool,
) {
    let user = match users::me(session).await {
        Ok(user) => user,
        Err(error) => return report.problems.push(credential_problem(&error, key)),
    };
    report.user = Some(one_line(&user.username));
    report.expires = api_keys::credential_expiry(session).await.ok().flatten();
    report.rights = rights(session, &user).await.ok();
    if let Some(expires) = report.expires {
        report.problems.extend(expiry_problem(expires, Timestamp::now()));
    }
    if let Some(rights) = &report.rights {
        report.problems.extend(rights_problem(rights, &user, offers_changes));
    }
}

fn expiry_problem(expires: Timestamp, now: Timestamp) -> Option<Problem> {
    let limit = now.checked_add((EXPIRY_WARNING_DAYS * 24).hours()).ok()?;
    match (expires.cmp(&now), expires < limit) {
        (Ordering::Less, _) => {
            let message = format!("the credential expired at {expires}; replace it");
            Some(warning_of(Cause::Expiry, message))
        }
        (_, true) => {
            let message = format!("the credential expires at {expires}; replace it before then");
            Some(warning_of(Cause::Expiry, message))
        }
        _ => None,
    }
}

fn rights_problem(rights: &Rights, user: &User, offers_changes: bool) -> Option<Problem> {
    if rights.is_administrator {
        return None;
    }
    let name = &user.username;
    let message = if rights.space_permissions.is_empty() {
        format!("the user '{name}' has no permissions in any space; add it to a team in Octopus")
    } else if offers_changes && !rights.can_change {
        format!(
            "this server offers changes, but the user '{name}' may only read; add it to a team \
             with more permissions, or set tools.read_only = true"
        )
    } else {
        return None;
    };
    Some(warning_of(Cause::Rights, message))
}

/// Permission set of a user (`/api/users/{id}/permissions`).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct PermissionSet {
    #[serde(default, with = "As::<DefaultOnNull>")]
    space_permissions: BTreeMap<String, Value>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    system_permissions: Vec<String>,
}

async fn rights(session: &Session, user: &User) -> Result<Rights, Error> {
    let path = ApiPath::new([User::COLLECTION, user.id.as_str(), "permissions"]);
    let PermissionSet { space_permissions, system_permissions } = session.get(&path).await?;
    // An empty list of restrictions grants nothing.
    let is_granted = |value: &Value| value.as_array().is_none_or(|list| !list.is_empty());
    let granted = space_permissions.into_iter().filter(|(_, value)| is_granted(value));
    let space_permissions: Vec<String> = granted.map(|(name, _)| name).collect();
    Ok(Rights {
        is_administrator: system_permissions.iter().any(|name| name == "AdministerSystem"),
        // The names of permissions that only read contain `View`.
        can_change: space_permissions.iter().any(|name| !name.contains("View")),
        space_permissions,
    })
}

fn error_of(cause: Cause, message: impl AsRef<str>) -> Problem {
    Problem { severity: Severity::Error, cause, message: one_line(message.as_ref()) }
}

fn warning_of(cause: Cause, message: impl AsRef<str>) -> Problem {
    Problem { severity: Severity::Warning, cause, message: one_line(message.as_ref()) }
}

/// Returns sanitized text from Octopus for a line of a terminal or a log.
fn one_line(text: &str) -> String {
    printable(&sanitize(text).text).into_owned()
}

/// Explains why the root document was not read.
fn instance_problem(error: &Error, key: &str) -> Problem {
    match error {
        Error::Unreachable { reason, .. } if is_about_certificates(reason) => error_of(
            Cause::Tls,
            format!(
                "{error}; set {key}.ca_file to a PEM file with the certificate authority of \
                 Octopus, or use the host name of its certificate in {key}.url"
            ),
        ),
        Error::Unreachable { .. } | Error::TimedOut { .. } => error_of(
            Cause::Connection,
            format!("{error}; check {key}.url, DNS, the firewall and the proxy variables"),
        ),
        Error::UnexpectedResponse { .. } | Error::NotFound { .. } | Error::Redirected { .. } => {
            error_of(
                Cause::Url,
                format!(
                    "{key}.url does not lead to the API of Octopus: {error}; set it to the base \
                     URL of Octopus, without /app and /api"
                ),
            )
        }
        _ => error_of(Cause::Octopus, error.to_string()),
    }
}

/// Explains why the user of a credential was not read.
fn credential_problem(error: &Error, key: &str) -> Problem {
    match error {
        Error::Unauthorized { .. } => error_of(
            Cause::Credential,
            format!(
                "{error}; it is wrong, expired, deleted or its user is disabled; create a new \
                 one in Octopus and replace it under {key}"
            ),
        ),
        Error::Forbidden { .. } => error_of(Cause::Rights, error.to_string()),
        _ => instance_problem(error, key),
    }
}

/// Returns whether the text of a connection error is about certificates. The text of `rustls` is
/// the only source of this detail; it selects the advice and nothing else.
fn is_about_certificates(reason: &str) -> bool {
    let reason = reason.to_lowercase();
    ["certificate", "tls", "ssl"].iter().any(|word| reason.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warns_about_expiry_within_two_weeks() {
        let now: Timestamp = "2026-12-01T00:00:00Z".parse().unwrap();
        for (expires, expected) in [
            ("2026-11-30T00:00:00Z", Some("expired at")),
            ("2026-12-14T23:00:00Z", Some("expires at")),
            ("2026-12-16T00:00:00Z", None),
            ("9999-12-30T22:00:00Z", None),
        ] {
            let found = expiry_problem(expires.parse().unwrap(), now).map(|found| found.message);
            assert_eq!(found.is_some(), expected.is_some(), "{expires}");
            assert!(found.unwrap_or_default().contains(expected.unwrap_or_default()), "{expires}");
        }
    }

    #[test]
    fn connection_errors_have_a_cause_and_advice() {
        let unreachable = |reason: &str| Error::Unreachable {
            origin: "https://octopus.example.com".to_owned(),
            reason: reason.to_owned(),
        };
        for (error, cause, advice) in [
            (unreachable("invalid peer certificate: UnknownIssuer"), Cause::Tls, "octopus.ca_file"),
            (unreachable("Connection refused"), Cause::Connection, "octopus.url"),
            (Error::UnexpectedResponse { reason: "HTML".to_owned() }, Cause::Url, "base URL"),
        ] {
            let found = instance_problem(&error, "octopus");
            assert_eq!(found.cause, cause);
            assert!(found.message.contains(advice), "{}", found.message);
        }
    }

    #[test]
    fn warns_about_missing_rights() {
        let user: User =
            serde_json::from_value(serde_json::json!({ "Id": "Users-1", "Username": "ci" }))
                .unwrap();
        let rights = |names: &[&str]| Rights {
            is_administrator: false,
            can_change: names.iter().any(|name| !name.contains("View")),
            space_permissions: names.iter().map(|name| (*name).to_owned()).collect(),
        };
        for (names, offers_changes, expected) in [
            (&[][..], false, Some("no permissions")),
            (&["ProjectView"], true, Some("may only read")),
            (&["ProjectView"], false, None),
            (&["ProjectView", "DeploymentCreate"], true, None),
        ] {
            let found = rights_problem(&rights(names), &user, offers_changes);
            let message = found.map(|found| found.message);
            assert_eq!(message.is_some(), expected.is_some(), "{names:?}");
            assert!(message.unwrap_or_default().contains(expected.unwrap_or_default()));
        }
    }
}
