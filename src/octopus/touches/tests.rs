//! Tests of access sets.

use super::*;

#[test]
fn what_is_known_of_a_thing_grows() {
    let mut touches = Touches::default();
    touches.add_id("variableset-Projects-1-s-0-S6LJL");
    let document = serde_json::json!({ "Id": "projects-1", "Name": "A" });
    touches.add_document(document.as_object().unwrap());
    let [project] = touches.of(Kind::Project) else { panic!("{touches:?}") };
    assert_eq!((project.id.as_str(), project.name.as_deref()), ("Projects-1", Some("A")));
    for none in ["", "Projects-", "Projects-x", "Spaces", "Machine-1x", "lifecycles-1"] {
        touches = Touches::default();
        touches.add_id(none);
        assert_eq!(touches, Touches::default(), "{none}");
    }
}

#[test]
fn the_cost_of_many_ids_is_linear() {
    const IDS: usize = 10_000;
    let mut touches = Touches::default();
    let add_all = || (0..IDS).for_each(|id| touches.add_id(&format!("Projects-{id}")));
    let ((), steps) = steps::of(add_all);
    assert!(steps <= 2 * IDS, "{steps} steps for {IDS} IDs");
    assert!(touches.of(Kind::Project).len() == MOST && touches.is_unsure(Kind::Project));
    // A full set still completes its entries.
    let mut named = Touches::default();
    let thing = Thing { name: Some("A".to_owned()), ..Thing::with_id("projects-999") };
    touches.add(Kind::Project, thing.clone());
    assert_eq!(touches.of(Kind::Project)[999].name.as_deref(), Some("A"));
    named.add(Kind::Project, Thing::with_id("Projects-999"));
    let ((), steps) = steps::of(|| named.learn(&touches));
    assert_eq!((named.of(Kind::Project)[0].name.as_deref(), steps), (Some("A"), 1));
}
