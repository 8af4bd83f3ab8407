//! `get_deployment_from_url`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::summary::{DeploymentReferences, DeploymentSummary};
use crate::{
    octopus::{deployments::Deployment, portal_url::PortalUrl},
    tool::{Context, Error, Tool, resource_uri},
    toolsets::portal_url::{UrlInfo, enter_space, resolve},
};

/// Get the deployment at a URL of the Octopus web portal, with the ID of its task.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GetDeploymentFromUrl {
    /// Portal URL, e.g. "https://host/app#/Spaces-1/deployments/Deployments-123".
    url: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeploymentOfUrl {
    resolved_space_name: String,
    resolved_deployment_id: String,
    /// ID of the deployment's task, which has the logs.
    task_id_for_logs: String,
    url_info: UrlInfo,
    deployment: DeploymentSummary,
    next_steps: NextSteps,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct NextSteps {
    description: String,
    use_task_id: String,
    task_resource_uri: Option<String>,
    grep_task_log_hint: Option<LogHint>,
}

/// A tool call that searches the log.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct LogHint {
    tool: &'static str,
    space_name: String,
    task_id: String,
}

/// Name of the tool that searches the log.
const GREP_TOOL: &str = "grep_task_log";

impl Tool for GetDeploymentFromUrl {
    const NAME: &'static str = "get_deployment_from_url";
    const TITLE: &'static str = "Get a deployment by its address";
    const KEEPS_TO_PROJECT: bool = true;

    type Output = DeploymentOfUrl;

    async fn run(self, request_cx: &Context) -> Result<Self::Output, Error> {
        let (url, cx) = resolve(&self.url, Self::NAME, request_cx).await?;
        let PortalUrl { space, task, deployment, resource_type } = url;
        let cx = &cx;
        let Some(id) = deployment else {
            let problem =
                match (&task, resource_type, cx.access.is_visible_by_name("get_task_from_url")) {
                    (Some(task), _, true) => {
                        format!("is for {task}, not a deployment; use get_task_from_url for it")
                    }
                    (_, kind, _) => format!(
                        "is for {}, not a deployment; expected a URL with \
                     /deployments/Deployments-123",
                        kind.map_or_else(
                            || "an unknown page".to_owned(),
                            |kind| format!("a {kind}")
                        )
                    ),
                };
            let reason = format!("this URL {problem}");
            return Err(Error::Argument { field: "url".to_owned(), reason });
        };
        let mut url_info = UrlInfo::new(&self.url, &space, resource_type, [request_cx, cx]);
        url_info.extracted_deployment_id = Some(id.to_string());
        let space = enter_space(&space, cx).await?;
        let deployment: Deployment = space.get(&id).await?;
        cx.ensure_project_in_scope(&space, Some(&deployment.project_id)).await?;
        let task = deployment.task_id.to_string();
        let references =
            DeploymentReferences::read(&space, std::slice::from_ref(&deployment)).await?;
        let details = cx.access.is_visible_by_name("get_task_details");
        let log =
            [GREP_TOOL, "get_task_raw"].into_iter().find(|tool| cx.access.is_visible_by_name(tool));
        let description = match (details, log) {
            (true, Some(log)) => {
                format!(
                    "get_task_details with this task shows the outcome and its cause, {log} the log"
                )
            }
            (true, None) => {
                "get_task_details with this task shows the outcome and its cause".to_owned()
            }
            (false, Some(log)) => format!("{log} with this task shows its log"),
            (false, None) => "this is the task of the deployment".to_owned(),
        };
        let next_steps = NextSteps {
            description,
            task_resource_uri: cx
                .access
                .is_enabled("tasks")
                .then(|| resource_uri(["spaces", space.name(), "tasks", &task, "details"])),
            grep_task_log_hint: cx.access.is_visible_by_name(GREP_TOOL).then(|| LogHint {
                tool: GREP_TOOL,
                space_name: space.name().to_owned(),
                task_id: task.clone(),
            }),
            use_task_id: task.clone(),
        };
        Ok(DeploymentOfUrl {
            resolved_space_name: space.name().to_owned(),
            resolved_deployment_id: id.to_string(),
            task_id_for_logs: task,
            url_info,
            deployment: references.summary(&space, deployment),
            next_steps,
        })
    }
}
