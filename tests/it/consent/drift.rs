//! Changes in Octopus between preview and approval: the approved call is rejected.

use octopus_sample::keys;
use serde_json::{Value, json};

use super::{Desk, WAYS};

/// Changes something in Octopus directly, and clears the journal of the sample.
async fn meanwhile(fixture: &Desk, method: reqwest::Method, path: &str, body: &Value) {
    let octopus = crate::support::serve(fixture.server.sample.router());
    let url = format!("http://{}/api/Spaces-1/{path}", octopus.address);
    let request = fixture.server.http.request(method, url).header("x-octopus-apikey", keys::ADMIN);
    let reply = crate::support::reply(request.json(body)).await;
    assert!(reply.status < 300, "{path}: {}", reply.text);
    fixture.server.sample.clear_journal();
}

async fn read(fixture: &Desk, path: &str) -> Value {
    let octopus = crate::support::serve(fixture.server.sample.router());
    let url = format!("http://{}/api/Spaces-1/{path}", octopus.address);
    let request = fixture.server.http.get(url).header("x-octopus-apikey", keys::ADMIN);
    crate::support::reply(request).await.json()
}

#[tokio::test]
async fn another_deployment_in_between_is_told() {
    for flow in WAYS {
        let fixture = Desk::start().await;
        let tool = "deploy_release";
        let arguments = json!({
            "space": "Default",
            "projectName": "Parcel Tracking API",
            "releaseVersion": "1.12.0",
            "environmentNames": ["Staging"],
        });
        let (preview, token) = fixture.call(flow, tool, &arguments).await.asked();
        assert!(preview.contains("Now in Staging: 1.12.0 (Failed)"), "{preview}");
        let body = json!({
            "SpaceId": "Spaces-1",
            "ProjectName": "Parcel Tracking API",
            "ReleaseVersion": "1.12.0",
            "EnvironmentNames": ["Staging"],
        });
        let path = "deployments/create/untenanted/v1";
        meanwhile(&fixture, reqwest::Method::POST, path, &body).await;
        let outcome = fixture.agree(flow, tool, &arguments, &token).await;
        outcome.refused(
            "Now in Staging: was shown as '1.12.0 (Failed)', is now '1.12.0 (Executing now)'",
        );
        assert_eq!(fixture.changes(), []);
    }
}

#[tokio::test]
async fn a_release_in_between_is_told() {
    for flow in WAYS {
        let fixture = Desk::start().await;
        let tool = "create_release";
        let arguments =
            json!({ "space": "Default", "projectName": "Projects-1", "releaseVersion": "1.14.0" });
        let (_, token) = fixture.call(flow, tool, &arguments).await.asked();
        let body = json!({
            "SpaceId": "Spaces-1",
            "ProjectName": "Parcel Tracking API",
            "ReleaseVersion": "1.13.5",
        });
        meanwhile(&fixture, reqwest::Method::POST, "releases/create/v1", &body).await;
        let outcome = fixture.agree(flow, tool, &arguments, &token).await;
        outcome.refused("Latest release: was shown as '1.12.0', is now '1.13.5'");
        assert_eq!(fixture.changes(), []);
    }
}

#[tokio::test]
async fn what_somebody_else_did_to_a_toggle_is_never_lost() {
    let path = "projects/Projects-1/featuretoggles/eta-window";
    for flow in WAYS {
        for (key, value) in [
            ("Description", json!("Changed concurrently")),
            ("Tags", json!(["Tier/Gold"])),
            ("DefaultIsEnabled", json!(true)),
        ] {
            let fixture = Desk::start().await;
            let tool = "update_feature_toggle";
            let arguments = json!({
                "space": "Default",
                "projectId": "Projects-1",
                "slug": "eta-window",
                "environments": [{ "deploymentEnvironmentId": "Production", "isEnabled": true }],
            });
            let (preview, token) = fixture.call(flow, tool, &arguments).await.asked();
            assert!(preview.contains("In Production, on: no → yes"), "{preview}");
            let mut toggle = read(&fixture, path).await;
            toggle[key] = value.clone();
            meanwhile(
                &fixture,
                reqwest::Method::PUT,
                "projects/Projects-1/featuretoggles",
                &toggle,
            )
            .await;
            fixture.agree(flow, tool, &arguments, &token).await.refused("depends on has changed");
            assert_eq!(fixture.changes(), []);
            // A new approval keeps the concurrent change.
            let (_, token) = fixture.call(flow, tool, &arguments).await.asked();
            fixture.agree(flow, tool, &arguments, &token).await.answered();
            let toggle = read(&fixture, path).await;
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
