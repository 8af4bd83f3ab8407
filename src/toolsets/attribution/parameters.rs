//! Matches the query of a read with the parameters of its operation, and resolves their values.

use super::{Reading, split_list};
use crate::{
    octopus::{
        ApiPath,
        operations::{Operation, Parameter},
    },
    tool::Error,
};

/// The parameters of a query.
#[derive(Debug, Default)]
pub(super) struct QueryParameters<'a> {
    /// Parameters of the operation, each with its values in order.
    known: Vec<(&'a Parameter, Vec<&'a str>)>,
    /// Other parameters: name and value as the caller sent them.
    unknown: Vec<(&'a str, &'a str)>,
}

impl<'a> QueryParameters<'a> {
    /// Matches the parameters of a query with those of an operation.
    ///
    /// Ignores letter case. `projects[0]` is a further value of `projects`.
    pub(super) fn new(operation: &'a Operation, query: &'a [(String, String)]) -> Self {
        let mut given = Self::default();
        for (name, text) in query {
            let Some(parameter) = operation.parameter(base_name(name)) else {
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
fn base_name(name: &str) -> &str {
    let indexed = name.strip_suffix(']').and_then(|name| name.rsplit_once('['));
    match indexed {
        Some((base, index)) if index.bytes().all(|byte| byte.is_ascii_digit()) => base,
        _ => name,
    }
}

impl Reading<'_> {
    /// Resolves the query. Returns the path with the query to send: parameter names as in the API
    /// reference, and documents by ID.
    pub(super) async fn resolve_query(
        &mut self,
        given: QueryParameters<'_>,
        mut path: ApiPath,
    ) -> Result<ApiPath, Error> {
        for (name, text) in given.unknown {
            self.mark_unexplained(text);
            self.reasons
                .push(format!("`{name}` is not a parameter of this operation; leave it out"));
            path = path.query(name.to_owned(), text);
        }
        for (parameter, texts) in given.known {
            if parameter.subject.is_none() {
                if let [_, _, ..] = texts.as_slice() {
                    self.mark_unexplained("");
                    self.reasons.push(format!("`{}` is given twice; give it once", parameter.name));
                }
                for text in texts {
                    self.resolve(parameter, &[text.to_owned()]).await?;
                    path = path.query(parameter.name, text);
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
            if values.len() > 1 && !parameter.is_list() {
                self.mark_unexplained("");
                self.reasons.push(format!("`{}` takes one value", parameter.name));
            } else if let (Some(_), true, Some(subject)) =
                (&resolved, parameter.filters, parameter.subject)
            {
                subject.determines().iter().for_each(|kind| {
                    self.unlimited_kinds.remove(kind);
                });
            }
            path = path.query(parameter.name, resolved.unwrap_or(values).join(","));
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
    fn base_name_ignores_an_index() {
        for (name, expected) in [
            ("projects", "projects"),
            ("projects[0]", "projects"),
            ("projects[]", "projects"),
            ("projects[x]", "projects[x]"),
            ("projects[0].id", "projects[0].id"),
            ("[0]", ""),
        ] {
            assert_eq!(base_name(name), expected, "{name}");
        }
    }

    proptest! {
        /// Every parameter is known or unknown, in any spelling, and no value is lost.
        #[test]
        fn keeps_every_parameter_of_a_query(
            query in prop::collection::vec(("[a-zA-Z]{1,12}(\\[[0-9]{0,2}\\])?|[Pp]rojects(\\[0\\])?", "\\PC{0,8}"), 0..6),
        ) {
            let segments = ["Spaces-1".to_owned(), "deployments".to_owned()];
            let found = operations::find("GET", &segments).unwrap();
            let given = QueryParameters::new(found.operation, &query);
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
