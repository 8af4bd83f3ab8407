//! Parser for the lines of the table.

use super::{Operation, Parameter, Part, Scope, Subject};
use crate::octopus::Kind;

/// Parses one line. Malformed lines are skipped; a test of the table reports them.
pub(super) fn operation(line: &'static str) -> Option<Operation> {
    let (line, holds) = line.split_once(" > ").unwrap_or((line, ""));
    let (line, query) = line.split_once(" ? ").unwrap_or((line, ""));
    let mut words = line.split(' ');
    let (method, scope, path) = (words.next()?, words.next()?, words.next()?);
    if words.next().is_some() {
        return None;
    }
    Some(Operation {
        method,
        scope: self::scope(scope)?,
        path: path.split('/').filter(|part| !part.is_empty()).map(part).collect::<Option<_>>()?,
        query: words_of(query).map(parameter).collect::<Option<_>>()?,
        holds: words_of(holds).map(kind).collect::<Option<_>>()?,
    })
}

fn words_of(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.split(' ').filter(|word| !word.is_empty())
}

fn scope(word: &str) -> Option<Scope> {
    Some(match word {
        "system" => Scope::System,
        "space" => Scope::Space,
        "mixed" => Scope::Mixed,
        "any" => Scope::Either,
        _ => return None,
    })
}

fn part(text: &'static str) -> Option<Part> {
    match text.strip_prefix('{') {
        Some(rest) => parameter(rest.strip_suffix('}')?).map(Part::Parameter),
        None => Some(Part::Literal(text)),
    }
}

fn parameter(text: &'static str) -> Option<Parameter> {
    let narrows = text.contains('=');
    match text.split_once(['=', '~']) {
        Some((name, subject)) => {
            Some(Parameter { name, subject: Some(Subject::called(subject)?), narrows })
        }
        None => Some(Parameter { name: text, subject: None, narrows }),
    }
}

fn kind(word: &str) -> Option<Kind> {
    let kinds = [Kind::Space, Kind::Project, Kind::Environment, Kind::Tenant];
    kinds.into_iter().find(|kind| kind.collection().strip_suffix('s') == Some(word))
}
