//! Parses paths into segments. Rejects paths that servers could interpret in different ways.

use percent_encoding::percent_decode_str;

use crate::sanitize::strip::strip_invisible;

/// Maximum length of a path in bytes.
const MAX_BYTES: usize = 2000;
/// Maximum number of segments.
const MAX_SEGMENTS: usize = 30;
/// Forbidden characters, with their descriptions. No path of Octopus needs them, and templates,
/// queries and proxies interpret them differently.
const FORBIDDEN_CHARACTERS: &[(char, &str)] = &[
    ('\\', "a backslash"),
    ('{', "a brace"),
    ('}', "a brace"),
    ('?', "a `?`; parameters go into `query`"),
    ('#', "a `#`"),
    // Some servers and proxies strip parameters from segments before they resolve dot segments.
    (';', "a `;`"),
    ('%', "something that is encoded twice"),
];

/// Returns the segments below `/api`, each decoded once.
///
/// # Errors
///
/// Returns the message for the caller.
pub(super) fn parse_segments(given: &str) -> Result<Vec<String>, String> {
    if given.len() > MAX_BYTES {
        return Err(format!("the path has {} bytes; the limit is {MAX_BYTES} bytes", given.len()));
    }
    if let Some((_, description)) = FORBIDDEN_CHARACTERS
        .iter()
        .filter(|(forbidden, _)| *forbidden != '%')
        .find(|(forbidden, _)| given.contains(*forbidden))
    {
        return Err(format!("it has {description}"));
    }
    let Some(rest) = given.strip_prefix('/').filter(|rest| !rest.starts_with('/')) else {
        return Err(prefix_error());
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let mut segments =
        rest.split('/').map(parse_segment).collect::<Result<Vec<_>, _>>()?.into_iter();
    if !segments.next().is_some_and(|first| first.eq_ignore_ascii_case("api")) {
        return Err(prefix_error());
    }
    let segments: Vec<String> = segments.collect();
    if segments.len() > MAX_SEGMENTS {
        return Err(format!(
            "the path has {} segments; the limit is {MAX_SEGMENTS}",
            segments.len()
        ));
    }
    // Names of branches can contain slashes, and they only occur below projects.
    let below_projects = segments.iter().skip_while(|s| !s.eq_ignore_ascii_case("projects"));
    let before = segments.len() - below_projects.count();
    if segments.iter().take(before).any(|segment| segment.contains('/')) {
        return Err("an encoded slash is only allowed in the name of a branch or tag, below a \
                    project"
            .to_owned());
    }
    Ok(segments)
}

fn prefix_error() -> String {
    "expected a path that begins with /api, e.g. /api/Spaces-1/projects; the server adds the \
     address of the instance"
        .to_owned()
}

fn parse_segment(raw: &str) -> Result<String, String> {
    if raw.is_empty() {
        return Err("it has an empty segment".to_owned());
    }
    let is_escape = |after: &str| {
        let digits = after.as_bytes().first_chunk::<2>();
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !raw.split('%').skip(1).all(is_escape) {
        return Err("it has a `%` without two hex digits".to_owned());
    }
    let decoded = percent_decode_str(raw).decode_utf8();
    let decoded =
        decoded.map_err(|_| "it is not valid UTF-8 when decoded".to_owned())?.into_owned();
    if decoded.chars().any(char::is_control) || strip_invisible(&decoded).text != decoded {
        return Err("it has an invisible character".to_owned());
    }
    if let Some((_, description)) =
        FORBIDDEN_CHARACTERS.iter().find(|(forbidden, _)| decoded.contains(*forbidden))
    {
        return Err(format!("it has {description}"));
    }
    for part in decoded.split('/') {
        if part.is_empty() || part == "." || part == ".." {
            return Err("it has an empty or a dot segment".to_owned());
        }
        if part.trim() != part || part.ends_with('.') {
            return Err("a segment begins or ends with a space, or ends with a dot".to_owned());
        }
    }
    Ok(decoded)
}
