//! Matchers of rules: environment, tag, tenant, project, group, caller.

use octopus_mcp::config::{ApprovalMode, Effect, ListSetting};
use serde_json::{Value, json};

use super::{APPROVAL_FLOWS, CODE_FLOW, deploy_arguments, policy_fixture, set_rules};
use crate::approval::{ApprovalFixture, CallOutcome, write_calls};

const DEPLOY: &str = "deploy_release";

#[tokio::test]
async fn rejects_denied_environment_before_approval() {
    let list = json!([{ "name": "closed", "effect": "deny", "environments": ["prod*"],
        "message": "ask the release team" }]);
    for flow in APPROVAL_FLOWS {
        let fixture = policy_fixture(list.clone()).await;
        for environments in [&["Production"][..], &["Staging", "production"], &["Environments-3"]] {
            let outcome = fixture.call(flow, DEPLOY, &deploy_arguments(environments)).await;
            outcome.expect_error(
                "the policy rule 'closed' of this server denies this call: ask the release team",
            );
        }
        fixture.call(flow, DEPLOY, &deploy_arguments(&["Staging"])).await.expect_approval_request();
        assert_eq!(fixture.sent_changes(), [], "{flow:?}");
    }
}

/// A rule matches a deployment by every known property, and does not match by another value.
#[tokio::test]
async fn matchers_apply_to_resolved_names() {
    let tenanted = json!({ "space": "Spaces-1", "projectName": "Driver App Backend",
        "releaseVersion": "0.36.0", "environmentNames": ["Staging"], "tenants": ["Tenants-1"] });
    let production = deploy_arguments(&["Production"]);
    for (arguments, matcher, other) in [
        (
            &production,
            json!({ "environment_tags": ["stage/live"] }),
            json!({ "environment_tags": ["stage/test"] }),
        ),
        (
            &production,
            json!({ "projects": ["parcel-tracking-api"] }),
            json!({ "projects": ["Billing*"] }),
        ),
        (
            &production,
            json!({ "project_groups": ["customer platform"] }),
            json!({ "project_groups": ["Back Office"] }),
        ),
        (&production, json!({ "spaces": ["default"] }), json!({ "spaces": ["Warehouse*"] })),
        (&production, json!({ "instances": ["default"] }), json!({ "instances": ["other"] })),
        (&production, json!({ "risks": ["high"] }), json!({ "risks": ["medium"] })),
        (&production, json!({ "tools": ["deploy_*"] }), json!({ "tools": ["run_*"] })),
        (&production, json!({ "toolsets": ["deployments"] }), json!({ "toolsets": ["runbooks"] })),
        (&production, json!({ "tiers": ["write"] }), json!({ "tiers": ["delete"] })),
        (&production, json!({ "callers": ["API key *"] }), json!({ "callers": ["somebody"] })),
        (
            &tenanted,
            json!({ "tenants": ["Brightwater*"] }),
            json!({ "tenants": ["Hollis Freight"] }),
        ),
        (
            &tenanted,
            json!({ "tenant_tags": ["Tier/Gold"] }),
            json!({ "tenant_tags": ["Tier/Silver"] }),
        ),
        (&tenanted, json!({ "risks": ["medium"] }), json!({ "risks": ["high"] })),
    ] {
        for (mut rule, is_denied) in [(matcher, true), (other, false)] {
            (rule["name"], rule["effect"]) = (json!("r"), json!("deny"));
            let fixture = policy_fixture(json!([rule])).await;
            match fixture.call(CODE_FLOW, DEPLOY, arguments).await {
                CallOutcome::Failed(message) => {
                    assert!(is_denied && message.contains("rule 'r'"), "{rule} {message}");
                }
                CallOutcome::ApprovalRequired { .. } => assert!(!is_denied, "{rule}"),
                CallOutcome::Completed(answer) => panic!("{rule}: {answer}"),
            }
            assert_eq!(fixture.sent_changes(), []);
        }
    }
}

#[tokio::test]
async fn strictest_decision_of_several_environments_applies() {
    let list = json!([
        { "name": "dev", "effect": "allow", "environments": ["Development"] },
        { "name": "shut", "effect": "deny", "environments": ["Production"] },
        { "name": "ask", "effect": "confirm" },
    ]);
    let fixture = ApprovalFixture::with(|config| {
        config.tools.confirm = ApprovalMode::Never;
        set_rules(config, &list);
    })
    .await;
    fixture
        .call(CODE_FLOW, DEPLOY, &deploy_arguments(&["Development", "Production"]))
        .await
        .expect_error("rule 'shut'");
    let (preview, _) = fixture
        .call(CODE_FLOW, DEPLOY, &deploy_arguments(&["Development", "Staging"]))
        .await
        .expect_approval_request();
    assert!(preview.contains("\nRule: ask"), "{preview}");
    assert_eq!(fixture.sent_changes(), []);
    fixture.call(CODE_FLOW, DEPLOY, &deploy_arguments(&["Development"])).await.expect_result();
    assert_eq!(fixture.sent_changes().len(), 1);
}

/// `confirm = "never"` and a bare `confirm: true` do not satisfy a rule that requires approval.
#[tokio::test]
async fn confirm_rule_overrides_lenient_confirm_setting() {
    for confirm in [ApprovalMode::Never, ApprovalMode::Argument] {
        let fixture = ApprovalFixture::with(|config| {
            config.tools.confirm = confirm;
            let list = json!([{ "name": "ask", "effect": "confirm", "risks": ["high"] }]);
            set_rules(config, &list);
        })
        .await;
        let mut arguments = deploy_arguments(&["Production"]);
        arguments["confirm"] = json!(true);
        let (_, code) = fixture.call(CODE_FLOW, DEPLOY, &arguments).await.expect_approval_request();
        assert_eq!(fixture.sent_changes(), []);
        fixture.approve(CODE_FLOW, DEPLOY, &arguments, &code).await.expect_result();
        assert_eq!(fixture.sent_changes().len(), 1);
        let mut arguments = deploy_arguments(&["Staging"]);
        arguments["confirm"] = json!(true);
        fixture.call(CODE_FLOW, DEPLOY, &arguments).await.expect_result();
        assert_eq!(fixture.sent_changes().len(), 2);
    }
}

/// Every write tool reports the resources that it changes: a rule for one environment does not
/// affect other environments.
#[tokio::test]
async fn every_write_tool_reports_its_targets() {
    let hits = |tool: &str, arguments: &Value| match tool {
        "execute" => true,
        "create_release" => false,
        _ => arguments.to_string().contains("Production"),
    };
    for (tool, arguments, ..) in write_calls() {
        let fixture = policy_fixture(
            json!([{ "name": "r", "effect": "deny", "environments": ["Production"] }]),
        );
        let fixture = fixture.await;
        match fixture.call(CODE_FLOW, tool, &arguments).await {
            CallOutcome::Failed(message) => {
                assert!(message.contains("rule 'r'"), "{message}");
                assert!(hits(tool, &arguments), "{tool} {arguments}: {message}");
            }
            _ => assert!(!hits(tool, &arguments), "{tool} {arguments}"),
        }
        assert_eq!(fixture.sent_changes(), []);
    }
}

#[tokio::test]
async fn default_effect_applies_without_matching_rules() {
    for (otherwise, asked) in [(Effect::Confirm, true), (Effect::Deny, false)] {
        let fixture = ApprovalFixture::with(|config| {
            config.tools.confirm = ApprovalMode::Never;
            config.policy.otherwise = otherwise;
        })
        .await;
        let outcome = fixture.call(CODE_FLOW, DEPLOY, &deploy_arguments(&["Staging"])).await;
        if asked {
            outcome.expect_approval_request();
        } else {
            outcome.expect_error("no policy rule of this server allows this call");
        }
        assert_eq!(fixture.sent_changes(), []);
        // The default effect does not apply to reads.
        fixture.call(CODE_FLOW, "list_spaces", &json!({})).await.expect_result();
    }
}

#[tokio::test]
async fn high_risk_environments_are_configurable() {
    let fixture = ApprovalFixture::with(|config| {
        config.policy.high_risk_environments = ListSetting(vec!["Staging".to_owned()]);
        set_rules(config, &json!([{ "name": "r", "effect": "deny", "risks": ["high"] }]));
    })
    .await;
    fixture.call(CODE_FLOW, DEPLOY, &deploy_arguments(&["Staging"])).await.expect_error("rule 'r'");
    fixture
        .call(CODE_FLOW, DEPLOY, &deploy_arguments(&["Production"]))
        .await
        .expect_approval_request();
}
