//! Versions of Octopus Server, and the features that they introduced.

use super::contract::Edition;

/// A version such as `2026.3.7314`. Local builds (`0.0.0-local`) are treated as the newest.
#[derive(Clone)]
pub(super) struct Version {
    text: String,
    parts: [u32; 3],
}

/// Features introduced after the oldest version that the sample can imitate.
#[derive(Clone, Copy)]
pub(super) enum Feature {
    /// `/api/spaces/{space}/projects` beside `/api/Spaces-1/projects`; 2021.2 does not list it.
    SpacesForm,
    /// `/projects/{id}/git/branches`.
    GitBranches,
    /// `/releases/create/v1`, `/deployments/create/…/v1` and `/runbook-runs/create/v1`.
    Executions,
    /// `internal` of `/events` is renamed `includeInternalEvents`: after 2023.1 and until 2023.4.
    IncludeInternalEvents,
    /// `/projects/{id}/git/refs/{name}`. The API reference of 2023.4 lists it; earlier versions are
    /// assumed to lack it.
    GitRefs,
    /// `/releases` and `/users` without the parameter `ids`, as in the API reference of 2023.4. The
    /// root document of 2023.1 lists the parameter.
    ListsWithoutIds,
    /// `/environments/v2`, with parent and ephemeral environments: after 2023.4 and until 2026.3.
    EnvironmentsV2,
    /// Runbooks in Git. No source names the version; it is assumed.
    GitRunbooks,
    /// `/projects/{id}/featuretoggles`.
    Toggles,
    /// `/api/capabilities`.
    Capabilities,
    /// `/tenants/{id}/commonvariables` and `/projectvariables`. No source names the version; it
    /// is assumed.
    ScopedTenantVariables,
    /// `…/livestatus`.
    KubernetesLiveStatus,
    /// `ApiKeyId` and `ApiKeyHint` on events.
    ApiKeysOnEvents,
    /// `PendingInterruptionTypes` and `PendingPreconditionTypes` instead of `UnmetPreconditions`.
    PendingTypes,
    /// Status 201 of `/releases/create/v1`. 2023.4 answers 200 and 2026.3 answers 201; no source
    /// names the version between them.
    CreatedReleases,
    /// Account types and communication styles that 2023.4 does not have.
    NewerKinds,
    /// `AccessLevel` and `ActorType` of API keys, `apiKeyId` of permissions, and
    /// `DeployedByActorType`. The reference of 2026.3 lists the first; no source names the version.
    ActorTypes,
    /// `/llms.txt`.
    LlmsTxt,
    /// Rate limits and their advisory headers.
    RateLimits,
    /// `/token/v1`.
    TokenExchange,
    /// `/deploymentfreezes`; early access in 2024.2.
    DeploymentFreezes,
    /// The error body of OAuth at `/token/v1`. No source names the version; it is assumed.
    OauthErrors,
}

impl Feature {
    const fn parts(self) -> [u32; 3] {
        match self {
            Self::SpacesForm => [2021, 3, 0],
            Self::GitBranches => [2021, 2, 0],
            Self::Executions => [2022, 3, 5512],
            Self::IncludeInternalEvents => [2023, 2, 0],
            Self::GitRefs | Self::ListsWithoutIds | Self::TokenExchange => [2023, 4, 0],
            Self::EnvironmentsV2 | Self::OauthErrors => [2025, 1, 0],
            Self::GitRunbooks => [2024, 4, 0],
            Self::Toggles => [2026, 1, 10655],
            Self::Capabilities => [2022, 3, 0],
            Self::ScopedTenantVariables => [2025, 2, 0],
            Self::KubernetesLiveStatus => [2025, 3, 0],
            Self::ApiKeysOnEvents => [2025, 4, 0],
            Self::PendingTypes | Self::CreatedReleases => [2026, 1, 0],
            Self::NewerKinds => [2024, 1, 0],
            Self::LlmsTxt => [2026, 2, 3916],
            Self::ActorTypes | Self::RateLimits => [2026, 3, 0],
            Self::DeploymentFreezes => [2024, 2, 0],
        }
    }
}

impl Version {
    /// Parses the numbers of a version and ignores the rest. Invalid numbers are treated as zero.
    pub(super) fn parse(text: &str) -> Self {
        let numbers = text.split(['-', '+']).next().unwrap_or_default();
        let mut parts = numbers.split('.').map(|part| part.parse().unwrap_or(0));
        let mut next = || parts.next().unwrap_or(0);
        let parts = match [next(), next(), next()] {
            [0, 0, 0] => [u32::MAX; 3],
            parts => parts,
        };
        Self { text: text.to_owned(), parts }
    }

    /// Returns the version as it was given.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Returns the editions of the contract that describe this version: both for versions between
    /// them.
    pub(super) fn editions(&self) -> &'static [Edition] {
        let [year, release, _] = self.parts;
        if (year, release) <= (2023, 4) {
            &[Edition::V2023_4]
        } else if (year, release) >= (2026, 3) {
            &[Edition::V2026_3]
        } else {
            &Edition::ALL
        }
    }

    /// Returns whether this version has a feature.
    pub(super) fn has(&self, feature: Feature) -> bool {
        self.parts >= feature.parts()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_versions_by_number() {
        let rows = [
            ("2025.3.1", true),
            ("2025.2.99999", false),
            ("2025.10.1", true),
            ("2026.1.0-ci.4", true),
            ("0.0.0-local", true),
        ];
        for (text, expected) in rows {
            assert_eq!(Version::parse(text).has(Feature::KubernetesLiveStatus), expected, "{text}");
        }
    }
}
