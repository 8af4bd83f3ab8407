//! Events about health checks, deployment targets and certificates.

use super::draft::EventDraft;
use crate::clock::{DAY, HOUR, MINUTE, NOW, SECOND, parse};
use crate::database::{Database, Item};
use crate::random::Random;

pub(super) fn drafts(database: &Database) -> Vec<EventDraft> {
    let mut drafts: Vec<EventDraft> = database.machines.iter().flat_map(of).collect();
    drafts.extend(checks(database));
    for certificate in database.certificates.iter().filter(|found| found.flag("IsExpired")) {
        let at = parse(certificate.text("NotAfter")).unwrap_or(0);
        if at > NOW - 90 * DAY {
            let draft = EventDraft::new(at, "CertificateExpired", &certificate.space_id)
                .text("Certificate ")
                .names(certificate.text("Name"), &certificate.id)
                .text(" has expired");
            drafts.push(draft);
        }
    }
    drafts
}

/// Returns the events before the present state of a target.
fn of(machine: &Item) -> Vec<EventDraft> {
    let mut random = Random::of(&machine.id);
    let mut drafts = Vec::new();
    let number: u32 = machine.id.rsplit('-').next().and_then(|n| n.parse().ok()).unwrap_or(0);
    if number > 100 {
        let added = NOW - 80 * DAY + random.time(60 * DAY);
        drafts.push(about(machine, added, "MachineAdded", "was added").by(admin(machine)));
    }
    let (category, description) = match machine.text("HealthStatus") {
        "HasWarnings" => ("MachineHasWarnings", "has warnings"),
        "Unhealthy" => ("MachineUnhealthy", "is unhealthy"),
        "Unavailable" => ("MachineUnavailable", "is unavailable"),
        _ => ("", ""),
    };
    let since = NOW - 10 * DAY + random.time(9 * DAY);
    if !category.is_empty() {
        let draft = about(machine, since, category, description);
        drafts
            .push(EventDraft { details: Some(machine.text("StatusSummary").to_owned()), ..draft });
    }
    if machine.flag("IsDisabled") {
        let at = since + HOUR;
        drafts.push(about(machine, at, "MachineDisabled", "was disabled").by(admin(machine)));
    }
    drafts
}

/// Returns the events of health checks that found a problem, which was solved an hour later.
fn checks(database: &Database) -> Vec<EventDraft> {
    let mut drafts = Vec::new();
    for task in database.tasks.iter().filter(|task| task.text("Name") == "Health") {
        let end = parse(task.text("CompletedTime")).filter(|_| task.flag("HasWarningsOrErrors"));
        let Some(end) = end.filter(|end| *end < NOW - DAY) else { continue };
        let healthy: Vec<&Item> = database
            .machines
            .of_space(&task.space_id)
            .filter(|machine| machine.text("HealthStatus") == "Healthy")
            .collect();
        let mut random = Random::of(&task.id);
        let Some(machine) = random.pick(&healthy) else { continue };
        let (category, description) = if task.text("State") == "Failed" {
            ("MachineUnavailable", "is unavailable")
        } else {
            ("MachineHasWarnings", "has warnings")
        };
        let found = about(machine, end - SECOND, category, description).about([task.id.as_str()]);
        drafts.push(found);
        let well = end + HOUR + random.time(5 * MINUTE);
        drafts.push(about(machine, well, "MachineHealthy", "is healthy"));
    }
    drafts
}

fn about(machine: &Item, at: i64, category: &'static str, description: &str) -> EventDraft {
    EventDraft::new(at, category, &machine.space_id)
        .text("Deployment target ")
        .names(machine.text("Name"), &machine.id)
        .text(&format!(" {description}"))
        .about(machine.texts("EnvironmentIds"))
}

fn admin(machine: &Item) -> &'static str {
    if machine.space_id == "Spaces-1" { "Users-41" } else { "Users-42" }
}
