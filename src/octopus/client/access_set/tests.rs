//! Tests of access sets.

use super::*;

#[test]
fn later_documents_complete_an_entry() {
    let mut access_set = AccessSet::default();
    access_set.add_id("variableset-Projects-1-s-0-S6LJL");
    let document = serde_json::json!({ "Id": "projects-1", "Name": "A" });
    access_set.add_document(document.as_object().unwrap());
    let [project] = access_set.resources(ResourceKind::Project) else { panic!("{access_set:?}") };
    assert_eq!((project.id.as_str(), project.name.as_deref()), ("Projects-1", Some("A")));
    for none in ["", "Projects-", "Projects-x", "Spaces", "Machine-1x", "lifecycles-1"] {
        access_set = AccessSet::default();
        access_set.add_id(none);
        assert_eq!(access_set, AccessSet::default(), "{none}");
    }
}

#[test]
fn adding_ids_is_linear() {
    const IDS: usize = 10_000;
    let mut access_set = AccessSet::default();
    let add_all = || (0..IDS).for_each(|id| access_set.add_id(&format!("Projects-{id}")));
    let ((), steps) = step_counter::count(add_all);
    assert!(steps <= 2 * IDS, "{steps} steps for {IDS} IDs");
    assert!(
        access_set.resources(ResourceKind::Project).len() == MAX_PER_KIND
            && access_set.is_incomplete(ResourceKind::Project)
    );
    // A full set still completes its entries.
    let mut named = AccessSet::default();
    let resource = AccessedResource {
        name: Some("A".to_owned()),
        ..AccessedResource::with_id("projects-999")
    };
    access_set.add(ResourceKind::Project, resource.clone());
    assert_eq!(access_set.resources(ResourceKind::Project)[999].name.as_deref(), Some("A"));
    named.add(ResourceKind::Project, AccessedResource::with_id("Projects-999"));
    let ((), steps) = step_counter::count(|| named.complete_from(&access_set));
    assert_eq!((named.resources(ResourceKind::Project)[0].name.as_deref(), steps), (Some("A"), 1));
}
