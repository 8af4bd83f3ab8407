//! `find_accounts`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::summary::{AccountSummary, summaries};
use crate::{
    access::Alias,
    octopus::{
        Resource,
        accounts::{Account, AccountType},
    },
    tool::{
        Context, Error, List, NamePart, OneOrList, Skip, SpaceArg, StringList, Take, Tool,
        find_ids, present_arguments, reject_list_filters,
    },
};

/// Find the accounts that deployments use for clouds and machines, with their scope. Secrets are
/// never shown.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct FindAccounts {
    space: Option<SpaceArg>,
    /// Name, slug or ID of one account; not combined with filters.
    account_id: Option<String>,
    /// Account names, slugs or IDs.
    ids: Option<StringList>,
    partial_name: Option<NamePart>,
    /// Account type.
    account_type: Option<AccountType>,
    skip: Option<Skip>,
    take: Option<Take>,
}

impl Tool for FindAccounts {
    const NAME: &'static str = "find_accounts";
    const TITLE: &'static str = "Find accounts";
    const ALIASES: &'static [Alias] = &[Alias::new("list_accounts"), Alias::new("get_account")];

    type Output = OneOrList<AccountSummary>;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let filters = present_arguments(&[
            ("ids", self.ids.is_some()),
            ("partialName", self.partial_name.is_some()),
            ("accountType", self.account_type.is_some()),
        ]);
        if let Some(name_or_id) = &self.account_id {
            let page =
                present_arguments(&[("skip", self.skip.is_some()), ("take", self.take.is_some())]);
            reject_list_filters("accountId", &[filters, page].concat())?;
            let space = cx.resolve_space(self.space.as_deref()).await?;
            let account = space.find::<Account>(name_or_id).await?;
            let id = account.id.clone();
            let summary = summaries(&space, vec![account]).await?.pop();
            return summary.map(OneOrList::one).ok_or_else(|| space.id_not_found(&id).into());
        }
        let window = cx.window(self.skip, self.take)?;
        let space = cx.resolve_space(self.space.as_deref()).await?;
        let ids = find_ids::<Account>(&space, self.ids).await?;
        let path = space
            .path([Account::COLLECTION])
            .query_list("ids", &ids)
            .query_opt("partialName", self.partial_name)
            .query_opt("accountType", self.account_type.map(|kind| format!("{kind:?}")));
        let page = space.list(path, window).await?;
        let items = summaries(&space, page.items).await?;
        Ok(OneOrList::List(
            List::new(window, page.total_results, items)
                .with_unreadable(&page.unreadable)
                .with_hint_if_empty(|| {
                    if filters.is_empty() {
                        format!("space '{}' has no account that this user can see", space.name())
                    } else {
                        format!("no account matches {}; leave one out", filters.join(" and "))
                    }
                }),
        ))
    }
}
