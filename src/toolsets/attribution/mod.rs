//! Attributes an `execute` read to spaces, projects, environments and tenants, if policy rules
//! about reads exist.
//!
//! 1. The table of operations ([`operations`]) lists the documents that the parameters of the path
//!    and query name, and the other kinds that the response may contain. `parameters` and `resolve`
//!    resolve names to IDs.
//! 2. A kind that the response may contain is unknown, unless a parameter limits the response to
//!    named documents. An unknown path, parameter or space makes every kind unknown.
//! 3. Policy rules are evaluated. Rules that deny apply to unknown kinds.
//! 4. The request is sent with the IDs of its space and of the named documents, for which rules
//!    were evaluated.
//! 5. Rules are evaluated for the documents in the response as well ([`answer`]).

mod answer;
mod parameters;
mod resolve;

use std::collections::BTreeSet;

use serde_json::Value;

use self::parameters::QueryParameters;
pub(super) use self::resolve::{is_known_id, is_unresolved, split_list};
use crate::{
    access::ExecutePath,
    octopus::{
        self, AccessSet, ApiPath, ResourceKind, Space,
        operations::{self, Match, Operation, PathSegment, SpaceScope},
    },
    tool::{Context, Error},
};

/// The kinds of documents that policy rules match.
const KINDS: [ResourceKind; 4] =
    [ResourceKind::Space, ResourceKind::Project, ResourceKind::Environment, ResourceKind::Tenant];

/// An attributed read: the request to send, and the accessed documents.
#[derive(Debug)]
pub(super) struct Attribution {
    /// Path and query to send.
    pub(super) path: ApiPath,
    /// The accessed documents. `None` if no policy rule is about reads.
    access: Option<AccessSet>,
}

/// The state of an attribution in progress.
struct Reading<'a> {
    cx: &'a Context,
    space: Option<Space>,
    access: AccessSet,
    /// The reasons for unknown kinds, for the error message.
    reasons: Vec<String>,
    /// Kinds with possibly more documents in the response than the parameters name.
    unlimited_kinds: BTreeSet<ResourceKind>,
}

/// A read as the caller requested it.
pub(super) struct RequestedRead<'a> {
    /// The path.
    pub(super) path: &'a ExecutePath,
    /// The query parameters.
    pub(super) query: Vec<(String, String)>,
    /// The query parameters that this server adds for a CSV response.
    pub(super) csv: Vec<(&'static str, &'static str)>,
}

impl Attribution {
    /// Attributes a read and checks it against the rules about reads.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Denied`] if a rule denies or may deny the read, and failures of Octopus.
    pub(super) async fn of(
        requested: RequestedRead<'_>,
        as_is: ApiPath,
        cx: &Context,
    ) -> Result<Self, Error> {
        if !cx.policy.has_read_rules() {
            return Ok(Self { path: as_is, access: None });
        }
        let mut reading = Reading {
            cx,
            space: None,
            access: AccessSet::default(),
            reasons: Vec::new(),
            unlimited_kinds: BTreeSet::new(),
        };
        let path = if let Some(found) = operations::find("GET", requested.path.segments()) {
            reading.attribute_operation(&found, &requested).await?
        } else {
            for segment in requested.path.segments() {
                reading.access.add_id(segment);
            }
            reading.mark_all_unknown(format!(
                "{} is not a known operation of the Octopus API, so what it reads is unknown; use \
                 another tool or path",
                requested.path.to_path()
            ));
            as_is
        };
        octopus::resolve_owners(&cx.session, &mut reading.access).await?;
        let Reading { access: mut access_set, reasons, .. } = reading;
        cx.check_access_set(&mut access_set, &reasons).await?;
        cx.session.access_recorder().record(|recorded| recorded.merge(access_set.clone()));
        Ok(Self { path, access: Some(access_set) })
    }

    /// Checks the documents of the response against the rules about reads.
    ///
    /// Without `has_all_fields`, fields that name the owner of a document may be missing, so every
    /// kind is unknown.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Denied`] if a rule denies or may deny the read, and failures of Octopus.
    pub(super) async fn check_response(
        &self,
        response: &Value,
        has_all_fields: bool,
        cx: &Context,
    ) -> Result<(), Error> {
        let Some(access_set) = &self.access else { return Ok(()) };
        let mut access_set = access_set.clone();
        let mut reasons = Vec::new();
        answer::add_owners(response, &mut access_set);
        if !has_all_fields {
            access_set = access_set.with_incomplete(KINDS);
            reasons.push(
                "the response is too large to read all fields, so the owners of its documents are \
                 unknown; request fewer items or a single document"
                    .to_owned(),
            );
        }
        octopus::resolve_owners(&cx.session, &mut access_set).await?;
        let checked = cx.check_access_set(&mut access_set, &reasons).await;
        checked.map_err(|error| match error {
            Error::Denied { unknown: None, .. } => with_reason(error, DENIED_BY_ANSWER),
            error => error,
        })?;
        let mut scoped = AccessSet::default();
        answer::add_scopes(response, &mut scoped);
        if scoped == AccessSet::default() {
            return Ok(());
        }
        access_set.merge(scoped);
        octopus::resolve_owners(&cx.session, &mut access_set).await?;
        let checked = cx.check_access_set(&mut access_set, &reasons).await;
        checked.map_err(|error| with_reason(error, DENIED_BY_SCOPE))
    }
}

/// Explains that a rule matches a document in the response although the request was allowed.
const DENIED_BY_ANSWER: &str = "the response contains a document that the rule denies; read single documents \
    that it allows, or use the tool for this kind of document";
/// Explains that a rule matches the scope of a value in the response.
const DENIED_BY_SCOPE: &str = "a value in the response is scoped to something that the rule denies; \
    get_variables, if listed, leaves out such values";

/// Adds a reason to the message of [`Error::Denied`].
fn with_reason(error: Error, reason: &str) -> Error {
    match error {
        Error::Denied { rule, message, unknown } => {
            let parts = message.as_deref().into_iter().chain([reason]).collect::<Vec<_>>();
            Error::Denied { rule, message: Some(parts.join("; ")), unknown }
        }
        error => error,
    }
}

impl Reading<'_> {
    /// Attributes the read of a known operation. Returns the request to send.
    async fn attribute_operation(
        &mut self,
        found: &Match<'_>,
        requested: &RequestedRead<'_>,
    ) -> Result<ApiPath, Error> {
        let operation = found.operation;
        self.unlimited_kinds.extend(&operation.response_kinds);
        let needs_space = found.space.is_some() || operation.scope == SpaceScope::Space;
        self.space = match (found.space, operation.scope) {
            (Some(name), _) => self.enter(name).await?,
            (None, SpaceScope::Space) => self.enter_default().await?,
            (None, SpaceScope::Mixed) => {
                self.mark_all_unknown(
                    "without a space it reads from all spaces; name a space in the path, e.g. \
                     /api/Spaces-1/tasks"
                        .to_owned(),
                );
                None
            }
            (None, SpaceScope::System | SpaceScope::Any) => None,
        };
        match &self.space {
            Some(space) => space.record_access(&mut self.access),
            None if needs_space => self.mark_all_unknown(
                "its space is unknown; name a space by ID in the path, e.g. /api/Spaces-1/projects"
                    .to_owned(),
            ),
            None => {}
        }
        let below = self.resolve_path(operation, found.segments).await?;
        let path = match &self.space {
            Some(space) => space.path(below),
            None if found.space.is_some() => requested.path.to_path(),
            None => ApiPath::new(below),
        };
        let given = QueryParameters::new(operation, &requested.query);
        let path = self.resolve_query(given, path).await?;
        let path = requested.csv.iter().fold(path, |path, (name, value)| path.query(*name, *value));
        let is_csv = requested.query.iter().any(|(name, _)| name.eq_ignore_ascii_case("asCsv"));
        if (is_csv || !requested.csv.is_empty()) && !operation.response_kinds.is_empty() {
            self.unlimited_kinds.extend(&operation.response_kinds);
            self.reasons.push("CSV rows cannot be attributed; leave out asCsv".to_owned());
        }
        self.mark_unlimited_kinds(operation);
        Ok(path)
    }

    /// Resolves the path parameters. Returns the path segments below the space.
    async fn resolve_path(
        &mut self,
        operation: &Operation,
        below: &[String],
    ) -> Result<Vec<String>, Error> {
        let mut sent = Vec::with_capacity(below.len());
        for (part, segment) in operation.path.iter().zip(below) {
            let resolved = match part {
                PathSegment::Parameter(parameter) => {
                    self.resolve(parameter, std::slice::from_ref(segment)).await?
                }
                PathSegment::Literal(_) => None,
            };
            let resolved = resolved.and_then(|ids| ids.into_iter().next());
            sent.push(resolved.unwrap_or_else(|| segment.clone()));
        }
        Ok(sent)
    }

    /// Marks every kind as unknown, for this reason.
    fn mark_all_unknown(&mut self, reason: String) {
        self.access = std::mem::take(&mut self.access).with_incomplete(KINDS);
        self.reasons.push(reason);
    }

    /// Marks kinds as unknown if the response may contain them without a limiting parameter.
    fn mark_unlimited_kinds(&mut self, operation: &Operation) {
        if self.unlimited_kinds.is_empty() {
            return;
        }
        // Prefers the parameter that determines the fewest kinds, then the parameter that names the
        // kind itself.
        let limits = |kind: &ResourceKind| {
            let limiting = operation.query.iter().filter_map(|parameter| {
                let subject = parameter.subject.filter(|_| parameter.filters)?;
                let determines = subject.determines();
                let rank = (determines.len(), subject.is_owned());
                determines.contains(kind).then_some((rank, parameter.name))
            });
            limiting.min_by_key(|(rank, _)| *rank).map(|(_, name)| name)
        };
        let kinds = self.unlimited_kinds.iter().map(|kind| match limits(kind) {
            Some(name) => format!("{} (limit it by `{name}` in the query)", kind.collection()),
            None => format!("{} (no parameter limits it)", kind.collection()),
        });
        let kinds = kinds.collect::<Vec<_>>().join(", ");
        self.reasons.push(format!("its response may contain documents of any {kinds}"));
        self.access =
            std::mem::take(&mut self.access).with_incomplete(self.unlimited_kinds.iter().copied());
    }
}
