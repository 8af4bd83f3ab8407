//! `list_instances`.

use std::{sync::Arc, time::Duration};

use futures::future::join_all;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    octopus::{Credentials, Error as OctopusError, Instance, Session},
    tool::{Context, Error, Place, Tool},
};

/// List the Octopus instances and where to connect for each.
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
    /// The path at this server for calls to it.
    connect_to: String,
    url: String,
    version: Option<String>,
    is_reachable: bool,
    is_default: bool,
    /// Whether these calls reach it.
    is_current: bool,
    /// Whether nothing may be changed there.
    is_read_only: bool,
    /// Whether you have what it takes to act there.
    can_act: bool,
    /// Why you cannot act, or it does not answer.
    reason: Option<String>,
}

/// How long an instance may take to say its version.
const PATIENCE: Duration = Duration::from_secs(2);

impl Tool for ListInstances {
    const NAME: &'static str = "list_instances";
    const TITLE: &'static str = "List instances";
    const CHOOSES: Option<Place> = Some(Place::Instance);
    const KEEPS_TO_PROJECT: bool = true;

    type Output = InstanceList;

    async fn run(self, cx: &Context) -> Result<Self::Output, Error> {
        let items = join_all(cx.reach.seen().map(|instance| summary(instance, cx))).await;
        Ok(InstanceList { total_results: items.len(), items })
    }
}

async fn summary(instance: &Arc<Instance>, cx: &Context) -> InstanceSummary {
    // It says its version to anybody, so no credential of the caller goes there.
    let who = cx.caller.fingerprint();
    let session = Session::new(instance.client.clone(), Credentials::nobody(), who, None);
    let (version, silent) = match tokio::time::timeout(PATIENCE, session.version()).await {
        Ok(Ok(version)) => (Some(version.to_string()), None),
        Ok(Err(
            error @ (OctopusError::Unreachable { .. }
            | OctopusError::TimedOut { .. }
            | OctopusError::Unavailable { .. }),
        )) => (None, Some(error.to_string())),
        Ok(Err(_)) => (None, None),
        Err(_) => (None, Some(format!("it did not answer in {} s", PATIENCE.as_secs()))),
    };
    let unfit = instance.suits(&cx.reach.caller.brings()).err();
    let default = cx.reach.instances.default();
    InstanceSummary {
        connect_to: format!("/mcp/i/{}", instance.name),
        url: instance.client.url().to_string(),
        version,
        is_reachable: silent.is_none(),
        is_default: default.is_some_and(|default| default.name == instance.name),
        is_current: cx.instance.name == instance.name,
        is_read_only: instance.read_only || cx.reach.policy(instance).is_read_only(),
        can_act: unfit.is_none(),
        reason: unfit.map(|unfit| unfit.to_string()).or(silent),
        name: instance.name.clone(),
    }
}
