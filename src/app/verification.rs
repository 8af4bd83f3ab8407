//! Verifies the configured instances and credentials: in the background at startup, and for the
//! command `octopus-mcp check`.

use std::fmt::Write as _;

use futures::{StreamExt, stream};
use serde::Serialize;

use super::{StartError, sample::start_sample};
use crate::{
    config::Config,
    octopus::{CredentialReport, InstanceReport, Instances, Problem, Severity, verify_instance},
    telemetry::Metrics,
};

/// Maximum number of instances that are verified at the same time.
const CONCURRENT_INSTANCES: usize = 8;

/// Result of `octopus-mcp check`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckReport {
    /// Whether calls can be served: no problem is an error.
    pub ok: bool,
    /// Risks in the settings.
    pub warnings: Vec<String>,
    /// The configured instances in the order of their names.
    pub instances: Vec<InstanceReport>,
}

/// Verifies the instances and credentials of these settings.
///
/// # Errors
///
/// Returns an error that names the setting, if an instance cannot be set up.
pub async fn check(mut config: Config) -> Result<CheckReport, StartError> {
    let warnings = config.warnings();
    let sample = if config.sample.enabled { Some(start_sample(&mut config)?) } else { None };
    let instances =
        Instances::from_config(&config, &Metrics::default()).map_err(StartError::Setting)?;
    let instances = verify(&config, &instances).await;
    drop(sample);
    Ok(CheckReport { ok: !instances.iter().any(InstanceReport::has_errors), warnings, instances })
}

/// Verifies all instances and logs the result of each one.
pub(super) async fn verify_and_log(config: &Config, instances: &Instances) {
    for report in verify(config, instances).await {
        log(&report);
    }
}

async fn verify(config: &Config, instances: &Instances) -> Vec<InstanceReport> {
    let reports = config.instances_with_keys().into_iter().map(|(name, key, settings)| {
        let offers_changes = !config.tools.read_only && !settings.read_only;
        async move {
            let instance = instances.get(name)?;
            Some(Box::pin(verify_instance(instance, &key, offers_changes)).await)
        }
    });
    let reports: Vec<_> = reports.collect();
    let reports = stream::iter(reports).buffered(CONCURRENT_INSTANCES);
    reports.filter_map(std::future::ready).collect().await
}

fn log(report: &InstanceReport) {
    let instance = report.name.as_str();
    for (credential, Problem { cause, message, .. }) in report.all_problems() {
        let cause: &str = cause.into();
        tracing::warn!(instance, credential, cause, "instance verification: {message}");
    }
    if !report.has_errors() {
        let version = report.version.as_deref();
        let credentials = report.credentials.len();
        tracing::info!(instance, version, credentials, "instance verified");
    }
}

impl CheckReport {
    /// Returns the report as text for a terminal.
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        for warning in &self.warnings {
            let _ = writeln!(text, "warning  settings: {warning}");
        }
        for report in &self.instances {
            let InstanceReport { name, url, tls, version, credentials, problems } = report;
            let version = version.as_deref().unwrap_or("unknown");
            if !problems.iter().any(|problem| problem.severity == Severity::Error) {
                let tls = if *tls { "certificate trusted" } else { "no TLS" };
                let _ = writeln!(text, "ok       {name}: {url} is Octopus {version}; {tls}");
            }
            write_problems(&mut text, name, problems);
            if credentials.is_empty() && problems.is_empty() {
                let _ = writeln!(
                    text,
                    "ok       {name}: no credential is configured; callers send their own"
                );
            }
            for credential in credentials {
                write_credential(&mut text, name, credential);
            }
        }
        text
    }
}

fn write_credential(text: &mut String, instance: &str, credential: &CredentialReport) {
    let CredentialReport { name, user, expires, rights, problems } = credential;
    let subject = format!("{instance}, credential '{name}'");
    if let Some(user) = user {
        let expires = expires.map_or_else(
            || "expiry unknown".to_owned(),
            |expires| format!("expires {}", expires.strftime("%Y-%m-%d")),
        );
        let rights = match rights {
            None => "permissions unknown",
            Some(rights) if rights.is_administrator => "administrator",
            Some(rights) if rights.can_change => "may read and change",
            Some(_) => "may only read",
        };
        let _ = writeln!(text, "ok       {subject}: user '{user}', {rights}, {expires}");
    }
    write_problems(text, &subject, problems);
}

fn write_problems(text: &mut String, subject: &str, problems: &[Problem]) {
    for Problem { severity, message, .. } in problems {
        let severity = match severity {
            Severity::Error => "error  ",
            Severity::Warning => "warning",
        };
        let _ = writeln!(text, "{severity}  {subject}: {message}");
    }
}
