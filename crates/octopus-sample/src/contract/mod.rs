//! The contract with Octopus: operations of its REST API, and the types of their bodies.
//!
//! `contract/operations.txt` and `contract/types.txt` hold the facts in one compact notation, which
//! each file explains in its first lines. They state what Octopus documents for its servers 2023.4
//! and 2026.3, and where both differ. Neither the client nor the routes of the sample instance are
//! derived from them. Therefore tests can compare both with the contract:
//!
//! - [`Contract::find`] matches a request with its operation.
//! - [`Contract::check_query`] and [`Contract::check_request_body`] find unknown parameters, unknown
//!   fields and wrong types of a request.
//! - [`Contract::check_response`] finds fields of a response that the server does not have, wrong
//!   types, and missing or null required fields.
//! - [`Contract::example`] builds documents in every form that a type allows, and
//!   [`Contract::reduce`] removes what a document may lack.
//!
//! ```
//! use octopus_sample::contract::{Contract, Edition, Shape, UnknownFields};
//! use serde_json::json;
//!
//! let contract = Contract::of(Edition::V2026_3);
//! let tasks = contract.find("GET", "/api/Spaces-1/tasks").unwrap();
//! assert!(contract.check_query(tasks, "hasPendingPreconditions=true").is_empty());
//! assert!(!contract.check_query(tasks, "nonsense=1").is_empty());
//!
//! // The fields of a type, for example to build documents from them.
//! let Some(Shape::Object(task)) = contract.named("Task") else { panic!() };
//! let state = task.fields.iter().find(|field| field.name == "State").unwrap();
//! assert!(!state.is_required, "State can be null or absent");
//! assert!(matches!(contract.resolve(&state.shape), Shape::Words(_)));
//!
//! let body = json!({ "Id": "ServerTasks-1", "State": "Sleeping" });
//! let problems = contract.check(&Shape::Named("Task"), &body, UnknownFields::Refused);
//! assert_eq!(problems.len(), 1, "{problems:?}");
//! ```

mod check;
mod example;
mod find;
mod parse;
mod recorded;
mod shape;

use std::collections::BTreeMap;
use std::sync::LazyLock;

pub use check::UnknownFields;
pub use example::{Form, Optional};
pub use recorded::{Recorded, recorded};
pub use shape::{Field, Object, Shape};

use parse::Document;

const OPERATIONS: &str = include_str!("../../contract/operations.txt");
const TYPES: &str = include_str!("../../contract/types.txt");

/// A version of Octopus Server that has a contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Edition {
    /// Server 2023.4, from its `OpenAPI` document.
    V2023_4,
    /// Server 2026.3, from the generated API reference.
    V2026_3,
}

impl Edition {
    /// Every edition, oldest first.
    pub const ALL: [Self; 2] = [Self::V2023_4, Self::V2026_3];

    /// Returns a version of a server of this edition, such as `2023.4.8600`.
    #[must_use]
    pub const fn server_version(self) -> &'static str {
        match self {
            Self::V2023_4 => "2023.4.8600",
            Self::V2026_3 => super::VERSION,
        }
    }
}

/// An operation of the API, as one edition has it.
#[derive(Debug)]
pub struct Operation {
    /// The method in upper case.
    pub method: &'static str,
    /// Whether the path is below a space.
    pub is_in_space: bool,
    /// The path below the space or below `/api`, such as `/releases/{id}`.
    pub path: &'static str,
    /// The query parameters. Octopus ignores the case of their names.
    pub query: Vec<Parameter>,
    /// The type of the request body; `None` if the sources define none.
    pub body: Option<Shape>,
    /// The status of a successful response.
    pub status: u16,
    /// The type of a successful response; `None` if the sources define none.
    pub response: Option<Shape>,
    /// Whether no API reference has the operation, although Octopus's own clients use it.
    pub is_undocumented: bool,
}

/// A query parameter.
#[derive(Debug)]
pub struct Parameter {
    /// The name.
    pub name: &'static str,
    /// Whether a request must have it.
    pub is_required: bool,
    /// The type of its value. A list is comma-separated, or the parameter is repeated.
    pub shape: Shape,
    /// Whether no API reference has it. Servers may ignore it.
    pub is_undocumented: bool,
}

/// The contract of one edition.
#[derive(Debug)]
pub struct Contract {
    edition: Edition,
    operations: Vec<Operation>,
    types: BTreeMap<&'static str, Shape>,
    errors: Vec<String>,
}

impl Contract {
    /// Returns the contract of an edition. It is parsed once.
    #[must_use]
    pub fn of(edition: Edition) -> &'static Self {
        static CONTRACTS: [LazyLock<Contract>; 2] = [
            LazyLock::new(|| Contract::parse(Edition::V2023_4, OPERATIONS, TYPES)),
            LazyLock::new(|| Contract::parse(Edition::V2026_3, OPERATIONS, TYPES)),
        ];
        let [oldest, newest] = &CONTRACTS;
        match edition {
            Edition::V2023_4 => oldest,
            Edition::V2026_3 => newest,
        }
    }

    /// Returns the edition.
    #[must_use]
    pub const fn edition(&self) -> Edition {
        self.edition
    }

    /// Returns the operations in the order of the file.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Returns the types with their names, in the order of the names. Types with a parameter, such
    /// as `Page`, are not among them.
    pub fn types(&self) -> impl Iterator<Item = (&'static str, &Shape)> {
        self.types.iter().map(|(name, shape)| (*name, shape))
    }

    /// Returns the type with this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Shape> {
        self.types.get(name)
    }

    /// Returns the type that a [`Shape::Named`] names, and every other shape unchanged. A name that
    /// does not exist is returned unchanged, too.
    #[must_use]
    pub fn resolve<'a>(&'a self, shape: &'a Shape) -> &'a Shape {
        match shape {
            Shape::Named(name) => self.types.get(name).unwrap_or(shape),
            _ => shape,
        }
    }

    /// Returns the entries of the files that could not be read, each with the reason. A test requires
    /// an empty list.
    #[must_use]
    pub fn errors(&self) -> &[String] {
        &self.errors
    }

    fn parse(edition: Edition, operations: &'static str, types: &'static str) -> Self {
        let document = Document::parse(edition, operations, types);
        Self {
            edition,
            operations: document.operations,
            types: document.types,
            errors: document.errors,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_line_of_the_files_is_read() {
        for edition in Edition::ALL {
            let contract = Contract::of(edition);
            assert_eq!(contract.errors(), <[String; 0]>::default(), "{edition:?}");
            assert!(contract.operations.len() > 250, "{}", contract.operations.len());
        }
    }

    #[test]
    fn every_named_type_exists() {
        for edition in Edition::ALL {
            let contract = Contract::of(edition);
            let mut names = BTreeSet::new();
            for operation in contract.operations() {
                let query = operation.query.iter().map(|parameter| &parameter.shape);
                for shape in query.chain(&operation.body).chain(&operation.response) {
                    shape.visit(&mut |shape| {
                        if let Shape::Named(name) = shape {
                            names.insert(*name);
                        }
                    });
                }
            }
            for (_, shape) in contract.types() {
                shape.visit(&mut |shape| {
                    if let Shape::Named(name) = shape {
                        names.insert(*name);
                    }
                });
            }
            for name in names {
                assert!(contract.named(name).is_some(), "{name} of {edition:?}");
            }
        }
    }

    #[test]
    fn editions_differ_where_the_marks_say_so() {
        let [old, new] = Edition::ALL.map(Contract::of);
        let status = |contract: &Contract| {
            contract.find("POST", "/api/Spaces-1/releases/create/v1").map(|found| found.status)
        };
        assert_eq!((status(old), status(new)), (Some(200), Some(201)));
        let has = |contract: &Contract, name: &str| match contract.named("Task") {
            Some(Shape::Object(task)) => task.fields.iter().any(|field| field.name == name),
            _ => false,
        };
        assert!(has(old, "UnmetPreconditions") && !has(new, "UnmetPreconditions"));
        assert!(!has(old, "PendingPreconditionTypes") && has(new, "PendingPreconditionTypes"));
        assert!(
            old.find("GET", "/api/Spaces-1/environments/v2")
                .is_some_and(|found| { found.path == "/environments/{id}" })
        );
        assert!(
            new.find("GET", "/api/Spaces-1/environments/v2")
                .is_some_and(|found| { found.path == "/environments/v2" })
        );
    }
}
