//! Changes in Octopus between preview and approval: the approved call is rejected.

use octopus_sample::keys;
use serde_json::{Value, json};

use super::{APPROVAL_FLOWS, ApprovalFixture};

/// Changes something in Octopus directly, and clears the journal of the sample.
async fn change_in_octopus(
    fixture: &ApprovalFixture,
    method: reqwest::Method,
    path: &str,
    body: &Value,
) {
    let octopus = crate::support::serve(fixture.server.sample.router());
    let url = format!("http://{}/api/Spaces-1/{path}", octopus.address);
    let mut body = body.clone();
    if path.contains("/create/") {
        body["SpaceId"] = json!("Spaces-1");
        body["SpaceIdOrName"] = json!("Spaces-1");
    }
    let request = fixture.server.http.request(method, url).header("x-octopus-apikey", keys::ADMIN);
    let reply = crate::support::send(request.json(&body)).await;
    assert!(reply.status < 300, "{path}: {}", reply.text);
    fixture.server.sample.clear_journal();
}

async fn get_from_octopus(fixture: &ApprovalFixture, path: &str) -> Value {
    let octopus = crate::support::serve(fixture.server.sample.router());
    let url = format!("http://{}/api/Spaces-1/{path}", octopus.address);
    let request = fixture.server.http.get(url).header("x-octopus-apikey", keys::ADMIN);
    crate::support::send(request).await.json()
}

#[tokio::test]
async fn rejects_approval_after_another_deployment() {
    for flow in APPROVAL_FLOWS {
        let fixture = ApprovalFixture::start().await;
        let tool = "deploy_release";
        let arguments = json!({
            "space": "Default",
            "projectName": "Parcel Tracking API",
            "releaseVersion": "1.12.0",
            "environmentNames": ["Staging"],
        });
        let (preview, token) = fixture.call(flow, tool, &arguments).await.expect_approval_request();
        assert!(preview.contains("Now in Staging: 1.12.0 (Failed)"), "{preview}");
        let body = json!({
            "SpaceId": "Spaces-1",
            "ProjectName": "Parcel Tracking API",
            "ReleaseVersion": "1.12.0",
            "EnvironmentNames": ["Staging"],
        });
        let path = "deployments/create/untenanted/v1";
        change_in_octopus(&fixture, reqwest::Method::POST, path, &body).await;
        let outcome = fixture.approve(flow, tool, &arguments, &token).await;
        outcome.expect_error(
            "Now in Staging: was shown as '1.12.0 (Failed)', is now '1.12.0 (Executing now)'",
        );
        assert_eq!(fixture.sent_changes(), []);
    }
}

#[tokio::test]
async fn rejects_approval_after_another_release() {
    for flow in APPROVAL_FLOWS {
        let fixture = ApprovalFixture::start().await;
        let tool = "create_release";
        let arguments =
            json!({ "space": "Default", "projectName": "Projects-1", "releaseVersion": "1.14.0" });
        let (_, token) = fixture.call(flow, tool, &arguments).await.expect_approval_request();
        let body = json!({
            "SpaceId": "Spaces-1",
            "ProjectName": "Parcel Tracking API",
            "ReleaseVersion": "1.13.5",
        });
        change_in_octopus(&fixture, reqwest::Method::POST, "releases/create/v1", &body).await;
        let outcome = fixture.approve(flow, tool, &arguments, &token).await;
        outcome.expect_error("Latest release: was shown as '1.12.0', is now '1.13.5'");
        assert_eq!(fixture.sent_changes(), []);
    }
}

#[tokio::test]
async fn toggle_update_never_overwrites_concurrent_changes() {
    let path = "projects/Projects-1/featuretoggles/eta-window";
    for flow in APPROVAL_FLOWS {
        for (key, value) in [
            ("Description", json!("Changed concurrently")),
            ("Tags", json!(["Tier/Gold"])),
            ("DefaultIsEnabled", json!(true)),
        ] {
            let fixture = ApprovalFixture::start().await;
            let tool = "update_feature_toggle";
            let arguments = json!({
                "space": "Default",
                "projectId": "Projects-1",
                "slug": "eta-window",
                "environments": [{ "deploymentEnvironmentId": "Production", "isEnabled": true }],
            });
            let (preview, token) =
                fixture.call(flow, tool, &arguments).await.expect_approval_request();
            assert!(preview.contains("In Production, on: no → yes"), "{preview}");
            let mut toggle = get_from_octopus(&fixture, path).await;
            toggle[key] = value.clone();
            change_in_octopus(
                &fixture,
                reqwest::Method::PUT,
                "projects/Projects-1/featuretoggles",
                &toggle,
            )
            .await;
            fixture
                .approve(flow, tool, &arguments, &token)
                .await
                .expect_error("depends on has changed");
            assert_eq!(fixture.sent_changes(), []);
            // A new approval keeps the concurrent change.
            let (_, token) = fixture.call(flow, tool, &arguments).await.expect_approval_request();
            fixture.approve(flow, tool, &arguments, &token).await.expect_result();
            let toggle = get_from_octopus(&fixture, path).await;
            assert_eq!(toggle[key], value, "{key}");
            let entries = toggle["Environments"].as_array().unwrap();
            let entry =
                |id: &str| entries.iter().find(|e| e["DeploymentEnvironmentId"] == id).unwrap();
            let production = entry("Environments-3");
            assert_eq!(production["IsEnabled"], true);
            assert_eq!(production["Segments"], json!([{ "Key": "plan", "Value": "gold" }]));
            assert_eq!(entry("Environments-2")["MinimumVersion"], "1.12.0");
        }
    }
}
