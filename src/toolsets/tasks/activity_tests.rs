//! Tests of the shortened activity tree.

use std::cell::Cell;

use serde_json::json;

use super::activity::{self, redact};
use crate::{compute::JobStopped, octopus::tasks::Activity, text::step_counter};

#[test]
fn deep_trees_need_few_steps_per_node() {
    let leaf = json!({ "Name": "leaf", "Status": "Success" });
    let deep = (0..40).fold(
        leaf.clone(),
        |inner, _| json!({ "Name": "step", "Status": "Success", "Children": [inner, leaf, leaf] }),
    );
    let tree: Vec<Activity> = vec![serde_json::from_value(deep).unwrap()];
    let (shown, steps) = step_counter::count(|| activity::tree(&tree, &[], false, 100, &|| Ok(())));
    assert!(steps <= 6 * 121, "{steps}");
    assert!(shown.unwrap().left_out.is_some());
}

#[test]
fn stops_between_messages_when_budget_is_spent() {
    let messages = vec![json!({ "Category": "Info", "MessageText": "text" }); 10_000];
    let node = json!({ "Name": "step", "Status": "Failed", "LogElements": messages });
    let mut tree: Vec<Activity> = vec![serde_json::from_value(node).unwrap()];
    let (checks, left) = (Cell::new(0), Cell::new(5));
    let check = || {
        checks.set(checks.get() + 1);
        left.set(left.get() - 1);
        if left.get() == 0 { Err(JobStopped::Cancelled) } else { Ok(()) }
    };
    assert_eq!(redact(&mut tree, &check), Err(JobStopped::Cancelled));
    left.set(1);
    let shown = activity::tree(&tree, &[], true, 100, &check);
    assert_eq!((shown.err(), checks.get()), (Some(JobStopped::Cancelled), 6));
}
