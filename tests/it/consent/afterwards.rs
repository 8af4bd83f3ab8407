//! What a call says that fails after its change was made.

use octopus_sample::Fault;

use super::{Desk, WAYS, changes};

/// Octopus answers with success and without the fields that its API has.
#[tokio::test]
async fn unreadable_answer_leaves_open_whether_the_change_was_made() {
    for way in WAYS {
        let mut tested = 0;
        for (tool, arguments, sends, _) in changes() {
            if !["create_release", "deploy_release", "run_runbook"].contains(&tool) {
                continue;
            }
            tested += 1;
            let desk = Desk::start().await;
            let (_, sealed) = desk.call(way, tool, &arguments).await.asked();
            let (method, path) = sends.split_once(' ').unwrap();
            let fault = Fault::on(path).method(method).body("{}").times(1);
            desk.server.sample.faults().add(fault);
            for _ in 0..2 {
                let came = desk.agree(way, tool, &arguments, &sealed).await;
                came.refused(
                    "it is not known whether the change was made: the answer does not look",
                );
            }
            assert_eq!(desk.changes().len(), 1, "{tool} was sent again");
        }
        assert_eq!(tested, 5, "{way:?}");
    }
}
