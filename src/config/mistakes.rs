//! Describes values that cannot be parsed, in the terms of the settings file.

use figment::{
    error::Kind,
    value::{Dict, Value},
};

use super::{Secret, layers::LayerEntry, values::mask_url_credentials};

/// Returns a message for each unreadable value in the value of a setting.
///
/// `check` parses a value of the setting. Items of lists and fields of tables are checked one by
/// one, so all mistakes of a list of rules are found at once.
pub(super) fn value_mistakes(
    key: &str,
    value: &Value,
    check: &dyn Fn(&Value) -> Result<(), Kind>,
) -> Vec<String> {
    let noun = if key == "policy.rules" { "rule" } else { "entry" };
    let mut mistakes = leaf_mistakes(noun, value, check);
    mistakes.dedup();
    mistakes.into_iter().map(|mistake| format!("invalid value: {mistake}")).collect()
}

fn leaf_mistakes(
    noun: &str,
    value: &Value,
    check: &dyn Fn(&Value) -> Result<(), Kind>,
) -> Vec<String> {
    let Err(kind) = check(value) else { return Vec::new() };
    let found: Vec<String> = match value {
        Value::Array(tag, items) => {
            let in_list = |item: &Value| check(&Value::Array(*tag, vec![item.clone()]));
            let items = items.iter().zip(1..).flat_map(|(item, number)| {
                let label = item_label(noun, number, item);
                let mistakes = leaf_mistakes("entry", item, &in_list);
                mistakes.into_iter().map(move |mistake| format!("{label}{mistake}"))
            });
            items.collect()
        }
        Value::Dict(tag, fields) => {
            let fields = fields.iter().flat_map(|(name, field)| {
                let in_table = |field: &Value| {
                    let table = Dict::from([(name.clone(), field.clone())]);
                    match check(&Value::Dict(*tag, table)) {
                        // The other fields were left out.
                        Err(Kind::MissingField(_)) => Ok(()),
                        checked => checked,
                    }
                };
                let mistakes = leaf_mistakes("entry", field, &in_table);
                mistakes.into_iter().map(move |mistake| format!("`{name}`: {mistake}"))
            });
            fields.collect()
        }
        _ => Vec::new(),
    };
    if found.is_empty() { vec![describe(&kind)] } else { found }
}

/// Returns the number and the name of a table in a list, in front of its mistakes.
fn item_label(noun: &str, number: usize, item: &Value) -> String {
    let Value::Dict(_, fields) = item else { return String::new() };
    let name = ["name", "group", "issuer"].iter().find_map(|key| fields.get(*key)?.as_str());
    let name = name.map(|name| format!(" ('{}')", name.escape_debug())).unwrap_or_default();
    format!("{noun} {number}{name}: ")
}

/// Describes a parse error. Does not repeat the value, which can be a secret.
fn describe(kind: &Kind) -> String {
    match kind {
        Kind::InvalidType(_, expected) | Kind::InvalidValue(_, expected) => {
            format!("expected {}", expectation(expected))
        }
        Kind::Message(message) if message.contains("socket address") => {
            format!("expected {}", expectation(message))
        }
        Kind::Message(message) if is_url_error(message) => {
            format!("expected {}", expectation("URL"))
        }
        Kind::UnknownVariant(given, expected) => {
            format!("`{}` is not one of {}", given.escape_debug(), list(expected))
        }
        Kind::UnknownField(given, expected) => {
            let nearest = expected
                .iter()
                .max_by(|a, b| similarity(given, a).total_cmp(&similarity(given, b)));
            let nearest = nearest.map(|nearest| format!("; did you mean `{nearest}`?"));
            format!("unknown setting{}", nearest.unwrap_or_default())
        }
        other => other.to_string(),
    }
}

fn similarity(a: &str, b: &str) -> f64 {
    strsim::jaro_winkler(a, b)
}

fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

/// Returns the expectation of a parser in the terms of the settings file.
fn expectation(expected: &str) -> &str {
    let is_integer = |text: &str| {
        matches!(text, "u8" | "u16" | "u32" | "u64" | "usize" | "i64") || text.contains("integer")
    };
    match expected {
        "a boolean" => "`true` or `false`",
        "a string" => "text in quotes",
        "path string" => "the path of a file",
        "a sequence" => "a list",
        "f64" | "f32" => "a number",
        text if text.contains("socket address") => {
            "HOST:PORT with an IP address as the host, e.g. 127.0.0.1:8080"
        }
        text if text.contains("URL") => {
            "a URL that begins with https://, e.g. https://octopus.example.com"
        }
        text if text.starts_with("struct ") || text == "a map" => "a table",
        text if is_integer(text) => "a whole number that is not negative",
        text => text,
    }
}

/// Returns whether this is the text of a parse error of a URL: the reason, followed by the URL.
fn is_url_error(message: &str) -> bool {
    let reasons = [
        "relative URL",
        "empty host",
        "invalid port number",
        "invalid IPv4 address",
        "invalid IPv6 address",
        "invalid domain character",
        "invalid international domain name",
        "URLs more than",
    ];
    reasons.iter().any(|reason| message.starts_with(reason))
}

/// Returns the value of an entry for messages. Secrets are masked.
///
/// The last name of a known setting decides. A misspelled setting is masked if any of its names
/// could be that of a secret.
pub(super) fn displayed_value(entry: &LayerEntry, is_known: bool) -> String {
    let is_secret = if is_known {
        entry.key.rsplit('.').next().is_some_and(is_secret_name)
    } else {
        entry.key.split('.').any(may_be_secret)
    };
    if is_secret {
        return Secret::MASK.to_owned();
    }
    match (&entry.value, &entry.text) {
        (Value::Array(..) | Value::Dict(..), _) | (_, None) => {
            serde_json::to_string(&masked(&entry.value)).unwrap_or_default()
        }
        (_, Some(text)) => mask_url_credentials(text),
    }
}

/// Returns whether the setting with this name contains a secret. The hash of a token counts, because
/// users paste the token itself.
fn is_secret_name(name: &str) -> bool {
    ["key", "key_previous", "token", "secret", "password", "sha256", "headers"]
        .iter()
        .any(|end| name.ends_with(end))
}

fn may_be_secret(name: &str) -> bool {
    ["key", "token", "secret", "password", "sha", "header"].iter().any(|part| name.contains(part))
}

/// Returns the value with masked secrets. The values of tables with a `name` and a `value`, such as
/// headers, are masked too.
fn masked(value: &Value) -> Value {
    match value {
        Value::Array(tag, items) => Value::Array(*tag, items.iter().map(masked).collect()),
        Value::Dict(tag, fields) => {
            let fields = fields.iter().map(|(name, field)| {
                let is_secret = may_be_secret(name) && !name.ends_with("_file") || name == "value";
                let field = if is_secret { Value::from(Secret::MASK) } else { masked(field) };
                (name.clone(), field)
            });
            Value::Dict(*tag, fields.collect())
        }
        Value::String(tag, text) => Value::String(*tag, mask_url_credentials(text)),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{ConfigErrors, Flags, load};

    /// Returns the mistakes in a settings file as `key = value: message`.
    fn mistakes(text: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("settings.toml");
        std::fs::write(&path, text).unwrap();
        let mut flags = Flags::default();
        flags.file = Some(path);
        flags.set("--sample", "sample.enabled", Some(true));
        match load(&flags).into_config() {
            Ok(_) => Vec::new(),
            Err(ConfigErrors(mistakes)) => {
                let text =
                    mistakes.iter().map(|m| format!("{} = {}: {}", m.key, m.value, m.message));
                text.collect()
            }
        }
    }

    #[test]
    fn reports_every_unreadable_value_of_every_rule() {
        let found = mistakes(
            "[[policy.rules]]\nname = \"a\"\neffect = \"perhaps\"\ntiers = [\"write\", \"wrote\"]\n\
             [[policy.rules]]\nname = \"b\"\n\
             [[policy.rules]]\nname = \"c\"\ntimes = [{ days = \"someday\", zone = \"Mars\" }]\n\
             enviroments = [\"x\"]\n",
        );
        for expected in [
            "rule 1 ('a'): `effect`: `perhaps` is not one of `allow`, `confirm`, `deny`",
            "rule 1 ('a'): `tiers`: `wrote` is not one of",
            "rule 3 ('c'): `times`: entry 1: `days`: expected days",
            "rule 3 ('c'): `times`: entry 1: `zone`: time zone `Mars` not found",
            "rule 3 ('c'): `enviroments`: unknown setting; did you mean `environments`?",
        ] {
            assert!(found.iter().any(|found| found.contains(expected)), "{expected}: {found:#?}");
        }
        assert_eq!(found.len(), 5, "{found:#?}");
    }

    #[test]
    fn describes_values_in_terms_of_the_settings() {
        for (text, expected) in [
            ("[http]\nlisten = \"nowhere\"", "expected HOST:PORT"),
            ("[http]\nlisten = 8080", "expected HOST:PORT"),
            ("[http]\npublic_url = \"mcp.example.com/x\"", "begins with https://"),
            ("[http]\npublic_url = \"https://\"", "begins with https://"),
            ("[tools]\nread_only = \"perhaps\"", "expected `true` or `false`"),
            ("[tools]\ntake = -1", "expected a whole number"),
            ("[tools]\ntake = \"many\"", "expected a whole number"),
            ("[octopus]\ngroups = [{ group = \"g\", api_key_flie = \"x\" }]", "`api_key_file`?"),
        ] {
            let found = mistakes(text);
            assert!(found.len() == 1 && found[0].contains(expected), "{text}: {found:?}");
        }
    }

    #[test]
    fn masks_secrets_but_not_scopes() {
        for (text, is_shown) in [
            ("[auth.tokens.ci]\nscope = \"VALUE\"", true),
            ("[auth.tokens.ci]\nexpires = \"VALUE\"", true),
            ("[auth.tokens.ci]\nsha256 = \"VALUE\"\nscope = \"reader\"", false),
            ("[auth.tokens.ci]\ntoken = \"VALUE\"", false),
            ("[octopus]\napi_key = [\"VALUE\"]", false),
            ("[octopus]\ngroups = [{ group = \"g\", api_key = \"VALUE\", x = 1 }]", false),
            ("[audit.otlp]\nheaders = [{ name = \"x\", value = \"VALUE\", y = 1 }]", false),
            ("[octopus]\nurl = \"https://me:VALUE@host:port\"", false),
        ] {
            let found = mistakes(text).join("\n");
            assert!(!found.is_empty(), "{text}");
            assert_eq!(found.contains("VALUE"), is_shown, "{text}: {found}");
        }
    }
}
