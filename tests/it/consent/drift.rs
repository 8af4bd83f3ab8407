//! What was agreed to is what is there when it is done, or nothing is done.

use octopus_sample::keys;
use serde_json::{Value, json};

use super::{Desk, WAYS};

/// Changes something as somebody else would, and is no change of ours.
async fn meanwhile(desk: &Desk, method: reqwest::Method, path: &str, body: &Value) {
    let octopus = crate::support::serve(desk.server.sample.router());
    let url = format!("http://{}/api/Spaces-1/{path}", octopus.address);
    let request = desk.server.http.request(method, url).header("x-octopus-apikey", keys::ADMIN);
    let reply = crate::support::reply(request.json(body)).await;
    assert!(reply.status < 300, "{path}: {}", reply.text);
    desk.server.sample.clear_journal();
}

async fn read(desk: &Desk, path: &str) -> Value {
    let octopus = crate::support::serve(desk.server.sample.router());
    let url = format!("http://{}/api/Spaces-1/{path}", octopus.address);
    let request = desk.server.http.get(url).header("x-octopus-apikey", keys::ADMIN);
    crate::support::reply(request).await.json()
}

#[tokio::test]
async fn another_deployment_in_between_is_told() {
    for way in WAYS {
        let desk = Desk::start().await;
        let tool = "deploy_release";
        let arguments = json!({
            "space": "Default",
            "projectName": "Parcel Tracking API",
            "releaseVersion": "1.12.0",
            "environmentNames": ["Staging"],
        });
        let (words, sealed) = desk.call(way, tool, &arguments).await.asked();
        assert!(words.contains("Now in Staging: 1.12.0 (Failed)"), "{words}");
        let order = json!({
            "SpaceId": "Spaces-1",
            "ProjectName": "Parcel Tracking API",
            "ReleaseVersion": "1.12.0",
            "EnvironmentNames": ["Staging"],
        });
        let path = "deployments/create/untenanted/v1";
        meanwhile(&desk, reqwest::Method::POST, path, &order).await;
        let came = desk.agree(way, tool, &arguments, &sealed).await;
        came.refused(
            "Now in Staging: was shown as '1.12.0 (Failed)', is now '1.12.0 (Executing now)'",
        );
        assert_eq!(desk.changes(), []);
    }
}

#[tokio::test]
async fn a_release_in_between_is_told() {
    for way in WAYS {
        let desk = Desk::start().await;
        let tool = "create_release";
        let arguments =
            json!({ "space": "Default", "projectName": "Projects-1", "releaseVersion": "1.14.0" });
        let (_, sealed) = desk.call(way, tool, &arguments).await.asked();
        let order = json!({
            "SpaceId": "Spaces-1",
            "ProjectName": "Parcel Tracking API",
            "ReleaseVersion": "1.13.5",
        });
        meanwhile(&desk, reqwest::Method::POST, "releases/create/v1", &order).await;
        let came = desk.agree(way, tool, &arguments, &sealed).await;
        came.refused("Latest release: was shown as '1.12.0', is now '1.13.5'");
        assert_eq!(desk.changes(), []);
    }
}

#[tokio::test]
async fn what_somebody_else_did_to_a_toggle_is_never_lost() {
    let path = "projects/Projects-1/featuretoggles/eta-window";
    for way in WAYS {
        for (key, value) in [
            ("Description", json!("Somebody else's words")),
            ("Tags", json!(["Tier/Gold"])),
            ("DefaultIsEnabled", json!(true)),
        ] {
            let desk = Desk::start().await;
            let tool = "update_feature_toggle";
            let arguments = json!({
                "space": "Default",
                "projectId": "Projects-1",
                "slug": "eta-window",
                "environments": [{ "deploymentEnvironmentId": "Production", "isEnabled": true }],
            });
            let (words, sealed) = desk.call(way, tool, &arguments).await.asked();
            assert!(words.contains("In Production, on: no → yes"), "{words}");
            let mut toggle = read(&desk, path).await;
            toggle[key] = value.clone();
            meanwhile(&desk, reqwest::Method::PUT, "projects/Projects-1/featuretoggles", &toggle)
                .await;
            desk.agree(way, tool, &arguments, &sealed).await.refused("was edited");
            assert_eq!(desk.changes(), []);
            // Asked anew, it keeps what the other did.
            let (_, sealed) = desk.call(way, tool, &arguments).await.asked();
            desk.agree(way, tool, &arguments, &sealed).await.answered();
            let toggle = read(&desk, path).await;
            assert_eq!(toggle[key], value, "{key}");
            let entries = toggle["Environments"].as_array().unwrap();
            let of =
                |id: &str| entries.iter().find(|e| e["DeploymentEnvironmentId"] == id).unwrap();
            let production = of("Environments-3");
            assert_eq!(production["IsEnabled"], true);
            assert_eq!(production["Segments"], json!([{ "Key": "plan", "Value": "gold" }]));
            assert_eq!(of("Environments-2")["MinimumVersion"], "1.12.0");
        }
    }
}
