//! Parser for the lines of the table.

use super::{Operation, Parameter, PathSegment, subject::Subject};
use crate::octopus::client::access_set::ResourceKind;

/// Parses one line. Malformed lines are skipped; a test of the table reports them.
pub(super) fn operation(line: &'static str) -> Option<Operation> {
    let (line, holds) = line.split_once(" > ").unwrap_or((line, ""));
    let (line, query) = line.split_once(" ? ").unwrap_or((line, ""));
    let mut columns = line.split(' ');
    let (method, scope, path) = (columns.next()?, columns.next()?, columns.next()?);
    if columns.next().is_some() {
        return None;
    }
    Some(Operation {
        method,
        scope: scope.parse().ok()?,
        path: path.split('/').filter(|part| !part.is_empty()).map(part).collect::<Option<_>>()?,
        query: split_words(query).map(parameter).collect::<Option<_>>()?,
        response_kinds: split_words(holds).map(kind).collect::<Option<_>>()?,
    })
}

fn split_words(text: &'static str) -> impl Iterator<Item = &'static str> {
    text.split(' ').filter(|word| !word.is_empty())
}

fn part(text: &'static str) -> Option<PathSegment> {
    match text.strip_prefix('{') {
        Some(rest) => parameter(rest.strip_suffix('}')?).map(PathSegment::Parameter),
        None => Some(PathSegment::Literal(text)),
    }
}

fn parameter(text: &'static str) -> Option<Parameter> {
    let narrows = text.contains('=');
    match text.split_once(['=', '~']) {
        Some((name, subject)) => {
            Some(Parameter { name, subject: Some(Subject::from_word(subject)?), filters: narrows })
        }
        None => Some(Parameter { name: text, subject: None, filters: narrows }),
    }
}

fn kind(word: &str) -> Option<ResourceKind> {
    let kinds = [
        ResourceKind::Space,
        ResourceKind::Project,
        ResourceKind::Environment,
        ResourceKind::Tenant,
    ];
    kinds.into_iter().find(|kind| kind.collection().strip_suffix('s') == Some(word))
}
