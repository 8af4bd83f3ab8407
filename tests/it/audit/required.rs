//! `audit.required`: no change without a record. A failing audit output does not affect anything else.

use std::{path::PathBuf, time::Duration};

use octopus_mcp::config::{Confirm, Period};
use octopus_sample::{Fault, keys};
use serde_json::{Value, json};

use super::{Recorded, lines};
use crate::{
    consent::{Desk, Way, changes},
    support::{Era, soon},
};

const WAY: Way = Way::Code(Era::Modern);

/// Returns a file on a full disk.
fn full() -> PathBuf {
    PathBuf::from("/dev/full")
}

async fn refused_while_reads_go_on(fixture: &Desk) {
    for (tool, arguments, ..) in changes() {
        let (_, token) = fixture.call(WAY, tool, &arguments).await.asked();
        let outcome = fixture.agree(WAY, tool, &arguments, &token).await;
        outcome
            .refused("nothing was changed: this server requires an audit record of every change");
    }
    assert_eq!(fixture.changes(), [], "no change was sent");
    let called = fixture.server.call_as(keys::ADMIN, "list_spaces", json!({})).await;
    assert!(!called.is_error, "{}", called.text);
}

#[tokio::test]
async fn where_the_disk_is_full_nothing_is_changed_and_reads_go_on() {
    let fixture = Desk::with(|config| {
        config.audit.required = true;
        config.audit.file.path = Some(full());
    })
    .await;
    refused_while_reads_go_on(&fixture).await;
}

#[tokio::test]
async fn where_the_collector_alone_keeps_records_and_is_away_nothing_is_changed() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let fixture = Desk::with(|config| {
        config.audit.required = true;
        config.audit.otlp.endpoint = Some(format!("http://{address}/v1/logs").parse().unwrap());
        config.audit.otlp.timeout = Period(Duration::from_millis(200));
        config.audit.otlp.delay = Period(Duration::from_millis(50));
    })
    .await;
    let (tool, arguments, ..) = changes().remove(0);
    let (_, token) = fixture.call(WAY, tool, &arguments).await.asked();
    fixture.agree(WAY, tool, &arguments, &token).await.refused("nothing was changed");
    assert_eq!(fixture.changes(), []);
    let called = fixture.server.call_as(keys::ADMIN, "list_spaces", json!({})).await;
    assert!(!called.is_error, "{}", called.text);
}

#[tokio::test]
async fn where_records_are_not_required_a_full_disk_stops_nothing() {
    let fixture = Desk::with(|config| config.audit.file.path = Some(full())).await;
    let (tool, arguments, ..) = changes().remove(0);
    let (_, token) = fixture.call(WAY, tool, &arguments).await.asked();
    fixture.agree(WAY, tool, &arguments, &token).await.answered();
    assert_eq!(fixture.changes().len(), 1);
}

#[tokio::test]
async fn what_is_about_to_be_sent_is_on_the_disk_before_it_is_done() {
    for confirm in [Confirm::Code, Confirm::Never] {
        let recorded = Recorded::with(|config| {
            config.audit.required = true;
            config.tools.confirm = confirm;
        })
        .await;
        let (tool, arguments, ..) = changes().remove(1);
        let fixture = &recorded.desk;
        let mut token = String::new();
        if confirm == Confirm::Code {
            token = fixture.call(WAY, tool, &arguments).await.asked().1;
        }
        // Octopus responds slowly, so that the file can be read before the change is done.
        let delay = Fault::on("/deployments/create").delay(Duration::from_millis(500));
        fixture.server.sample.faults().add(delay);
        let path = recorded.path();
        let call = async {
            if confirm == Confirm::Code {
                fixture.agree(WAY, tool, &arguments, &token).await.answered();
            } else {
                fixture.call(WAY, tool, &arguments).await.answered();
            }
        };
        let read_during_change = async {
            soon(async || (!fixture.changes().is_empty()).then_some(())).await;
            lines(&path)
        };
        let ((), lines_during_change) = tokio::join!(call, read_during_change);
        let folder = recorded.stop().await;
        let has_result = |record: &&Value, result: &str| record["result"] == result;
        let intent = lines_during_change.iter().find(|record| record["kind"] == "intent").unwrap();
        assert!(
            !lines_during_change.iter().any(|record| has_result(&record, "done")),
            "{lines_during_change:#?}"
        );
        let all_lines = lines(&path);
        let done = all_lines.iter().find(|record| has_result(record, "done")).unwrap();
        assert_eq!(intent["result"], "sending");
        assert_eq!(intent["change"], done["change"]);
        assert_ne!(intent["id"], done["id"]);
        assert!(intent["user"].is_string() && intent["route"].is_string());
        assert_eq!(intent["consent"], if confirm == Confirm::Code { "code" } else { "nobody" });
        drop(folder);
    }
}

/// The caller does not get the result, but the call is recorded.
#[tokio::test]
async fn a_call_that_takes_too_long_is_recorded_as_abandoned() {
    let recorded = Recorded::with(|config| {
        config.http.request_timeout = Period(Duration::from_millis(200));
    })
    .await;
    let delay = Fault::on("/api/spaces").delay(Duration::from_secs(5));
    recorded.desk.server.sample.faults().add(delay);
    let called = recorded.desk.server.call_as(keys::ADMIN, "list_spaces", json!({})).await;
    assert!(called.is_error, "{}", called.text);
    recorded.desk.server.sample.faults().clear();
    let records = recorded.records().await;
    assert_eq!(records[0]["result"], "abandoned", "{records:#?}");
}
