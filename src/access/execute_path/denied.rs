//! Paths and methods that `execute` rejects for all callers. They manage permissions, expose
//! secrets, or delete objects that cannot be restored.

use serde_json::Value;

use super::{
    HttpMethod,
    pattern::{NormalizedSegment, below_space, matches},
};

/// The methods that an entry applies to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Methods {
    All,
    Changes,
    Deletes,
}

use Methods::{All, Changes, Deletes};

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
const DENIED_WORDS: &[(&str, &str)] = &[
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
const DENIED_PATHS: &[(Methods, &str, &[&str], &str)] = &[
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
const ALLOWED_TASK_TYPES: &[&str] = &["health", "updatecalamari", "synccommunityactiontemplates"];

/// Returns the reason to reject a request. Checks every interpretation of the path: with and
/// without a space prefix, and with encoded slashes kept or treated as separators.
pub(super) fn deny_reason(
    words: &[NormalizedSegment],
    parts: &[NormalizedSegment],
    verb: HttpMethod,
    body: Option<&Value>,
) -> Option<&'static str> {
    let is_word = |denied: &str| parts.iter().chain(words).any(|word| word.plain == denied);
    let denied_word = DENIED_WORDS.iter().find(|(all, _)| all.split(' ').any(is_word));
    if let Some((_, reason)) = denied_word {
        return Some(reason);
    }
    for interpretation in interpretations(words).chain(interpretations(parts)) {
        for (methods, path, readable, reason) in DENIED_PATHS {
            let applies = match methods {
                All => {
                    verb != HttpMethod::Get
                        || !readable.iter().any(|path| matches(path, interpretation))
                }
                Changes => verb != HttpMethod::Get,
                Deletes => verb == HttpMethod::Delete,
            };
            if applies && matches(path, interpretation) {
                return Some(reason);
            }
        }
        if verb != HttpMethod::Get && matches("tasks$", interpretation) && !is_allowed_task(body) {
            return Some(SCRIPTS);
        }
    }
    (verb == HttpMethod::Delete && names_collection(words)).then_some(MANY)
}

/// Returns the words from the start, after the first word, and below `spaces/{id}`.
fn interpretations(words: &[NormalizedSegment]) -> impl Iterator<Item = &[NormalizedSegment]> {
    let is_long = words.first().is_some_and(|first| first.plain == "spaces");
    let below = if is_long { words.get(2..) } else { None };
    [Some(words), words.get(1..), below].into_iter().flatten()
}

/// Returns whether a path names a whole collection.
fn names_collection(words: &[NormalizedSegment]) -> bool {
    let words = below_space(words).unwrap_or(words);
    let is_collection_word =
        |last: &NormalizedSegment| ["all", "bulk"].contains(&last.plain.as_str());
    words.len() < 2 || words.last().is_some_and(is_collection_word)
}

/// Returns whether a new task has an allowed type. Octopus reads field names in any letter case.
fn is_allowed_task(body: Option<&Value>) -> bool {
    let Some(Value::Object(task)) = body else { return false };
    let mut names =
        task.iter().filter(|(key, _)| NormalizedSegment::new(key).plain == "name").peekable();
    names.peek().is_some()
        && names.all(|(_, name)| {
            name.as_str().is_some_and(|name| {
                ALLOWED_TASK_TYPES.contains(&NormalizedSegment::new(name).plain.as_str())
            })
        })
}
