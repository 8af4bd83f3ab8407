//! Nobody answers the interruption of what they started through this server.

use octopus_sample::{Fault, keys};
use serde_json::{Value, json};

use super::{CODE, deploys, groups::Company};
use crate::{consent::Desk, rate::redis::Redis, support::TestServer};

/// Starts something with a tool, and gives its task.
async fn started(desk: &Desk, tool: &str, arguments: &Value) -> String {
    let (_, code) = desk.call(CODE, tool, arguments).await.asked();
    task_in(&desk.agree(CODE, tool, arguments, &code).await.answered())
}

/// The first task that an answer names.
fn task_in(answer: &Value) -> String {
    let answer = answer.to_string();
    let place = answer.find("ServerTasks-").unwrap();
    answer[place..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect()
}

/// A server that has just started, at the same Octopus, for the same caller.
async fn restarted(desk: &Desk) -> Desk {
    let sample = desk.server.sample.clone();
    let server = TestServer::on(sample, |config| config.tools.read_only = false);
    Desk { server: server.await, key: desk.key }
}

fn runs() -> Value {
    json!({ "space": "Default", "projectName": "Parcel Tracking API",
        "runbookName": "restart-tracking-workers", "environmentNames": ["Staging"] })
}

/// Says that an interruption is of this task.
fn interrupts(desk: &Desk, task: &str) {
    let body = json!({ "Id": "Interruptions-9008", "TaskId": task, "IsPending": true });
    let fault =
        Fault::on("/interruptions/Interruptions-9008").method("GET").body(&body.to_string());
    desk.server.sample.faults().add(fault);
}

fn answers() -> [Value; 3] {
    let path = "/api/Spaces-1/interruptions/Interruptions-9008";
    [
        json!({ "method": "POST", "path": format!("{path}/submit"), "body": { "Result": "Proceed" } }),
        json!({ "method": "PUT", "path": format!("{path}/responsible") }),
        json!({ "method": "POST", "path": "/api/spaces/default/Interruptions/Interruptions-9008/Submit", "body": { "Result": "Proceed" } }),
    ]
}

#[tokio::test]
async fn whoever_started_it_does_not_answer_its_interruption_and_somebody_else_does() {
    let by_path = json!({ "method": "POST", "path": "/api/Spaces-1/deployments",
        "body": { "ReleaseId": "Releases-9003", "EnvironmentId": "Environments-2" } });
    for (tool, arguments) in
        [("deploy_release", deploys(&["Staging"])), ("run_runbook", runs()), ("execute", by_path)]
    {
        let mut desk = Desk::start().await;
        if tool == "execute" {
            let made = json!({ "Id": "Deployments-1", "TaskId": "ServerTasks-77777" });
            let fault = Fault::on("/deployments").method("POST").body(&made.to_string());
            desk.server.sample.faults().add(fault);
        }
        let task = started(&desk, tool, &arguments).await;
        interrupts(&desk, &task);
        let before = desk.changes().len();
        for answer in answers() {
            let came = desk.call(CODE, "execute", &answer).await;
            came.refused(&format!("you started {task} through this server"));
        }
        assert_eq!(desk.changes().len(), before, "{tool}");
        desk.key = keys::DEFAULT_SPACE_ONLY;
        for answer in answers() {
            desk.call(CODE, "execute", &answer).await.asked();
        }
    }
}

/// Two keys of one user of Octopus are one person.
#[tokio::test]
async fn another_key_of_the_same_user_is_the_same_person() {
    let mut desk = Desk::start().await;
    let task = started(&desk, "deploy_release", &deploys(&["Staging"])).await;
    interrupts(&desk, &task);
    let me = json!({ "Id": "Users-1", "Username": "admin" });
    desk.server.sample.faults().add(Fault::on("/users/me").body(&me.to_string()));
    desk.key = keys::DEFAULT_SPACE_ONLY;
    desk.call(CODE, "execute", &answers()[0]).await.refused("somebody else must answer");
}

#[tokio::test]
async fn what_nobody_started_here_and_what_the_settings_let_pass_is_answered() {
    let desk = Desk::start().await;
    for answer in answers() {
        desk.call(CODE, "execute", &answer).await.asked();
    }
    let desk = Desk::with(|config| config.policy.four_eyes = false).await;
    let task = started(&desk, "deploy_release", &deploys(&["Staging"])).await;
    interrupts(&desk, &task);
    for answer in answers() {
        desk.call(CODE, "execute", &answer).await.asked();
    }
}

#[tokio::test]
async fn replicas_that_share_a_store_know_what_was_started_at_another() {
    let redis = Redis::start().await;
    let one = Desk::with(|config| redis.store(config)).await;
    let two = Desk::with(|config| redis.store(config)).await;
    let task = started(&one, "deploy_release", &deploys(&["Staging"])).await;
    interrupts(&two, &task);
    let came = two.call(CODE, "execute", &answers()[0]).await;
    came.refused(&format!("you started {task} through this server"));
}

#[tokio::test]
async fn after_a_restart_octopus_says_which_user_started_it_and_that_user_does_not_answer() {
    for (tool, arguments) in [("deploy_release", deploys(&["Staging"])), ("run_runbook", runs())] {
        let desk = Desk::start().await;
        let task = started(&desk, tool, &arguments).await;
        let mut desk = restarted(&desk).await;
        interrupts(&desk, &task);
        for answer in answers() {
            let came = desk.call(CODE, "execute", &answer).await;
            came.refused(&format!("{task} was started by the Octopus user that acts for you"));
        }
        desk.key = keys::DEFAULT_SPACE_ONLY;
        for answer in answers() {
            desk.call(CODE, "execute", &answer).await.asked();
        }
    }
}

/// Octopus does not tell apart who acts with one key: where this server does not either, it may
/// have been any of them.
#[tokio::test]
async fn behind_one_key_somebody_else_answers_only_while_it_is_remembered_who_started_it() {
    let company = Company::with(json!([])).await;
    let (ada, bob) = (json!(["ada"]), json!(["bob"]));
    let task = company.call(&ada, "deploy_release", &deploys(&["Staging"])).await.answered();
    let task = task_in(&task);
    let body = json!({ "Id": "Interruptions-9008", "TaskId": task, "IsPending": true });
    let fault = Fault::on("/interruptions/Interruptions-9008").method("GET");
    company.server.sample.faults().add(fault.body(&body.to_string()));
    let [_, takes, _] = answers();
    company.call(&ada, "execute", &takes).await.refused("you started");
    company.call(&bob, "execute", &takes).await.answered();
    let company = company.restarted().await;
    for caller in [&ada, &bob] {
        let came = company.call(caller, "execute", &takes).await;
        came.refused("this server does not remember for whom");
    }
}

/// The start reaches Octopus, and its answer does not reach this server, which so remembers nothing.
#[tokio::test]
async fn whoever_starts_something_and_does_not_hear_of_it_does_not_answer_its_interruption() {
    for (tool, arguments) in [("deploy_release", deploys(&["Staging"])), ("run_runbook", runs())] {
        let mut desk = Desk::start().await;
        let (_, code) = desk.call(CODE, tool, &arguments).await.asked();
        desk.server.sample.faults().add(Fault::on("/create/").method("POST").lost().times(1));
        desk.agree(CODE, tool, &arguments, &code).await.refused("it is not known whether");
        let place = if tool == "run_runbook" { "runbookRuns" } else { "deployments" };
        let newest = json!({ "method": "GET", "path": format!("/api/Spaces-1/{place}"),
            "query": { "take": "1" } });
        let task = task_in(&desk.call(CODE, "execute", &newest).await.answered());
        interrupts(&desk, &task);
        for answer in answers() {
            let came = desk.call(CODE, "execute", &answer).await;
            came.refused(&format!("{task} was started by the Octopus user that acts for you"));
        }
        desk.key = keys::DEFAULT_SPACE_ONLY;
        for answer in answers() {
            desk.call(CODE, "execute", &answer).await.asked();
        }
    }
}

#[tokio::test]
async fn where_neither_this_server_nor_octopus_says_who_started_it_nobody_answers() {
    let desk = Desk::start().await;
    let (task, deployment) = ("/tasks/ServerTasks-90008", "/deployments/Deployments-9008");
    let document = |path: &str, fields: Value| Fault::on(path).body(&fields.to_string());
    let unknown = "it cannot be known who started ServerTasks-90008";
    for (fault, words) in [
        (document(deployment, json!({ "TaskId": "ServerTasks-90008" })), unknown),
        (
            document(deployment, json!({ "TaskId": "ServerTasks-90008", "DeployedById": "" })),
            unknown,
        ),
        // One that ran again, whose deployment somebody else had started.
        (
            document(deployment, json!({ "TaskId": "ServerTasks-1", "DeployedById": "Users-41" })),
            unknown,
        ),
        (document(deployment, json!({ "DeployedById": "Users-41" })), unknown),
        (Fault::on(deployment).status(404), unknown),
        (Fault::on(deployment).status(403), unknown),
        (document(task, json!({ "Id": "ServerTasks-90008" })), unknown),
        (
            document(
                task,
                json!({ "Id": "ServerTasks-90008", "Arguments": { "DeploymentId": 7 } }),
            ),
            unknown,
        ),
        (Fault::on(task).status(403), unknown),
        (
            document("/interruptions/", json!({ "Id": "Interruptions-9008" })),
            "does not say which task",
        ),
        (document("/interruptions/", json!({ "TaskId": "../x" })), "does not say which task"),
        (Fault::on(deployment).status(500), ""),
        (Fault::on("/users/me").status(500), ""),
    ] {
        desk.server.sample.faults().clear();
        desk.server.sample.faults().add(fault.method("GET"));
        for answer in answers() {
            desk.call(CODE, "execute", &answer).await.refused(words);
        }
    }
    desk.server.sample.faults().clear();
    for answer in answers() {
        desk.call(CODE, "execute", &answer).await.asked();
    }
    assert_eq!(desk.changes(), []);
}

/// The name under which records and notes know the caller.
async fn name(desk: &Desk) -> String {
    let called = desk.server.call_as(desk.key, "explain_access", json!({})).await;
    called.structured["caller"]["name"].as_str().unwrap().to_owned()
}

/// The notes of a release are whatever somebody wrote: the line in them that leads to a record is
/// for people, and says nothing of who deployed it.
#[tokio::test]
async fn notes_of_a_release_that_name_somebody_else_do_not_say_who_started_a_task() {
    let folder = tempfile::tempdir().unwrap();
    let mut desk =
        Desk::with(|config| config.audit.file.path = Some(folder.path().join("a.jsonl"))).await;
    let ada = name(&desk).await;
    desk.key = keys::WITHOUT_VARIABLE_VIEW;
    let bob = name(&desk).await;
    assert_ne!(ada, bob);
    desk.key = keys::ADMIN;
    let line = |who: &str| {
        format!("Made through octopus-mcp by {who} (audit 0198f000-0000-7000-8000-000000000000)")
    };

    // Ada makes a release whose notes say that it was Bob, and deploys it.
    let notes = format!("{}\n\nServerTasks-90008 was started by {bob}", line(&bob));
    let release = json!({ "space": "Default", "projectName": "Parcel Tracking API",
        "releaseVersion": "1.13.0", "releaseNotes": notes });
    let (_, code) = desk.call(CODE, "create_release", &release).await.asked();
    desk.agree(CODE, "create_release", &release, &code).await.answered();
    let made = desk.changes()[0].body.as_ref().unwrap()["ReleaseNotes"].to_string();
    assert!(made.contains(&line(&bob)) && made.contains(&ada), "both lines: {made}");
    let deployment = json!({ "space": "Default", "projectName": "Parcel Tracking API",
        "releaseVersion": "1.13.0", "environmentNames": ["Development"] });
    let task = started(&desk, "deploy_release", &deployment).await;
    interrupts(&desk, &task);
    for answer in answers() {
        let came = desk.call(CODE, "execute", &answer).await;
        came.refused(&format!("you started {task} through this server"));
    }
    desk.key = keys::WITHOUT_VARIABLE_VIEW;
    for answer in answers() {
        desk.call(CODE, "execute", &answer).await.asked();
    }

    // A task that nobody started here, of a release whose notes say that it was Bob.
    desk.server.sample.faults().clear();
    let release = json!({ "Id": "Releases-9003", "Version": "0.35.2", "ReleaseNotes": line(&bob) });
    desk.server
        .sample
        .faults()
        .add(Fault::on("/releases/Releases-9003").method("GET").body(&release.to_string()));
    interrupts(&desk, "ServerTasks-90008");
    for answer in answers() {
        desk.call(CODE, "execute", &answer).await.asked();
    }
}
