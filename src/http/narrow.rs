//! What a request is narrowed to: by its path below `/mcp`, and by headers.
//!
//! | path | narrows to |
//! | --- | --- |
//! | `/readonly` | what changes nothing |
//! | `/x/{toolset}`, `/x/{toolset}/readonly` | a toolset, or several with commas |
//! | `/i/{instance}`, `/i/{instance}/{space}`, `/i/{instance}/{space}/{project}` | a place |
//!
//! A place comes last, and may stand behind the others. What path and header both say must be the
//! same.

use axum::{
    extract::Request,
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, StatusCode};
use percent_encoding::percent_decode_str;

use super::{
    envelope::Envelope,
    recorded::Learned,
    refusal::{Refusal, code},
};
use crate::{
    mcp::{Offering, Protocol},
    tool::Narrowing,
};

const TOOLSETS: HeaderName = HeaderName::from_static("x-mcp-toolsets");
const TOOLS: HeaderName = HeaderName::from_static("x-mcp-tools");
const EXCLUDE: HeaderName = HeaderName::from_static("x-mcp-exclude-tools");
const READ_ONLY: HeaderName = HeaderName::from_static("x-mcp-readonly");
const INSTANCE: HeaderName = HeaderName::from_static("x-octopus-instance");
const SPACE: HeaderName = HeaderName::from_static("x-octopus-space");

/// How long a name can be, and a list of them.
const LONGEST: usize = 200;
const LONGEST_LIST: usize = 4096;

/// Whether a path below `/mcp` is one of the forms above. Others lead nowhere, whatever comes.
pub(super) async fn known(request: Request, next: Next) -> Response {
    match of_path(request.uri().path()) {
        Some(_) => next.run(request).await,
        None => Refusal::new(
            StatusCode::NOT_FOUND,
            "there is no such endpoint; besides /mcp there are /mcp/readonly, \
             /mcp/x/TOOLSET[/readonly] and /mcp/i/INSTANCE[/SPACE[/PROJECT]]",
        )
        .into_response(),
    }
}

/// Finds out what a request is narrowed to, and tells those that come after.
pub(super) async fn read(mut request: Request, next: Next) -> Response {
    let path = of_path(request.uri().path()).unwrap_or_default();
    match with_headers(path, request.headers()) {
        Ok(narrowing) => {
            Learned::narrowing(request.extensions(), &narrowing);
            request.extensions_mut().insert(narrowing);
            next.run(request).await
        }
        Err(message) => {
            Refusal::bad_request(code::INVALID_REQUEST, message).to(&Envelope::id_of(&request))
        }
    }
}

/// Serves a request as the one that is narrowed so: the transport asks for tools without saying
/// for whom.
pub(super) async fn serve<O: Offering>(request: Request, next: Next) -> Response {
    let narrowing = request.extensions().get::<Narrowing>().cloned().unwrap_or_default();
    Protocol::<O>::narrowed(narrowing, next.run(request)).await
}

/// Reads a path. `None`: it is of none of the forms.
fn of_path(path: &str) -> Option<Narrowing> {
    let below = path.strip_prefix("/mcp")?;
    let below = below.strip_suffix('/').unwrap_or(below);
    let mut narrowing = Narrowing::default();
    if below.is_empty() {
        return Some(narrowing);
    }
    let words = below.strip_prefix('/')?.split('/').map(decoded);
    let words = words.collect::<Option<Vec<String>>>()?;
    let mut rest = words.iter().map(String::as_str).peekable();
    if rest.next_if_eq(&"x").is_some() {
        narrowing.toolsets = Some(list(rest.next()?)?);
    }
    narrowing.read_only = rest.next_if_eq(&"readonly").is_some();
    if rest.next_if_eq(&"i").is_some() {
        narrowing.instance = Some(rest.next()?.to_owned());
        narrowing.space = rest.next().map(str::to_owned);
        narrowing.project = rest.next().map(str::to_owned);
    }
    rest.next().is_none().then_some(narrowing)
}

/// One part of a path, decoded once.
fn decoded(part: &str) -> Option<String> {
    let text = percent_decode_str(part).decode_utf8().ok()?;
    is_name(&text).then(|| text.trim().to_owned())
}

fn is_name(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control)
}

/// The words of a list with commas; `None` where there is none in it.
fn list(text: &str) -> Option<Vec<String>> {
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(str::to_owned).collect();
    (!words.is_empty()).then_some(words)
}

/// Adds what the headers say. They say no other thing than the path.
fn with_headers(mut narrowing: Narrowing, headers: &HeaderMap) -> Result<Narrowing, String> {
    if let Some(value) = only(headers, &READ_ONLY)? {
        let read_only = is_true(&value);
        if narrowing.read_only && !read_only {
            return Err(contradiction("/readonly", &READ_ONLY, &value));
        }
        narrowing.read_only = read_only;
    }
    if let Some(asked) = only(headers, &TOOLSETS)?.as_deref().and_then(list) {
        let has = |wanted: &String| {
            let fits = |one: &String| one.eq_ignore_ascii_case(wanted);
            asked.iter().any(|one| fits(one) || one.eq_ignore_ascii_case("all"))
        };
        match &narrowing.toolsets {
            Some(of_path) if !of_path.iter().all(has) => {
                return Err(contradiction(&of_path.join(","), &TOOLSETS, &asked.join(",")));
            }
            // The path is the narrower of the two.
            Some(_) => {}
            None => narrowing.toolsets = Some(asked),
        }
    }
    narrowing.tools = only(headers, &TOOLS)?.as_deref().and_then(list);
    narrowing.exclude = only(headers, &EXCLUDE)?.as_deref().and_then(list).unwrap_or_default();
    for (name, place) in [(INSTANCE, &mut narrowing.instance), (SPACE, &mut narrowing.space)] {
        let Some(asked) = only(headers, &name)?.filter(|asked| !asked.is_empty()) else { continue };
        if !is_name(&asked) {
            return Err(format!("the header {name} is longer than {LONGEST} bytes, or no text"));
        }
        match place {
            Some(of_path) if !of_path.eq_ignore_ascii_case(&asked) => {
                return Err(contradiction(of_path, &name, &asked));
            }
            Some(_) => {}
            None => *place = Some(asked),
        }
    }
    Ok(narrowing)
}

fn contradiction(path: &str, header: &HeaderName, value: &str) -> String {
    format!(
        "the path says '{}' and the header {header} says '{}'; leave one of the two out",
        path.escape_debug(),
        value.escape_debug()
    )
}

/// The one value of a header. Several must be the same.
fn only(headers: &HeaderMap, name: &HeaderName) -> Result<Option<String>, String> {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else { return Ok(None) };
    if values.any(|other| other != first) {
        return Err(format!("the header {name} is there twice, with different values"));
    }
    let text = std::str::from_utf8(first.as_bytes()).ok();
    match text.filter(|text| text.len() <= LONGEST_LIST) {
        Some(text) => Ok(Some(text.trim().to_owned())),
        None => Err(format!("the header {name} is longer than {LONGEST_LIST} bytes, or no text")),
    }
}

/// Only what clearly says no is no.
fn is_true(value: &str) -> bool {
    let no = ["", "false", "0", "no", "off", "n", "f"];
    !no.iter().any(|no| value.trim().eq_ignore_ascii_case(no))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_are_of_few_forms() {
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
            let read = of_path(&format!("/mcp{path}")).unwrap_or_else(|| panic!("{path}"));
            let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
            let toolsets = read.toolsets.as_ref().map(|toolsets| toolsets.join(","));
            let (instance, space) = (text(&read.instance), text(&read.space));
            let (project, toolsets) = (text(&read.project), text(&toolsets));
            let said = format!("{instance} {space} {project} {toolsets} {}", read.read_only);
            assert_eq!(said, expected, "{path}");
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
            assert!(of_path(&format!("/mcp{path}")).is_none(), "{path}");
        }
        assert!(of_path(&format!("/mcp/i/{}", "a".repeat(LONGEST + 1))).is_none());
    }

    #[test]
    fn what_does_not_clearly_say_no_is_read_only() {
        for no in ["", " ", "false", "FALSE", "0", "no", "Off", "n", "f"] {
            assert!(!is_true(no), "{no}");
        }
        for yes in ["true", "1", "yes", "on", "y", "t", "maybe", "flase", "00"] {
            assert!(is_true(yes), "{yes}");
        }
    }

    proptest! {
        #[test]
        fn any_path_is_read_or_leads_nowhere(path in "(/[a-z%0-9ix]{0,5}){0,6}") {
            if let Some(read) = of_path(&format!("/mcp{path}")) {
                prop_assert!(read.project.is_none() || read.space.is_some());
                prop_assert!(read.space.is_none() || read.instance.is_some());
            }
        }
    }
}
