//! Accounts and certificates. Responses never contain their secrets.

use serde_json::{Value, json};

use super::collection::Collection;
use super::configuration::{by_name, collection};
use super::fixtures;
use crate::clock::{NOW, parse};
use crate::random::token;

pub(super) fn accounts() -> Collection {
    let accounts = collection(fixtures::ACCOUNTS, |id, space, _| {
        let path = format!("/api/{space}/accounts/{id}");
        json!({
            "EnvironmentIds": [], "TenantedDeploymentParticipation": "Untenanted", "TenantIds": [],
            "TenantTags": [], "Links": { "Self": path, "Usages": format!("{path}/usages") },
        })
    });
    by_name(&accounts)
}

pub(super) fn certificates() -> Collection {
    let certificates = collection(fixtures::CERTIFICATES, |id, space, fixture| {
        let text = |key: &str| fixture.get(key).and_then(Value::as_str).unwrap_or_default();
        let flag = |key: &str, otherwise: bool| {
            fixture.get(key).and_then(Value::as_bool).unwrap_or(otherwise)
        };
        let (self_signed, has_key) = (flag("SelfSigned", false), flag("HasPrivateKey", true));
        let name = text("SubjectCommonName");
        let issuer = if self_signed { name } else { "Larkspur Issuing CA" };
        let is_expired = parse(text("NotAfter")).is_some_and(|end| end <= NOW);
        let path = format!("/api/{space}/certificates/{id}");
        json!({
            "Notes": "",
            "CertificateData": { "HasValue": true, "NewValue": null, "Hint": null },
            "Password": { "HasValue": has_key, "NewValue": null, "Hint": null },
            "EnvironmentIds": [], "TenantedDeploymentParticipation": "Untenanted", "TenantIds": [],
            "TenantTags": [], "Archived": null, "ReplacedBy": null,
            "CertificateDataFormat": "Pkcs12",
            "SubjectDistinguishedName": format!("CN={name}, O=Larkspur Freight"),
            "SubjectOrganization": "Larkspur Freight",
            "IssuerDistinguishedName": format!("CN={issuer}, O=Larkspur Freight"),
            "IssuerCommonName": issuer, "IssuerOrganization": "Larkspur Freight",
            "SelfSigned": self_signed, "Thumbprint": token(id, 40).to_uppercase(),
            "IsExpired": is_expired, "HasPrivateKey": has_key, "Version": 3,
            "SerialNumber": token(&format!("{id}/serial"), 6).to_uppercase(),
            "SignatureAlgorithmName": "sha256RSA",
            "SubjectAlternativeNames": if self_signed { json!([]) } else { json!([name]) },
            "CertificateChain": [],
            "Links": {
                "Self": path,
                "Export": format!("{path}/export{{?format,includePrivateKey,password,pemOptions}}"),
                "Replace": format!("{path}/replace"), "Archive": format!("{path}/archive"),
                "Unarchive": format!("{path}/unarchive"), "Usages": format!("{path}/usages"),
            },
        })
    });
    by_name(&certificates)
}
