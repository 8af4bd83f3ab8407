//! History before the last three days, generated from the release frequency of each project.

use super::period::{END, START};
use super::promotions::deployments;
use super::routine::routine;
use crate::clock::{DAY, HOUR};
use crate::database::{Database, Facts, Item, Process, ReleaseFacts, WorkItem, fixtures};
use crate::random::Random;

/// Returns the facts between [`START`] and [`END`].
pub(super) fn facts(database: &Database) -> Facts {
    let notes: Vec<String> = fixtures::parsed(fixtures::NOTES);
    let mut past = Facts::default();
    for process in &database.scripts.processes {
        let Some(project) = database.projects.find(&process.project_id) else { continue };
        for release in releases(database, process, &notes) {
            let mut random = Random::of(&format!("{}/{}", process.project_id, release.version));
            past.deployments.extend(deployments(database, process, project, &release, &mut random));
            past.releases.push(release);
        }
    }
    past.tasks = routine();
    number(&mut past);
    past
}

/// Allocates IDs in chronological order, like a server.
fn number(past: &mut Facts) {
    past.releases.sort_by(|a, b| (a.assembled, &a.project_id).cmp(&(b.assembled, &b.project_id)));
    let mut ids = std::collections::HashMap::new();
    for (release, number) in past.releases.iter_mut().zip(1001..) {
        let id = format!("Releases-{number}");
        ids.insert(std::mem::replace(&mut release.id, id.clone()), id);
    }
    past.deployments.sort_by(|a, b| (a.created, &a.release_id).cmp(&(b.created, &b.release_id)));
    for (deployment, number) in past.deployments.iter_mut().zip(2001..) {
        deployment.id = format!("Deployments-{number}");
        deployment.task_id = format!("ServerTasks-{}", number + 20_000);
        if let Some(id) = ids.get(&deployment.release_id) {
            deployment.release_id.clone_from(id);
        }
    }
    past.tasks.sort_by_key(|task| task.queued);
    for (task, number) in past.tasks.iter_mut().zip(31_001..) {
        task.id = format!("ServerTasks-{number}");
    }
}

fn releases(database: &Database, process: &Process, notes: &[String]) -> Vec<ReleaseFacts> {
    let mut random = Random::of(&process.project_id);
    let count = i64::try_from(process.releases).unwrap_or(0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "days")]
    let span = ((END - START) as f64 * process.span) as i64;
    let slot = span.checked_div(count).unwrap_or(span);
    let mut moments: Vec<i64> =
        (0..count).map(|n| in_working_hours(START + n * slot, &mut random)).collect();
    moments.sort_unstable();

    let channels: Vec<&Item> =
        database.channels.iter().filter(|c| c.text("ProjectId") == process.project_id).collect();
    let default = channels.iter().find(|channel| channel.flag("IsDefault"));
    let hotfix = channels.iter().find(|channel| channel.text("Slug") == "hotfix");
    let mut parts = process.first_version.split('.').map(|part| part.parse().unwrap_or(0));
    let (major, minor) = (parts.next().unwrap_or(1), parts.next().unwrap_or(0));
    let plan = moments.into_iter().zip(0_u32..).map(|(assembled, n)| {
        let is_hotfix = n % 13 == 11 && hotfix.is_some();
        let channel = if is_hotfix { hotfix } else { default };
        let ending = if is_hotfix { "-hotfix.1" } else { "" };
        let version = format!("{major}.{}.{}{ending}", minor + n / 6, n % 6);
        let note = random.pick(notes).filter(|note| !note.is_empty());
        let item = format!("{}-{}", process.work_item_prefix, 20 + n * 3 + n % 2);
        ReleaseFacts {
            // Placeholder until all releases are numbered.
            id: format!("{}/{version}", process.project_id),
            project_id: process.project_id.clone(),
            channel_id: channel.map(|channel| channel.id.clone()).unwrap_or_default(),
            version,
            assembled,
            notes: note.cloned(),
            work_item: note
                .map(|note| WorkItem { id: item, title: note.trim_end_matches('.').to_owned() }),
        }
    });
    plan.collect()
}

/// Returns a time between 07:00 and 16:00 on that day, or on the Friday before a weekend.
fn in_working_hours(moment: i64, random: &mut Random) -> i64 {
    let day = moment.div_euclid(DAY);
    // 1970-01-01 was a Thursday.
    let back = match (day + 3).rem_euclid(7) {
        5 => 1,
        6 => 2,
        _ => 0,
    };
    (day - back) * DAY + 7 * HOUR + random.time(9 * HOUR)
}
