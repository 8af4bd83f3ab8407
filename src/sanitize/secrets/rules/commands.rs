//! Rules for secrets in command arguments, in files with their own format, and next to a user name.

use super::rule::Rule;
use crate::sanitize::secrets::candidate;

/// An argument: in quotes, or unquoted up to a space.
macro_rules! argument {
    () => {
        r#"(?:\\?"([^"\\\n]+)\\?"|'([^'\n]+)'|([^\t-\r "'<>]+))"#
    };
}

/// Separator between a name and a value, which may be spaces only.
macro_rules! separator {
    () => {
        r#"(?:\\?["']?[ \t]{0,8}[:=][ \t]{0,8}|[ \t]{1,8})"#
    };
}

/// Words for "password" in other languages; each name contains one of them.
#[rustfmt::skip] // a list to read, not a column
pub(in crate::sanitize::secrets) const FOREIGN_PASSWORD_WORDS: &[&str] = &[
    "passwort", "kennwort", "passord", "de passe", "de-passe", "de_passe", "depasse", "contrase", "wachtwoord", "senord", "adgangskode",
    "salasana", "senha", "hasło", "haslo", "heslo", "jelsz", "şifre", "sifre", "парол", "密码",
    "密碼", "口令", "パスワード", "비밀번호",
];

#[rustfmt::skip] // one row, one or two lines
pub(super) const RULES: &[Rule] = &[
    // Short flags. Each command has its own rule, because one rule for all would not be linear.
    argument(&["curl"], r#"(?i)(?-u:\b)curl(?-u:\b)[^\n]*?[ \t](?:-u|--user)[ \t=]+["']?[^\t-\r :"']+:([^\t-\r "'<>]+)"#),
    argument(&["login", "sshpass"], r#"(?i)(?-u:\b)(?:login|sshpass)(?-u:\b)[^\n]*?[ \t](?-i:-p)[ \t]*["']?([^\t-\r "'<>]+)"#),
    argument(&["mysql"], r#"(?i)(?-u:\b)mysql(?:dump|admin|import)?(?-u:\b)[^\n]*?[ \t](?-i:-p)["']?([^\t-\r "'<>]+)"#),
    argument(&["sqlcmd", "bcp"], r#"(?i)(?-u:\b)(?:sqlcmd|bcp)(?-u:\b)[^\n]*?[ \t](?-i:-P)[ \t]*["']?([^\t-\r "'<>]+)"#),
    argument(&["redis-cli"], r#"(?i)(?-u:\b)redis-cli(?-u:\b)[^\n]*?[ \t](?-i:-a)[ \t]+["']?([^\t-\r "'<>]+)"#),
    argument(&["pass:"], r#"(?i)-pass(?:in|out)?[ \t]+["']?pass:([^\t-\r "'<>]+)"#),
    argument(&["schtasks"], r#"(?i)(?-u:\b)schtasks(?-u:\b)[^\n]*?[ \t]/rp[ \t]+["']?([^\t-\r "'<>]+)"#),

    // Windows commands.
    argument(&["/pass:"], concat!(r"(?i)/u(?:ser)?:[^\t-\r ]{1,64}[ \t]+/pass:[ \t]{0,8}", argument!())),
    password(&["/pass:"], candidate::is_switch_password, concat!(r#"(?i)(?:^|[\t-\r "'(])/pass:[ \t]{0,8}"#, argument!())),
    password(&["net user", "net1 user", ".exe user"], candidate::is_positional_password, // net user
        concat!(r#"(?i)(?-u:\b)net1?(?:\.exe)? user[ \t]+(?:"[^"\n]{1,64}"|[^\t-\r "/*|\[]{1,64})[ \t]+"#, argument!())),
    argument(&["/user:"], // net use
        concat!(r#"(?i)(?-u:\b)net1?(?:\.exe)?[ \t]+use[ \t]+(?:(?:[A-Z]:|\*)[ \t]+)?\\{2,4}[^\t-\r "]{1,200}[ \t]+"#, argument!(), r"[ \t]+/user:")),

    // Unix files and commands.
    argument(&["htpasswd"], // of a file
        concat!(r"(?-u:\b)htpasswd(?:\.exe)?(?:[ \t]+-[A-Za-z0-9]+|[ \t]+[0-9]+)*?[ \t]+-[A-Zac-mo-z]*b[A-Zac-mo-z]*",
            r"(?:[ \t]+-(?:C[ \t]*[0-9]+|[A-Za-z0-9]+))*[ \t]+[^\t-\r -][^\t-\r ]{0,200}[ \t]+[^\t-\r ]{1,64}[ \t]+", argument!())),
    argument(&["htpasswd"], // to the output
        concat!(r"(?-u:\b)htpasswd(?:\.exe)?(?:[ \t]+-[A-Za-z0-9]+|[ \t]+[0-9]+)*?[ \t]+-[A-Za-z]*(?:n[A-Za-z]*b|b[A-Za-z]*n)[A-Za-z]*",
            r"(?:[ \t]+-(?:C[ \t]*[0-9]+|[A-Za-z0-9]+))*[ \t]+[^\t-\r -][^\t-\r ]{0,64}[ \t]+", argument!())),
    password(&[":543", ":6432:", ":*:"], candidate::is_pgpass_password, // host:port:database:user:password
        concat!(r#"(?m)(?:^|[\t-\r "'])(?:[A-Za-z0-9][A-Za-z0-9_.-]{0,200}|\*):(?:543[0-9]|6432|\*):[A-Za-z_*][^\t-\r :"']{0,63}"#,
            r#":[A-Za-z_*][^\t-\r :"']{0,63}:[ \t]{0,8}([^\t-\r :"'<>]+)(?:["'\t-\r ]|$)"#)),
    password(&["bindpw", "rootpw", "ldap_default_authtok"], candidate::is_setting_value, // of LDAP
        concat!(r"(?i)(?-u:\b)(?:bindpw|(?:olc)?rootpw|ldap_default_authtok)", separator!(), argument!())),

    // Next to a user name.
    password(&["pass=", "pass:", "pass\"", "pass'", "pass\\", "pass ="], candidate::is_password_after_user,
        concat!(r#"(?i)(?-u:\b)(?:user(?:[-_]?name)?|usr|uid|login)\\?["']?[ \t]?[:=][ \t]?\\?["']?[^\t-\r "'\\,;&]{1,64}\\?["']?(?:[,;&][ \t]{0,4}|[ \t]{1,4})"#,
            r#"\\?["']?pass\\?["']?[ ]?[:=][ \t]{0,8}\\?["']?([^\t-\r "'\\<>,;&]+)"#)),
    password(&["credential", "creds", "zugangsdaten", "identifiants", "credenciales"], candidate::is_mixed_value,
        concat!(r#"(?i)(?-u:\b)(?:credentials?|creds|zugangsdaten|identifiants|credenciales)["']?[ \t]{0,8}[:=][ \t]{0,8}[^\t-\r /"'<>]{1,64}[ \t]+/[ \t]+"#, argument!())),

    // Other languages.
    password(FOREIGN_PASSWORD_WORDS, candidate::is_foreign_password, concat!("(?i)", foreign_names!(), r#"\\?["']?[ \t]{0,8}[:=][ \t]{0,8}"#, argument!())),
    password(FOREIGN_PASSWORD_WORDS, candidate::is_password_on_next_line, value_on_next_line!(foreign_names!())),
];

const fn argument(hints: &'static [&'static str], pattern: &'static str) -> Rule {
    password(hints, candidate::is_argument_value, pattern)
}

const fn password(
    hints: &'static [&'static str],
    accept: fn(&candidate::Candidate<'_>) -> bool,
    pattern: &'static str,
) -> Rule {
    Rule { kind: "password", hints, pattern, accept }
}
