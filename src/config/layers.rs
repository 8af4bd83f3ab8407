//! Configuration layers above the defaults: file, environment, flags. Each layer is parsed into
//! entries with their origin, which error messages contain.

use std::path::Path;

use figment::{
    Provider,
    providers::{Format, Toml},
    value::{Dict, Value},
};

use super::loaded::{ConfigError, FILE_KEY};

/// One setting from a layer.
#[derive(Debug, Clone)]
pub(super) struct LayerEntry {
    /// Key in the tree, e.g. `http.listen`.
    pub key: String,
    pub value: Value,
    /// The value as written, if the layer contains only text.
    pub text: Option<String>,
    /// Origin for error messages, e.g. `flag --listen`.
    pub origin: String,
}

/// Prefix of the environment variables of this server.
const VARIABLE_PREFIX: &str = "OCTOPUS_MCP_";

/// Variables of the official Octopus MCP server, and their `_FILE` variants for mounted secrets.
const OFFICIAL_VARIABLES: &[(&str, &str)] = &[
    ("OCTOPUS_SERVER_URL", "octopus.url"),
    ("OCTOPUS_API_KEY", "octopus.api_key"),
    ("OCTOPUS_API_KEY_FILE", "octopus.api_key_file"),
    ("OCTOPUS_ACCESS_TOKEN", "octopus.access_token"),
    ("OCTOPUS_ACCESS_TOKEN_FILE", "octopus.access_token_file"),
];

/// Standard variables of OpenTelemetry, their keys, and the unit that their values omit.
const OTEL_VARIABLES: &[(&str, &str, &str)] = &[
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "telemetry.otlp.endpoint", ""),
    ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "telemetry.otlp.traces_endpoint", ""),
    ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "telemetry.otlp.metrics_endpoint", ""),
    ("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "telemetry.otlp.logs_endpoint", ""),
    ("OTEL_EXPORTER_OTLP_PROTOCOL", "telemetry.otlp.protocol", ""),
    ("OTEL_EXPORTER_OTLP_HEADERS", "telemetry.otlp.headers", ""),
    ("OTEL_EXPORTER_OTLP_CERTIFICATE", "telemetry.otlp.ca_file", ""),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", "telemetry.otlp.timeout", "ms"),
    ("OTEL_TRACES_EXPORTER", "telemetry.otlp.traces", ""),
    ("OTEL_METRICS_EXPORTER", "telemetry.otlp.metrics", ""),
    ("OTEL_LOGS_EXPORTER", "telemetry.otlp.logs", ""),
    ("OTEL_TRACES_SAMPLER", "telemetry.otlp.sampler", ""),
    ("OTEL_TRACES_SAMPLER_ARG", "telemetry.otlp.sampler_arg", ""),
    ("OTEL_SDK_DISABLED", "telemetry.otlp.disabled", ""),
];

/// Parses the entries of a TOML file. `is_setting` distinguishes settings that are tables from
/// sections.
pub(super) fn parse_file(
    path: &Path,
    is_setting: impl Fn(&str) -> bool,
) -> Result<Vec<LayerEntry>, ConfigError> {
    let origin = format!("file {}", path.display());
    let mistake = |message: String| ConfigError {
        key: FILE_KEY.to_owned(),
        value: path.display().to_string(),
        origin: origin.clone(),
        message,
    };
    let text = std::fs::read_to_string(path)
        .map_err(|error| mistake(format!("cannot read the file: {error}")))?;
    let profiles = Toml::string(&text).data().map_err(|error| {
        mistake(format!("the file is not valid TOML: {}", error.to_string().trim()))
    })?;
    let mut entries = Vec::new();
    for (_, dict) in profiles {
        flatten("", dict, &is_setting, &mut |key, value| {
            entries.push(LayerEntry { key, value, text: None, origin: origin.clone() });
        });
    }
    Ok(entries)
}

fn flatten(
    prefix: &str,
    dict: Dict,
    is_setting: &impl Fn(&str) -> bool,
    add: &mut impl FnMut(String, Value),
) {
    for (name, value) in dict {
        let key = if prefix.is_empty() { name } else { format!("{prefix}.{name}") };
        match value {
            Value::Dict(_, inner) if !is_setting(&key) => flatten(&key, inner, is_setting, add),
            value => add(key, value),
        }
    }
}

/// Parses the entries of environment variables. Other variables are ignored, including those that
/// Kubernetes sets for a service named `octopus-mcp`.
pub(super) fn parse_environment(
    variables: impl IntoIterator<Item = (String, String)>,
) -> Vec<LayerEntry> {
    let mut entries: Vec<LayerEntry> = variables
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .filter_map(|(name, mut text)| {
            let official = OFFICIAL_VARIABLES.iter().find(|(official, _)| *official == name);
            let standard = OTEL_VARIABLES.iter().find(|(standard, ..)| *standard == name);
            let key = if let Some((_, key)) = official {
                (*key).to_owned()
            } else if let Some((_, key, unit)) = standard {
                text.push_str(unit);
                (*key).to_owned()
            } else {
                let rest =
                    name.strip_prefix(VARIABLE_PREFIX).filter(|rest| !is_service_link(rest))?;
                rest.to_lowercase().replace("__", ".")
            };
            let value = text.parse().unwrap_or_else(|_| Value::from(text.as_str()));
            let origin = format!("environment variable {name}");
            Some(LayerEntry { key, value, text: Some(text), origin })
        })
        .collect();
    // `OCTOPUS_MCP_*` overrides the other variables, regardless of their order.
    entries.sort_by_key(|entry| entry.origin.contains(VARIABLE_PREFIX));
    entries
}

/// Returns whether Kubernetes sets the variable for a service: `<SERVICE>_SERVICE_HOST`,
/// `<SERVICE>_PORT_8080_TCP` and the like (kubernetes.io, Service, "Environment variables").
fn is_service_link(rest: &str) -> bool {
    !rest.contains("__")
        && (rest == "PORT" || rest.starts_with("PORT_") || rest.starts_with("SERVICE_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(variables: &[(&str, &str)]) -> Vec<String> {
        parse_environment(variables.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())))
            .into_iter()
            .map(|entry| entry.key)
            .collect()
    }

    #[test]
    fn maps_variables_to_keys() {
        assert_eq!(keys(&[("OCTOPUS_MCP_HTTP__TLS__KEY", "x")]), ["http.tls.key"]);
        assert_eq!(keys(&[("OCTOPUS_API_KEY_FILE", "x")]), ["octopus.api_key_file"]);
        assert_eq!(keys(&[("OCTOPUS_MCP_HTPP__LISTEN", "x")]), ["htpp.listen"]);
        assert_eq!(keys(&[("PATH", "/bin"), ("OCTOPUS_MCP_HTTP__LISTEN", "")]), [""; 0]);
    }

    #[test]
    fn reads_standard_otel_variables() {
        let read = |name: &str, text: &str| {
            let mut read = parse_environment([(name.to_owned(), text.to_owned())]);
            read.pop().map(|entry| (entry.key, entry.text.unwrap()))
        };
        let timeout = ("telemetry.otlp.timeout".to_owned(), "2500ms".to_owned());
        assert_eq!(read("OTEL_EXPORTER_OTLP_TIMEOUT", "2500"), Some(timeout));
        assert_eq!(read("OTEL_BSP_SCHEDULE_DELAY", "100"), None);
    }

    #[test]
    fn ignores_kubernetes_service_variables() {
        let made = ["OCTOPUS_MCP_PORT", "OCTOPUS_MCP_PORT_8080_TCP", "OCTOPUS_MCP_SERVICE_HOST"];
        assert_eq!(keys(&made.map(|name| (name, "tcp://10.0.0.1:8080"))), [""; 0]);
    }

    #[test]
    fn own_variables_override_official_ones() {
        let both = [("OCTOPUS_MCP_OCTOPUS__URL", "ours"), ("OCTOPUS_SERVER_URL", "theirs")];
        let texts: Vec<_> = parse_environment(both.map(|(n, v)| (n.to_owned(), v.to_owned())))
            .into_iter()
            .map(|entry| entry.text.unwrap())
            .collect();
        assert_eq!(texts, ["theirs", "ours"]);
    }
}
