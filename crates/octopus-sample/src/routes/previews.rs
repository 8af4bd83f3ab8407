//! What a deployment or a runbook run would do, and what it asks for.

use serde_json::{Value, json};

use super::super::activity;
use super::super::answer::{Answer, Answered, Refusal};
use super::super::call::Call;
use super::super::dice::uuid;
use super::super::world::{Item, form};
use super::{missing, projects, promotion, runbooks};

/// `/releases/{id}/deployments/template` and `…/preview/{environmentId}/{tenantId}`.
pub(super) fn of_release(call: &Call<'_>, release: &Item, path: &[&str]) -> Answered {
    call.need("DeploymentView")?;
    let project = projects::one(call, release.text("ProjectId"))?;
    match path {
        ["template"] => Ok(template(call, project, release)),
        ["preview", environment] => {
            preview(call, project, release, known(call, environment)?, None)
        }
        ["preview", environment, tenant] => {
            let found = call.world.tenants.find_in(call.space_id(), tenant);
            let tenant = found.ok_or_else(|| missing(tenant))?;
            preview(call, project, release, known(call, environment)?, Some(tenant))
        }
        _ => Err(Refusal::NoRoute),
    }
}

fn known<'a>(call: &Call<'a>, id: &str) -> Result<&'a Item, Refusal> {
    call.world.environments.find_in(call.space_id(), id).ok_or_else(|| missing(id))
}

fn template(call: &Call<'_>, project: &Item, release: &Item) -> Answer {
    let world = call.world;
    let path = format!("/api/{}/releases/{}", release.space_id, release.id);
    let way = |tenant: Option<&Item>| {
        let ids = promotion::allowed(world, project, release, tenant).into_iter();
        let environments = ids.filter_map(|id| world.environments.find(id));
        let shown = environments.map(|environment| {
            let whom = tenant.map(|tenant| format!("/{}", tenant.id)).unwrap_or_default();
            let link = format!(
                "{path}/deployments/preview/{}{whom}{{?includeDisabledSteps}}",
                environment.id
            );
            json!({
                "Id": environment.id, "Name": environment.text("Name"),
                "Links": { "Preview": link },
            })
        });
        shown.collect::<Vec<Value>>()
    };
    let mode = project.text("TenantedDeploymentMode");
    let channel = world.channels.find(release.text("ChannelId"));
    let tenants = world.tenants.of_space(&project.space_id).filter(|tenant| {
        let map = tenant.body.get("ProjectEnvironments");
        mode != "Untenanted"
            && !tenant.flag("IsDisabled")
            && map.is_some_and(|map| map.get(&project.id).is_some())
            && promotion::is_for(channel, tenant)
    });
    let of_tenants = tenants.map(|tenant| {
        json!({ "Id": tenant.id, "Name": tenant.text("Name"), "PromoteTo": way(Some(tenant)) })
    });
    Answer::value(&json!({
        "Id": release.id,
        "IsDeploymentProcessModified": false,
        "IsVariableSetModified": false,
        "IsLibraryVariableSetModified": false,
        "PromoteTo": if mode == "Tenanted" { Vec::new() } else { way(None) },
        "TenantPromotions": of_tenants.collect::<Vec<_>>(),
        "DeploymentNotes": null,
        "Links": { "Self": format!("{path}/deployments/template"), "Release": path },
    }))
}

fn preview(
    call: &Call<'_>,
    project: &Item,
    release: &Item,
    environment: &Item,
    tenant: Option<&Item>,
) -> Answered {
    if tenant.is_some_and(|t| !promotion::is_connected(t, &project.id, &environment.id)) {
        let reason = "The tenant is not connected to this environment of the project.";
        return Err(Refusal::BadRequest(reason.to_owned()));
    }
    let process = call.world.scripts.process(&project.id);
    let steps = process.into_iter().flat_map(|process| process.steps_for(&environment.id));
    let steps = steps.enumerate().map(|(position, step)| {
        let id = uuid(&format!("{}/{}", project.id, step.slug));
        written(call, environment, (&id, &step.name, position), step.target_role.as_deref())
    });
    let prompts = call.world.prompts_of(&project.id, Some(&environment.id));
    Ok(answered(call, &release.id, environment, &steps.collect::<Vec<_>>(), &form(prompts)))
}

/// `…/runbookRunTemplate` where no environment is named, or else `…/runbookRuns/preview/{id}`.
pub(super) fn of_runbook(
    call: &Call<'_>,
    runbook: &Value,
    process: Option<&Value>,
    path: &[&str],
) -> Answered {
    let text = |key: &str| runbook.get(key).and_then(Value::as_str).unwrap_or_default();
    let project = projects::one(call, text("ProjectId"))?;
    let id = text("Id");
    let allowed = runbooks::environments(call.world, project, runbook);
    let [environment, ..] = path else {
        let preview = call.path.replace("runbookruntemplate", "runbookRuns/preview");
        let shown = allowed.iter().map(|environment| {
            let link = format!("{preview}/{}{{?includeDisabledSteps}}", environment.id);
            json!({
                "Id": environment.id, "Name": environment.text("Name"),
                "Links": { "RunbookRunPreview": link },
            })
        });
        return Ok(Answer::value(&json!({
            "Id": id, "IsRunbookProcessModified": false, "IsVariableSetModified": false,
            "IsLibraryVariableSetModified": false, "PromoteTo": shown.collect::<Vec<_>>(),
            "TenantPromotions": [], "Links": {},
        })));
    };
    let environment = known(call, environment)?;
    let steps = process.and_then(|process| process.get("Steps")?.as_array());
    let steps = steps.into_iter().flatten().enumerate().map(|(position, step)| {
        let own = |key: &str| step.get(key).and_then(Value::as_str).unwrap_or_default();
        let role = step.get("Properties").and_then(|all| all.get("Octopus.Action.TargetRoles"));
        let names = (own("Id"), own("Name"), position);
        written(call, environment, names, role.and_then(Value::as_str))
    });
    let prompts = call.world.prompts_of(id, Some(&environment.id));
    Ok(answered(call, id, environment, &steps.collect::<Vec<_>>(), &form(prompts)))
}

fn written(
    call: &Call<'_>,
    environment: &Item,
    (id, name, position): (&str, &str, usize),
    role: Option<&str>,
) -> Value {
    let machines: Vec<&Item> = role
        .into_iter()
        .flat_map(|role| activity::targets(call.world, &environment.id, role).collect::<Vec<_>>())
        .collect();
    let shown = machines.iter().map(|machine| {
        json!({
            "Id": machine.id, "Name": machine.text("Name"), "HasLatestCalamari": true,
            "HealthStatus": "Healthy",
        })
    });
    let names: Vec<&str> = machines.iter().map(|machine| machine.text("Name")).collect();
    json!({
        "ActionId": id, "ActionName": name, "ActionNumber": (position + 1).to_string(),
        "Roles": role.into_iter().collect::<Vec<_>>(),
        "Machines": shown.collect::<Vec<_>>(), "MachineNames": names,
        "ExcludedMachines": [], "UnavailableMachines": [], "CanBeSkipped": true,
        "IsDisabled": false, "HasNoApplicableMachines": role.is_some() && names.is_empty(),
    })
}

fn answered(
    call: &Call<'_>,
    id: &str,
    environment: &Item,
    steps: &[Value],
    form: &Value,
) -> Answer {
    Answer::value(&json!({
        "Id": id,
        "StepsToExecute": steps,
        "Form": form,
        "UseGuidedFailureModeByDefault": environment.flag("UseGuidedFailure"),
        "Changes": [],
        "ChangesMarkdown": "",
        "Links": { "Self": call.path },
    }))
}
