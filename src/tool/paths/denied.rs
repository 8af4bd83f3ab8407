//! What nobody may do through `execute`, by meaning: whoever can do it decides who may do what, or
//! carries secrets away, or removes what cannot be made again.

use serde_json::Value;

use super::{
    Verb,
    pattern::{Word, in_space, is},
};

/// Which methods a line is about.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Of {
    All,
    Changes,
    Deletes,
}

use Of::{All, Changes, Deletes};

const KEYS: &str = "API keys, tokens and sign-in are for people alone";
const PEOPLE: &str = "who may do what is decided by people";
const SERVER: &str = "it configures the instance";
const SECRETS: &str = "it gives away secrets of the instance";
const WHOLE: &str = "it moves whole projects or instances";
const GONE: &str = "what it removes cannot be made again";
const AUDIT: &str = "the audit log is not changed";
const MANY: &str = "a DELETE names the one thing that it removes";
const SCRIPTS: &str = "a task like this can run any script";
const TRIGGER: &str = "it starts and stops the instance's own work, whatever the method";
const PROBE: &str = "it makes the instance connect to any host";

/// Words that mean the same wherever they stand in a path, for every method.
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

/// Paths from their beginning, or from below a space, with everything below them; a `$` says that
/// nothing below is meant. Then what may be read all the same, and why the rest may not be.
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
    // A space says who manages it.
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
    // Registering one answers with its key.
    (Changes, "observability/kubernetes-monitors", &[], KEYS),
    (Changes, "events", &[], AUDIT),
    (Deletes, "projects/*$", &[], GONE),
    (Deletes, "environments/*$", &[], GONE),
    // Parent and ephemeral ones.
    (Deletes, "environments/*/*$", &[], GONE),
];

/// The kinds of tasks that may be made. Others run scripts, or change the instance.
const TASKS: &[&str] = &["health", "updatecalamari", "synccommunityactiontemplates"];

/// Why this may not be done. Every reading of a path counts: with and without a space before it,
/// and with slashes within segments taken for what they are and for slashes.
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

/// The words from the beginning, below whatever stands first, and below `spaces/{x}`.
fn readings(words: &[Word]) -> impl Iterator<Item = &[Word]> {
    let is_long = words.first().is_some_and(|first| first.plain == "spaces");
    let below = if is_long { words.get(2..) } else { None };
    [Some(words), words.get(1..), below].into_iter().flatten()
}

/// Whether a path is that of a whole collection.
fn names_many(words: &[Word]) -> bool {
    let words = in_space(words).unwrap_or(words);
    let is_many = |last: &Word| ["all", "bulk"].contains(&last.plain.as_str());
    words.len() < 2 || words.last().is_some_and(is_many)
}

/// Whether a new task is of a harmless kind. Octopus reads names of fields in any letter case.
fn is_harmless(body: Option<&Value>) -> bool {
    let Some(Value::Object(task)) = body else { return false };
    let mut names = task.iter().filter(|(key, _)| Word::of(key).plain == "name").peekable();
    names.peek().is_some()
        && names.all(|(_, name)| {
            name.as_str().is_some_and(|name| TASKS.contains(&Word::of(name).plain.as_str()))
        })
}
