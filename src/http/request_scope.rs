//! Parses the request scope from the path below `/mcp` and from headers.
//!
//! | path | restricts the request to |
//! | --- | --- |
//! | `/readonly` | tools that only read |
//! | `/x/{toolset}`, `/x/{toolset}/readonly` | one toolset, or several separated by commas |
//! | `/i/{instance}`, `/i/{instance}/{space}`, `/i/{instance}/{space}/{project}` | an instance, a space, a project |
//!
//! The parts can be combined in this order: `/x/{toolset}/readonly/i/{instance}`. A header must not
//! contradict the path.

use http::{HeaderMap, HeaderName};
use percent_encoding::percent_decode_str;

use crate::access::RequestScope;

const TOOLSETS: HeaderName = HeaderName::from_static("x-mcp-toolsets");
const TOOLS: HeaderName = HeaderName::from_static("x-mcp-tools");
const EXCLUDE: HeaderName = HeaderName::from_static("x-mcp-exclude-tools");
const READ_ONLY: HeaderName = HeaderName::from_static("x-mcp-readonly");
const INSTANCE: HeaderName = HeaderName::from_static("x-octopus-instance");
const SPACE: HeaderName = HeaderName::from_static("x-octopus-space");

/// Maximum length of a name and of a list, in bytes.
const MAX_NAME: usize = 200;
const MAX_LIST: usize = 4096;

/// The scope in the path of a request to the endpoint. Inserted into the request extensions and
/// kept until the headers are parsed.
#[derive(Debug, Clone, Default)]
pub(in crate::http) struct PathScope(pub(in crate::http) RequestScope);

/// Parses the path of a request to the endpoint. Returns `None` for any other path.
pub(in crate::http) fn parse_path(path: &str) -> Option<RequestScope> {
    let below = path.strip_prefix("/mcp")?;
    let below = below.strip_suffix('/').unwrap_or(below);
    let mut scope = RequestScope::default();
    if below.is_empty() {
        return Some(scope);
    }
    let segments = below.strip_prefix('/')?.split('/').map(decode);
    let segments = segments.collect::<Option<Vec<String>>>()?;
    let mut rest = segments.iter().map(String::as_str).peekable();
    if rest.next_if_eq(&"x").is_some() {
        scope.toolsets = Some(list(rest.next()?)?);
    }
    scope.read_only = rest.next_if_eq(&"readonly").is_some();
    if rest.next_if_eq(&"i").is_some() {
        scope.instance = Some(rest.next()?.to_owned());
        scope.space = rest.next().map(str::to_owned);
        scope.project = rest.next().map(str::to_owned);
    }
    rest.next().is_none().then_some(scope)
}

/// Percent-decodes one segment of a path, once.
fn decode(segment: &str) -> Option<String> {
    let text = percent_decode_str(segment).decode_utf8().ok()?;
    is_name(&text).then(|| text.trim().to_owned())
}

fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= MAX_NAME && !text.chars().any(char::is_control)
}

/// Splits a list at its commas. Returns `None` if it has no entries.
fn list(text: &str) -> Option<Vec<String>> {
    let entries = text.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    let entries: Vec<String> = entries.map(str::to_owned).collect();
    (!entries.is_empty()).then_some(entries)
}

/// Adds the headers to the scope of the path.
///
/// # Errors
///
/// Returns a message for the client, if a header contradicts the path, is repeated with another
/// value, or is too long.
pub(in crate::http) fn with_headers(
    mut scope: RequestScope,
    headers: &HeaderMap,
) -> Result<RequestScope, String> {
    if let Some(value) = only(headers, &READ_ONLY)? {
        let read_only = is_true(&value);
        if scope.read_only && !read_only {
            return Err(contradiction("/readonly", &READ_ONLY, &value));
        }
        scope.read_only = read_only;
    }
    if let Some(requested) = only(headers, &TOOLSETS)?.as_deref().and_then(list) {
        let is_requested = |toolset: &String| {
            let is_named = |name: &String| name.eq_ignore_ascii_case(toolset);
            requested.iter().any(|name| is_named(name) || name.eq_ignore_ascii_case("all"))
        };
        match &scope.toolsets {
            Some(of_path) if !of_path.iter().all(is_requested) => {
                return Err(contradiction(&of_path.join(","), &TOOLSETS, &requested.join(",")));
            }
            // The header contains all toolsets of the path, so the path is the smaller scope.
            Some(_) => {}
            None => scope.toolsets = Some(requested),
        }
    }
    scope.tools = only(headers, &TOOLS)?.as_deref().and_then(list);
    scope.exclude = only(headers, &EXCLUDE)?.as_deref().and_then(list).unwrap_or_default();
    for (name, target) in [(INSTANCE, &mut scope.instance), (SPACE, &mut scope.space)] {
        let Some(requested) = only(headers, &name)?.filter(|requested| !requested.is_empty())
        else {
            continue;
        };
        if !is_name(&requested) {
            return Err(format!(
                "the header {name} is longer than {MAX_NAME} bytes or is not valid text"
            ));
        }
        match target {
            Some(of_path) if !of_path.eq_ignore_ascii_case(&requested) => {
                return Err(contradiction(of_path, &name, &requested));
            }
            Some(_) => {}
            None => *target = Some(requested),
        }
    }
    Ok(scope)
}

fn contradiction(path: &str, header: &HeaderName, value: &str) -> String {
    format!(
        "the path selects '{}' but the header {header} selects '{}'; remove one of them",
        path.escape_debug(),
        value.escape_debug()
    )
}

/// Returns the value of a header. Repeated headers must have the same value.
fn only(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, String> {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    if values.any(|other| other != first) {
        return Err(format!("the header {name} is repeated with different values"));
    }
    let text = std::str::from_utf8(first.as_bytes()).ok();
    match text.filter(|text| text.len() <= MAX_LIST) {
        Some(text) => Ok(Some(text.trim().to_owned())),
        None => {
            Err(format!("the header {name} is longer than {MAX_LIST} bytes or is not valid text"))
        }
    }
}

/// Returns `false` only for empty and negative values, so that a typing error restricts the
/// request.
fn is_true(value: &str) -> bool {
    let no = ["", "false", "0", "no", "off", "n", "f"];
    !no.iter().any(|no| value.trim().eq_ignore_ascii_case(no))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn parses_only_the_documented_paths() {
        for (path, expected) in [
            ("", "- - - - false"),
            ("/", "- - - - false"),
            ("/readonly", "- - - - true"),
            ("/x/tasks", "- - - tasks false"),
            ("/x/tasks/readonly/", "- - - tasks true"),
            ("/x/tasks,core", "- - - tasks,core false"),
            ("/i/shop", "shop - - - false"),
            ("/i/shop/Ware%20house", "shop Ware house - - false"),
            ("/i/shop/a%2Fb/web/", "shop a/b web - false"),
            ("/i/readonly/i/x", "readonly i x - false"),
            ("/readonly/i/shop", "shop - - - true"),
            ("/x/tasks/readonly/i/shop/a/b", "shop a b tasks true"),
        ] {
            let read = parse_path(&format!("/mcp{path}")).unwrap_or_else(|| panic!("{path}"));
            let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
            let toolsets = read.toolsets.as_ref().map(|toolsets| toolsets.join(","));
            let (instance, space) = (text(&read.instance), text(&read.space));
            let (project, toolsets) = (text(&read.project), text(&toolsets));
            let parsed = format!("{instance} {space} {project} {toolsets} {}", read.read_only);
            assert_eq!(parsed, expected, "{path}");
        }
        for path in [
            "x",
            "//",
            "/x",
            "/x/",
            "/x/,",
            "/i",
            "/i/",
            "/i//a",
            "/i/a//b",
            "/i/a/b/c/d",
            "/tasks",
            "/readonly/x/tasks",
            "/READONLY",
            "/x/tasks/tasks",
            "/i/%00",
            "/i/%ff",
            "/i/%20",
            "/readonly/readonly",
        ] {
            assert!(parse_path(&format!("/mcp{path}")).is_none(), "{path}");
        }
        assert!(parse_path(&format!("/mcp/i/{}", "a".repeat(MAX_NAME + 1))).is_none());
    }

    #[test]
    fn unclear_values_mean_read_only() {
        for value in ["", " ", "false", "FALSE", "0", "no", "Off", "n", "f"] {
            assert!(!is_true(value), "{value}");
        }
        for value in ["true", "1", "yes", "on", "y", "t", "maybe", "flase", "00"] {
            assert!(is_true(value), "{value}");
        }
    }

    proptest! {
        #[test]
        fn parses_any_path_without_a_panic(path in "(/[a-z%0-9ix]{0,5}){0,6}") {
            if let Some(read) = parse_path(&format!("/mcp{path}")) {
                prop_assert!(read.project.is_none() || read.space.is_some());
                prop_assert!(read.space.is_none() || read.instance.is_some());
            }
        }
    }
}
