//! The server properties that the web page shows.

use crate::{
    access::RequestScope,
    auth::Caller,
    config::Config,
    http::{ApiKeyUse, PageFacts},
    mcp::{McpProvider, OctopusProvider},
    octopus::{CallerCredentials, Credentials, Instance},
};

/// Example questions about the data of the sample instance.
pub const SAMPLE_QUESTIONS: [&str; 3] = [
    "Why did the last deployment of Parcel Tracking API to Staging fail, and what runs in \
     Production now?",
    "Why can we not deploy Customs Declarations for Ironbark Haulage, and what else does this \
     tenant lack?",
    "What is wrong with Depot Portal in Production right now?",
];

/// Returns the page properties for these settings. The tools are those of the default instance, for
/// a caller with all permissions. Without a default instance, they are those that the settings
/// enable for any instance.
pub(super) fn page_facts(config: &Config, provider: &OctopusProvider) -> PageFacts {
    let context = provider.resolve(Caller::default(), RequestScope::default());
    let access = context.resolved.as_ref().map_or(&provider.access, |scope| &scope.policy);
    let changes_instance = provider.instances.iter().any(|instance| !instance.read_only);
    PageFacts {
        tools: provider.catalog.visible(access).count(),
        allows_changes: !provider.access.is_read_only() && changes_instance,
        has_several_instances: provider.instances.has_several(),
        api_key: api_key_use(provider),
        sample_questions: if config.sample.enabled { &SAMPLE_QUESTIONS } else { &[] },
    }
}

/// Returns the use of Octopus API keys by callers. With several instances, the least strict
/// instance decides, because callers choose their instance.
fn api_key_use(provider: &OctopusProvider) -> ApiKeyUse {
    // This placeholder key is never sent.
    let own = Credentials::api_key("API-EXAMPLE").ok();
    let with_key = CallerCredentials { own, ..CallerCredentials::default() };
    let without_key = CallerCredentials::default();
    let accepts = |credentials: &CallerCredentials| {
        provider.instances.iter().any(|instance: &std::sync::Arc<Instance>| {
            instance.check_credentials(credentials).is_ok()
        })
    };
    match (accepts(&with_key), accepts(&without_key)) {
        (true, false) => ApiKeyUse::Required,
        (true, true) => ApiKeyUse::Optional,
        (false, _) => ApiKeyUse::Rejected,
    }
}
