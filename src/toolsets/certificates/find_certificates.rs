//! `find_certificates`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::summary::{CertificateSummary, summaries};
use crate::{
    access::Alias,
    octopus::{Resource, certificates::Certificate, tenants::Tenant},
    tool::{
        Context, Error, List, NamePart, OneOrList, Skip, SpaceArg, StringList, Take, TenantArg,
        Tool, find_ids, present_arguments, reject_list_filters,
    },
};

/// Find certificates, with subject, issuer, expiry and scope. Private keys are never shown.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct FindCertificates {
    space: Option<SpaceArg>,
    /// Name or ID of one certificate; not combined with filters.
    certificate_id: Option<String>,
    /// Text in name, thumbprint or subject.
    search: Option<String>,
    partial_name: Option<NamePart>,
    /// Certificate names or IDs.
    ids: Option<StringList>,
    /// Return archived certificates instead of active ones.
    archived: Option<bool>,
    tenant: Option<TenantArg>,
    /// Sort order: "recent" (by creation); anything else sorts by expiry date.
    order_by: Option<String>,
    skip: Option<Skip>,
    take: Option<Take>,
}

impl Tool for FindCertificates {
    const NAME: &'static str = "find_certificates";
    const TITLE: &'static str = "Find certificates";
    const ALIASES: &'static [Alias] =
        &[Alias::new("list_certificates"), Alias::new("get_certificate")];

    type Output = OneOrList<CertificateSummary>;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let filters = present_arguments(&[
            ("search", self.search.is_some()),
            ("partialName", self.partial_name.is_some()),
            ("ids", self.ids.is_some()),
            ("archived", self.archived.is_some()),
            ("tenant", self.tenant.is_some()),
        ]);
        if let Some(name_or_id) = &self.certificate_id {
            let page = present_arguments(&[
                ("orderBy", self.order_by.is_some()),
                ("skip", self.skip.is_some()),
                ("take", self.take.is_some()),
            ]);
            reject_list_filters("certificateId", &[filters, page].concat())?;
            let space = cx.resolve_space(self.space.as_deref()).await?;
            let certificate = space.find::<Certificate>(name_or_id).await?;
            let id = certificate.id.clone();
            let summary = summaries(&space, vec![certificate]).await?.pop();
            return summary.map(OneOrList::one).ok_or_else(|| space.id_not_found(&id).into());
        }
        let window = cx.window(self.skip, self.take)?;
        let space = cx.resolve_space(self.space.as_deref()).await?;
        let (ids, tenant) = futures::try_join!(
            find_ids::<Certificate>(&space, self.ids),
            space.find_optional::<Tenant>(self.tenant.as_deref())
        )?;
        let path = space
            .path([Certificate::COLLECTION])
            .query_opt("search", self.search)
            .query_opt("partialName", self.partial_name)
            .query_list("ids", &ids)
            .query_opt("archived", self.archived)
            .query_opt("tenant", tenant.map(|tenant| tenant.id))
            .query_opt("orderBy", self.order_by);
        let page = space.list(path, window).await?;
        let items = summaries(&space, page.items).await?;
        Ok(OneOrList::List(
            List::new(window, page.total_results, items)
                .with_unreadable(&page.unreadable)
                .with_hint_if_empty(|| {
                    if filters.is_empty() {
                        format!(
                            "space '{}' has no certificate that this user can see",
                            space.name()
                        )
                    } else {
                        format!("no certificate matches {}; leave one out", filters.join(" and "))
                    }
                }),
        ))
    }
}
