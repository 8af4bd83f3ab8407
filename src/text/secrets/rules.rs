//! The table of what counts as a secret.
//!
//! To add a kind, add a row, a sample to the corpus, and ordinary lines that look like it. Rows
//! with a form of their own stand first: where two overlap, the earlier one gives the name.

use super::candidate::{self, Candidate};

/// One kind of secret and how it is recognised.
pub(super) struct Rule {
    /// What is written in place of the secret.
    pub kind: &'static str,
    /// The pattern is tried only on text that has one of these in it, in any case.
    pub hints: &'static [&'static str],
    /// The groups of the pattern are the secrets; without a group all of it is the secret.
    pub pattern: &'static str,
    /// Decides whether what was found is meant as a secret.
    pub accept: fn(&Candidate<'_>) -> bool,
}

/// Names that mean a password and nothing else.
macro_rules! password_names {
    () => {
        r"(?:pass(?:word|wd|phrase|code)|pwd|[_.]pass)"
    };
}

/// Names of keys and tokens that are secret whatever stands before them.
macro_rules! key_names {
    () => {
        concat!(
            r"(?:api[-_.\ ]?key",
            r"|(?:client|shared|app|application|consumer|webhook|signing|jwt)[-_.]?secret",
            r"|secret[-_.]?(?:access[-_.]?)?key",
            r"|(?:access|account|private|encryption|master|subscription|storage|signing|functions",
            r"|service)[-_.]?key",
            r"|(?:access|auth|refresh|id|session|bearer|security|deploy|bot)[-_.]?token)",
        )
    };
}

/// What may follow a name without changing what it means.
macro_rules! variant {
    () => {
        r"(?:[-_.]?(?:prod|production|dev|test|uat|qa|staging|live|primary|secondary|old|new))?\d{0,3}"
    };
}

/// What stands between a name and its value, in code, settings, JSON and YAML.
macro_rules! sets {
    () => {
        r#"["'\]\\]{0,4}[ \t]{0,8}(?:=>|:=|={1,3}|:)[ \t]{0,8}"#
    };
}

/// A value: in escaped quotes, in quotes, or bare up to a space.
macro_rules! value {
    () => {
        r#"(?:\\+"([^"\\\n]+)|"((?:[^"\\\n]|\\.)+)|'((?:[^'\n]|'')+)|([^\s"'<>\\;][^\s"'<>;]*))"#
    };
}

macro_rules! assigned {
    ($names:expr) => {
        concat!("(?i)", $names, variant!(), sets!(), value!())
    };
}

macro_rules! flag {
    ($names:expr) => {
        concat!(r"(?i)(?:^|[\s'\[(,])[-/]{1,2}(?:[\w-]{0,40}[-_])?", $names, r"[ \t]+", value!())
    };
}

/// An entry of a list of named values, in XML or JSON.
macro_rules! entry {
    ($names:expr) => {
        concat!(
            r#"(?i)\b(?:name|key)\\?["']?[ \t]*[:=][ \t]*\\?["'][^"'\\\n]{0,120}"#,
            $names,
            variant!(),
            r#"\\?["'],?\s{0,20}\\?["']?value\\?["']?[ \t]*[:=][ \t]*\\?["']([^"'\\\n]+)"#,
        )
    };
}

const fn always(kind: &'static str, hints: &'static [&'static str], pattern: &'static str) -> Rule {
    Rule { kind, hints, pattern, accept: |_| true }
}

const PASSWORDS: &[&str] = &["passw", "passphrase", "passcode", "pwd", "_pass", ".pass"];
const KEYS: &[&str] = &["key", "secret", "token"];
const TOKENS: &[&str] = &["secret", "token", "credential"];

#[rustfmt::skip] // one row, one or two lines
pub(super) const RULES: &[Rule] = &[
    // Secrets with a form of their own.
    always("private-key", &["private key"], concat!(
        r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----",
        // Up to the end that belongs to it, and without one as far as it looks like a key.
        r"(?:(?:[^-]|-{1,4}[^-])*-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----",
        r"|(?:(?:\s|\\+[rn])*[ -~]{0,80}?[A-Za-z0-9+/]{32,}={0,2})*)",
    )),
    always("private-key", &["ls0tls1crudjtib"], // the same in base64, as Kubernetes keeps it
        r"LS0tLS1CRUdJTiB(?:QUk|SU0|FQy|FTk|PUE)[A-Za-z0-9+/]{16,}={0,2}"),
    always("octopus-api-key", &["api-"], r"API-[A-Z0-9]{20,}"),
    always("jwt", &["eyj"], r"eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){2,4}"),
    always("aws-access-key", &["akia", "asia"], r"A(?:KI|SI)A[A-Z0-9]{16}"),
    Rule { kind: "aws-secret-key", hints: &["secret"], accept: candidate::is_not_named,
        pattern: assigned!(r"(?:aws[-_]?secret[-_]?(?:access[-_]?)?key|secret[-_]?access[-_]?key)") },
    always("azure-storage-key", &["accountkey"], r"(?i)AccountKey=([A-Za-z0-9+/%]{16,}={0,2})"),
    always("azure-shared-access-key", &["sharedaccesskey"], r"(?i)SharedAccessKey=([A-Za-z0-9+/%]{16,}={0,2})"),
    always("azure-sas", &["sig="], r"(?i)\bsig=([A-Za-z0-9%+/_-]{16,}={0,2})"),
    always("azure-client-secret", &["q~"], r"[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34}"),
    always("gcp-api-key", &["aiza"], r"AIza[A-Za-z0-9_-]{35}"),
    always("gcp-oauth", &["ya29.", "gocspx-"], r"ya29\.[A-Za-z0-9_-]{20,}|GOCSPX-[A-Za-z0-9_-]{20,}"),
    always("github-token", &["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"],
        r"gh[opusr]_[A-Za-z0-9_]{30,}|github_pat_[A-Za-z0-9_]{30,}"),
    always("gitlab-token", &["glpat-", "gldt-", "glrt-", "glcbt-", "glptt-", "glft-", "gloas-", "glagent-"],
        r"gl(?:pat|dt|rt|cbt|ptt|ft|oas|agent)-[A-Za-z0-9_.-]{20,}"),
    always("slack-token", &["xox", "xapp-"], r"(?:xox[a-z]|xapp)-(?:[A-Za-z0-9]+-)*[A-Za-z0-9]{10,}"),
    always("slack-webhook", &["hooks.slack.com/"], r"hooks\.slack\.com/(?:services|workflows|triggers)/([A-Za-z0-9/_-]{20,})"),
    always("npm-token", &["npm_"], r"npm_[A-Za-z0-9]{30,}"),
    always("pypi-token", &["pypi-"], r"pypi-[A-Za-z0-9_-]{50,}"),
    always("nuget-api-key", &["oy2"], r"oy2[a-z0-9]{43}"),
    always("docker-token", &["dckr_"], r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}"),
    always("vault-token", &["hvs.", "hvb.", "hvr."], r"hv[sbr]\.[A-Za-z0-9_-]{24,}"),
    always("terraform-token", &[".atlasv1."], r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,}"),
    always("openshift-token", &["sha256~"], r"sha256~[A-Za-z0-9_-]{40,}"),
    always("stripe-key", &["k_live_", "k_test_"], r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,}"),
    always("sendgrid-key", &["sg."], r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    always("model-api-key", &["sk-ant-", "sk-proj-"], r"sk-(?:ant|proj)-[A-Za-z0-9_-]{20,}"),

    // Secrets known by what stands around them.
    always("url-password", &["://"], r#"(?i)[a-z][a-z0-9+.-]{0,30}://[^\s/:@"'<>?#]{0,200}:([^\s/"'<>?#]+)@"#),
    Rule { kind: "authorization", hints: &["authorization"], accept: candidate::is_header_value,
        pattern: concat!("(?i)authorization", sets!(), r#"(?:\\?["'])?(?:(?:bearer|basic|token|digest|apikey|negotiate"#,
            r#"|sharedaccesssignature|aws4-hmac-sha256)[ \t]+)?([^\s"'<>\\,;]+)"#) },
    Rule { kind: "authorization", hints: &["bearer", "basic"], accept: candidate::is_generated,
        pattern: r"(?i)\b(?:bearer|basic)[ \t]+([A-Za-z0-9._~+/=-]{16,})" },
    Rule { kind: "password", hints: PASSWORDS, accept: candidate::is_in_connection_string,
        pattern: r#"(?i);[ \t]*(?:password|pwd)[ \t]*=[ \t]*([^;"'\\\s<>][^;"'\\\n<>]*)"# },
    Rule { kind: "password", hints: PASSWORDS, accept: candidate::is_password, pattern: assigned!(password_names!()) },
    Rule { kind: "password", hints: PASSWORDS, accept: candidate::is_password, pattern: flag!(password_names!()) },
    Rule { kind: "password", hints: PASSWORDS, accept: candidate::is_quoted_value, pattern: entry!(password_names!()) },
    Rule { kind: "password", hints: PASSWORDS, accept: candidate::is_quoted_value,
        pattern: concat!("(?i)", password_names!(), r">([^<>\n]+)</") },
    Rule { kind: "password", hints: &["curl", "login"], accept: candidate::is_quoted_value, // short flags
        pattern: concat!(r#"(?i)\bcurl\b[^\n]*?[ \t](?:-u|--user)[ \t=]+["']?[^\s:"']+:([^\s"'<>]+)"#,
            r#"|\blogin\b[^\n]*?[ \t]-p[ \t]+["']?([^\s"'<>]+)"#) },
    Rule { kind: "key", hints: KEYS, accept: candidate::is_key, pattern: assigned!(key_names!()) },
    Rule { kind: "key", hints: KEYS, accept: candidate::is_key, pattern: flag!(key_names!()) },
    Rule { kind: "key", hints: KEYS, accept: candidate::is_quoted_value, pattern: entry!(key_names!()) },
    Rule { kind: "secret", hints: TOKENS, accept: candidate::is_token, pattern: assigned!("(?:secret|token|credential)s?") },
    Rule { kind: "secret", hints: TOKENS, accept: candidate::is_token, pattern: flag!("(?:secret|token|credential)s?") },
];
