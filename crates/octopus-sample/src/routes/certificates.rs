//! Certificates. Archived ones are listed separately.

use std::cmp::Reverse;

use serde_json::json;

use super::super::call::{Call, contains};
use super::super::database::Item;
use super::super::response::{ApiError, ApiResponse, ApiResult};
use super::filters::Filter;
use super::missing;

/// The filters of `/certificates`.
pub(super) const FILTERS: &[Filter] = &[
    Filter::Ids,
    Filter::Name,
    Filter::Matches(matches_search),
    Filter::Matches(matches_archived),
    Filter::AnyOf("tenant", "TenantIds"),
];

/// First bytes of a PFX file (RFC 7292): a sequence with version 3. All other bytes are filler.
const PFX: [u8; 7] = [0x30, 0x82, 0x0a, 0x00, 0x02, 0x01, 0x03];

/// Answers `/certificates/{id}/export` and `/certificates/{id}/usages`.
pub(super) fn below(call: &Call<'_>, path: &[&str]) -> ApiResult {
    match path {
        [id, "export"] => {
            let certificate = one(call, id)?;
            call.require("CertificateExportPrivateKey")?;
            Ok(ApiResponse::binary("application/x-pkcs12", pfx(certificate)))
        }
        [id, "usages"] => {
            one(call, id)?;
            Ok(ApiResponse::value(&json!({
                "LibraryVariableSetUsages": [], "ProjectUsages": [], "TenantUsages": [],
                "DeploymentTargetUsages": [], "Links": {},
            })))
        }
        _ => Err(ApiError::NoRoute),
    }
}

/// Sorts a list by `orderBy`, and applies `firstResult`.
pub(super) fn arrange<'a>(call: &Call<'_>, mut found: Vec<&'a Item>) -> Vec<&'a Item> {
    match call.query.text("orderBy").map(str::to_lowercase).as_deref() {
        Some("notafter" | "expiry") => found.sort_by_key(|item| item.text("NotAfter").to_owned()),
        Some("notbefore") => found.sort_by_key(|item| Reverse(item.text("NotBefore").to_owned())),
        _ => {}
    }
    // `firstResult` is an older name of `skip`; it applies before `skip` and `take`.
    let first = call.query.number("firstResult").unwrap_or(0).min(found.len());
    found.split_off(first)
}

fn one<'a>(call: &Call<'a>, id: &str) -> Result<&'a Item, ApiError> {
    call.database.certificates.find_in(call.space_id(), id).ok_or_else(|| missing(id))
}

fn matches_search(call: &Call<'_>, certificate: &Item) -> bool {
    let keys = ["Name", "Thumbprint", "SubjectDistinguishedName"];
    call.query
        .text("search")
        .is_none_or(|part| keys.iter().any(|key| contains(certificate.text(key), part)))
}

/// Matches `archived`. Without it, archived certificates are listed only if `ids` names them.
fn matches_archived(call: &Call<'_>, certificate: &Item) -> bool {
    let wanted = call.query.switch("archived");
    let has_ids = call.query.text("ids").is_some();
    let wanted = if has_ids { wanted } else { wanted.or(Some(false)) };
    wanted.is_none_or(|wanted| wanted != certificate.text("Archived").is_empty())
}

fn pfx(certificate: &Item) -> Vec<u8> {
    let filling = certificate.text("Thumbprint").bytes().cycle().take(2_557);
    PFX.into_iter().chain(filling.map(|byte| byte ^ 0xa5)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::test_client::{get, get_response, ids};
    use crate::{Sample, keys};

    #[tokio::test]
    async fn lists_archived_certificates_separately() {
        let rows = [
            (
                "",
                "Certificates-5 Certificates-2 Certificates-6 Certificates-4 Certificates-7 Certificates-1",
            ),
            ("archived=true", "Certificates-8 Certificates-3"),
            ("search=brightwater", "Certificates-5"),
            ("tenant=Tenants-1", "Certificates-5"),
            ("ids=Certificates-3", "Certificates-3"),
            ("partialName=staging&archived=false", "Certificates-7"),
            ("orderBy=NotAfter&take=2", "Certificates-2 Certificates-5"),
            ("firstResult=5", "Certificates-1"),
        ];
        for (query, expected) in rows {
            let found = ids(&format!("/api/Spaces-1/certificates?{query}")).await;
            assert_eq!(found.join(" "), expected, "{query}");
        }
        let one = get("/api/Spaces-1/certificates/Certificates-2").await;
        assert_eq!((&one["IsExpired"], &one["HasPrivateKey"]), (&true.into(), &true.into()));
        assert!(one["CertificateData"]["NewValue"].is_null());
    }

    #[tokio::test]
    async fn export_is_binary() {
        let path = "/api/Spaces-1/certificates/Certificates-1/export?includePrivateKey=true";
        let response = get_response(&Sample::new(), keys::ADMIN, path).await;
        assert_eq!(response.headers()["content-type"], "application/x-pkcs12");
        assert!(str::from_utf8(response.body()).is_err());
    }
}
