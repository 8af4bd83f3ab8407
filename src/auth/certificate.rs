//! Authentication by TLS client certificate.

use std::{collections::BTreeSet, sync::Arc};

use jiff::Timestamp;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate, X509Name};

use super::{AuthError, AuthMethod, Grants, Identity, caller::display_name, highest_group_scope};
use crate::config::{self, SubjectName};

/// Returns the identity in a client certificate. The TLS layer has already verified the certificate
/// chain.
pub(super) fn identify(
    der: &[u8],
    settings: &config::CertificateAuthSettings,
    group_scopes: &[config::GroupScope],
    now: Timestamp,
) -> Result<Identity, AuthError> {
    let (_, certificate) = X509Certificate::from_der(der)
        .map_err(|_| AuthError::Invalid("the client certificate cannot be parsed"))?;
    // A connection can outlive the validity of its client certificate.
    let expires = Timestamp::from_second(certificate.validity().not_after.timestamp()).ok();
    if expires.is_none_or(|expires| expires <= now) {
        return Err(AuthError::Invalid("the client certificate has expired"));
    }
    let subject = subject(&certificate, settings.subject)
        .filter(|subject| !subject.trim().is_empty())
        .ok_or(AuthError::Invalid("the client certificate contains no caller name"))?;
    let units = certificate.subject().iter_organizational_unit();
    let groups: BTreeSet<String> =
        units.filter_map(|unit| unit.as_str().ok()).map(str::to_owned).collect();
    let scope = highest_group_scope(&groups, group_scopes).unwrap_or(settings.scope);
    Ok(Identity {
        method: AuthMethod::Certificate,
        name: display_name(&subject),
        subject,
        issuer: single_common_name(certificate.issuer()),
        client: None,
        owner: None,
        groups: Arc::new(groups),
        grants: Grants { scope, ..Grants::default() },
        is_scoped: false,
        expires,
    })
}

fn subject(certificate: &X509Certificate<'_>, of: SubjectName) -> Option<String> {
    if of == SubjectName::Cn {
        return single_common_name(certificate.subject());
    }
    let names = certificate.subject_alternative_name().ok()??;
    let name = names.value.general_names.iter().find_map(|name| match (name, of) {
        (GeneralName::URI(uri), SubjectName::Uri) => Some(*uri),
        (GeneralName::DNSName(name), SubjectName::Dns) => Some(*name),
        (GeneralName::RFC822Name(address), SubjectName::Email) => Some(*address),
        _ => None,
    })?;
    Some(name.to_owned())
}

/// Returns the common name if the certificate has exactly one. Several names would not identify the
/// caller unambiguously.
fn single_common_name(name: &X509Name<'_>) -> Option<String> {
    let mut names = name.iter_common_name();
    match (names.next(), names.next()) {
        (Some(name), None) => name.as_str().ok().map(str::to_owned),
        _ => None,
    }
}
