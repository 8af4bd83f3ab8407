//! The dashboard, the alerts and `docs/operations.md` refer to metrics that the server exports.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
};

use serde_json::Value;

use super::{
    exercised_servers,
    promql::{Matcher, QueryReferences, parse_query},
};
use crate::docs::{ensure_current, root};

const DASHBOARD: &str = "deploy/observability/dashboard.json";
const ALERTS: &str = "deploy/observability/alerts.yaml";
const OPERATIONS: &str = "docs/operations.md";
/// Labels that Prometheus adds to targets and histogram buckets.
const PROMETHEUS: [&str; 3] = ["job", "instance", "le"];

/// Every metric with its labels and their values.
type KnownSeries = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Returns the metrics of the exercised servers as text, and parsed.
async fn scrape_everything() -> (String, KnownSeries) {
    let all = exercised_servers::all_metrics().await;
    let mut known = KnownSeries::new();
    for line in all.lines().filter(|line| !line.starts_with('#')) {
        let (series, _) = line.rsplit_once(' ').unwrap();
        let [(name, matchers)]: [_; 1] = parse_query(series).metrics.try_into().unwrap();
        let labels = known.entry(name).or_default();
        for Matcher { label, value, .. } in matchers {
            labels.entry(label).or_default().insert(value);
        }
    }
    (all, known)
}

/// Returns the parts of an expression that match no exported series.
fn unknown_references(known: &KnownSeries, expression: &str) -> Vec<String> {
    let QueryReferences { metrics, grouped } = parse_query(expression);
    let mut missing = Vec::new();
    if metrics.is_empty() {
        missing.push("no metric at all".to_owned());
    }
    // Prometheus itself provides `up`.
    let own_metrics: Vec<_> = metrics.iter().filter(|(name, _)| name != "up").collect();
    for (name, matchers) in &own_metrics {
        let Some(labels) = known.get(name) else {
            missing.push(format!("the metric {name}"));
            continue;
        };
        for Matcher { label, operator: sign, value } in matchers {
            let is_fixed = sign == "=" && !value.is_empty() && !value.starts_with('$');
            match labels.get(label) {
                Some(values) if is_fixed && !values.contains(value) => {
                    missing.push(format!("{name} with {label}={value:?}"));
                }
                None if !PROMETHEUS.contains(&label.as_str()) => {
                    missing.push(format!("the label {label} of {name}"));
                }
                _ => {}
            }
        }
    }
    for label in grouped.iter().filter(|label| !PROMETHEUS.contains(&label.as_str())) {
        let has = |name: &String| known.get(name).is_some_and(|labels| labels.contains_key(label));
        if !own_metrics.iter().any(|(name, _)| has(name)) {
            missing.push(format!("the label {label} of any of {expression}"));
        }
    }
    missing
}

/// One alert of the alert rules.
struct Alert {
    name: String,
    expression: String,
    /// The text after the expression: labels and annotations.
    rest: String,
}

/// Returns every alert. The file has a fixed layout, so simple splitting suffices.
fn alerts() -> Vec<Alert> {
    let text = read(ALERTS);
    let rules = text.split("- alert: ").skip(1);
    let alerts: Vec<Alert> = rules
        .map(|rule| {
            let (name, rest) = rule.split_once('\n').unwrap();
            let (_, rest) = rest.split_once("expr: ").unwrap();
            let ends = ["\n        for:", "\n        labels:"];
            let end = ends.iter().filter_map(|end| rest.find(*end)).min().unwrap();
            let (expression, rest) = rest.split_at(end);
            let expression = expression.trim_start_matches(['|', '\n']).to_owned();
            Alert { name: name.trim().to_owned(), expression, rest: rest.to_owned() }
        })
        .collect();
    assert!(alerts.len() > 10, "{} alerts in {ALERTS}", alerts.len());
    alerts
}

/// Returns the names after a marker in a text, as in `{{ $labels.job }}`.
fn names_after<'a>(text: &'a str, mark: &str) -> Vec<&'a str> {
    let names = text.split(mark).skip(1);
    names
        .map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap())
        .collect()
}

#[tokio::test]
async fn dashboard_and_alerts_refer_to_existing_series() {
    let (_, known) = scrape_everything().await;
    let mut wrong = Vec::new();
    let mut check = |location: &str, expression: &str| {
        let missing = unknown_references(&known, expression);
        wrong.extend(missing.into_iter().map(|missing| format!("{location}: {missing}")));
    };
    for Alert { name, expression, rest } in alerts() {
        check(&name, &expression);
        for label in names_after(&rest, "$labels.") {
            check(&name, &format!("sum by ({label}) ({expression})"));
        }
    }
    let dashboard: Value = serde_json::from_str(&read(DASHBOARD)).unwrap();
    let mut queries = 0;
    for panel in dashboard["panels"].as_array().unwrap() {
        let title = panel["title"].as_str().unwrap();
        let targets = panel["targets"].as_array().into_iter().flatten();
        for target in targets {
            let expression = target["expr"].as_str().unwrap();
            check(title, expression);
            for label in names_after(target["legendFormat"].as_str().unwrap(), "{{") {
                check(title, &format!("sum by ({label}) ({expression})"));
            }
            queries += 1;
        }
        let is_described = panel["type"] == "row"
            || (panel["description"].is_string()
                && panel["fieldConfig"]["defaults"]["unit"].is_string());
        assert!(is_described, "{title}: the panel has no description or no unit");
    }
    assert!(queries > 30, "{queries} queries");
    for variable in dashboard["templating"]["list"].as_array().unwrap() {
        let query = variable["query"]["query"].as_str().unwrap();
        let query = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')'));
        let (of, label) = query.unwrap().rsplit_once(", ").unwrap();
        check(query.unwrap(), &format!("sum by ({label}) ({of})"));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_alert_has_a_runbook_section() {
    let text = read(OPERATIONS);
    let (_, runbook) = text.split_once("\n## Runbook\n").expect("the page has a runbook");
    let headings: BTreeSet<&str> =
        runbook.lines().filter_map(|line| line.strip_prefix("### ")).collect();
    let mut names = BTreeSet::new();
    for Alert { name, rest, .. } in alerts() {
        let (_, location) = rest.split_once("runbook_url: ").expect("the alert has a runbook_url");
        let (page, heading) = location.lines().next().unwrap().trim().split_once('#').unwrap();
        assert!(page.ends_with(OPERATIONS), "{name}: {page}");
        assert_eq!(heading, name.to_lowercase());
        assert!(headings.contains(name.as_str()), "{name} has no heading in {OPERATIONS}");
        for word in ["severity: ", "summary: ", "description: "] {
            assert!(rest.contains(word), "{name}: no {word}");
        }
        names.insert(name);
    }
    let spare: Vec<_> = headings.iter().filter(|heading| !names.contains(**heading)).collect();
    assert!(spare.is_empty(), "headings without an alert: {spare:?}");
}

#[tokio::test]
async fn metrics_table_is_up_to_date() {
    const BEGIN: &str = "<!-- metrics: generated by tests/it/telemetry/observability_docs.rs -->\n";
    const END: &str = "<!-- end of metrics -->";
    let (text, known) = scrape_everything().await;
    let mut rows = BTreeMap::new();
    for line in text.lines() {
        let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' '))
        else {
            continue;
        };
        let kind = text.split_once(&format!("# TYPE {name} ")).unwrap().1.lines().next().unwrap();
        let series = if kind == "histogram" { format!("{name}_count") } else { name.to_owned() };
        let labels = known.get(&series).into_iter().flat_map(BTreeMap::keys);
        let labels: Vec<String> = labels.map(|label| format!("`{label}`")).collect();
        rows.insert(name, format!("| `{name}` | {kind} | {} | {help} |", labels.join(", ")));
    }
    let mut table =
        "| metric | kind | labels | what it tells |\n| --- | --- | --- | --- |\n".to_owned();
    for row in rows.values() {
        let _ = writeln!(table, "{row}");
    }
    let page = read(OPERATIONS);
    let (before, rest) = page.split_once(BEGIN).expect("the page has markers for the table");
    let (_, after) = rest.split_once(END).unwrap();
    ensure_current(OPERATIONS, &format!("{before}{BEGIN}{table}{END}{after}"));
}
