//! Addresses in Octopus's web portal, for people to click.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use super::{
    Id, accounts::Account, certificates::Certificate, deployments::Deployment, machines::Machine,
    releases::Release, runbooks::Runbook, spaces::Space, tasks::Task, tenants::Tenant,
};

/// The pages of one space in the web portal (routes of the portal, as its links show them).
#[derive(Debug, Clone, Copy)]
pub struct Portal<'a> {
    base: &'a Url,
    space: &'a str,
}

/// What stands for itself in a segment of the portal's addresses.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

impl<'a> Portal<'a> {
    /// The pages of this space at the instance `base`.
    pub fn new(base: &'a Url, space: &'a Id<Space>) -> Self {
        Self { base, space: space.as_str() }
    }

    fn page(&self, segments: &[&str]) -> String {
        let mut page = self.base.as_str().trim_end_matches('/').to_owned();
        page.push_str("/app#/");
        page.push_str(self.space);
        for segment in segments {
            page.push('/');
            page.extend(utf8_percent_encode(segment, SEGMENT));
        }
        page
    }

    /// The space itself.
    pub fn space(&self) -> String {
        self.page(&[])
    }

    /// A project, by slug or ID.
    pub fn project(&self, project: &str) -> String {
        self.page(&["projects", project])
    }

    /// An environment.
    pub fn environment(&self, id: &str) -> String {
        self.page(&["infrastructure", "environments", id])
    }

    /// A release.
    pub fn release(&self, id: &Id<Release>) -> String {
        self.page(&["releases", id.as_str()])
    }

    /// A deployment.
    pub fn deployment(&self, id: &Id<Deployment>) -> String {
        self.page(&["deployments", id.as_str()])
    }

    /// A task.
    pub fn task(&self, id: &Id<Task>) -> String {
        self.page(&["tasks", id.as_str()])
    }

    /// A task, by an ID as Octopus wrote it.
    pub fn task_page(&self, id: &str) -> String {
        self.page(&["tasks", id])
    }

    /// A tenant.
    pub fn tenant(&self, id: &Id<Tenant>) -> String {
        self.page(&["tenants", id.as_str()])
    }

    /// A deployment target.
    pub fn target(&self, id: &Id<Machine>) -> String {
        self.page(&["infrastructure", "machines", id.as_str(), "settings"])
    }

    /// A certificate.
    pub fn certificate(&self, id: &Id<Certificate>) -> String {
        self.page(&["library", "certificates", id.as_str()])
    }

    /// An account.
    pub fn account(&self, id: &Id<Account>) -> String {
        self.page(&["infrastructure", "accounts", id.as_str()])
    }

    /// The deployment process of a project.
    pub fn process(&self, project: &str) -> String {
        self.page(&["projects", project, "deployments", "process"])
    }

    /// The variables of a project.
    pub fn variables(&self, project: &str) -> String {
        self.page(&["projects", project, "variables"])
    }

    /// The runbooks of a project.
    pub fn runbooks(&self, project: &str) -> String {
        self.page(&["projects", project, "operations", "runbooks"])
    }

    /// A runbook that is not in Git.
    pub fn runbook(&self, project: &str, id: &Id<Runbook>) -> String {
        self.page(&["projects", project, "operations", "runbooks", id.as_str()])
    }

    /// What is live in Kubernetes for a project.
    pub fn live_status(&self, project: &str) -> String {
        self.page(&["projects", project, "deployments", "live-status"])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_keep_the_virtual_directory_and_no_double_slash() {
        let id: Id<Space> = Id::parse("Spaces-1").unwrap();
        for base in ["https://o.example/octopus", "https://o.example/octopus/"] {
            let base = base.parse().unwrap();
            assert_eq!(
                Portal::new(&base, &id).project("a b/c"),
                "https://o.example/octopus/app#/Spaces-1/projects/a%20b%2Fc"
            );
        }
    }
}
