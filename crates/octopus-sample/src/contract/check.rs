//! Checks of requests and responses.

use jiff::{Timestamp, civil::DateTime};
use serde_json::Value;

use super::{Contract, Field, Object, Operation, Shape};
use crate::query::Query;

/// Largest number of problems in a result.
const LIMIT: usize = 20;

/// Treatment of fields that a type does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownFields {
    /// They are ignored, for bodies of other versions.
    Ignored,
    /// They are a problem.
    Refused,
}

impl Contract {
    /// Returns the problems of a query string such as `skip=0&take=5`: unknown parameters, missing
    /// required ones, and values of a wrong type. Names ignore case. Parameters of a credential are
    /// skipped. At most 20 problems are returned.
    #[must_use]
    pub fn check_query(&self, operation: &Operation, query: &str) -> Vec<String> {
        let given = Query::parse(query);
        let mut problems = Vec::new();
        for (name, value) in given.pairs() {
            let is_name = |other: &str| other.eq_ignore_ascii_case(name);
            let Some(parameter) = operation.query.iter().find(|found| is_name(found.name)) else {
                if !is_name("apikey") {
                    problems.push(format!("unknown parameter '{name}'"));
                }
                continue;
            };
            if !value.is_empty() && !self.accepts_text(&parameter.shape, value) {
                let expected = self.describe(&parameter.shape);
                problems.push(format!("parameter '{name}': '{value}' is not {expected}"));
            }
        }
        for parameter in operation.query.iter().filter(|parameter| parameter.is_required) {
            if given.text(parameter.name).is_none() {
                problems.push(format!("missing parameter '{}'", parameter.name));
            }
        }
        problems.truncate(LIMIT);
        problems
    }

    /// Returns the problems of a request body: unknown fields, missing required ones, and values of
    /// a wrong type. Names of fields ignore case. A body that the contract does not describe has no
    /// problems. At most 20 problems are returned.
    #[must_use]
    pub fn check_request_body(&self, operation: &Operation, body: &Value) -> Vec<String> {
        let mut check = Check {
            contract: self,
            unknown: UnknownFields::Refused,
            is_request: true,
            problems: Vec::new(),
        };
        if let Some(shape) = &operation.body {
            check.value(shape, body, "");
        }
        check.finish()
    }

    /// Returns the problems of the body of a successful response; see [`Self::check`]. A body that
    /// the contract does not describe has no problems.
    #[must_use]
    pub fn check_response(
        &self,
        operation: &Operation,
        body: &Value,
        unknown: UnknownFields,
    ) -> Vec<String> {
        operation.response.as_ref().map_or_else(Vec::new, |shape| self.check(shape, body, unknown))
    }

    /// Returns the problems of a document: values of a wrong type, words that are not in a list of
    /// words, required fields that are missing or null, `null` in lists, and unknown fields if they
    /// are refused. Each problem begins with the path of the value, such as `Items[0].State`. At
    /// most 20 problems are returned.
    #[must_use]
    pub fn check(&self, shape: &Shape, value: &Value, unknown: UnknownFields) -> Vec<String> {
        let mut check = Check { contract: self, unknown, is_request: false, problems: Vec::new() };
        check.value(shape, value, "");
        check.finish()
    }

    /// Returns whether objects of a type have a field with this name, ignoring case.
    #[must_use]
    pub fn has_field(&self, shape: &Shape, name: &str) -> bool {
        match self.resolve(shape) {
            Shape::Object(object) => {
                object.fields.iter().any(|field| field.name.eq_ignore_ascii_case(name))
            }
            _ => false,
        }
    }

    /// Returns whether the text of a query parameter has a type.
    fn accepts_text(&self, shape: &Shape, text: &str) -> bool {
        let matches =
            |text: &str| text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false");
        match self.resolve(shape) {
            Shape::Bool => matches(text),
            Shape::Int => text.parse::<i64>().is_ok(),
            Shape::Number => text.parse::<f64>().is_ok(),
            Shape::DateTime => is_date_time(text),
            Shape::Words(words) => words.iter().any(|word| word.eq_ignore_ascii_case(text)),
            Shape::List(item) => text.split(',').all(|text| self.accepts_text(item, text.trim())),
            _ => true,
        }
    }

    /// Describes a type for a message.
    fn describe(&self, shape: &Shape) -> String {
        match self.resolve(shape) {
            Shape::Text => "a string".to_owned(),
            Shape::Bool => "true or false".to_owned(),
            Shape::Int => "an integer".to_owned(),
            Shape::Number => "a number".to_owned(),
            Shape::DateTime => "a date and time".to_owned(),
            Shape::Uuid => "a UUID".to_owned(),
            Shape::Any | Shape::Named(_) => "a value".to_owned(),
            Shape::Words(words) => format!("one of {}", words.join(", ")),
            Shape::List(_) => "a list".to_owned(),
            Shape::Map(_) | Shape::Object(_) => "an object".to_owned(),
            Shape::OneOf(shapes) => {
                let each: Vec<String> = shapes.iter().map(|shape| self.describe(shape)).collect();
                each.join(" or ")
            }
        }
    }
}

/// State of one check.
struct Check<'c> {
    contract: &'c Contract,
    unknown: UnknownFields,
    /// Names of fields of requests ignore case.
    is_request: bool,
    problems: Vec<String>,
}

impl Check<'_> {
    fn finish(mut self) -> Vec<String> {
        self.problems.truncate(LIMIT);
        self.problems
    }

    fn value(&mut self, shape: &Shape, value: &Value, path: &str) {
        let contract = self.contract;
        let shape = contract.resolve(shape);
        let is_valid = match (shape, value) {
            (Shape::Any | Shape::Named(_), _)
            | (Shape::Text, Value::String(_))
            | (Shape::Bool, Value::Bool(_))
            | (Shape::Number, Value::Number(_)) => true,
            (Shape::Int, Value::Number(number)) => number.is_i64() || number.is_u64(),
            (Shape::DateTime, Value::String(text)) => is_date_time(text),
            (Shape::Uuid, Value::String(text)) => is_uuid(text),
            (Shape::Words(words), Value::String(text)) => words.contains(&text.as_str()),
            (Shape::List(item), Value::Array(items)) => {
                for (position, value) in items.iter().enumerate() {
                    self.value(item, value, &format!("{path}[{position}]"));
                }
                true
            }
            (Shape::Map(item), Value::Object(map)) => {
                for (key, value) in map.iter().filter(|(_, value)| !value.is_null()) {
                    self.value(item, value, &joined(path, key));
                }
                true
            }
            (Shape::OneOf(shapes), value) => {
                let fits = |shape: &Shape| {
                    let mut check = Check {
                        contract,
                        unknown: self.unknown,
                        is_request: self.is_request,
                        problems: Vec::new(),
                    };
                    check.value(shape, value, path);
                    check.problems.is_empty()
                };
                shapes.iter().any(fits)
            }
            (Shape::Object(object), Value::Object(map)) => {
                self.object(object, map, path);
                true
            }
            _ => false,
        };
        if !is_valid {
            let mut shown: String = value.to_string().chars().take(60).collect();
            if shown.len() < value.to_string().len() {
                shown.push('…');
            }
            let place = if path.is_empty() { "the body" } else { path };
            self.problems.push(format!("{place}: {shown} is not {}", contract.describe(shape)));
        }
    }

    fn object(&mut self, object: &Object, map: &serde_json::Map<String, Value>, path: &str) {
        let ignores_case = self.is_request;
        let is_field = |field: &Field, key: &str| {
            field.name == key || ignores_case && field.name.eq_ignore_ascii_case(key)
        };
        for (key, value) in map {
            match object.fields.iter().find(|field| is_field(field, key)) {
                Some(field) if !value.is_null() => {
                    self.value(&field.shape, value, &joined(path, key));
                }
                None if self.unknown == UnknownFields::Refused && !object.is_open => {
                    self.problems.push(format!("unknown field '{}'", joined(path, key)));
                }
                _ => {}
            }
        }
        for field in object.fields.iter().filter(|field| field.is_required) {
            let is_given =
                |(key, value): (&String, &Value)| is_field(field, key) && !value.is_null();
            if !map.iter().any(is_given) {
                self.problems.push(format!("missing field '{}'", joined(path, field.name)));
            }
        }
    }
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Octopus writes an offset; some of its clients send none.
fn is_date_time(text: &str) -> bool {
    text.parse::<Timestamp>().is_ok() || text.parse::<DateTime>().is_ok()
}

fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Edition;
    use super::*;

    fn contract() -> &'static Contract {
        Contract::of(Edition::V2026_3)
    }

    #[test]
    fn finds_each_problem_of_a_query() {
        let rows = [
            ("/api/Spaces-1/tasks", "Skip=0&states=Failed,Success&active=TRUE&apikey=x&ids=", ""),
            ("/api/Spaces-1/tasks", "state=Failed", "unknown parameter 'state'"),
            ("/api/Spaces-1/tasks", "take=all", "parameter 'take': 'all' is not an integer"),
            ("/api/Spaces-1/tasks", "active=yes", "parameter 'active': 'yes' is not true or false"),
            (
                "/api/Spaces-1/tasks",
                "fromStartDate=now",
                "parameter 'fromStartDate': 'now' is not a date and time",
            ),
            ("/api/Spaces-1/tasks", "fromStartDate=2026-01-01T00:00:00%2B02:00", ""),
            ("/api/Spaces-1/environments/v2", "take=1", "missing parameter 'skip'"),
            ("/api/Spaces-1/releases", "ids=Releases-1", ""),
        ];
        for (path, query, expected) in rows {
            let operation = contract().find("GET", path).unwrap();
            assert_eq!(contract().check_query(operation, query).join("; "), expected, "{query}");
        }
    }

    #[test]
    fn finds_each_problem_of_a_request_body() {
        let rows = [
            (json!({ "projectname": "A", "SpaceId": "Spaces-1", "SpaceIdOrName": "Spaces-1" }), ""),
            (
                json!({ "ProjectName": "A", "SpaceId": "B", "SpaceIdOrName": "B", "Project": "A" }),
                "unknown field 'Project'",
            ),
            (
                json!({ "ProjectName": "A", "SpaceId": null }),
                "missing field 'SpaceId'; missing field 'SpaceIdOrName'",
            ),
            (
                json!({ "ProjectName": 1, "SpaceId": "B", "SpaceIdOrName": "B", "Packages": [1] }),
                "ProjectName: 1 is not a string; Packages[0]: 1 is not a string",
            ),
            (json!("A"), "the body: \"A\" is not an object"),
        ];
        let operation = contract().find("POST", "/api/Spaces-1/releases/create/v1").unwrap();
        for (body, expected) in rows {
            let problems = contract().check_request_body(operation, &body);
            assert_eq!(problems.join("; "), expected, "{body}");
        }
    }

    #[test]
    fn finds_each_problem_of_a_document() {
        let rows = [
            (json!({ "Items": [{ "Version": "1", "Assembled": null }], "TotalResults": 1 }), ""),
            (json!({ "Items": [{ "Id": "Releases-1" }] }), "missing field 'Items[0].Version'"),
            (json!({ "Items": [{ "Version": null }] }), "missing field 'Items[0].Version'"),
            (json!({ "Items": [null] }), "Items[0]: null is not an object"),
            (json!({ "TotalResults": "1" }), "TotalResults: \"1\" is not an integer"),
            (
                json!({ "Items": [{ "Version": "1", "Assembled": "today" }] }),
                "Items[0].Assembled: \"today\" is not a date and time",
            ),
            (json!({ "Total": 1 }), "unknown field 'Total'"),
        ];
        let operation = contract().find("GET", "/api/Spaces-1/releases").unwrap();
        for (body, expected) in rows {
            let problems = contract().check_response(operation, &body, UnknownFields::Refused);
            assert_eq!(problems.join("; "), expected, "{body}");
        }
        let unknown = json!({ "Total": 1 });
        let problems = contract().check_response(operation, &unknown, UnknownFields::Ignored);
        assert_eq!(problems, Vec::<String>::new());
    }

    #[test]
    fn finds_wrong_words_and_union_types() {
        let check = |name, value: Value| {
            contract().check(&Shape::Named(name), &value, UnknownFields::Refused).join("; ")
        };
        let expected = "State: \"Resting\" is not one of Queued, Executing, Failed, Canceled, TimedOut, \
             Success, Cancelling";
        assert_eq!(check("Task", json!({ "State": "Resting" })), expected);
        assert_eq!(check("PropertyValue", json!("x")), "");
        assert_eq!(check("PropertyValue", json!({ "HasValue": true, "NewValue": null })), "");
        assert!(check("PropertyValue", json!(1)).contains("is not a string or an object"));
        let root = json!({ "InstallationId": "1f8b3c6e-7d24-4e5b-9a61-0c2d8e4f6a17" });
        assert_eq!(check("Root", root), "");
        assert_eq!(
            check("Root", json!({ "InstallationId": "1" })),
            "InstallationId: \"1\" is not a UUID"
        );
    }
}
