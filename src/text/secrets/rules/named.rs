//! Secrets known by what stands around them: a name, a flag, an address.

use super::{Rule, always};
use crate::text::secrets::candidate;

/// Names that mean a password and nothing else.
macro_rules! password_names {
    () => {
        concat!(
            r"(?:pass(?:word|wd|phrase|code)|pwd|[_.]pass|(?:src|dest)?(?:store|key)pass|sshpass",
            r"|(?-i:(?:[Dd]b|[Uu]ser|[Aa]dmin|[Rr]oot|[Ss]mtp|[Rr]edis|[Mm]ysql|[Cc]ert|[Pp]fx)Pass))",
        )
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
            r"|(?:access|auth|refresh|id|session|bearer|security|deploy|bot|api|sas)[-_.]?token)",
        )
    };
}

/// What may follow a name without changing what it means.
macro_rules! variant {
    () => {
        concat!(
            r"(?:[-_.]?(?:prod|production|dev|test|uat|qa|staging|live|primary|secondary|old|new",
            r"|confirm(?:ation)?|value|text|plain))?\d{0,3}",
        )
    };
}

/// What stands between a name and its value, in code, settings, JSON and YAML.
macro_rules! sets {
    () => {
        concat!(
            r#"(?:["'\]\\]{0,4}|&(?:quot|#34|#39|apos);)[ \t]{0,8}(?:=>|:=|={1,3}|:)[ \t]{0,8}"#,
            "(?:&(?:quot|#34|#39|apos);)?",
        )
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

/// The time and level of a line of a log, where there are any.
macro_rules! prefix {
    () => {
        r"(?:[0-9][0-9:.TZ+-]{7,34}[ \t]+[A-Za-z]+[ \t]*\|[ \t]{0,80})?"
    };
}

/// The name of a setting before the element of its value.
macro_rules! element_name {
    ($names:expr) => {
        concat!("(?i)", $names, variant!(), r#"(?:\\?"[^<>\n]{0,80}>|</key>)"#)
    };
}

/// An element of that name, or the value of one.
macro_rules! element {
    ($names:expr) => {
        concat!(
            "(?i)",
            $names,
            variant!(),
            r#"(?:[ \t][^<>\n]{0,200})?>[ \t]*(?:<!\[CDATA\[)?([^<>\n\]]+)(?:\]\]>)?</|"#,
            element_name!($names),
            r"(?:\s|\\+[rnt]){0,80}",
            prefix!(),
            r"<(?:value|string)>([^<>\n]+)</",
        )
    };
}

/// Names that mean a secret where the value looks like one.
macro_rules! weak_names {
    () => {
        r"(?:(?:secret|token|credential)s?|(?:primary|secondary|app|application)[-_.]?key)"
    };
}

macro_rules! flag {
    ($names:expr) => {
        concat!(
            r#"(?i)(?:^|[\s"'`\[(,])[-/]{1,2}(?:[\w-]{0,40}[-_])?"#,
            $names,
            r#"(?:[ \t]+|\\?["'],[ \t]{0,8})"#,
            value!()
        )
    };
}

/// The name of an entry in YAML, to the end of its line.
macro_rules! entry_name {
    ($names:expr) => {
        concat!(
            r#"(?i)\bname:[ \t]*\\?["']?[\w.-]{0,120}"#,
            $names,
            variant!(),
            r#"\\?["']?[ \t]*"#,
        )
    };
}

/// The name of an entry in XML or JSON, before its value.
macro_rules! pair_name {
    ($names:expr) => {
        concat!(
            r#"(?i)\b(?:name|key)\\?["']?[ \t]*[:=][ \t]*\\?["'][^"'\\\n]{0,120}"#,
            $names,
            variant!(),
            r#"\\?["'],?\s{0,20}"#,
        )
    };
}

/// An entry of a list of named values, in XML, JSON or YAML.
macro_rules! entry {
    ($names:expr) => {
        concat!(
            entry_name!($names),
            r#"(?:\r?\n|\\+n)[^\n]{0,80}?\bvalue:[ \t]*\\?["']?([^\s"'\\]+)|"#,
            pair_name!($names),
            prefix!(),
            r#"\\?["']?value\\?["']?[ \t]*[:=][ \t]*\\?["']([^"'\\\n]+)"#,
        )
    };
}

/// One at the end of a text.
macro_rules! last {
    ($name:expr) => {
        concat!($name, r"\s*$")
    };
}

/// Where the value can stand on the next line: what then stands at the end of this one. Lines of
/// private keys are known otherwise.
pub(in crate::text::secrets) const GOES_ON: &[&str] = &[
    last!(entry_name!(password_names!())),
    last!(entry_name!(key_names!())),
    last!(pair_name!(password_names!())),
    last!(pair_name!(key_names!())),
    last!(element_name!(password_names!())),
    last!(element_name!(key_names!())),
    last!(r#"\\?"auth\\?"\s{0,8}:?"#),
    last!(r"A(?:KI|SI)A[A-Z0-9]{16}[^A-Za-z0-9/+]{0,6}"),
];

const PASSWORDS: &[&str] = &[
    "passw",
    "passphrase",
    "passcode",
    "pwd",
    "_pass",
    ".pass",
    "storepass",
    "keypass",
    "sshpass",
    "dbpass",
    "userpass",
    "adminpass",
    "rootpass",
    "smtppass",
    "redispass",
    "mysqlpass",
    "certpass",
    "pfxpass",
];
const KEYS: &[&str] = &["key", "secret", "token"];
const TOKENS: &[&str] = &[
    "secret",
    "token",
    "credential",
    "primarykey",
    "primary_key",
    "primary-key",
    "secondarykey",
    "secondary_key",
    "secondary-key",
    "appkey",
    "app_key",
    "app-key",
    "applicationkey",
    "application_key",
    "application-key",
];

#[rustfmt::skip] // one row, one or two lines
pub(super) const RULES: &[Rule] = &[
    Rule { kind: "url-password", hints: &["://"], accept: candidate::is_url_password,
        pattern: r#"(?i)[a-z][a-z0-9+.-]{0,30}://[^\s/:@"'<>?#]{0,200}:([^\s/"'<>?#]+|\d*[^\d\s/"'<>?#][^\s"'<>?#]*)@"# },
    Rule { kind: "url-password", hints: &["://"], accept: candidate::is_url_token, // a token in place of a user
        pattern: r#"://([^\s/:@"'<>?#]{16,200})@"# },
    always("url-password", &["jdbc:oracle:"], r#"(?i)jdbc:oracle:\w+:[^\s/@"']{1,64}/([^\s@"']+)@"#),
    Rule { kind: "authorization", hints: &["authorization"], accept: candidate::is_header_value,
        pattern: concat!("(?i)authorization", sets!(), r#"\[?(?:\\?["'])?(?:(?:bearer|basic|token|digest|apikey|negotiate"#,
            r#"|sharedaccesssignature|aws4-hmac-sha256)[ \t]+)?([^\s"'<>\\,;]+)"#) },
    Rule { kind: "authorization", hints: &["bearer", "basic"], accept: candidate::is_generated,
        pattern: r"(?i)\b(?:bearer|basic)[ \t]+([A-Za-z0-9._~+/=-]{16,})" },
    Rule { kind: "aws-secret-key", hints: &["secret"], accept: candidate::is_not_named,
        pattern: assigned!(r"(?:aws[-_]?secret[-_]?(?:access[-_]?)?key|secret[-_]?access[-_]?key)") },
    Rule { kind: "cookie", hints: &["cookie"], accept: candidate::is_generated,
        pattern: r#"(?i)\b(?:set-)?cookie\\?["']?[ \t]?:[ \t]?(?:\\?["'])?([^\s=;"'\\]{1,64}=[^\n"'\\]{8,})"# },
    Rule { kind: "registry-auth", hints: &["auth"], accept: candidate::is_encoded, // of Docker and npm
        pattern: r#"\\?"auth\\?"\s{0,8}:\s{0,8}\\?"([A-Za-z0-9+/]{8,}={0,2})|(?-u:\b)_auth[ \t]?=[ \t]?"?([A-Za-z0-9+/]{8,}={0,2})"# },

    // Passwords.
    Rule { kind: "password", hints: PASSWORDS, accept: candidate::is_in_connection_string,
        pattern: r#"(?i);[ \t]*(?:password|pwd)[ \t]*=[ \t]*([^;"'\\\s<>][^;"'\\\n<>]*)"# },
    Rule { kind: "password", hints: PASSWORDS, accept: candidate::is_password, pattern: assigned!(password_names!()) },
    Rule { kind: "password", hints: PASSWORDS, accept: candidate::is_password, pattern: flag!(password_names!()) },
    Rule { kind: "password", hints: &["-pass"], accept: candidate::is_password,
        pattern: concat!(r"(?i)(?:^|[\s\x22'`\[(,])--?(?:[\w-]{0,40}-)?pass(?:[ \t]+|=)", value!()) },
    Rule { kind: "password", hints: PASSWORDS, accept: candidate::is_quoted_value, pattern: entry!(password_names!()) },
    Rule { kind: "password", hints: PASSWORDS, accept: candidate::is_quoted_value, pattern: element!(password_names!()) },
    Rule { kind: "password", hints: PASSWORDS, accept: candidate::is_told, // in words
        pattern: concat!(r"(?i)\bpass(?:word|wd|phrase|code)(?:[ \t]+(?:for|of)(?:[ \t]+\S{1,64}){1,4}?)?[ \t]+(?:is|was|will[ \t]be|->|(?:set|reset|changed|updated)[ \t]to)",
            r"(?:[ \t]+(?:now|(?:set|reset|changed|updated)[ \t]to))?[ \t]*:?[ \t]+", value!()) },
    Rule { kind: "password", hints: &["password"], accept: candidate::is_told, // .netrc
        pattern: r"(?i)\blogin[ \t]+\S{1,64}[ \t]+password[ \t]+(\S+)" },
    Rule { kind: "password", hints: &["identified by", "password '"], accept: candidate::is_quoted_value, // SQL
        pattern: r#"(?i)\bidentified[ \t]+by[ \t]+["']([^"'\n]+)["']|\b(?:with|encrypted)[ \t]+password[ \t]+'([^'\n]+)'"# },
    Rule { kind: "password", hints: &["securestring"], accept: candidate::is_argument,
        pattern: concat!(r"(?i)\bConvertTo-SecureString[ \t]+(?:-(?:String|AsPlainText|Force)[ \t]+)*", value!()) },
    // Short flags. A rule for each command: in one, the time would not be linear.
    short_flag(&["curl"], r#"(?i)\bcurl\b[^\n]*?[ \t](?:-u|--user)[ \t=]+["']?[^\s:"']+:([^\s"'<>]+)"#),
    short_flag(&["login", "sshpass"], r#"(?i)\b(?:login|sshpass)\b[^\n]*?[ \t](?-i:-p)[ \t]*["']?([^\s"'<>]+)"#),
    short_flag(&["mysql"], r#"(?i)\bmysql(?:dump|admin|import)?\b[^\n]*?[ \t](?-i:-p)["']?([^\s"'<>]+)"#),
    short_flag(&["sqlcmd", "bcp"], r#"(?i)\b(?:sqlcmd|bcp)\b[^\n]*?[ \t](?-i:-P)[ \t]*["']?([^\s"'<>]+)"#),
    short_flag(&["redis-cli"], r#"(?i)\bredis-cli\b[^\n]*?[ \t](?-i:-a)[ \t]+["']?([^\s"'<>]+)"#),
    short_flag(&["pass:"], r#"(?i)-pass(?:in|out)?[ \t]+["']?pass:([^\s"'<>]+)"#),
    short_flag(&["schtasks"], r#"(?i)\bschtasks\b[^\n]*?[ \t]/rp[ \t]+["']?([^\s"'<>]+)"#),

    // Keys and tokens.
    Rule { kind: "key", hints: KEYS, accept: candidate::is_key, pattern: assigned!(key_names!()) },
    Rule { kind: "key", hints: KEYS, accept: candidate::is_key, pattern: flag!(key_names!()) },
    Rule { kind: "key", hints: KEYS, accept: candidate::is_quoted_value, pattern: entry!(key_names!()) },
    Rule { kind: "key", hints: KEYS, accept: candidate::is_quoted_value, pattern: element!(key_names!()) },
    Rule { kind: "secret", hints: TOKENS, accept: candidate::is_token, pattern: assigned!(weak_names!()) },
    Rule { kind: "secret", hints: TOKENS, accept: candidate::is_token, pattern: flag!(weak_names!()) },
];

const fn short_flag(hints: &'static [&'static str], pattern: &'static str) -> Rule {
    Rule { kind: "password", hints, pattern, accept: candidate::is_argument }
}
