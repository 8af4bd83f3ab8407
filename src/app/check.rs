//! Validation of settings that name tools and toolsets, which needs the catalog.

use super::StartError;
use crate::{
    access::{PinnedArguments, ToolAccess},
    config::{Config, LoadedConfig, TokenSettings},
    policy::Tier,
    tool::tool_index,
    toolsets::TOOLSETS,
};

/// Adds errors for unknown tools and toolsets to the loaded settings.
pub fn check_settings(loaded: &mut LoadedConfig) {
    let tools = loaded.config().tools.clone();
    if let Err(unknown) = ToolAccess::new(tool_index(TOOLSETS), &tools.toolsets.0, Tier::Read) {
        loaded.add_error("tools.toolsets", &unknown.to_string());
    }
    check_policy_rules(loaded);
}

/// Checks the tools and toolsets in policy rules and tokens. Patterns with `*` are not checked.
fn check_policy_rules(loaded: &mut LoadedConfig) {
    let tools = TOOLSETS.iter().flat_map(|toolset| toolset.tools);
    let tools: Vec<&str> = tools.map(|tool| tool.metadata.name).collect();
    let toolsets: Vec<&str> = TOOLSETS.iter().map(|toolset| toolset.name).collect();
    let mut errors = Vec::new();
    for (rule, number) in loaded.config().policy.rules.iter().zip(1..) {
        for (kind, given, valid) in
            [("tool", &rule.tools, &tools), ("toolset", &rule.toolsets, &toolsets)]
        {
            let given =
                given.iter().flat_map(|list| &list.0).map(|name| name.trim_start_matches('!'));
            let is_valid = |name: &&str| valid.iter().any(|valid| valid.eq_ignore_ascii_case(name));
            for unknown in given.filter(|name| !name.contains('*') && !is_valid(name)) {
                let near = crate::text::nearest::nearest(unknown, valid.iter().copied(), 1);
                let near = near
                    .first()
                    .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                let name = rule.name.escape_debug();
                errors.push(format!("rule {number} ('{name}'): unknown {kind} `{unknown}`{near}"));
            }
        }
    }
    for error in errors {
        loaded.add_error("policy.rules", &error);
    }
    for (name, token) in loaded.config().auth.tokens.clone() {
        if let Err(message) = check_token_toolsets(&token) {
            loaded.add_error(&format!("auth.tokens.{name}.toolsets"), &message);
        }
    }
}

/// Checks the toolsets of a token.
///
/// # Errors
///
/// Returns a message with the unknown toolset and all valid ones.
pub(super) fn check_token_toolsets(token: &TokenSettings) -> Result<(), String> {
    match ToolAccess::new(tool_index(TOOLSETS), &token.toolsets.0, Tier::Read) {
        Ok(_) => Ok(()),
        Err(unknown) => {
            let (given, valid) = (unknown.given, unknown.valid.join(", "));
            Err(format!("unknown toolset `{given}`; available: {valid}"))
        }
    }
}

/// Returns the access that the settings allow to any caller, with the arguments that they pin.
///
/// # Errors
///
/// Returns an error if `tools.toolsets` names an unknown toolset.
pub fn tool_access(config: &Config) -> Result<ToolAccess, StartError> {
    let tools = &config.tools;
    let ceiling = match (tools.read_only, tools.allow_deletes) {
        (true, _) => Tier::Read,
        (false, false) => Tier::Write,
        (false, true) => Tier::Delete,
    };
    let policy = ToolAccess::new(tool_index(TOOLSETS), &config.tools.toolsets.0, ceiling)
        .map_err(StartError::Toolsets)?;
    let instances = config.instances_with_keys();
    let alone = instances.len() == 1;
    let space = instances.iter().all(|(_, _, instance)| instance.space.is_some());
    Ok(policy.with_pinned(PinnedArguments {
        instance: alone,
        space: alone && space,
        project: false,
    }))
}
