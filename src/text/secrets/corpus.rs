//! Texts with and without secrets, which the rules are held to.
//!
//! The lines are in `corpus/`; every secret there is made up and says so. To report a miss or a
//! false alarm, add its line.

use std::borrow::Cow;

use super::{redact, rules::RULES};

/// A line each: the kind, a tab, and a text with its one secret between `«` and `»`.
const SECRETS: &str = include_str!("corpus/secrets.txt");

/// Lines that look like they held a secret and do not.
const ORDINARY: &str = include_str!("corpus/ordinary.txt");

/// Lines of every day, one per combination of a form and a number.
fn everyday() -> impl Iterator<Item = String> {
    let forms: [fn(u32, &str, &str) -> String; 20] = [
        |n, _, _| format!("08:10:{:02}   Info     |     Extracted {n} files", n % 60),
        |n, _, guid| format!("08:10:{:02}   Verbose  |       Correlation {guid}", n % 60),
        |n, hex, _| format!("Branch.main.Sha.{hex} at 2026.{n}.4512"),
        |n, hex, _| format!("Pulling registry.example/larkspur/web:1.{n}.0@sha256:{hex}"),
        |n, _, guid| format!("Deployments-{n} of Projects-{n} has the id {guid}"),
        |n, hex, _| format!("commit {hex} Merge pull request #{n} from larkspur/token-refresh"),
        |n, _, _| format!("Setting variable Project.Token{n} for step {n}"),
        |n, _, _| format!("Warning: password of account svc-{n} expires in {n} days"),
        |n, hex, _| format!("SHA1 hash of package Larkspur.Api.{n} is {hex}"),
        |n, _, _| format!("  \"key{n}\": \"value{n}\","),
        |n, _, guid| format!("subscription: {guid}, resource group: rg-{n}"),
        |n, hex, _| format!("ETag: W/\"{hex}\" Content-Length: {n}"),
        |n, _, _| format!("deployment.apps/web-{n} configured (secret/web-{n}-tls unchanged)"),
        |n, _, _| format!("GET https://web-{n}.example:8443/api/token/status?page={n} 200 OK"),
        |n, hex, _| format!("pod/web-{}-x7k2p restarted {n} times", hex.split_at(10).0),
        |n, _, _| {
            format!("   at Larkspur.Auth.TokenStore.Refresh(String key) in Store.cs:line {n}")
        },
        |n, _, _| {
            format!("Server=db-{n};Database=orders;User Id=app;Password=********;Timeout={n}")
        },
        |n, hex, _| format!("cache key: npm-{n}-{hex}"),
        |n, _, guid| format!("clientId: {guid}; scope: secrets/read; attempt {n}"),
        |n, _, _| format!("aws_s3_bucket.logs[{n}]: Refreshing state... [id=larkspur-logs-{n}]"),
    ];
    (1..=25_u32).flat_map(move |n| {
        let hex = format!("{:016x}", u64::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15)).repeat(4);
        let guid =
            format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[1..4], &hex[5..8], &hex[..12]);
        forms.map(|form| form(n, &hex, &guid))
    })
}

fn secrets() -> impl Iterator<Item = (&'static str, &'static str)> {
    SECRETS.lines().map(|line| line.split_once('\t').unwrap())
}

#[test]
fn every_secret_is_replaced_and_nothing_else() {
    let wrong: Vec<String> = secrets()
        .filter_map(|(kind, marked)| {
            let (before, rest) = marked.split_once('«')?;
            let (secret, after) = rest.split_once('»')?;
            let shown = redact(&format!("{before}{secret}{after}")).text.into_owned();
            (shown != format!("{before}[redacted:{kind}]{after}")).then_some(shown)
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_rule_has_a_sample() {
    for rule in RULES {
        assert!(
            rule.kind == "private-key" || secrets().any(|(kind, _)| kind == rule.kind),
            "{} has none",
            rule.kind
        );
    }
}

#[test]
fn a_secret_is_found_inside_other_text() {
    for (kind, marked) in secrets() {
        let text = marked.replace(['«', '»'], "");
        let shown =
            redact(&format!("08:10:02   Info     |       {text}\nnext line\n")).text.into_owned();
        assert!(shown.contains(&format!("[redacted:{kind}]")), "{shown}");
        assert!(shown.ends_with("\nnext line\n"), "{shown}");
    }
}

#[test]
fn ordinary_lines_stay() {
    let lines: Vec<String> = ORDINARY.lines().map(str::to_owned).chain(everyday()).collect();
    assert!(lines.len() > 500);
    let wrong: Vec<_> = lines
        .iter()
        .map(|line| redact(line).text)
        .filter(|shown| shown.contains("[redacted:"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    let all = lines.join("\n");
    assert!(matches!(redact(&all).text, Cow::Borrowed(_)));
}

#[test]
fn private_keys_over_several_lines() {
    let line = "RkFLRUZBS0VGQUtFRkFLRUZBS0VGQUtFRkFLRUZBS0VGQUtFRkFLRUZBS0U";
    let begin = "-----BEGIN RSA PRIVATE KEY-----";
    let end = "-----END RSA PRIVATE KEY-----";
    let prefix = "08:10:02   Info     |       ";
    let rows = [
        (format!("a\n{begin}\n{line}\n{line}\nRkFLRQ==\n{end}\nb"), "a\n[redacted:private-key]\nb"),
        (
            format!("{prefix}{begin}\n{prefix}{line}\n{prefix}{line}\n{prefix}{end}\nb"),
            "08:10:02   Info     |       [redacted:private-key]\nb",
        ),
        (
            format!(r#"{{"private_key": "{begin}\n{line}\n{line}\n{end}\n", "type": "x"}}"#),
            r#"{"private_key": "[redacted:private-key]", "type": "x"}"#,
        ),
        (
            format!(
                "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{line}\n=FAKE\n-----END PGP PRIVATE KEY BLOCK-----\nb"
            ),
            "[redacted:private-key]\nb",
        ),
        (
            format!("{begin}\n{line}\n{line}\n\nThen the log was cut."),
            "[redacted:private-key]\n\nThen the log was cut.",
        ),
        (
            format!("{prefix}{begin}\n{prefix}{line}\n{prefix}{line}\nb"),
            "08:10:02   Info     |       [redacted:private-key]\nb",
        ),
        (format!("{begin} is how it starts\nb"), "[redacted:private-key] is how it starts\nb"),
    ];
    for (text, left) in rows {
        assert_eq!(redact(&text).text, left);
    }
}
