//! Reads at one moment that are the same: sent once for one caller, and never shared by two.

use std::time::Duration;

use octopus_sample::{Fault, keys};
use serde_json::json;

use super::{CALLERS, server};

#[tokio::test]
async fn the_same_read_of_one_caller_at_one_moment_is_sent_once_and_of_two_twice() {
    let server = server(|_| {}).await;
    for key in CALLERS {
        server.call_as(key, "list_environments", json!({ "space": "Default" })).await;
    }
    let asked = async |callers: &[&str], fault: Fault| {
        server.sample.faults().clear();
        server.sample.faults().add(fault);
        server.sample.clear_journal();
        let arguments = || json!({ "space": "Default", "skip": 0 });
        let calls = callers.iter().map(|key| server.call_as(key, "list_environments", arguments()));
        let called = futures::future::join_all(calls).await;
        (server.sample.journal().len(), called)
    };
    let slow = Fault::on("/environments").delay(Duration::from_secs(2));
    let (sent, called) = asked(&[keys::ADMIN; 8], slow.clone()).await;
    assert_eq!(sent, 1);
    assert!(called.iter().all(|one| !one.is_error && one.structured == called[0].structured));
    let (sent, _) = asked(&[keys::ADMIN, keys::VIEW_ONLY, keys::ADMIN], slow.clone()).await;
    assert_eq!(sent, 2);
    // What goes wrong is everybody's who waited, and nobody's after that.
    let (sent, called) = asked(&[keys::ADMIN; 8], slow.status(500).times(1)).await;
    assert_eq!(sent, 1);
    assert!(called.iter().all(|one| one.is_error && one.text.contains("500")));
    let again = server.call_as(keys::ADMIN, "list_environments", json!({ "space": "Default" }));
    assert!(!again.await.is_error);
}
