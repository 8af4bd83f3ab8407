//! Addresses of resources, as answers name them.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands for itself in a segment (RFC 3986, unreserved).
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The address of a resource: each segment is encoded whole.
pub fn uri<'a>(segments: impl IntoIterator<Item = &'a str>) -> String {
    let mut uri = "octopus:/".to_owned();
    for segment in segments {
        uri.push('/');
        uri.extend(utf8_percent_encode(segment, SEGMENT));
    }
    uri
}

#[cfg(test)]
mod tests {
    #[test]
    fn segments_are_encoded_whole() {
        assert_eq!(
            super::uri(["spaces", "Ware house/2", "releases", "Releases-1"]),
            "octopus://spaces/Ware%20house%2F2/releases/Releases-1"
        );
    }
}
