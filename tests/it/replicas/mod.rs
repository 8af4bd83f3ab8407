//! Replicas with a shared store: they share executed changes and sessions.

mod behind_proxy;
mod elicitation_responses;
mod executed_changes;
mod fleet;
mod proxy;
mod sessions;

use octopus_mcp::config::{Config, Secret};

use crate::{approval::ApprovalFixture, rate_limits::redis::Redis};

/// The seal key of all replicas.
const SEAL_KEY: &str = "the-same-for-all-replicas-of-these-tests";

/// Starts replicas on one Octopus with one store and one key.
async fn replica_fixtures(
    redis: &Redis,
    count: usize,
    change: impl Fn(&mut Config),
) -> Vec<ApprovalFixture> {
    let mut fixtures: Vec<ApprovalFixture> = Vec::new();
    for _ in 0..count {
        let octopus = fixtures.first().map(|first| first.server.octopus_url().parse().unwrap());
        let fixture = ApprovalFixture::with(|config| {
            redis.configure(config);
            config.tools.seal_key = Some(Secret::from(SEAL_KEY.to_owned()));
            if octopus.is_some() {
                config.octopus.url = octopus;
            }
            change(config);
        });
        fixtures.push(Box::pin(fixture).await);
    }
    fixtures
}
