//! Property test: no spelling of a denied path passes the checks.

use std::fmt::Write as _;

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use url::Url;

use super::*;

/// Splits a path with an independent decoder, which decodes until nothing is left to decode.
fn decode_repeatedly(path: &str) -> Vec<String> {
    let mut text: Vec<u8> = path.bytes().collect();
    loop {
        let (mut next, mut at) = (Vec::new(), 0);
        while at < text.len() {
            let digits = text.get(at + 1..at + 3).and_then(|two| std::str::from_utf8(two).ok());
            let byte = digits.filter(|_| text[at] == b'%').map(|two| u8::from_str_radix(two, 16));
            if let Some(Ok(byte)) = byte {
                next.push(byte);
                at += 3;
            } else {
                next.push(text[at]);
                at += 1;
            }
        }
        if next == text {
            break;
        }
        text = next;
    }
    let text = String::from_utf8_lossy(&text).to_lowercase().replace('ſ', "s");
    let segments = text.split(['/', '\\']).filter(|segment| !segment.is_empty() && *segment != ".");
    let bare = |segment: &str| {
        segment.split('.').next().unwrap().replace(|c: char| !c.is_ascii_alphanumeric(), "")
    };
    segments.map(bare).collect()
}

/// Returns whether `execute` must reject a request, by an independent definition.
fn must_reject(verb: HttpMethod, path: &[String]) -> bool {
    let path: Vec<&str> = path.iter().map(String::as_str).skip(1).collect();
    let never = ["apikeys", "invitations", "serverconfiguration", "migrations", "importexport"];
    let changes = ["teams", "userroles", "scopeduserroles"];
    let writes = verb != HttpMethod::Get;
    [&path[..], path.get(1..).unwrap_or_default(), path.get(2..).unwrap_or_default()].iter().any(
        |rest| match rest {
            // The third word is a collection only below a space.
            _ if rest.len() + 2 == path.len() && path[0] != "spaces" => false,
            ["users", ..] if writes => true,
            [first, ..] if changes.contains(first) && writes => true,
            ["licenses", "licensescurrent"] => true,
            ["spaces" | "projects" | "environments", _] if verb == HttpMethod::Delete => true,
            _ => false,
        },
    ) || path.iter().any(|word| never.contains(word))
        || (path.contains(&"certificates") && path.contains(&"export"))
}

fn any_request() -> impl Strategy<Value = (HttpMethod, String)> {
    let word = prop::sample::select(vec![
        "users",
        "Users-1",
        "apikeys",
        "invitations",
        "spaces",
        "Spaces-1",
        "projects",
        "Projects-1",
        "environments",
        "Environments-1",
        "teams",
        "scopeduserroles",
        "userroles",
        "licenses",
        "licenses-current",
        "migrations",
        "certificates",
        "export",
        "me",
        "tasks",
        "serverconfiguration",
        "releases",
        "é",
        "..",
        ".",
        "",
        "x",
    ]);
    let suffix = prop::sample::select(vec![
        "\t", "%00", "%2e", "%2F", "%5c", "\u{200b}", "%252e", "%c0%ae", ";a", ".json", "{x}", "%",
        "?", "\u{212a}", "%20", "\r\n",
    ]);
    let segment = (word, prop::option::weighted(0.06, suffix), any::<u64>(), 0..8_u8).prop_map(
        |(word, suffix, dice, encoding)| {
            let mut text = String::new();
            for (index, letter) in word.chars().enumerate() {
                match (encoding, dice >> (index * 3) & 7) {
                    (0..4, _) | (_, 0..4) => text.push(letter),
                    (4..6, _) if letter.is_ascii() => {
                        write!(text, "%{:02x}", u32::from(letter)).unwrap();
                    }
                    (6, _) if letter.is_ascii() => {
                        write!(text, "%25{:02X}", u32::from(letter)).unwrap();
                    }
                    (_, 7) if letter == 's' => text.push('ſ'),
                    _ => text.extend(letter.to_uppercase()),
                }
            }
            text + suffix.unwrap_or_default()
        },
    );
    let weights = vec![(12, "/"), (1, "//"), (1, "/./"), (1, "%2F"), (1, "\\"), (1, "/%2e%2e/")];
    let between = prop::strategy::Union::new_weighted(
        weights.into_iter().map(|(weight, text)| (weight, Just(text).boxed())).collect(),
    );
    let start = prop::sample::select(vec![
        "/api",
        "/API",
        "/%61pi",
        "/api",
        "~/api",
        "https://o.example/api",
    ]);
    let end = prop::sample::select(vec!["", "", "", "/", "//", "?x=1", "#x"]);
    let verb = prop::sample::select(vec![
        HttpMethod::Get,
        HttpMethod::Post,
        HttpMethod::Put,
        HttpMethod::Delete,
    ]);
    (verb, start, prop::collection::vec((between, segment), 0..6), end).prop_map(
        |(verb, start, middle, end)| {
            let middle: String = middle.into_iter().flat_map(|(a, b)| [a.to_owned(), b]).collect();
            (verb, format!("{start}{middle}{end}"))
        },
    )
}

#[test]
fn no_spelling_bypasses_the_checks() {
    let base: Url = "https://octopus.example".parse().unwrap();
    let (passed, caught) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let mut runner =
        TestRunner::new(Config { cases: 10_000, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&any_request(), |(verb, path_text)| {
        let Ok(path) = ExecutePath::parse(&path_text) else { return Ok(()) };
        if denied::deny_reason(&path.normalized, &path.split_words(), verb, None).is_some() {
            caught.set(caught.get() + 1);
            return Ok(());
        }
        passed.set(passed.get() + 1);
        let sent = path.to_path().to_string();
        let url = base.join(&sent).unwrap();
        prop_assert_eq!(url.origin(), base.origin());
        prop_assert_eq!(url.path(), &sent, "URL resolution must not change the path");
        prop_assert!(url.query().is_none() && url.fragment().is_none());
        prop_assert!(sent == "/api" || sent.starts_with("/api/"));
        // The checked path equals the sent path: parsing the sent path gives the same segments.
        let again = ExecutePath::parse(&sent).unwrap();
        prop_assert_eq!(&again.segments, &path.segments);
        prop_assert_eq!(&again.normalized, &path.normalized);
        let seen = decode_repeatedly(url.path());
        prop_assert!(!must_reject(verb, &seen), "{:?} {} is {:?}", verb, path_text, seen);
        Ok(())
    });
    outcome.unwrap();
    assert!(passed.get() > 500 && caught.get() > 500, "{passed:?} passed, {caught:?} were caught");
}
