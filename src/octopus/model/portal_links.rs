//! URLs of pages in Octopus's web portal.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use super::{
    accounts::Account, certificates::Certificate, deployments::Deployment, machines::Machine,
    releases::Release, resource::Id, runbooks::Runbook, space::Space, spaces::SpaceResource,
    tasks::Task, tenants::Tenant,
};

/// URLs of the pages of one space in the web portal, in the form of the portal's own links.
#[derive(Debug, Clone, Copy)]
pub struct PortalLinks<'a> {
    base: &'a Url,
    space: &'a str,
}

/// Characters that need no encoding in a segment of a portal URL.
const SEGMENT_ENCODE_SET: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl Space {
    /// Returns the URLs of this space's pages in the web portal.
    pub fn portal(&self) -> PortalLinks<'_> {
        PortalLinks::new(self.session().client().url(), self.id())
    }
}

impl<'a> PortalLinks<'a> {
    /// Creates the URLs for this space at the instance `base`.
    pub fn new(base: &'a Url, space: &'a Id<SpaceResource>) -> Self {
        Self { base, space: space.as_str() }
    }

    fn url(&self, segments: &[&str]) -> String {
        let mut page = self.base.as_str().trim_end_matches('/').to_owned();
        page.push_str("/app#/");
        page.push_str(self.space);
        for segment in segments {
            page.push('/');
            page.extend(utf8_percent_encode(segment, SEGMENT_ENCODE_SET));
        }
        page
    }

    /// Returns the URL of the space.
    pub fn space(&self) -> String {
        self.url(&[])
    }

    /// Returns the URL of a project, given its slug or ID.
    pub fn project(&self, project: &str) -> String {
        self.url(&["projects", project])
    }

    /// Returns the URL of an environment.
    pub fn environment(&self, id: &str) -> String {
        self.url(&["infrastructure", "environments", id])
    }

    /// Returns the URL of a release.
    pub fn release(&self, id: &Id<Release>) -> String {
        self.url(&["releases", id.as_str()])
    }

    /// Returns the URL of a deployment.
    pub fn deployment(&self, id: &Id<Deployment>) -> String {
        self.url(&["deployments", id.as_str()])
    }

    /// Returns the URL of a task.
    pub fn task(&self, id: &Id<Task>) -> String {
        self.url(&["tasks", id.as_str()])
    }

    /// Returns the URL of a task, given its ID as Octopus sent it.
    pub fn task_by_text_id(&self, id: &str) -> String {
        self.url(&["tasks", id])
    }

    /// Returns the URL of a tenant.
    pub fn tenant(&self, id: &Id<Tenant>) -> String {
        self.url(&["tenants", id.as_str()])
    }

    /// Returns the URL of a deployment target.
    pub fn target(&self, id: &Id<Machine>) -> String {
        self.url(&["infrastructure", "machines", id.as_str(), "settings"])
    }

    /// Returns the URL of a certificate.
    pub fn certificate(&self, id: &Id<Certificate>) -> String {
        self.url(&["library", "certificates", id.as_str()])
    }

    /// Returns the URL of an account.
    pub fn account(&self, id: &Id<Account>) -> String {
        self.url(&["infrastructure", "accounts", id.as_str()])
    }

    /// Returns the URL of a project's deployment process.
    pub fn process(&self, project: &str) -> String {
        self.url(&["projects", project, "deployments", "process"])
    }

    /// Returns the URL of a project's variables.
    pub fn variables(&self, project: &str) -> String {
        self.url(&["projects", project, "variables"])
    }

    /// Returns the URL of a project's runbooks.
    pub fn runbooks(&self, project: &str) -> String {
        self.url(&["projects", project, "operations", "runbooks"])
    }

    /// Returns the URL of a runbook that is not in Git.
    pub fn runbook(&self, project: &str, id: &Id<Runbook>) -> String {
        self.url(&["projects", project, "operations", "runbooks", id.as_str()])
    }

    /// Returns the URL of a project's live status in Kubernetes.
    pub fn live_status(&self, project: &str) -> String {
        self.url(&["projects", project, "deployments", "live-status"])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_keep_the_base_path_without_double_slash() {
        let id: Id<SpaceResource> = Id::parse("Spaces-1").unwrap();
        for base in ["https://o.example/octopus", "https://o.example/octopus/"] {
            let base = base.parse().unwrap();
            assert_eq!(
                PortalLinks::new(&base, &id).project("a b/c"),
                "https://o.example/octopus/app#/Spaces-1/projects/a%20b%2Fc"
            );
        }
    }
}
