//! URIs of resources in answers.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::tool::Error;

/// Characters that are encoded in a segment: all but the unreserved ones (RFC 3986, section 2.3).
const SEGMENT_ENCODING: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Returns the URI of a resource. Each segment is percent-encoded, including slashes.
pub fn resource_uri<'a>(segments: impl IntoIterator<Item = &'a str>) -> String {
    let mut uri = "octopus:/".to_owned();
    for segment in segments {
        uri.push('/');
        uri.extend(utf8_percent_encode(segment, SEGMENT_ENCODING));
    }
    uri
}

/// Checks a URI variable that becomes part of a path without encoding of slashes, e.g. a Git
/// reference.
///
/// # Errors
///
/// Returns [`Error::Argument`] for segments that a server or proxy could resolve to another path.
pub fn checked_path_part<'a>(field: &str, text: &'a str) -> Result<&'a str, Error> {
    let is_relative = |part: &str| part.is_empty() || part == "." || part == "..";
    if text.contains('\\') || text.split('/').any(is_relative) {
        let reason =
            "empty segments, `.` and `..` segments and backslashes are not allowed".to_owned();
        return Err(Error::Argument { field: field.to_owned(), reason });
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    #[test]
    fn rejects_dot_segments_and_backslashes() {
        for fine in ["main", "refs/heads/main", "feature/a..b", "v1.0", "a b"] {
            assert_eq!(super::checked_path_part("gitRef", fine).unwrap(), fine);
        }
        for wrong in ["", ".", "..", "../users", "a/../b", "a//b", "/a", "a/", "..\\users"] {
            assert!(super::checked_path_part("gitRef", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn encodes_whole_segments() {
        assert_eq!(
            super::resource_uri(["spaces", "Ware house/2", "releases", "Releases-1"]),
            "octopus://spaces/Ware%20house%2F2/releases/Releases-1"
        );
    }
}
