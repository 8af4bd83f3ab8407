//! Tests of the variables of a tenant.

use serde_json::json;

use super::{
    page::{MAX_MISSING, MAX_PAGE_BYTES},
    *,
};
use crate::{
    compute::{CallerKey, ComputePool},
    octopus::PageRange,
};

const PAGE: PageRequest = PageRequest {
    window: PageRange { skip: 3, take: 50 },
    variable_type: VariableType::All,
    missing: true,
};

/// A document with one value for each template in each environment. Every second value is empty.
fn document(environments: usize, templates: usize, value: &str) -> Variables {
    let template = |n: usize| json!({ "Id": format!("t{n}"), "DefaultValue": if n.is_multiple_of(2) { value } else { "" } });
    let environment = |n: usize| (format!("Environments-{n}"), json!({}));
    let project = json!({
        "Templates": (0..templates).map(template).collect::<Vec<_>>(),
        "Variables": (0..environments).map(environment).collect::<serde_json::Map<_, _>>(),
    });
    serde_json::from_value(json!({ "ProjectVariables": { "Projects-1": project } })).unwrap()
}

async fn read(
    document: Variables,
    requested: PageRequest,
) -> (Result<VariablesPage, TooMany>, usize) {
    let pool = ComputePool::new(1, std::time::Duration::from_mins(1));
    let scope = pool.scope(CallerKey::new([0; 32]));
    let work = move |budget: &Budget| {
        let (read, steps) = step_counter::count(|| read_unscoped(&document, requested, budget));
        Ok((read?, steps))
    };
    scope.run(work).await.unwrap()
}

#[tokio::test]
async fn creates_only_the_variables_of_the_page() {
    let (part, steps) = read(document(200, 300, "value"), PAGE).await;
    let part = part.unwrap();
    assert_eq!((part.with_value.len(), part.total), (50, 200 * 150));
    assert_eq!(part.missing.len() + part.missing_omitted, 200 * 150);
    assert!(part.missing.len() <= MAX_MISSING);
    assert!(steps <= 200 * 300 + 2 * MAX_PAGE_BYTES, "{steps}");
    assert_eq!(part.with_value[0].template_id.as_deref(), Some("t6"));
}

#[tokio::test]
async fn large_values_are_copied_only_for_the_page() {
    let value = "x".repeat(200_000);
    let (part, steps) = read(document(1_000, 4, &value), PAGE).await;
    let part = part.unwrap();
    assert_eq!((part.with_value.len(), part.total), (2, 2_000));
    assert!(steps <= 4_000 + 4 * MAX_PAGE_BYTES, "{steps}");
}

#[tokio::test]
async fn rejects_too_many_variables_before_counting() {
    let (part, steps) = read(document(1_000, 2_000, "x"), PAGE).await;
    assert_eq!(part.unwrap_err(), TooMany);
    assert!(steps <= MAX_COMBINATIONS + 4 * MAX_PAGE_BYTES, "{steps}");
    let common = PageRequest { variable_type: VariableType::Common, ..PAGE };
    let (part, steps) = read(document(1_000, 2_000, "x"), common).await;
    assert_eq!((part.unwrap().total, steps), (0, 0));
}
