//! Who came, and who was not let in.

use super::draft::Draft;
use crate::clock::{DAY, HOUR, NOW};
use crate::dice::Dice;

const PEOPLE: [(&str, &str); 6] = [
    ("Users-1", "octopus.admin"),
    ("Users-41", "freight.releases"),
    ("Users-42", "warehouse.releases"),
    ("Users-43", "freight.planner"),
    ("Users-44", "freight.support"),
    ("Users-45", "freight.visitor"),
];

/// As many sign-ins as asked for, spread over the ninety days.
pub(super) fn drafts(count: usize) -> Vec<Draft> {
    let mut dice = Dice::of("sign-ins");
    let one = |_| {
        let at = NOW - 89 * DAY - 12 * HOUR + dice.time(89 * DAY);
        let (id, name) = dice.pick(&PEOPLE).copied().unwrap_or_default();
        if dice.below(12) == 0 {
            Draft::new(at, "LoginFailed", "").says("Login failed for ").names(name, id)
        } else {
            Draft::new(at, "LoginSucceeded", "").by(id).says("Login succeeded for ").names(name, id)
        }
    };
    (0..count).map(one).collect()
}
