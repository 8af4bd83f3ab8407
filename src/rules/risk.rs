//! Risk of a call, by action and environment and not by tool.

use super::{
    pattern::{Answer, Patterns},
    situation::One,
};
use crate::config::{Policy, Risk};

/// The action of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    /// Reads data.
    Read,
    /// Creates or changes a release. Nothing runs yet.
    Release,
    /// Runs or changes something, in environments or elsewhere.
    Run,
    /// Deletes data.
    Delete,
}

/// The environments with high risk.
#[derive(Debug, Clone)]
pub(super) struct HighRisk {
    names: Patterns,
    tags: Patterns,
}

impl HighRisk {
    pub(super) fn of(settings: &Policy) -> Result<Self, String> {
        let names = Patterns::of(&settings.high_risk_environments)?;
        Ok(Self { names, tags: Patterns::of(&settings.high_risk_environment_tags)? })
    }

    /// Returns the risk of an action in an environment, and whether it is certain. The risk in an
    /// unknown environment is high and uncertain.
    pub(super) fn of_deed(&self, deed: Deed, environment: One<'_>) -> (Risk, bool) {
        let risk = match (deed, environment) {
            (Deed::Read, _) => Risk::Read,
            (Deed::Release, _) => Risk::Low,
            (Deed::Delete, _) => Risk::Destructive,
            (Deed::Run, One::None) => Risk::Medium,
            (Deed::Run, One::Unknown) => return (Risk::High, false),
            (Deed::Run, One::Thing(thing)) => {
                let named = self.names.mean(thing.words(), thing.name.is_some());
                let tagged = match &thing.tags {
                    Some(tags) => self.tags.mean_any(tags),
                    None if self.tags.is_empty() => Answer::No,
                    None => Answer::Unknown,
                };
                match named.or(tagged) {
                    Answer::No => Risk::Medium,
                    Answer::Yes => Risk::High,
                    Answer::Unknown => return (Risk::High, false),
                }
            }
        };
        (risk, true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::List, rules::Thing};

    fn tagless(name: &str) -> Thing {
        Thing { tags: Some(Vec::new()), ..Thing::called(name) }
    }

    fn risk(name: &str) -> Risk {
        let high = HighRisk::of(&Policy::default()).unwrap();
        high.of_deed(Deed::Run, One::Thing(&tagless(name))).0
    }

    #[test]
    fn what_looks_like_production_is_of_high_risk_and_what_comes_before_it_is_not() {
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
    fn risk_is_that_of_the_environment_by_name_or_tag() {
        let settings = Policy {
            high_risk_environment_tags: List(vec!["Stage/Live".to_owned()]),
            ..Policy::default()
        };
        let high = HighRisk::of(&settings).unwrap();
        let mut thing = Thing::called("Ring 3");
        let of = |thing: &Thing, deed| high.of_deed(deed, One::Thing(thing)).0;
        assert_eq!(of(&thing, Deed::Run), Risk::High, "the tags are unknown");
        thing.tags = Some(vec![]);
        assert_eq!(of(&thing, Deed::Run), Risk::Medium);
        thing.tags = Some(vec!["stage/live".to_owned()]);
        assert_eq!(of(&thing, Deed::Run), Risk::High);
        assert_eq!(of(&thing, Deed::Release), Risk::Low);
        assert_eq!(of(&thing, Deed::Delete), Risk::Destructive);
        assert_eq!(of(&thing, Deed::Read), Risk::Read);
        assert_eq!(high.of_deed(Deed::Run, One::Unknown), (Risk::High, false));
        let nameless =
            Thing { id: "Environments-9".to_owned(), name: None, tags: Some(vec![]), ..thing };
        assert_eq!(of(&nameless, Deed::Run), Risk::High, "the name is unknown");
    }
}
