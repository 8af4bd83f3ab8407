//! Rules for secrets that are recognised by their context: a name, a flag, a URL.

use super::rule::{Rule, unconditional};
use crate::sanitize::secrets::candidate;

/// Patterns for the end of a line before a possible secret on the next line. Lines of private keys
/// are detected separately.
pub(in crate::sanitize::secrets) const CONTINUATIONS: &[&str] = &[
    at_text_end!(entry_name!(password_names!())),
    at_text_end!(entry_name!(key_names!())),
    at_text_end!(pair_name!(password_names!())),
    at_text_end!(pair_name!(key_names!())),
    at_text_end!(element_name!(password_names!())),
    at_text_end!(element_name!(key_names!())),
    at_text_end!(name_before_next_line!(password_names!())),
    at_text_end!(name_before_next_line!(key_names!())),
    at_text_end!(name_before_next_line!(weak_names!())),
    at_text_end!(name_before_next_line!(foreign_names!())),
    at_text_end!(flag_name!(password_names!())),
    at_text_end!(flag_name!(key_names!())),
    at_text_end!(flag_name!(weak_names!())),
    at_text_end!(r#"\\?"auth\\?"[\t-\r ]{0,8}:?"#),
    at_text_end!(r"A(?:KI|SI)A[A-Z0-9]{16}[^A-Za-z0-9/+]{0,6}"),
];

const PASSWORD_HINTS: &[&str] = &[
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
const KEY_HINTS: &[&str] = &["key", "secret", "token"];
const TOKEN_HINTS: &[&str] = &[
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
        pattern: r#"(?i)[a-z][a-z0-9+.-]{0,30}://[^\t-\r /:@"'<>?#]{0,200}:([^\t-\r /"'<>?#]+|[0-9]*[^0-9\t-\r /"'<>?#][^\t-\r "'<>?#]*)@"# },
    Rule { kind: "url-password", hints: &["://"], accept: candidate::is_url_token, // a token in place of a user
        pattern: r#"://([^\t-\r /:@"'<>?#]{16,200})@"# },
    unconditional("url-password", &["jdbc:oracle:"], r#"(?i)jdbc:oracle:[0-9A-Za-z_]+:[^\t-\r /@"']{1,64}/([^\t-\r @"']+)@"#),
    Rule { kind: "authorization", hints: &["authorization"], accept: candidate::is_header_value,
        pattern: concat!("(?i)authorization", assignment!(), r#"\[?(?:\\?["'])?(?:(?:bearer|basic|token|digest|apikey|negotiate"#,
            r#"|sharedaccesssignature|aws4-hmac-sha256)[ \t]+)?([^\t-\r "'<>\\,;]+)"#) },
    Rule { kind: "authorization", hints: &["bearer", "basic"], accept: candidate::is_generated,
        pattern: r"(?i)(?-u:\b)(?:bearer|basic)[ \t]+([A-Za-z0-9._~+/=-]{16,})" },
    Rule { kind: "aws-secret-key", hints: &["secret"], accept: candidate::is_not_public,
        pattern: assigned!(r"(?:aws[-_]?secret[-_]?(?:access[-_]?)?key|secret[-_]?access[-_]?key)") },
    Rule { kind: "cookie", hints: &["cookie"], accept: candidate::is_generated,
        pattern: r#"(?i)(?-u:\b)(?:set-)?cookie\\?["']?[ \t]?:[ \t]?(?:\\?["'])?([^\t-\r =;"'\\]{1,64}=[^\n"'\\]{8,})"# },
    Rule { kind: "registry-auth", hints: &["auth"], accept: candidate::is_base64_credentials, // of Docker and npm
        pattern: r#"\\?"auth\\?"[\t-\r ]{0,8}:[\t-\r ]{0,8}\\?"([A-Za-z0-9+/]{8,}={0,2})|(?-u:\b)_auth[ \t]?=[ \t]?"?([A-Za-z0-9+/]{8,}={0,2})"# },

    // Passwords.
    Rule { kind: "password", hints: PASSWORD_HINTS, accept: candidate::is_connection_string_password,
        pattern: r#"(?i);[ \t]*(?:password|pwd)[ \t]*=[ \t]*([^;"'\\\t-\r <>][^;"'\\\n<>]*)"# },
    Rule { kind: "password", hints: PASSWORD_HINTS, accept: candidate::is_password, pattern: assigned!(password_names!()) },
    Rule { kind: "password", hints: PASSWORD_HINTS, accept: candidate::is_password_on_next_line, pattern: value_on_next_line!(password_names!()) },
    Rule { kind: "password", hints: PASSWORD_HINTS, accept: candidate::is_password, pattern: flag!(password_names!()) },
    Rule { kind: "password", hints: PASSWORD_HINTS, accept: candidate::is_password_on_next_line, pattern: flag_value_on_next_line!(password_names!()) },
    Rule { kind: "password", hints: &["-pass"], accept: candidate::is_password,
        pattern: concat!(r"(?i)(?:^|[\t-\r \x22'`\[(,])--?(?:[0-9A-Za-z_-]{0,40}-)?pass(?:[ \t]+|=)", value!()) },
    Rule { kind: "password", hints: PASSWORD_HINTS, accept: candidate::is_quoted_value, pattern: entry!(password_names!()) },
    Rule { kind: "password", hints: PASSWORD_HINTS, accept: candidate::is_quoted_value, pattern: element!(password_names!()) },
    Rule { kind: "password", hints: PASSWORD_HINTS, accept: candidate::is_stated_password, // in words
        pattern: concat!(r"(?i)(?-u:\b)pass(?:word|wd|phrase|code)(?:[ \t]+(?:for|of)(?:[ \t]+[^\t-\r ]{1,64}){1,4}?)?[ \t]+(?:is|was|will[ \t]be|->|(?:set|reset|changed|updated)[ \t]to)",
            r"(?:[ \t]+(?:now|(?:set|reset|changed|updated)[ \t]to))?[ \t]*:?[ \t]+", value!()) },
    Rule { kind: "password", hints: &["password"], accept: candidate::is_stated_password, // .netrc
        pattern: r"(?i)(?-u:\b)login[ \t]+[^\t-\r ]{1,64}[ \t]+password[ \t]+([^\t-\r ]+)" },
    Rule { kind: "password", hints: &["identified by", "password '"], accept: candidate::is_quoted_value, // SQL
        pattern: r#"(?i)(?-u:\b)identified[ \t]+by[ \t]+["']([^"'\n]+)["']|(?-u:\b)(?:with|encrypted)[ \t]+password[ \t]+'([^'\n]+)'"# },
    Rule { kind: "password", hints: &["securestring"], accept: candidate::is_argument_value,
        pattern: concat!(r"(?i)(?-u:\b)ConvertTo-SecureString[ \t]+(?:-(?:String|AsPlainText|Force)[ \t]+)*", value!()) },
    // Keys and tokens.
    Rule { kind: "key", hints: KEY_HINTS, accept: candidate::is_key, pattern: assigned!(key_names!()) },
    Rule { kind: "key", hints: KEY_HINTS, accept: candidate::is_key_on_next_line, pattern: value_on_next_line!(key_names!()) },
    Rule { kind: "key", hints: KEY_HINTS, accept: candidate::is_key, pattern: flag!(key_names!()) },
    Rule { kind: "key", hints: KEY_HINTS, accept: candidate::is_key_on_next_line, pattern: flag_value_on_next_line!(key_names!()) },
    Rule { kind: "key", hints: &["validationkey", "decryptionkey"], accept: candidate::is_quoted_value, // of ASP.NET
        pattern: concat!("(?i)(?:validation|decryption)Key", assignment!(), r#"\\?["']?([A-F0-9]{16,256})(?-u:\b)"#) },
    Rule { kind: "key", hints: KEY_HINTS, accept: candidate::is_quoted_value, pattern: entry!(key_names!()) },
    Rule { kind: "key", hints: KEY_HINTS, accept: candidate::is_quoted_value, pattern: element!(key_names!()) },
    Rule { kind: "secret", hints: TOKEN_HINTS, accept: candidate::is_token, pattern: assigned!(weak_names!()) },
    Rule { kind: "secret", hints: TOKEN_HINTS, accept: candidate::is_key_on_next_line, pattern: value_on_next_line!(weak_names!()) },
    Rule { kind: "secret", hints: TOKEN_HINTS, accept: candidate::is_token, pattern: flag!(weak_names!()) },
    Rule { kind: "secret", hints: TOKEN_HINTS, accept: candidate::is_key_on_next_line, pattern: flag_value_on_next_line!(weak_names!()) },
];
