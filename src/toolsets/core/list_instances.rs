//! `list_instances`.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    access::ScopeLevel,
    octopus::{Credentials, Error as OctopusError, Instance, Session},
    tool::{Context, Error, Tool},
};

/// List the Octopus instances of this server, with the path to connect to for each.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ListInstances {}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct InstanceList {
    items: Vec<InstanceSummary>,
    total_results: usize,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct InstanceSummary {
    name: String,
    /// Path on this server for calls to the instance.
    connect_to: String,
    url: String,
    version: Option<String>,
    is_reachable: bool,
    is_default: bool,
    /// Whether calls of this request go to the instance.
    is_current: bool,
    /// Whether changes are disabled.
    is_read_only: bool,
    /// Whether the credential of this request works there.
    can_act: bool,
    /// Reason why canAct or isReachable is false.
    reason: Option<String>,
}

/// Timeout of the version request to an instance.
const VERSION_TIMEOUT: Duration = Duration::from_secs(2);

impl Tool for ListInstances {
    const NAME: &'static str = "list_instances";
    const TITLE: &'static str = "List instances";
    const CHOOSES: Option<ScopeLevel> = Some(ScopeLevel::Instance);
    const KEEPS_TO_PROJECT: bool = true;

    type Output = InstanceList;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let items =
            join_all(cx.scope.allowed_instances().map(|instance| summary(instance, cx))).await;
        Ok(InstanceList { total_results: items.len(), items })
    }
}

async fn summary(instance: &Arc<Instance>, cx: &Context) -> InstanceSummary {
    // The version is public, so the credential of the caller is not sent.
    let fingerprint = cx.caller.fingerprint();
    let session = Session::new(instance.client.clone(), Credentials::none(), fingerprint, None);
    let (version, silent) = match tokio::time::timeout(VERSION_TIMEOUT, session.version()).await {
        Ok(Ok(version)) => (Some(version.to_string()), None),
        Ok(Err(
            error @ (OctopusError::Unreachable { .. }
            | OctopusError::TimedOut { .. }
            | OctopusError::Unavailable { .. }),
        )) => (None, Some(error.to_string())),
        Ok(Err(_)) => (None, None),
        Err(_) => (None, Some(format!("no response within {} s", VERSION_TIMEOUT.as_secs()))),
    };
    let unfit = instance.check_credentials(&cx.scope.caller.credential_inputs()).err();
    let default = cx.scope.instances.default();
    InstanceSummary {
        connect_to: format!("/mcp/i/{}", instance.name),
        url: instance.client.url().to_string(),
        version,
        is_reachable: silent.is_none(),
        is_default: default.is_some_and(|default| default.name == instance.name),
        is_current: cx.instance.name == instance.name,
        is_read_only: instance.read_only || cx.scope.access(instance).is_read_only(),
        can_act: unfit.is_none(),
        reason: unfit.map(|unfit| unfit.to_string()).or(silent),
        name: instance.name.clone(),
    }
}
