//! Errors of calls that fail after their change was sent.

use octopus_sample::Fault;

use super::{APPROVAL_FLOWS, ApprovalFixture, write_calls};

/// Octopus responds with success, but the body lacks required fields.
#[tokio::test]
async fn unreadable_response_reports_an_uncertain_change() {
    for flow in APPROVAL_FLOWS {
        let mut tested = 0;
        for (tool, arguments, request, _) in write_calls() {
            if !["create_release", "deploy_release", "run_runbook"].contains(&tool) {
                continue;
            }
            tested += 1;
            let fixture = ApprovalFixture::start().await;
            let (_, token) = fixture.call(flow, tool, &arguments).await.expect_approval_request();
            let (method, path) = request.split_once(' ').unwrap();
            let fault = Fault::on(path).method(method).body("{}").times(1);
            fixture.server.sample.faults().add(fault);
            for _ in 0..2 {
                let outcome = fixture.approve(flow, tool, &arguments, &token).await;
                outcome.expect_error(
                    "it is not known whether the change was made: unexpected response from Octopus",
                );
            }
            assert_eq!(fixture.sent_changes().len(), 1, "{tool} was sent again");
        }
        assert_eq!(tested, 5, "{flow:?}");
    }
}
