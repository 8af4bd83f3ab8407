//! Risk of a call, by action and environment and not by tool.

use super::{
    input::{PolicyAction, TargetResource},
    pattern::{Patterns, TriState},
};
use crate::config::{PolicySettings, Risk};

/// The environments with high risk.
#[derive(Debug, Clone)]
pub(super) struct HighRisk {
    names: Patterns,
    tags: Patterns,
}

impl HighRisk {
    pub(super) fn from_settings(settings: &PolicySettings) -> Result<Self, String> {
        let names = Patterns::compile(&settings.high_risk_environments)?;
        Ok(Self { names, tags: Patterns::compile(&settings.high_risk_environment_tags)? })
    }

    /// Returns the risk of an action in an environment, and whether it is certain. The risk in an
    /// unknown environment is high and uncertain.
    pub(super) fn risk_of(
        &self,
        action: PolicyAction,
        environment: TargetResource<'_>,
    ) -> (Risk, bool) {
        let risk = match (action, environment) {
            (PolicyAction::Read, _) => Risk::Read,
            (PolicyAction::Release, _) => Risk::Low,
            (PolicyAction::Delete, _) => Risk::Destructive,
            (PolicyAction::Run, TargetResource::None) => Risk::Medium,
            (PolicyAction::Run, TargetResource::Unknown) => return (Risk::High, false),
            (PolicyAction::Run, TargetResource::Known(resource)) => {
                let named = self.names.matches(resource.identifiers(), resource.name.is_some());
                let tagged = match &resource.tags {
                    Some(tags) => self.tags.matches_any(tags),
                    None if self.tags.is_empty() => TriState::No,
                    None => TriState::Unknown,
                };
                match named.or(tagged) {
                    TriState::No => Risk::Medium,
                    TriState::Yes => Risk::High,
                    TriState::Unknown => return (Risk::High, false),
                }
            }
        };
        (risk, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::ListSetting, policy::ResourceRef};

    fn untagged(name: &str) -> ResourceRef {
        ResourceRef { tags: Some(Vec::new()), ..ResourceRef::named(name) }
    }

    fn risk(name: &str) -> Risk {
        let high = HighRisk::from_settings(&PolicySettings::default()).unwrap();
        high.risk_of(PolicyAction::Run, TargetResource::Known(&untagged(name))).0
    }

    #[test]
    fn default_patterns_match_production_but_not_preproduction() {
        for name in ["Production", "PROD", "prod-eu", "Prod EU", "EU Production", "eu-prod", "Live"]
        {
            assert_eq!(risk(name), Risk::High, "{name}");
        }
        for name in [
            "Pre-Production",
            "preprod",
            "EU Pre-Production",
            "Non Prod",
            "eu-non-prod",
            "Development",
            "Product Demo",
            "Staging",
        ] {
            assert_eq!(risk(name), Risk::Medium, "{name}");
        }
    }

    #[test]
    fn risk_depends_on_environment_name_or_tag() {
        let settings = PolicySettings {
            high_risk_environment_tags: ListSetting(vec!["Stage/Live".to_owned()]),
            ..PolicySettings::default()
        };
        let high = HighRisk::from_settings(&settings).unwrap();
        let mut resource = ResourceRef::named("Ring 3");
        let of = |resource: &ResourceRef, action| {
            high.risk_of(action, TargetResource::Known(resource)).0
        };
        assert_eq!(of(&resource, PolicyAction::Run), Risk::High, "the tags are unknown");
        resource.tags = Some(vec![]);
        assert_eq!(of(&resource, PolicyAction::Run), Risk::Medium);
        resource.tags = Some(vec!["stage/live".to_owned()]);
        assert_eq!(of(&resource, PolicyAction::Run), Risk::High);
        assert_eq!(of(&resource, PolicyAction::Release), Risk::Low);
        assert_eq!(of(&resource, PolicyAction::Delete), Risk::Destructive);
        assert_eq!(of(&resource, PolicyAction::Read), Risk::Read);
        assert_eq!(high.risk_of(PolicyAction::Run, TargetResource::Unknown), (Risk::High, false));
        let nameless = ResourceRef {
            id: "Environments-9".to_owned(),
            name: None,
            tags: Some(vec![]),
            ..resource
        };
        assert_eq!(of(&nameless, PolicyAction::Run), Risk::High, "the name is unknown");
    }
}
