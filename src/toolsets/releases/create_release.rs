//! `create_release`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::summary::{ReleaseSummary, summaries};
use crate::{
    approval::ChangePreview,
    octopus::{
        ChangeRequest, ChangeResponse, Error as OctopusError, Id, Named, OctopusVersion, PageRange,
        Space,
        channels::Channel,
        git,
        projects::Project,
        releases::{self, NextVersion, Release},
    },
    policy::PolicyAction,
    tool::{Context, Error, Plan, ProjectArg, SpaceArg, StringList, WriteTool},
    toolsets::executions::{self, AutomaticDeployments},
};

/// Create a release of a project from its current process, variables and packages. Octopus chooses
/// values that are left out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct CreateRelease {
    space: Option<SpaceArg>,
    project_name: ProjectArg,
    /// Version, e.g. "1.2.3" (default: chosen by Octopus).
    release_version: Option<String>,
    /// Channel name or ID (default: the default channel).
    channel_name: Option<String>,
    /// Version of all packages not listed in packages.
    package_version: Option<String>,
    /// Package versions, e.g. "Step:1.2.3" or "Step:Package:1.2.3".
    packages: Option<StringList>,
    /// Git references of steps, e.g. "Step:refs/heads/main".
    git_resources: Option<StringList>,
    /// Branch or tag, for a project in Git (default: its default branch).
    git_ref: Option<String>,
    /// Commit hash, for a project in Git.
    git_commit: Option<String>,
    /// Release notes in Markdown.
    release_notes: Option<String>,
    /// Return an existing release of this version instead of an error.
    #[schemars(extend("default" = false))]
    ignore_if_already_exists: Option<bool>,
    /// Ignore the version rules of the channel.
    ignore_channel_rules: Option<bool>,
    /// Prerelease tag of the packages to use, e.g. "beta".
    package_prerelease: Option<String>,
    /// Custom field values by name.
    #[serde(default)]
    custom_fields: BTreeMap<String, String>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct CreatedRelease {
    success: bool,
    /// False if a release of this version existed, which is then returned.
    created: bool,
    release_id: String,
    release_version: String,
    #[serde(flatten)]
    release: Option<ReleaseSummary>,
    message: String,
    help_text: Option<&'static str>,
}

/// The response of Octopus. Old versions of Octopus use camel case keys.
#[derive(Deserialize)]
struct Created {
    #[serde(alias = "ReleaseId", rename = "releaseId")]
    id: Id<Release>,
    #[serde(alias = "ReleaseVersion", rename = "releaseVersion")]
    version: String,
}

impl WriteTool for CreateRelease {
    const NAME: &'static str = "create_release";
    const TITLE: &'static str = "Create a release";
    const POLICY_ACTION: PolicyAction = PolicyAction::Release;
    const DESTRUCTIVE: bool = false;
    const SINCE: OctopusVersion = executions::SINCE;

    type Output = CreatedRelease;

    async fn plan(&self, cx: &Context) -> Result<Plan<CreatedRelease>, Error> {
        let space = executions::space(cx, self.space.as_deref()).await?;
        let project: Project = space.find_for_change(&self.project_name).await?;
        if project.is_disabled {
            return Err(Error::Invalid(format!("the project {} is disabled", project.name)));
        }
        let git_ref = self.git_ref(&space, &project).await?;
        let channel = self.channel(&space, &project).await?;
        if let Some(version) = self.requested_version() {
            match releases::by_exact_version(&space, &project.id, version).await {
                Ok(release) => return self.use_existing(cx, &space, &project, release).await,
                Err(OctopusError::NotFound { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let reference = self.git_commit.as_deref().or(git_ref.as_deref());
        let (latest, next, process, automatic) = futures::try_join!(
            releases::list_for_project(&space, &project.id, None, PageRange { skip: 0, take: 1 }),
            self.next_version(&space, &project, &channel, git_ref.as_deref()),
            releases::current_process(&space, &project, reference),
            AutomaticDeployments::read(&space, &project, std::slice::from_ref(&channel)),
        )?;
        let latest = latest.items.into_iter().next();
        let version = self.requested_version().map(str::to_owned).or(next);
        let notes = cx.with_audit_note(self.release_notes.as_deref());
        let (version, notes) = (version.as_deref(), notes.as_deref());
        let change_request =
            self.change_request(&space, &project, version, &channel, git_ref.as_deref(), notes);
        let shown = version.unwrap_or("with a version chosen by Octopus");
        let title = format!("Create release {shown} of {}?", project.label());
        let fields: Vec<String> =
            self.custom_fields.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        let ignores = self.ignore_channel_rules.filter(|on| *on).map(|_| "yes");
        let mut preview = ChangePreview::new("release creation", &title, change_request)
            .with_policy_action(automatic.action())
            .with_access_set(automatic.add_access(executions::access_set(&space, &project, None)))
            .line("Space", space.name())
            .line("Project", project.label())
            .caller_text("Version", Some(shown))
            .line("Channel", channel.label());
        preview = automatic
            .add_to_preview(preview)
            .line("Latest release", latest.as_ref().map_or("none", |release| &release.version))
            .caller_text("Git reference", git_ref.as_ref())
            .caller_text("Git commit", self.git_commit.as_ref())
            .caller_text("Version of all packages", self.package_version.as_ref())
            .caller_list("Packages", StringList::as_slice(&self.packages))
            .caller_list("Git resources", StringList::as_slice(&self.git_resources))
            .caller_text("Prereleases of packages", self.package_prerelease.as_ref())
            .line_if("Ignores channel rules", ignores)
            .caller_list("Custom fields", &fields)
            .caller_text("Notes", notes)
            .required_state(json!([latest.map(|release| release.id), process]));
        Ok(Plan::Change(preview))
    }

    async fn report(self, reply: ChangeResponse, cx: &Context) -> Result<CreatedRelease, Error> {
        let Created { id, version } = reply.json(Self::NAME)?;
        // The release was created, even if it cannot be read.
        let read = async {
            let space = cx.resolve_space(self.space.as_deref()).await?;
            let release = space.get::<Release>(&id).await?;
            Ok::<_, Error>(summaries(&space, vec![release], true).await?.pop())
        };
        let release = read.await.ok().flatten();
        Ok(answer(cx, true, id, version, release))
    }
}

impl CreateRelease {
    /// Returns the version of the call, unless it is blank.
    fn requested_version(&self) -> Option<&str> {
        self.release_version.as_deref().map(str::trim).filter(|version| !version.is_empty())
    }

    /// Returns the Git reference of the release: `gitRef` of the call, or the default branch unless
    /// the call gives only a commit. Returns `None` for a project in the database.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] if the call gives a reference for a project in the database, or none for
    /// a project without default branch.
    async fn git_ref(&self, space: &Space, project: &Project) -> Result<Option<String>, Error> {
        let name = &project.name;
        if !project.is_version_controlled {
            if self.git_ref.is_some() || self.git_commit.is_some() {
                return Err(Error::Invalid(format!(
                    "{name} is not in Git; leave out gitRef and gitCommit"
                )));
            }
            return Ok(None);
        }
        if self.git_ref.is_none() && self.git_commit.is_some() {
            return Ok(None);
        }
        match git::resolve_or_default(space, project, self.git_ref.as_deref()).await? {
            Some(reference) => Ok(Some(reference.into_string())),
            None => Err(Error::Invalid(format!(
                "{name} is in Git and has no default branch; give gitRef"
            ))),
        }
    }

    async fn channel(&self, space: &Space, project: &Project) -> Result<Channel, Error> {
        let channels = releases::list_channels(space, &project.id).await?;
        let found = releases::channel_for_change(space, &channels, self.channel_name.as_deref())?;
        found.ok_or_else(|| Error::Invalid(format!("the project {} has no channel", project.name)))
    }

    /// Returns the next version by the version template of the project. Returns `None` if Octopus
    /// takes the version from a package, or does not return the template.
    async fn next_version(
        &self,
        space: &Space,
        project: &Project,
        channel: &Channel,
        git_ref: Option<&str>,
    ) -> Result<Option<String>, OctopusError> {
        if self.requested_version().is_some() {
            return Ok(None);
        }
        let reference = self.git_commit.as_deref().or(git_ref);
        match releases::next_version(space, project, channel, reference).await {
            Ok(NextVersion { next_version_increment, versioning_package_step_name: None }) => {
                Ok(next_version_increment)
            }
            Ok(NextVersion { versioning_package_step_name: Some(_), .. })
            | Err(OctopusError::NotFound { .. } | OctopusError::Forbidden { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn use_existing(
        &self,
        cx: &Context,
        space: &Space,
        project: &Project,
        release: Release,
    ) -> Result<Plan<CreatedRelease>, Error> {
        if self.ignore_if_already_exists != Some(true) {
            return Err(Error::Invalid(format!(
                "{} already has a release {} ({}); give another releaseVersion, or \
                 ignoreIfAlreadyExists: true to use that release",
                project.name, release.version, release.id
            )));
        }
        let (id, version) = (release.id.clone(), release.version.clone());
        let summary = summaries(space, vec![release], true).await?.pop();
        Ok(Plan::NoChange(answer(cx, false, id, version, summary)))
    }

    fn change_request(
        &self,
        space: &Space,
        project: &Project,
        version: Option<&str>,
        channel: &Channel,
        git_ref: Option<&str>,
        notes: Option<&str>,
    ) -> ChangeRequest {
        let list_value = |list_value: &Option<StringList>| {
            list_value.as_ref().map(|list_value| json!(list_value.0))
        };
        let fields = (!self.custom_fields.is_empty()).then(|| json!(self.custom_fields));
        // `ignoreIfAlreadyExists` is not sent, because an existing release is not the approved
        // release.
        let body: Map<String, Value> = [
            ("SpaceId", Some(json!(space.id()))),
            ("SpaceIdOrName", Some(json!(space.id()))),
            ("ProjectName", Some(json!(project.id))),
            ("ReleaseVersion", version.map(|version| json!(version))),
            ("ChannelName", Some(json!(channel.id))),
            ("PackageVersion", self.package_version.as_ref().map(|version| json!(version))),
            ("Packages", list_value(&self.packages)),
            ("GitResources", list_value(&self.git_resources)),
            ("GitRef", git_ref.map(|git_ref| json!(git_ref))),
            ("GitCommit", self.git_commit.as_ref().map(|commit| json!(commit))),
            ("ReleaseNotes", notes.map(|notes| json!(notes))),
            ("IgnoreIfAlreadyExists", Some(json!(false))),
            ("IgnoreChannelRules", self.ignore_channel_rules.map(|on| json!(on))),
            ("PackagePrerelease", self.package_prerelease.as_ref().map(|tag| json!(tag))),
            ("CustomFields", fields),
        ]
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)))
        .collect();
        ChangeRequest::post(space.path(["releases", "create", "v1"]), Value::Object(body))
    }
}

fn answer(
    cx: &Context,
    created: bool,
    id: Id<Release>,
    version: String,
    release: Option<ReleaseSummary>,
) -> CreatedRelease {
    let message = if created {
        format!("release {version} was created")
    } else {
        format!("release {version} already exists; nothing was created")
    };
    CreatedRelease {
        success: true,
        created,
        release_id: id.into_string(),
        release_version: version,
        release,
        message,
        help_text: cx
            .access
            .is_visible_by_name("deploy_release")
            .then_some("deploy_release deploys it"),
    }
}
