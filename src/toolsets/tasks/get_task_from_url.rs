//! `get_task_from_url`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::TaskDetails;
use crate::{
    octopus::{portal_url::PortalUrl, projects::Project, tasks},
    tool::{Context, Error, NamesById, Tool, resource_uri},
    toolsets::portal_url::{UrlInfo, enter_space, resolve},
};

/// Get the task at a URL of the Octopus web portal, in the form of get_task_details.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct GetTaskFromUrl {
    /// Portal URL, e.g. "https://host/app#/Spaces-1/tasks/ServerTasks-123".
    url: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TaskOfUrl {
    resolved_space_name: String,
    resolved_task_id: String,
    url_info: UrlInfo,
    resource_uri: String,
    /// The task in the form of get_task_details.
    task: TaskDetails,
}

/// Approximate size of the answer without the task, in bytes.
const ENVELOPE_BYTES: usize = 1024;

impl Tool for GetTaskFromUrl {
    const NAME: &'static str = "get_task_from_url";
    const TITLE: &'static str = "Get a task by its address";
    const TAKES_MAX_BYTES: bool = true;
    const KEEPS_TO_PROJECT: bool = true;

    type Output = TaskOfUrl;

    async fn run(self, request_cx: &Context) -> Result<Self::Output, Error> {
        let (url, cx) = resolve(&self.url, Self::NAME, request_cx).await?;
        let PortalUrl { space, task, deployment, resource_type } = url;
        let cx = &cx;
        let Some(id) = task else {
            let problem =
                match (&deployment, cx.access.is_visible_by_name("get_deployment_from_url")) {
                    (Some(deployment), true) => {
                        format!(
                            "is for {deployment}, not a task; use get_deployment_from_url for it"
                        )
                    }
                    (Some(deployment), false) => format!("is for {deployment}, not a task"),
                    (None, _) => "names no task; expected a URL with /tasks/ServerTasks-123".into(),
                };
            let reason = format!("this URL {problem}");
            return Err(Error::Argument { field: "url".to_owned(), reason });
        };
        let mut url_info = UrlInfo::new(&self.url, &space, resource_type, [request_cx, cx]);
        url_info.extracted_task_id = Some(id.to_string());
        let space = enter_space(&space, cx).await?;
        let details = tasks::details(&space, &id).await?;
        let project = details.task.project_id.as_ref();
        cx.ensure_project_in_scope(&space, project).await?;
        let names = NamesById::lookup::<Project>(&space, project).await?;
        let project_name = project.and_then(|id| names.get(id.as_str()));
        let max_bytes = cx.limits.answer.saturating_sub(ENVELOPE_BYTES + self.url.len());
        Ok(TaskOfUrl {
            resolved_space_name: space.name().to_owned(),
            resource_uri: resource_uri(["spaces", space.name(), "tasks", id.as_str(), "details"]),
            resolved_task_id: id.to_string(),
            url_info,
            task: TaskDetails::of(cx, &space, details, project_name, false, max_bytes).await?,
        })
    }
}
