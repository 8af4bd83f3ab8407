//! From what a caller wrote to segments. Whatever could be read in two ways is refused.

use percent_encoding::percent_decode_str;

use crate::{text::sanitize::sanitize, tool::Error};

/// How long a path can be, in bytes.
const LONGEST: usize = 2000;
/// How many segments it can have.
const MOST: usize = 30;
/// What no path of Octopus needs, and what templates, queries and other systems read differently.
const UNFIT: &[(char, &str)] = &[
    ('\\', "a backslash"),
    ('{', "a brace"),
    ('}', "a brace"),
    ('?', "a `?`; parameters go into `query`"),
    ('#', "a `#`"),
    // Some servers and proxies cut parameters off segments before they resolve dot segments.
    (';', "a `;`"),
    ('%', "something that is encoded twice"),
];

/// The segments below `/api`, each decoded once.
pub(super) fn segments(given: &str) -> Result<Vec<String>, Error> {
    read(given).map_err(|reason| Error::Argument { field: "path".to_owned(), reason })
}

fn read(given: &str) -> Result<Vec<String>, String> {
    if given.len() > LONGEST {
        return Err(format!("it has {} bytes of at most {LONGEST}", given.len()));
    }
    if let Some((_, what)) =
        UNFIT.iter().filter(|(unfit, _)| *unfit != '%').find(|(unfit, _)| given.contains(*unfit))
    {
        return Err(format!("it has {what}"));
    }
    let Some(rest) = given.strip_prefix('/').filter(|rest| !rest.starts_with('/')) else {
        return Err(beginning());
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let mut segments = rest.split('/').map(segment).collect::<Result<Vec<_>, _>>()?.into_iter();
    if !segments.next().is_some_and(|first| first.eq_ignore_ascii_case("api")) {
        return Err(beginning());
    }
    let segments: Vec<String> = segments.collect();
    if segments.len() > MOST {
        return Err(format!("it has {} segments of at most {MOST}", segments.len()));
    }
    // Names of branches hold slashes, and they stand below projects alone.
    let below_projects = segments.iter().skip_while(|s| !s.eq_ignore_ascii_case("projects"));
    let before = segments.len() - below_projects.count();
    if segments.iter().take(before).any(|segment| segment.contains('/')) {
        return Err("an encoded slash stands for itself only in the name of a branch or tag, \
                    below a project"
            .to_owned());
    }
    Ok(segments)
}

fn beginning() -> String {
    "write the path alone, from /api on, as in /api/Spaces-1/projects; the address of the instance \
     is added"
        .to_owned()
}

fn segment(raw: &str) -> Result<String, String> {
    if raw.is_empty() {
        return Err("it has an empty segment".to_owned());
    }
    let is_escape = |after: &str| {
        let digits = after.as_bytes().first_chunk::<2>();
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !raw.split('%').skip(1).all(is_escape) {
        return Err("it has a `%` that encodes nothing".to_owned());
    }
    let decoded = percent_decode_str(raw).decode_utf8();
    let decoded = decoded.map_err(|_| "it does not decode to UTF-8".to_owned())?.into_owned();
    if decoded.chars().any(char::is_control) || sanitize(&decoded).text != decoded {
        return Err("it has an invisible character".to_owned());
    }
    if let Some((_, what)) = UNFIT.iter().find(|(unfit, _)| decoded.contains(*unfit)) {
        return Err(format!("it has {what}"));
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
