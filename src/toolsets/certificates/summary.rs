//! A certificate in the form of the answer.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    octopus::{Id, Space, certificates::Certificate, parse_time},
    tool::Error,
    toolsets::scope::{NamedScope, ScopeNames},
};

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CertificateSummary {
    space_id: String,
    id: String,
    name: String,
    notes: Option<String>,
    thumbprint: Option<String>,
    subject_distinguished_name: Option<String>,
    subject_common_name: Option<String>,
    subject_organization: Option<String>,
    issuer_distinguished_name: Option<String>,
    issuer_common_name: Option<String>,
    issuer_organization: Option<String>,
    not_before: Option<String>,
    not_after: Option<String>,
    is_expired: Option<bool>,
    /// Whole days until expiry by the clock of Octopus; negative after expiry.
    days_to_expiry: Option<i64>,
    version: Option<i64>,
    serial_number: Option<String>,
    signature_algorithm_name: Option<String>,
    certificate_data_format: Option<String>,
    /// Time of archiving.
    archived: Option<String>,
    replaced_by: Option<String>,
    self_signed: Option<bool>,
    self_signed_certificate_curve: Option<String>,
    has_private_key: Option<bool>,
    subject_alternative_names: Vec<String>,
    #[serde(flatten)]
    scope: NamedScope,
    url: String,
}

/// Creates the answer form of certificates, with the names of environments and tenants.
pub(super) async fn summaries(
    space: &Space,
    certificates: Vec<Certificate>,
) -> Result<Vec<CertificateSummary>, Error> {
    let scopes = certificates.iter().map(|certificate| &certificate.scope);
    let names = ScopeNames::of(space, scopes).await?;
    let now = space.session().now();
    let summary = |certificate: Certificate| CertificateSummary {
        space_id: space.id().to_string(),
        url: space.portal().certificate(&certificate.id),
        days_to_expiry: days_to_expiry(now, &certificate),
        id: certificate.id.into_string(),
        name: certificate.name,
        notes: certificate.notes,
        thumbprint: certificate.thumbprint,
        subject_distinguished_name: certificate.subject_distinguished_name,
        subject_common_name: certificate.subject_common_name,
        subject_organization: certificate.subject_organization,
        issuer_distinguished_name: certificate.issuer_distinguished_name,
        issuer_common_name: certificate.issuer_common_name,
        issuer_organization: certificate.issuer_organization,
        not_before: certificate.not_before,
        not_after: certificate.not_after,
        is_expired: certificate.is_expired,
        version: certificate.version,
        serial_number: certificate.serial_number,
        signature_algorithm_name: certificate.signature_algorithm_name,
        certificate_data_format: certificate.certificate_data_format,
        archived: certificate.archived,
        replaced_by: certificate.replaced_by.map(Id::into_string),
        self_signed: certificate.self_signed,
        self_signed_certificate_curve: certificate.self_signed_certificate_curve,
        has_private_key: certificate.has_private_key,
        subject_alternative_names: certificate.subject_alternative_names,
        scope: names.with_names(certificate.scope),
    };
    Ok(certificates.into_iter().map(summary).collect())
}

/// Returns the whole days from `now` until the certificate expires, rounded down. Agrees with the
/// flag of Octopus, although the clock of Octopus is known to a second only.
fn days_to_expiry(now: Timestamp, certificate: &Certificate) -> Option<i64> {
    let end = parse_time(certificate.not_after.as_deref()?)?;
    let days = end.duration_since(now).as_secs().div_euclid(86_400);
    Some(match certificate.is_expired {
        Some(true) => days.min(-1),
        Some(false) => days.max(0),
        None => days,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn days_are_rounded_down_and_negative_after_expiry() {
        let now = "2026-08-04T12:00:00Z".parse().unwrap();
        for (end, is_expired, expected) in [
            ("2026-08-05T12:00:00.000+00:00", None, Some(1)),
            ("2026-08-05T11:59:59.000+00:00", None, Some(0)),
            ("2026-08-04T11:59:59Z", None, Some(-1)),
            ("2026-08-04T23:00:00+12:00", None, Some(-1)),
            ("2026-08-04T11:59:59Z", Some(false), Some(0)),
            ("2026-08-04T12:00:01Z", Some(true), Some(-1)),
            ("9999-12-31T23:59:59.9999999+00:00", Some(false), Some(2_912_226)),
            ("0001-01-01T00:00:00+00:00", Some(true), Some(-739_832)),
            ("soon", None, None),
        ] {
            let certificate = json!({ "Id": "Certificates-1", "Name": "x", "NotAfter": end, "IsExpired": is_expired });
            let certificate: Certificate = serde_json::from_value(certificate).unwrap();
            assert_eq!(days_to_expiry(now, &certificate), expected, "{end}");
        }
    }
}
