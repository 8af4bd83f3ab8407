//! What health checks found, and what became of targets and certificates.

use super::draft::Draft;
use crate::clock::{DAY, HOUR, MINUTE, NOW, SECOND, parse};
use crate::dice::Dice;
use crate::world::{Item, World};

pub(super) fn drafts(world: &World) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = world.machines.iter().flat_map(of).collect();
    drafts.extend(checks(world));
    for certificate in world.certificates.iter().filter(|found| found.flag("IsExpired")) {
        let at = parse(certificate.text("NotAfter")).unwrap_or(0);
        if at > NOW - 90 * DAY {
            let draft = Draft::new(at, "CertificateExpired", &certificate.space_id)
                .says("Certificate ")
                .names(certificate.text("Name"), &certificate.id)
                .says(" has expired");
            drafts.push(draft);
        }
    }
    drafts
}

/// How a target became what it is now.
fn of(machine: &Item) -> Vec<Draft> {
    let mut dice = Dice::of(&machine.id);
    let mut drafts = Vec::new();
    let number: u32 = machine.id.rsplit('-').next().and_then(|n| n.parse().ok()).unwrap_or(0);
    if number > 100 {
        let added = NOW - 80 * DAY + dice.time(60 * DAY);
        drafts.push(about(machine, added, "MachineAdded", "was added").by(admin(machine)));
    }
    let (category, words) = match machine.text("HealthStatus") {
        "HasWarnings" => ("MachineHasWarnings", "has warnings"),
        "Unhealthy" => ("MachineUnhealthy", "is unhealthy"),
        "Unavailable" => ("MachineUnavailable", "is unavailable"),
        _ => ("", ""),
    };
    let since = NOW - 10 * DAY + dice.time(9 * DAY);
    if !category.is_empty() {
        let draft = about(machine, since, category, words);
        drafts.push(Draft { details: Some(machine.text("StatusSummary").to_owned()), ..draft });
    }
    if machine.flag("IsDisabled") {
        let at = since + HOUR;
        drafts.push(about(machine, at, "MachineDisabled", "was disabled").by(admin(machine)));
    }
    drafts
}

/// The health checks that found something, which was over an hour later.
fn checks(world: &World) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for task in world.tasks.iter().filter(|task| task.text("Name") == "Health") {
        let end = parse(task.text("CompletedTime")).filter(|_| task.flag("HasWarningsOrErrors"));
        let Some(end) = end.filter(|end| *end < NOW - DAY) else { continue };
        let healthy: Vec<&Item> = world
            .machines
            .of_space(&task.space_id)
            .filter(|machine| machine.text("HealthStatus") == "Healthy")
            .collect();
        let mut dice = Dice::of(&task.id);
        let Some(machine) = dice.pick(&healthy) else { continue };
        let (category, words) = if task.text("State") == "Failed" {
            ("MachineUnavailable", "is unavailable")
        } else {
            ("MachineHasWarnings", "has warnings")
        };
        let found = about(machine, end - SECOND, category, words).about([task.id.as_str()]);
        drafts.push(found);
        let well = end + HOUR + dice.time(5 * MINUTE);
        drafts.push(about(machine, well, "MachineHealthy", "is healthy"));
    }
    drafts
}

fn about(machine: &Item, at: i64, category: &'static str, words: &str) -> Draft {
    Draft::new(at, category, &machine.space_id)
        .says("Deployment target ")
        .names(machine.text("Name"), &machine.id)
        .says(&format!(" {words}"))
        .about(machine.texts("EnvironmentIds"))
}

fn admin(machine: &Item) -> &'static str {
    if machine.space_id == "Spaces-1" { "Users-41" } else { "Users-42" }
}
