//! Parses the references of a `PromQL` query: metrics, label matchers and grouping labels.

/// A label matcher.
#[derive(Debug, PartialEq, Eq)]
pub struct Matcher {
    pub label: String,
    pub operator: String,
    pub value: String,
}

/// The metrics and labels that a query references.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct QueryReferences {
    /// The metrics in order of occurrence, with repeats.
    pub metrics: Vec<(String, Vec<Matcher>)>,
    pub grouped: Vec<String>,
}

/// Keywords that precede a list of labels.
const LABEL_LIST_KEYWORDS: [&str; 6] =
    ["by", "without", "on", "ignoring", "group_left", "group_right"];
/// Other keywords that are not metric names.
const OPERATOR_KEYWORDS: [&str; 5] = ["and", "or", "unless", "offset", "bool"];

/// Parses a query, or one series in exposition format.
pub fn parse_query(query: &str) -> QueryReferences {
    let tokens = tokenize(query);
    let mut named = QueryReferences::default();
    let mut at = 0;
    while let Some(token) = tokens.get(at).copied() {
        let next = tokens.get(at + 1).copied().unwrap_or_default();
        let until = |end: &str| at + tokens[at..].iter().position(|token| *token == end).unwrap();
        if LABEL_LIST_KEYWORDS.contains(&token) && next == "(" {
            let end = until(")");
            let labels = tokens[at + 2..end].iter().filter(|token| **token != ",");
            named.grouped.extend(labels.map(|label| (*label).to_owned()));
            at = end;
        } else if token == "{" {
            let end = until("}");
            let matchers = tokens[at + 1..end].split(|token| *token == ",").map(parse_matcher);
            named.metrics.last_mut().expect("labels follow a metric").1.extend(matchers);
            at = end;
        } else if token.starts_with(|c: char| c.is_ascii_alphabetic())
            // A function or an aggregation.
            && next != "("
            && !LABEL_LIST_KEYWORDS.contains(&next)
            && !OPERATOR_KEYWORDS.contains(&token)
        {
            named.metrics.push((token.to_owned(), Vec::new()));
        }
        at += 1;
    }
    named
}

fn parse_matcher(tokens: &[&str]) -> Matcher {
    let [label, sign @ .., value] = tokens else { panic!("invalid label matcher: {tokens:?}") };
    let value = value.trim_matches('"').to_owned();
    Matcher { label: (*label).to_owned(), operator: sign.concat(), value }
}

/// Splits a query into words, quoted strings and single characters.
fn tokenize(mut rest: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '$' | '.');
    let mut found = Vec::new();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '"' => 2 + rest[1..].find('"').expect("a closing quote"),
            _ if is_word(first) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            _ => first.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        if !token.trim().is_empty() {
            found.push(token);
        }
        rest = after;
    }
    found
}

#[test]
fn parses_queries() {
    let query = r#"histogram_quantile(0.95, sum by (le, job) (rate(a_bucket{x="1,2", y=~"$z"}[5m])))
        > 2 and on (job) b unless c offset 15m"#;
    let matcher = |label: &str, sign: &str, value: &str| {
        let [label, sign, value] = [label, sign, value].map(str::to_owned);
        Matcher { label, operator: sign, value }
    };
    assert_eq!(
        parse_query(query),
        QueryReferences {
            metrics: vec![
                ("a_bucket".to_owned(), vec![matcher("x", "=", "1,2"), matcher("y", "=~", "$z")]),
                ("b".to_owned(), Vec::new()),
                ("c".to_owned(), Vec::new()),
            ],
            grouped: ["le", "job", "job"].map(str::to_owned).into(),
        }
    );
}
