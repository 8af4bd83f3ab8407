//! `audit.required`: no change without a record. A failing audit output affects nothing else.

use std::{path::PathBuf, time::Duration};

use octopus_mcp::config::{ApprovalMode, DurationSetting};
use octopus_sample::{Fault, keys};
use serde_json::{Value, json};

use super::{AuditFixture, read_lines};
use crate::{
    approval::{ApprovalFixture, ApprovalFlow, write_calls},
    support::{Era, wait_until_some},
};

const FLOW: ApprovalFlow = ApprovalFlow::ConfirmCode(Era::Modern);

/// Returns a file on a full disk.
fn full_device() -> PathBuf {
    PathBuf::from("/dev/full")
}

async fn assert_changes_rejected_and_reads_work(fixture: &ApprovalFixture) {
    for (tool, arguments, ..) in write_calls() {
        let (_, token) = fixture.call(FLOW, tool, &arguments).await.expect_approval_request();
        let outcome = fixture.approve(FLOW, tool, &arguments, &token).await;
        outcome.expect_error(
            "nothing was changed: this server requires an audit record of every change",
        );
    }
    assert_eq!(fixture.sent_changes(), [], "no change was sent");
    let called = fixture.server.call_as(keys::ADMIN, "list_spaces", json!({})).await;
    assert!(!called.is_error, "{}", called.text);
}

#[tokio::test]
async fn full_disk_blocks_changes_but_not_reads() {
    let fixture = ApprovalFixture::with(|config| {
        config.audit.required = true;
        config.audit.file.path = Some(full_device());
    })
    .await;
    assert_changes_rejected_and_reads_work(&fixture).await;
}

#[tokio::test]
async fn unreachable_collector_blocks_changes_but_not_reads() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let fixture = ApprovalFixture::with(|config| {
        config.audit.required = true;
        config.audit.otlp.endpoint = Some(format!("http://{address}/v1/logs").parse().unwrap());
        config.audit.otlp.timeout = DurationSetting(Duration::from_millis(200));
        config.audit.otlp.delay = DurationSetting(Duration::from_millis(50));
    })
    .await;
    let (tool, arguments, ..) = write_calls().remove(0);
    let (_, token) = fixture.call(FLOW, tool, &arguments).await.expect_approval_request();
    fixture.approve(FLOW, tool, &arguments, &token).await.expect_error("nothing was changed");
    assert_eq!(fixture.sent_changes(), []);
    let called = fixture.server.call_as(keys::ADMIN, "list_spaces", json!({})).await;
    assert!(!called.is_error, "{}", called.text);
}

#[tokio::test]
async fn full_disk_does_not_block_changes_if_records_are_optional() {
    let fixture =
        ApprovalFixture::with(|config| config.audit.file.path = Some(full_device())).await;
    let (tool, arguments, ..) = write_calls().remove(0);
    let (_, token) = fixture.call(FLOW, tool, &arguments).await.expect_approval_request();
    fixture.approve(FLOW, tool, &arguments, &token).await.expect_result();
    assert_eq!(fixture.sent_changes().len(), 1);
}

#[tokio::test]
async fn intent_record_is_on_disk_before_the_change_is_done() {
    for confirm in [ApprovalMode::Code, ApprovalMode::Never] {
        let recorded = AuditFixture::with(|config| {
            config.audit.required = true;
            config.tools.confirm = confirm;
        })
        .await;
        let (tool, arguments, ..) = write_calls().remove(1);
        let fixture = &recorded.approval;
        let mut token = String::new();
        if confirm == ApprovalMode::Code {
            token = fixture.call(FLOW, tool, &arguments).await.expect_approval_request().1;
        }
        // Octopus responds slowly, so that the file can be read before the change is done.
        let delay = Fault::on("/deployments/create").delay(Duration::from_millis(500));
        fixture.server.sample.faults().add(delay);
        let path = recorded.path();
        let call = async {
            if confirm == ApprovalMode::Code {
                fixture.approve(FLOW, tool, &arguments, &token).await.expect_result();
            } else {
                fixture.call(FLOW, tool, &arguments).await.expect_result();
            }
        };
        let read_during_change = async {
            wait_until_some(async || (!fixture.sent_changes().is_empty()).then_some(())).await;
            read_lines(&path)
        };
        let ((), lines_during_change) = tokio::join!(call, read_during_change);
        let folder = recorded.stop().await;
        let has_result = |record: &&Value, result: &str| record["result"] == result;
        let intent = lines_during_change.iter().find(|record| record["kind"] == "intent").unwrap();
        assert!(
            !lines_during_change.iter().any(|record| has_result(&record, "done")),
            "{lines_during_change:#?}"
        );
        let all_lines = read_lines(&path);
        let done = all_lines.iter().find(|record| has_result(record, "done")).unwrap();
        assert_eq!(intent["result"], "sending");
        assert_eq!(intent["change"], done["change"]);
        assert_ne!(intent["id"], done["id"]);
        assert!(intent["user"].is_string() && intent["route"].is_string());
        assert_eq!(
            intent["consent"],
            if confirm == ApprovalMode::Code { "code" } else { "nobody" }
        );
        drop(folder);
    }
}

/// The caller does not get the result, but the call is recorded.
#[tokio::test]
async fn call_that_times_out_is_recorded_as_abandoned() {
    let recorded = AuditFixture::with(|config| {
        config.http.request_timeout = DurationSetting(Duration::from_millis(200));
    })
    .await;
    let delay = Fault::on("/api/spaces").delay(Duration::from_secs(5));
    recorded.approval.server.sample.faults().add(delay);
    let called = recorded.approval.server.call_as(keys::ADMIN, "list_spaces", json!({})).await;
    assert!(called.is_error, "{}", called.text);
    recorded.approval.server.sample.faults().clear();
    let records = recorded.records().await;
    assert_eq!(records[0]["result"], "abandoned", "{records:#?}");
}
