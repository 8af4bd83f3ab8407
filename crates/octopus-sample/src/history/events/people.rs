//! Events about successful and failed sign-ins.

use super::draft::EventDraft;
use crate::clock::{DAY, HOUR, NOW};
use crate::random::Random;

const PEOPLE: [(&str, &str); 6] = [
    ("Users-1", "octopus.admin"),
    ("Users-41", "freight.releases"),
    ("Users-42", "warehouse.releases"),
    ("Users-43", "freight.planner"),
    ("Users-44", "freight.support"),
    ("Users-45", "freight.visitor"),
];

/// Returns `count` sign-ins, spread over the ninety days.
pub(super) fn drafts(count: usize) -> Vec<EventDraft> {
    let mut random = Random::of("sign-ins");
    let one = |_| {
        let at = NOW - 89 * DAY - 12 * HOUR + random.time(89 * DAY);
        let (id, name) = random.pick(&PEOPLE).copied().unwrap_or_default();
        if random.below(12) == 0 {
            EventDraft::new(at, "LoginFailed", "").text("Login failed for ").names(name, id)
        } else {
            EventDraft::new(at, "LoginSucceeded", "")
                .by(id)
                .text("Login succeeded for ")
                .names(name, id)
        }
    };
    (0..count).map(one).collect()
}
