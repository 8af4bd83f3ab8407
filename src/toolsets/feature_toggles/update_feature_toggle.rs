//! `update_feature_toggle`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{
    approval::ChangePreview,
    octopus::{
        ChangeRequest, ChangeResponse, Error as OctopusError, Named, OctopusVersion, Resource,
        ResourceKind, Space, environments::Environment, projects::Project, rollout_groups,
    },
    tool::{Context, EnvironmentArg, Error, Plan, ProjectArg, SpaceArg, WriteTool, resource_uri},
    toolsets::executions,
};

/// Change a feature toggle: its default, its description, or its state and rollout in environments.
/// Other fields stay unchanged.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct UpdateFeatureToggle {
    space: Option<SpaceArg>,
    project_id: ProjectArg,
    /// Slug of the toggle, e.g. "new-checkout".
    slug: String,
    /// State in environments without their own state.
    default_is_enabled: Option<bool>,
    /// Description (max 1000 characters).
    description: Option<String>,
    /// Changes in environments that the toggle already has an entry for.
    #[serde(default)]
    environments: Vec<InEnvironment>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct InEnvironment {
    deployment_environment_id: EnvironmentArg,
    /// Whether the toggle is on.
    is_enabled: Option<bool>,
    /// Percentage of tenants, 0 to 100.
    #[schemars(range(min = 0, max = 100))]
    rollout_percentage: Option<u32>,
    /// Percentage of clients, 0 to 100.
    #[schemars(range(min = 0, max = 100))]
    client_rollout_percentage: Option<u32>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct UpdatedToggle {
    success: bool,
    /// True if the toggle already had these values; otherwise absent.
    no_op: Option<bool>,
    id: Option<String>,
    slug: String,
    name: Option<String>,
    resource_uri: Option<String>,
    message: String,
    help_text: &'static str,
}

/// Maximum characters of a description in Octopus.
const MAX_DESCRIPTION_CHARS: usize = 1000;

impl WriteTool for UpdateFeatureToggle {
    const NAME: &'static str = "update_feature_toggle";
    const TITLE: &'static str = "Update a feature toggle";
    const SINCE: OctopusVersion = rollout_groups::SINCE;

    type Output = UpdatedToggle;

    async fn plan(&self, cx: &Context) -> Result<Plan<UpdatedToggle>, Error> {
        self.check()?;
        let space = cx.resolve_space(self.space.as_deref()).await?;
        let project: Project = space.find_for_change(&self.project_id).await?;
        let requested: Vec<String> =
            self.environments.iter().map(|e| e.deployment_environment_id.to_string()).collect();
        let (toggle, environments) =
            futures::try_join!(async { read_toggle(&space, &project, &self.slug).await }, async {
                let none = requested.is_empty();
                let all =
                    if none { Vec::new() } else { space.find_all_for_change(&requested).await? };
                Ok::<_, Error>(all)
            },)?;
        let mut changed = toggle.clone();
        let mut lines = self.change_toggle(&mut changed);
        lines.extend(self.change_environments(&mut changed, &environments)?);
        if lines.is_empty() {
            return Ok(Plan::NoChange(self.answer(
                Some(&space),
                project.id.as_str(),
                &toggle,
                true,
            )));
        }
        let name = text(&toggle, "Name").unwrap_or(&self.slug);
        let path = space.path([Project::COLLECTION, project.id.as_str(), "featuretoggles"]);
        let title = format!("Change the feature toggle {name} of {}?", project.label());
        let change_request = ChangeRequest::put(path, Value::Object(changed));
        let mut access_set = executions::access_set(&space, &project, None).with_resources(
            ResourceKind::Environment,
            environments.iter().map(Environment::access_entry),
        );
        if self.default_is_enabled.is_some() {
            // The default applies in every environment without an entry.
            access_set = access_set.with_incomplete([ResourceKind::Environment]);
        }
        let preview = ChangePreview::new("feature toggle update", &title, change_request)
            .with_access_set(access_set)
            .line("Space", space.name())
            .line("Project", project.label())
            .line("Feature toggle", format!("{name} ({})", self.slug));
        let preview = lines.into_iter().fold(preview, |preview, (about, was, becomes)| {
            preview.change_line(&about, &was, &becomes)
        });
        // The PUT replaces the whole toggle, so any edit since the preview invalidates the
        // approval.
        Ok(Plan::Change(preview.required_state(Value::Object(toggle))))
    }

    async fn report(self, reply: ChangeResponse, cx: &Context) -> Result<UpdatedToggle, Error> {
        let toggle: Map<String, Value> = reply.json(Self::NAME).unwrap_or_default();
        // The toggle was changed; a failed lookup must not hide that.
        let space = cx.resolve_space(self.space.as_deref()).await.ok();
        let project = text(&toggle, "ProjectId").unwrap_or(&self.project_id);
        Ok(self.answer(space.as_ref(), project, &toggle, false))
    }
}

type ChangedField = (String, String, String);

impl UpdateFeatureToggle {
    fn check(&self) -> Result<(), Error> {
        if self.slug.trim().is_empty() {
            return Err(Error::Argument {
                field: "slug".to_owned(),
                reason: "this argument is required; expected the slug of a toggle, as listed by \
                         find_feature_toggles"
                    .to_owned(),
            });
        }
        let whole = self.default_is_enabled.is_none() && self.description.is_none();
        if whole && self.environments.is_empty() {
            return Err(Error::Invalid(
                "nothing to change; give defaultIsEnabled, description or environments".to_owned(),
            ));
        }
        let length = self.description.as_ref().map_or(0, |text| text.chars().count());
        if length > MAX_DESCRIPTION_CHARS {
            return Err(Error::Argument {
                field: "description".to_owned(),
                reason: format!("{length} characters; the maximum is {MAX_DESCRIPTION_CHARS}"),
            });
        }
        for (index, environment) in self.environments.iter().enumerate() {
            let InEnvironment { is_enabled, rollout_percentage, client_rollout_percentage, .. } =
                environment;
            let percentages = [rollout_percentage, client_rollout_percentage];
            let wrong = |reason: &str| Error::Argument {
                field: format!("environments[{index}]"),
                reason: reason.to_owned(),
            };
            if percentages.iter().any(|value| value.is_some_and(|value| value > 100)) {
                return Err(wrong("percentage out of range; expected 0 to 100"));
            }
            if is_enabled.is_none() && percentages.iter().all(|value| value.is_none()) {
                return Err(wrong("nothing to change; give isEnabled or a percentage"));
            }
        }
        Ok(())
    }

    fn change_toggle(&self, toggle: &mut Map<String, Value>) -> Vec<ChangedField> {
        let mut lines = Vec::new();
        for (key, about, value) in [
            ("DefaultIsEnabled", "On by default", self.default_is_enabled.map(|on| json!(on))),
            ("Description", "Description", self.description.as_ref().map(|text| json!(text))),
        ] {
            set_field(toggle, key, value, about, &mut lines);
        }
        lines
    }

    fn change_environments(
        &self,
        toggle: &mut Map<String, Value>,
        environments: &[Environment],
    ) -> Result<Vec<ChangedField>, Error> {
        let mut lines = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        for (requested, environment) in self.environments.iter().zip(environments) {
            let (id, name) = (environment.id.as_str(), environment.label());
            if seen.contains(&id) {
                return Err(Error::Invalid(format!("environments: {name} is given twice")));
            }
            seen.push(id);
            let entries = toggle.get_mut("Environments").and_then(Value::as_array_mut);
            let mut entries = entries.into_iter().flatten().filter_map(Value::as_object_mut);
            let is = |entry: &&mut Map<String, Value>| {
                text(entry, "DeploymentEnvironmentId") == Some(id)
            };
            let Some(entry) = entries.find(is) else {
                return Err(Error::Invalid(format!(
                    "the toggle has no entry for {name}, so its default applies there; add an entry \
                     in the portal first"
                )));
            };
            for (key, about, value) in [
                ("IsEnabled", "on", requested.is_enabled.map(|on| json!(on))),
                ("RolloutPercentage", "rollout %", requested.rollout_percentage.map(|n| json!(n))),
                (
                    "ClientRolloutPercentage",
                    "client rollout %",
                    requested.client_rollout_percentage.map(|n| json!(n)),
                ),
            ] {
                set_field(entry, key, value, &format!("In {name}, {about}"), &mut lines);
            }
        }
        Ok(lines)
    }

    fn answer(
        &self,
        space: Option<&Space>,
        project: &str,
        toggle: &Map<String, Value>,
        no_op: bool,
    ) -> UpdatedToggle {
        let slug = text(toggle, "Slug").unwrap_or(&self.slug).to_owned();
        UpdatedToggle {
            success: true,
            no_op: no_op.then_some(true),
            id: text(toggle, "Id").map(str::to_owned),
            name: text(toggle, "Name").map(str::to_owned),
            resource_uri: space.map(|space| {
                resource_uri(["spaces", space.name(), "projects", project, "featuretoggles", &slug])
            }),
            message: if no_op {
                "the toggle already has these values"
            } else {
                "the toggle was changed"
            }
            .to_owned(),
            help_text: "find_feature_toggles shows the state in each environment",
            slug,
        }
    }
}

/// Sets a field and records the old and the new value, if they differ.
fn set_field(
    object: &mut Map<String, Value>,
    key: &str,
    value: Option<Value>,
    about: &str,
    lines: &mut Vec<ChangedField>,
) {
    let Some(value) = value else { return };
    let was = object.get(key).cloned().unwrap_or(Value::Null);
    if was == value {
        return;
    }
    let display = |value: &Value| match value {
        Value::Null => "nothing".to_owned(),
        Value::Bool(on) => if *on { "yes" } else { "no" }.to_owned(),
        Value::String(text) => format!("'{text}'"),
        other => other.to_string(),
    };
    lines.push((about.to_owned(), display(&was), display(&value)));
    object.insert(key.to_owned(), value);
}

fn text<'a>(object: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    object.get(key).and_then(Value::as_str)
}

/// Reads the whole toggle with all fields, because an update replaces the whole document.
async fn read_toggle(
    space: &Space,
    project: &Project,
    slug: &str,
) -> Result<Map<String, Value>, Error> {
    let collection = [Project::COLLECTION, project.id.as_str(), "featuretoggles", slug.trim()];
    let mut toggle: Map<String, Value> = match space.session().object(&space.path(collection)).await
    {
        Err(OctopusError::NotFound { .. }) => {
            return Err(OctopusError::NotFound {
                noun: "feature toggle",
                query: slug.to_owned(),
                location: Some(format!("{}, project {}", space.name(), project.name)),
                suggestions: Vec::new(),
            }
            .into());
        }
        read => read?,
    };
    toggle.shift_remove("Links");
    Ok(toggle)
}
