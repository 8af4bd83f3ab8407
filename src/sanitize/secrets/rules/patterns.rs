//! Building blocks of patterns: names, assignment signs and values.

/// Names that always denote a password.
macro_rules! password_names {
    () => {
        concat!(
            r"(?:pass(?:word|wd|phrase|code)|pwd|[_.]pass|(?:src|dest)?(?:store|key)pass|sshpass",
            r"|(?-i:(?:[Dd]b|[Uu]ser|[Aa]dmin|[Rr]oot|[Ss]mtp|[Rr]edis|[Mm]ysql|[Cc]ert|[Pp]fx)Pass))",
        )
    };
}

/// Names of keys and tokens that are always secret.
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

/// Words for "password" in other languages that have no other meaning.
macro_rules! foreign_names {
    () => {
        concat!(
            r"(?:passwort|kennwort|passord|mot[-_ ]?de[-_ ]?passe|contrase[ñn]a|wachtwoord|l[öo]senord",
            r"|adgangskode|salasana|(?:(?-u:\b)|_)(?:senha|has[łl]o|heslo|jelsz[óo]|[şs]ifre)",
            r"|парол[ья]|密码|密碼|口令|パスワード|비밀번호)",
        )
    };
}

/// Suffixes that do not change the meaning of a name.
macro_rules! variant {
    () => {
        concat!(
            r"(?:[-_.]?(?:prod|production|dev|test|uat|qa|staging|live|primary|secondary|old|new",
            r"|confirm(?:ation)?|value|text|plain))?[0-9]{0,3}",
        )
    };
}

/// Assignment sign, with the end of the name before it.
macro_rules! sign {
    () => {
        r#"(?:["'\]\\]{0,4}|&(?:quot|#34|#39|apos);)[ \t]{0,8}(?:=>|:=|={1,3}|:)"#
    };
}

/// Separator between a name and its value in code, settings, JSON and YAML.
macro_rules! assignment {
    () => {
        concat!(sign!(), r"[ \t]{0,8}(?:&(?:quot|#34|#39|apos);)?")
    };
}

/// A value: in escaped quotes, in quotes, or unquoted up to a space.
macro_rules! value {
    () => {
        r#"(?:\\+"([^"\\\n]+)|"((?:[^"\\\n]|\\.)+)|'((?:[^'\n]|'')+)|([^\t-\r "'<>\\;][^\t-\r "'<>;]*))"#
    };
}

/// A name with its sign at the end of a line, for a value that stands alone on the next line.
macro_rules! name_before_next_line {
    ($names:expr) => {
        concat!("(?i)", $names, variant!(), sign!(), r"[ \t]*")
    };
}

/// Line end, literal or escaped, with the prefix of the next line.
macro_rules! next_line {
    () => {
        concat!(r"[ \t]{0,8}(?:\r?\n|(?:\\+[rn]){1,2})[ \t]{0,80}", log_prefix!())
    };
}

/// A value in escaped or plain quotes.
macro_rules! quoted {
    () => {
        r#"\\+"([^"\\\n]+)|"((?:[^"\\\n]|\\.)+)"|'([^'\n]+)'"#
    };
}

/// End of a line that is one word.
macro_rules! line_end {
    () => {
        r#"[ \t\r]{0,8}(?:(?m:$)|[\\"])"#
    };
}

/// A value on the line below its name: in quotes, or alone.
macro_rules! value_on_next_line {
    ($names:expr) => {
        concat!(
            name_before_next_line!($names),
            next_line!(),
            "(?:",
            quoted!(),
            r#"|([^\t-\r "'<>\\;:=-][^\t-\r "'<>\\;:=]*={0,2})"#,
            line_end!(),
            ")",
        )
    };
}

/// A flag at the end of a line.
macro_rules! flag_name {
    ($names:expr) => {
        concat!(
            r#"(?i)(?:^|[\t-\r "'`\[(,])[-/]{1,2}(?:[0-9A-Za-z_-]{0,40}[-_])?"#,
            $names,
            r#"(?:[ \t]+[\\`^]{1,2}|\\?["'],?)?[ \t]*"#
        )
    };
}

macro_rules! assigned {
    ($names:expr) => {
        concat!("(?i)", $names, variant!(), assignment!(), value!())
    };
}

/// Optional time and level of a log line.
macro_rules! log_prefix {
    () => {
        r"(?:[0-9][0-9:.TZ+-]{7,34}[ \t]+[A-Za-z]+[ \t]*\|[ \t]{0,80})?"
    };
}

/// Name of a setting before the XML element of its value.
macro_rules! element_name {
    ($names:expr) => {
        concat!("(?i)", $names, variant!(), r#"(?:\\?"[^<>\n]{0,80}>|</key>)"#)
    };
}

/// An XML element with the name, or the value element of a setting with the name.
macro_rules! element {
    ($names:expr) => {
        concat!(
            "(?i)",
            $names,
            variant!(),
            r#"(?:[ \t][^<>\n]{0,200})?>[ \t]*(?:<!\[CDATA\[)?([^<>\n\]]+)(?:\]\]>)?</|"#,
            element_name!($names),
            r"(?:[\t-\r ]|\\+[rnt]){0,80}",
            log_prefix!(),
            r"<(?:value|string)>([^<>\n]+)</",
        )
    };
}

/// Names that denote a secret only if the value looks like one.
macro_rules! weak_names {
    () => {
        r"(?:(?:secret|token|credential)s?|(?:primary|secondary|app|application)[-_.]?key)"
    };
}

macro_rules! flag {
    ($names:expr) => {
        concat!(
            r#"(?i)(?:^|[\t-\r "'`\[(,])[-/]{1,2}(?:[0-9A-Za-z_-]{0,40}[-_])?"#,
            $names,
            r#"(?:[ \t]+|\\?["'],[ \t]{0,8})"#,
            value!(),
        )
    };
}

/// A flag with its value on the next line: after a continuation, or as the next list item.
macro_rules! flag_value_on_next_line {
    ($names:expr) => {
        concat!(
            r#"(?i)(?:^|[\t-\r "'`\[(,])[-/]{1,2}(?:[0-9A-Za-z_-]{0,40}[-_])?"#,
            $names,
            r#"(?:(?:[ \t]+[\\`^]{1,2}|\\?["'],)"#,
            next_line!(),
            "(?:",
            quoted!(),
            r#"|([^\t-\r "'<>\\;-][^\t-\r "'<>\\;]*))|\\?["']?"#,
            next_line!(),
            "-[ \t]+(?:",
            quoted!(),
            r#"|([^\t-\r "'<>\\;-][^\t-\r "'<>\\;]*)"#,
            line_end!(),
            "))",
        )
    };
}

/// Name of an entry in YAML, up to the end of its line.
macro_rules! entry_name {
    ($names:expr) => {
        concat!(
            r#"(?i)(?-u:\b)name:[ \t]*\\?["']?[0-9A-Za-z_.-]{0,120}"#,
            $names,
            variant!(),
            r#"\\?["']?[ \t]*"#,
        )
    };
}

/// Name of an entry in XML or JSON, before its value.
macro_rules! pair_name {
    ($names:expr) => {
        concat!(
            r#"(?i)(?-u:\b)(?:name|key)\\?["']?[ \t]*[:=][ \t]*\\?["'][^"'\\\n]{0,120}"#,
            $names,
            variant!(),
            r#"\\?["'],?[\t-\r ]{0,20}"#,
        )
    };
}

/// An entry in a list of named values, in XML, JSON or YAML.
macro_rules! entry {
    ($names:expr) => {
        concat!(
            entry_name!($names),
            r#"(?:\r?\n|\\+n)[^\n]{0,80}?(?-u:\b)value:[ \t]*\\?["']?([^\t-\r "'\\]+)|"#,
            pair_name!($names),
            log_prefix!(),
            r#"\\?["']?value\\?["']?[ \t]*[:=][ \t]*\\?["']([^"'\\\n]+)"#,
        )
    };
}

/// The pattern at the end of a text.
macro_rules! at_text_end {
    ($name:expr) => {
        concat!($name, r"[\t-\r ]*$")
    };
}
