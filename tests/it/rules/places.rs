//! Matchers of rules: environment, tag, tenant, project, group, caller.

use octopus_mcp::config::{Confirm, Effect, List};
use serde_json::{Value, json};

use super::{CODE, WAYS, deploys, desk, rules};
use crate::consent::{Came, Desk, changes};

const DEPLOY: &str = "deploy_release";

#[tokio::test]
async fn a_denied_environment_is_refused_before_anybody_is_asked_and_nothing_is_sent() {
    let list = json!([{ "name": "closed", "effect": "deny", "environments": ["prod*"],
        "message": "ask the release team" }]);
    for way in WAYS {
        let desk = desk(list.clone()).await;
        for environments in [&["Production"][..], &["Staging", "production"], &["Environments-3"]] {
            let came = desk.call(way, DEPLOY, &deploys(environments)).await;
            came.refused(
                "the policy rule 'closed' of this server denies this call: ask the release team",
            );
        }
        desk.call(way, DEPLOY, &deploys(&["Staging"])).await.asked();
        assert_eq!(desk.changes(), [], "{way:?}");
    }
}

/// A rule matches a deployment by every known property, and does not match by another value.
#[tokio::test]
async fn each_matcher_decides_by_what_the_names_resolve_to() {
    let tenanted = json!({ "space": "Spaces-1", "projectName": "Driver App Backend",
        "releaseVersion": "0.36.0", "environmentNames": ["Staging"], "tenants": ["Tenants-1"] });
    let production = deploys(&["Production"]);
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
        for (mut rule, refuses) in [(matcher, true), (other, false)] {
            (rule["name"], rule["effect"]) = (json!("r"), json!("deny"));
            let desk = desk(json!([rule])).await;
            match desk.call(CODE, DEPLOY, arguments).await {
                Came::Refused(message) => {
                    assert!(refuses && message.contains("rule 'r'"), "{rule} {message}");
                }
                Came::Asked { .. } => assert!(!refuses, "{rule}"),
                Came::Answered(answer) => panic!("{rule}: {answer}"),
            }
            assert_eq!(desk.changes(), []);
        }
    }
}

#[tokio::test]
async fn of_several_environments_the_strictest_decision_counts() {
    let list = json!([
        { "name": "dev", "effect": "allow", "environments": ["Development"] },
        { "name": "shut", "effect": "deny", "environments": ["Production"] },
        { "name": "ask", "effect": "confirm" },
    ]);
    let desk = Desk::with(|config| {
        config.tools.confirm = Confirm::Never;
        rules(config, &list);
    })
    .await;
    desk.call(CODE, DEPLOY, &deploys(&["Development", "Production"])).await.refused("rule 'shut'");
    let (words, _) = desk.call(CODE, DEPLOY, &deploys(&["Development", "Staging"])).await.asked();
    assert!(words.contains("\nRule: ask"), "{words}");
    assert_eq!(desk.changes(), []);
    desk.call(CODE, DEPLOY, &deploys(&["Development"])).await.answered();
    assert_eq!(desk.changes().len(), 1);
}

/// `confirm = "never"` and a bare `confirm: true` do not satisfy a rule that requires approval.
#[tokio::test]
async fn a_rule_that_wants_consent_gets_it_whatever_the_settings_let_pass() {
    for confirm in [Confirm::Never, Confirm::Argument] {
        let desk = Desk::with(|config| {
            config.tools.confirm = confirm;
            let list = json!([{ "name": "ask", "effect": "confirm", "risks": ["high"] }]);
            rules(config, &list);
        })
        .await;
        let mut arguments = deploys(&["Production"]);
        arguments["confirm"] = json!(true);
        let (_, code) = desk.call(CODE, DEPLOY, &arguments).await.asked();
        assert_eq!(desk.changes(), []);
        desk.agree(CODE, DEPLOY, &arguments, &code).await.answered();
        assert_eq!(desk.changes().len(), 1);
        let mut arguments = deploys(&["Staging"]);
        arguments["confirm"] = json!(true);
        desk.call(CODE, DEPLOY, &arguments).await.answered();
        assert_eq!(desk.changes().len(), 2);
    }
}

/// Every write tool reports the resources that it changes: a rule for one environment does not
/// affect other environments.
#[tokio::test]
async fn every_change_is_judged_by_what_it_touches() {
    let hits = |tool: &str, arguments: &Value| match tool {
        "execute" => true,
        "create_release" => false,
        _ => arguments.to_string().contains("Production"),
    };
    for (tool, arguments, ..) in changes() {
        let desk = desk(json!([{ "name": "r", "effect": "deny", "environments": ["Production"] }]));
        let desk = desk.await;
        match desk.call(CODE, tool, &arguments).await {
            Came::Refused(message) => {
                assert!(message.contains("rule 'r'"), "{message}");
                assert!(hits(tool, &arguments), "{tool} {arguments}: {message}");
            }
            _ => assert!(!hits(tool, &arguments), "{tool} {arguments}"),
        }
        assert_eq!(desk.changes(), []);
    }
}

#[tokio::test]
async fn without_rules_what_is_left_over_decides() {
    for (otherwise, asked) in [(Effect::Confirm, true), (Effect::Deny, false)] {
        let desk = Desk::with(|config| {
            config.tools.confirm = Confirm::Never;
            config.policy.otherwise = otherwise;
        })
        .await;
        let came = desk.call(CODE, DEPLOY, &deploys(&["Staging"])).await;
        if asked {
            came.asked();
        } else {
            came.refused("no policy rule of this server allows this call");
        }
        assert_eq!(desk.changes(), []);
        // The default effect does not apply to reads.
        desk.call(CODE, "list_spaces", &json!({})).await.answered();
    }
}

#[tokio::test]
async fn which_environments_are_of_high_risk_is_a_setting() {
    let desk = Desk::with(|config| {
        config.policy.high_risk_environments = List(vec!["Staging".to_owned()]);
        rules(config, &json!([{ "name": "r", "effect": "deny", "risks": ["high"] }]));
    })
    .await;
    desk.call(CODE, DEPLOY, &deploys(&["Staging"])).await.refused("rule 'r'");
    desk.call(CODE, DEPLOY, &deploys(&["Production"])).await.asked();
}
