//! Paths and methods that `execute` rejects for everybody: those that manage permissions, expose
//! secrets, or delete objects that cannot be restored.

use serde_json::Value;

use super::{
    Verb,
    pattern::{Word, in_space, is},
};

/// The methods that an entry applies to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    All,
    Changes,
    Deletes,
}

use Of::{All, Changes, Deletes};

const KEYS: &str = "API keys, tokens and sign-in are reserved for people";
const PEOPLE: &str = "permissions are managed by people";
const SERVER: &str = "it configures the instance";
const SECRETS: &str = "it exposes secrets of the instance";
const WHOLE: &str = "it moves whole projects or instances";
const GONE: &str = "the deletion cannot be undone";
const AUDIT: &str = "the audit log must not be changed";
const MANY: &str = "a DELETE must name a single object";
const SCRIPTS: &str = "a task of this type can run any script";
const TRIGGER: &str = "it starts or stops scheduled work of the instance, with any method";
const PROBE: &str = "it makes the instance connect to any host";

/// Words that are rejected at any position of a path, for every method.
const ANYWHERE: &[(&str, &str)] = &[
    ("apikey apikeys agentkeys", KEYS),
    ("token tokens accesstoken accesstokens refreshtokens jwks", KEYS),
    ("oidc oidcidentity oidcidentities serviceaccount serviceaccounts", KEYS),
    ("login logout authentication checklogininitiated authenticationproviders", KEYS),
    ("mfa twofactor revokesessions", KEYS),
    ("invitation invitations externalsecuritygroups externalgroups externalusers", PEOPLE),
    ("privatekey privatekeys signingkey signingkeys signingkeyconfiguration masterkey", SECRETS),
    ("certificateglobal smtp smtpconfiguration letsencrypt letsencryptconfiguration", SECRETS),
    ("auditstream", SECRETS),
    ("serverconfiguration", SERVER),
    ("export exports import imports importexport migration migrations", WHOLE),
];

/// Path patterns, from the start of the path or below a space. They include everything below them,
/// unless they end with `$`. The third field lists exceptions for reading, the fourth the reason.
const LINES: &[(Of, &str, &[&str], &str)] = &[
    (
        All,
        "users",
        &[
            "users$",
            "users/me$",
            "users/users-*$",
            "users/me/permissions",
            "users/users-*/permissions",
            "users/me/teams$",
            "users/users-*/teams$",
            "users/me/spaces$",
            "users/users-*/spaces$",
        ],
        PEOPLE,
    ),
    (Changes, "teams", &[], PEOPLE),
    (Changes, "teammembership", &[], PEOPLE),
    (Changes, "userroles", &[], PEOPLE),
    (Changes, "scopeduserroles", &[], PEOPLE),
    (Changes, "permissions", &[], PEOPLE),
    // Spaces contain the teams that manage them.
    (Deletes, "spaces/*$", &[], GONE),
    (Changes, "spaces$", &[], PEOPLE),
    (Changes, "spaces/*$", &[], PEOPLE),
    (Changes, "spaces-*$", &[], PEOPLE),
    (
        All,
        "configuration",
        &["configuration/feature-toggles$", "configuration/enabled-feature-toggles$"],
        SERVER,
    ),
    (All, "serverstatus/logs", &[], SECRETS),
    (All, "serverstatus/system-report", &[], SECRETS),
    (Changes, "serverstatus", &[], SERVER),
    (Changes, "featuresconfiguration", &[], SERVER),
    (Changes, "maintenanceconfiguration", &[], SERVER),
    (Changes, "maintenance", &[], SERVER),
    (Changes, "performanceconfiguration", &[], SERVER),
    (Changes, "upgradeconfiguration", &[], SERVER),
    (Changes, "upgrade", &[], SERVER),
    (Changes, "telemetryconfiguration", &[], SERVER),
    (Changes, "ratelimitingpolicies", &[], SERVER),
    (Changes, "octopusservernodes", &[], SERVER),
    (Changes, "capabilities", &[], SERVER),
    (
        All,
        "licenses",
        &["licenses/licenses-current-status$", "licenses/licenses-current-usage$"],
        SECRETS,
    ),
    (All, "license", &[], SECRETS),
    (All, "scheduler", &["scheduler/*/logs$"], TRIGGER),
    (All, "machines/discover", &[], PROBE),
    (All, "workers/discover", &[], PROBE),
    // The response to a registration contains its key.
    (Changes, "observability/kubernetes-monitors", &[], KEYS),
    (Changes, "events", &[], AUDIT),
    (Deletes, "projects/*$", &[], GONE),
    (Deletes, "environments/*$", &[], GONE),
    // Parent and ephemeral environments.
    (Deletes, "environments/*/*$", &[], GONE),
];

/// Types of tasks that may be created. Other types run scripts or change the instance.
const TASKS: &[&str] = &["health", "updatecalamari", "synccommunityactiontemplates"];

/// Returns why a request is rejected. Checks every interpretation of the path: with and without a
/// space prefix, and with encoded slashes kept or treated as separators.
pub(super) fn reason(
    words: &[Word],
    parts: &[Word],
    verb: Verb,
    body: Option<&Value>,
) -> Option<&'static str> {
    let is_word = |wanted: &str| parts.iter().chain(words).any(|word| word.plain == wanted);
    let anywhere = ANYWHERE.iter().find(|(all, _)| all.split(' ').any(is_word));
    if let Some((_, reason)) = anywhere {
        return Some(reason);
    }
    for reading in readings(words).chain(readings(parts)) {
        for (of, path, readable, reason) in LINES {
            let is_meant = match of {
                All => verb != Verb::Get || !readable.iter().any(|path| is(path, reading)),
                Changes => verb != Verb::Get,
                Deletes => verb == Verb::Delete,
            };
            if is_meant && is(path, reading) {
                return Some(reason);
            }
        }
        if verb != Verb::Get && is("tasks$", reading) && !is_harmless(body) {
            return Some(SCRIPTS);
        }
    }
    (verb == Verb::Delete && names_many(words)).then_some(MANY)
}

/// The words from the start, after the first word, and below `spaces/{id}`.
fn readings(words: &[Word]) -> impl Iterator<Item = &[Word]> {
    let is_long = words.first().is_some_and(|first| first.plain == "spaces");
    let below = if is_long { words.get(2..) } else { None };
    [Some(words), words.get(1..), below].into_iter().flatten()
}

/// Returns whether a path names a whole collection.
fn names_many(words: &[Word]) -> bool {
    let words = in_space(words).unwrap_or(words);
    let is_many = |last: &Word| ["all", "bulk"].contains(&last.plain.as_str());
    words.len() < 2 || words.last().is_some_and(is_many)
}

/// Returns whether a new task has an allowed type. Octopus reads field names in any letter case.
fn is_harmless(body: Option<&Value>) -> bool {
    let Some(Value::Object(task)) = body else { return false };
    let mut names = task.iter().filter(|(key, _)| Word::of(key).plain == "name").peekable();
    names.peek().is_some()
        && names.all(|(_, name)| {
            name.as_str().is_some_and(|name| TASKS.contains(&Word::of(name).plain.as_str()))
        })
}
