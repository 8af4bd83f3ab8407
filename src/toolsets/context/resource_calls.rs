//! The resource `caller-calls`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    octopus::{AccessSet, AccessedResource, ResourceKind},
    tool::{Contents, Context, Error, RecentCall, Resource},
};

/// The last calls of this caller, newest first, that this replica served: tool, result, time, place
/// and tasks.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CallsResource {}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Calls {
    /// Name of the caller.
    caller: String,
    /// Authentication method. Without authentication, the calls are those of all callers.
    known_by: &'static str,
    items: Vec<RecentCall>,
    total_results: usize,
}

impl Resource for CallsResource {
    const NAME: &'static str = "caller-calls";
    const TITLE: &'static str = "Last calls of the caller";
    const TEMPLATE: &'static str = "octopus://caller/calls";

    async fn read(self, cx: &Context) -> Result<Contents, Error> {
        let mut items = cx.audit.recent_calls();
        let fixed = cx.scope.request.instance.as_deref();
        let is_seen = |name: &str| {
            fixed.is_none_or(|fixed| fixed == name)
                && cx.scope.allowed_instances().any(|instance| instance.name == name)
        };
        items.retain(|call| call.instance.as_deref().is_none_or(is_seen));
        if cx.pinned_space.is_some() {
            let space = cx.resolve_space(None).await?;
            let mut access_set = AccessSet::default();
            space.record_access(&mut access_set);
            let is_fixed = |name: &str| {
                access_set.resources(ResourceKind::Space).iter().any(|one| is_space(one, name))
            };
            items.retain(|call| call.space.as_deref().is_none_or(is_fixed));
        } else {
            // Hides the names of spaces that are not granted to this request.
            for call in &mut items {
                call.redact_space_unless(|space| cx.grants_space(&[Some(space)]));
            }
        }
        let calls = Calls {
            caller: cx.caller.name.clone(),
            known_by: cx.caller.method.into(),
            total_results: items.len(),
            items,
        };
        serde_json::to_value(calls)
            .map(Contents::Json)
            .map_err(|error| Error::Output(error.to_string()))
    }
}

fn is_space(space: &AccessedResource, name: &str) -> bool {
    [Some(&space.id), space.name.as_ref(), space.slug.as_ref()]
        .into_iter()
        .flatten()
        .any(|known| known.eq_ignore_ascii_case(name))
}
