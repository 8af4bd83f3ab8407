//! Matches the query of a read with the parameters of its operation, and resolves their values.

use super::{Reading, split_list};
use crate::{
    octopus::{
        Path,
        operations::{Operation, Parameter},
    },
    tool::Error,
};

/// The parameters of a query.
#[derive(Debug, Default)]
pub(super) struct Given<'a> {
    /// Parameters of the operation, each with its values in order.
    known: Vec<(&'a Parameter, Vec<&'a str>)>,
    /// Other parameters: name and value as the caller wrote them.
    unknown: Vec<(&'a str, &'a str)>,
}

impl<'a> Given<'a> {
    /// Matches the parameters of a query with those of an operation.
    ///
    /// Letter case is ignored, and `projects[0]` is a further value of `projects`.
    pub(super) fn of(operation: &'a Operation, query: &'a [(String, String)]) -> Self {
        let mut given = Self::default();
        for (name, text) in query {
            let Some(parameter) = operation.parameter(base(name)) else {
                given.unknown.push((name, text));
                continue;
            };
            match given.known.iter_mut().find(|(known, _)| known.name == parameter.name) {
                Some((_, texts)) => texts.push(text),
                None => given.known.push((parameter, vec![text])),
            }
        }
        given
    }
}

/// Returns the name of a parameter without an index.
fn base(name: &str) -> &str {
    let indexed = name.strip_suffix(']').and_then(|name| name.rsplit_once('['));
    match indexed {
        Some((base, index)) if index.bytes().all(|byte| byte.is_ascii_digit()) => base,
        _ => name,
    }
}

impl Reading<'_> {
    /// Resolves the query. Returns the path with the query to send: parameter names as in the API reference,
    /// and documents by ID.
    pub(super) async fn query(&mut self, given: Given<'_>, mut path: Path) -> Result<Path, Error> {
        for (name, text) in given.unknown {
            self.unexplained(text);
            self.reasons
                .push(format!("`{name}` is not a parameter of this operation; leave it out"));
            path = path.with(name.to_owned(), text);
        }
        for (parameter, texts) in given.known {
            if parameter.subject.is_none() {
                if let [_, _, ..] = texts.as_slice() {
                    self.unexplained("");
                    self.reasons.push(format!("`{}` is given twice; give it once", parameter.name));
                }
                for text in texts {
                    self.resolve(parameter, &[text.to_owned()]).await?;
                    path = path.with(parameter.name, text);
                }
                continue;
            }
            let values = texts.iter().flat_map(|text| split_list(text));
            let values: Vec<String> = values.map(str::to_owned).collect();
            // Octopus does not filter by an empty list.
            if values.is_empty() {
                continue;
            }
            let resolved = self.resolve(parameter, &values).await?;
            if values.len() > 1 && !parameter.takes_many() {
                self.unexplained("");
                self.reasons.push(format!("`{}` takes one value", parameter.name));
            } else if let (Some(_), true, Some(subject)) =
                (&resolved, parameter.narrows, parameter.subject)
            {
                subject.determines().iter().for_each(|kind| {
                    self.open.remove(kind);
                });
            }
            path = path.with(parameter.name, resolved.unwrap_or(values).join(","));
        }
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::octopus::operations;

    #[test]
    fn an_index_does_not_hide_a_parameter() {
        for (name, expected) in [
            ("projects", "projects"),
            ("projects[0]", "projects"),
            ("projects[]", "projects"),
            ("projects[x]", "projects[x]"),
            ("projects[0].id", "projects[0].id"),
            ("[0]", ""),
        ] {
            assert_eq!(base(name), expected, "{name}");
        }
    }

    proptest! {
        /// Every parameter is known or unknown, in any spelling, and no value is lost.
        #[test]
        fn no_parameter_of_a_query_is_lost(
            query in prop::collection::vec(("[a-zA-Z]{1,12}(\\[[0-9]{0,2}\\])?|[Pp]rojects(\\[0\\])?", "\\PC{0,8}"), 0..6),
        ) {
            let segments = ["Spaces-1".to_owned(), "deployments".to_owned()];
            let found = operations::find("GET", &segments).unwrap();
            let given = Given::of(found.operation, &query);
            let known: usize = given.known.iter().map(|(_, texts)| texts.len()).sum();
            prop_assert_eq!(known + given.unknown.len(), query.len());
            for (name, _) in &query {
                if name.to_lowercase().starts_with("projects") {
                    prop_assert!(given.known.iter().any(|(parameter, _)| parameter.name == "projects"));
                }
            }
        }
    }
}
