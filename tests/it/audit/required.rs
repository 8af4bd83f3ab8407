//! No record, no write; and a sink that fails is no reason for anything else to fail.

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

/// A file on a disk that is full.
fn full() -> PathBuf {
    PathBuf::from("/dev/full")
}

async fn refused_while_reads_go_on(desk: &Desk) {
    for (tool, arguments, ..) in changes() {
        let (_, sealed) = desk.call(WAY, tool, &arguments).await.asked();
        let came = desk.agree(WAY, tool, &arguments, &sealed).await;
        came.refused("nothing was changed: this server keeps a record of every change");
    }
    assert_eq!(desk.changes(), [], "nothing was sent");
    let called = desk.server.call_as(keys::ADMIN, "list_spaces", json!({})).await;
    assert!(!called.is_error, "{}", called.text);
}

#[tokio::test]
async fn where_the_disk_is_full_nothing_is_changed_and_reads_go_on() {
    let desk = Desk::with(|config| {
        config.audit.required = true;
        config.audit.file.path = Some(full());
    })
    .await;
    refused_while_reads_go_on(&desk).await;
}

#[tokio::test]
async fn where_the_collector_alone_keeps_records_and_is_away_nothing_is_changed() {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let desk = Desk::with(|config| {
        config.audit.required = true;
        config.audit.otlp.endpoint = Some(format!("http://{address}/v1/logs").parse().unwrap());
        config.audit.otlp.timeout = Period(Duration::from_millis(200));
        config.audit.otlp.delay = Period(Duration::from_millis(50));
    })
    .await;
    let (tool, arguments, ..) = changes().remove(0);
    let (_, sealed) = desk.call(WAY, tool, &arguments).await.asked();
    desk.agree(WAY, tool, &arguments, &sealed).await.refused("nothing was changed");
    assert_eq!(desk.changes(), []);
    let called = desk.server.call_as(keys::ADMIN, "list_spaces", json!({})).await;
    assert!(!called.is_error, "{}", called.text);
}

#[tokio::test]
async fn where_records_are_not_required_a_full_disk_stops_nothing() {
    let desk = Desk::with(|config| config.audit.file.path = Some(full())).await;
    let (tool, arguments, ..) = changes().remove(0);
    let (_, sealed) = desk.call(WAY, tool, &arguments).await.asked();
    desk.agree(WAY, tool, &arguments, &sealed).await.answered();
    assert_eq!(desk.changes().len(), 1);
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
        let desk = &recorded.desk;
        let mut sealed = String::new();
        if confirm == Confirm::Code {
            sealed = desk.call(WAY, tool, &arguments).await.asked().1;
        }
        // Octopus takes its time, so the file is read while the change is under way.
        let slow = Fault::on("/deployments/create").delay(Duration::from_millis(500));
        desk.server.sample.faults().add(slow);
        let path = recorded.path();
        let call = async {
            if confirm == Confirm::Code {
                desk.agree(WAY, tool, &arguments, &sealed).await.answered();
            } else {
                desk.call(WAY, tool, &arguments).await.answered();
            }
        };
        let look = async {
            soon(async || (!desk.changes().is_empty()).then_some(())).await;
            lines(&path)
        };
        let ((), meanwhile) = tokio::join!(call, look);
        let folder = recorded.stop().await;
        let is = |record: &&Value, result: &str| record["result"] == result;
        let intent = meanwhile.iter().find(|record| record["kind"] == "intent").unwrap();
        assert!(!meanwhile.iter().any(|record| is(&record, "done")), "{meanwhile:#?}");
        let all = lines(&path);
        let done = all.iter().find(|record| is(record, "done")).unwrap();
        assert_eq!(intent["result"], "sending");
        assert_eq!(intent["change"], done["change"]);
        assert_ne!(intent["id"], done["id"]);
        assert!(intent["user"].is_string() && intent["route"].is_string());
        assert_eq!(intent["consent"], if confirm == Confirm::Code { "code" } else { "nobody" });
        drop(folder);
    }
}

/// Nobody waits for the end: there is a record all the same, and it says so.
#[tokio::test]
async fn a_call_that_takes_too_long_is_recorded_as_abandoned() {
    let recorded = Recorded::with(|config| {
        config.http.request_timeout = Period(Duration::from_millis(200));
    })
    .await;
    let slow = Fault::on("/api/spaces").delay(Duration::from_secs(5));
    recorded.desk.server.sample.faults().add(slow);
    let called = recorded.desk.server.call_as(keys::ADMIN, "list_spaces", json!({})).await;
    assert!(called.is_error, "{}", called.text);
    recorded.desk.server.sample.faults().clear();
    let records = recorded.records().await;
    assert_eq!(records[0]["result"], "abandoned", "{records:#?}");
}
