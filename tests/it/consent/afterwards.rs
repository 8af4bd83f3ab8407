//! Errors of calls that fail after their change was sent.

use octopus_sample::Fault;

use super::{Desk, WAYS, changes};

/// Octopus responds with success, but the body lacks required fields.
#[tokio::test]
async fn unreadable_answer_leaves_open_whether_the_change_was_made() {
    for flow in WAYS {
        let mut tested = 0;
        for (tool, arguments, request, _) in changes() {
            if !["create_release", "deploy_release", "run_runbook"].contains(&tool) {
                continue;
            }
            tested += 1;
            let fixture = Desk::start().await;
            let (_, token) = fixture.call(flow, tool, &arguments).await.asked();
            let (method, path) = request.split_once(' ').unwrap();
            let fault = Fault::on(path).method(method).body("{}").times(1);
            fixture.server.sample.faults().add(fault);
            for _ in 0..2 {
                let outcome = fixture.agree(flow, tool, &arguments, &token).await;
                outcome.refused(
                    "it is not known whether the change was made: unexpected response from Octopus",
                );
            }
            assert_eq!(fixture.changes().len(), 1, "{tool} was sent again");
        }
        assert_eq!(tested, 5, "{flow:?}");
    }
}
