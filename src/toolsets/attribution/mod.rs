//! Attributes a read of `execute` to spaces, projects, environments and tenants while rules about
//! reads exist.
//!
//! The operation decides ([`operations`]): its parameters are resolved to IDs, and the kinds of
//! things that its answer may hold beyond those are unknown unless a parameter limits the answer to
//! named things. An unknown path, parameter or space makes every kind unknown, so that a rule about
//! any of them refuses the read. The request is sent in the form that was judged: with the ID of its
//! space, and with the IDs of what its parameters name. The answer is judged as well ([`answer`]).

mod answer;
mod parameters;
mod resolve;

use std::collections::BTreeSet;

use serde_json::Value;

use self::parameters::Given;
pub(super) use self::resolve::{is_id, is_nothing, split_list};
use crate::{
    octopus::{
        self, Kind, Path, Space, Touches,
        operations::{self, Match, Operation, Part, Scope},
    },
    tool::{ApiPath, Context, Error},
};

/// The kinds of things that rules are about.
const KINDS: [Kind; 4] = [Kind::Space, Kind::Project, Kind::Environment, Kind::Tenant];

/// A read as it is sent, and what it reaches.
#[derive(Debug)]
pub(super) struct Attribution {
    /// The request.
    pub(super) path: Path,
    /// What it reaches; none if no rule is about reads.
    reached: Option<Touches>,
}

/// What is known of a read so far.
struct Reading<'a> {
    cx: &'a Context,
    space: Option<Space>,
    reached: Touches,
    /// Why something is unknown.
    reasons: Vec<String>,
    /// The kinds of which the answer may hold more things than the parameters name.
    open: BTreeSet<Kind>,
}

/// A read as the caller wrote it.
pub(super) struct Written<'a> {
    /// The path.
    pub(super) path: &'a ApiPath,
    /// The parameters of the query.
    pub(super) query: Vec<(String, String)>,
    /// The parameters that this server adds for an answer as CSV.
    pub(super) csv: Vec<(&'static str, &'static str)>,
}

impl Attribution {
    /// Attributes a read and refuses it if a rule about reads denies it or may deny it.
    pub(super) async fn of(written: Written<'_>, as_is: Path, cx: &Context) -> Result<Self, Error> {
        if !cx.rules.are_about_reads() {
            return Ok(Self { path: as_is, reached: None });
        }
        let mut reading = Reading {
            cx,
            space: None,
            reached: Touches::default(),
            reasons: Vec::new(),
            open: BTreeSet::new(),
        };
        let path = if let Some(found) = operations::find("GET", written.path.segments()) {
            reading.operation(&found, &written).await?
        } else {
            for segment in written.path.segments() {
                reading.reached.add_id(segment);
            }
            reading.unknown(format!(
                "{} is not an operation of the Octopus API that this server knows, so what it \
                 reads is unknown; read it with another tool or path",
                written.path.to_send()
            ));
            as_is
        };
        octopus::follow(&cx.session, &mut reading.reached).await?;
        let Reading { mut reached, reasons, .. } = reading;
        cx.judge_reach(&mut reached, &reasons).await?;
        cx.session.touched().note(|noted| noted.extend(reached.clone()));
        Ok(Self { path, reached: Some(reached) })
    }

    /// Judges the answer by where its documents belong, and refuses what the rules refuse. Where an
    /// object is without some of its fields (`has_all_fields`), its place may be among them, so it
    /// is unknown.
    pub(super) async fn judge(
        &self,
        response: &Value,
        has_all_fields: bool,
        cx: &Context,
    ) -> Result<(), Error> {
        let Some(reached) = &self.reached else { return Ok(()) };
        let mut reached = reached.clone();
        let mut reasons = Vec::new();
        answer::places(response, &mut reached);
        if !has_all_fields {
            reached = reached.unsure(KINDS);
            reasons.push(
                "its answer is too large to be read whole, so where its documents belong is \
                 unknown; ask for fewer items or for one document"
                    .to_owned(),
            );
        }
        octopus::follow(&cx.session, &mut reached).await?;
        let judged = cx.judge_reach(&mut reached, &reasons).await;
        judged.map_err(|error| match error {
            Error::Denied { unknown: None, .. } => explained(error, IN_ANSWER),
            error => error,
        })?;
        let mut scoped = Touches::default();
        answer::scopes(response, &mut scoped);
        if scoped == Touches::default() {
            return Ok(());
        }
        reached.extend(scoped);
        octopus::follow(&cx.session, &mut reached).await?;
        let judged = cx.judge_reach(&mut reached, &reasons).await;
        judged.map_err(|error| explained(error, IN_SCOPE))
    }
}

/// Says that a rule matches a document in the answer. The request itself was allowed.
const IN_ANSWER: &str = "the answer of Octopus names what the rule is about; read single documents \
    that do not name it, or use the tool for this kind of document";
/// Says that a rule matches the scope of a value in the answer.
const IN_SCOPE: &str = "a value in the answer is scoped to what the rule is about; get_variables, \
    where it is listed, leaves such values out";

/// Adds a reason to the message of a refusal.
fn explained(error: Error, reason: &str) -> Error {
    match error {
        Error::Denied { rule, message, unknown } => {
            let said = message.as_deref().into_iter().chain([reason]).collect::<Vec<_>>();
            Error::Denied { rule, message: Some(said.join("; ")), unknown }
        }
        error => error,
    }
}

impl Reading<'_> {
    /// Attributes the read of a known operation; returns the request as it is sent.
    async fn operation(&mut self, found: &Match<'_>, written: &Written<'_>) -> Result<Path, Error> {
        let operation = found.operation;
        self.open.extend(&operation.holds);
        let needs_space = found.space.is_some() || operation.scope == Scope::Space;
        self.space = match (found.space, operation.scope) {
            (Some(name), _) => self.enter(name).await?,
            (None, Scope::Space) => self.enter_default().await?,
            (None, Scope::Mixed) => {
                self.unknown(
                    "without a space it reads from all of them; name one in the path, as in \
                     /api/Spaces-1/tasks"
                        .to_owned(),
                );
                None
            }
            (None, Scope::System | Scope::Either) => None,
        };
        match &self.space {
            Some(space) => space.touches(&mut self.reached),
            None if needs_space => self.unknown(
                "its space is unknown; name one in the path by its ID, as in /api/Spaces-1/projects"
                    .to_owned(),
            ),
            None => {}
        }
        let below = self.segments(operation, found.below).await?;
        let path = match &self.space {
            Some(space) => space.path(below),
            None if found.space.is_some() => written.path.to_send(),
            None => Path::new(below),
        };
        let given = Given::of(operation, &written.query);
        let path = self.query(given, path).await?;
        let path = written.csv.iter().fold(path, |path, (name, value)| path.with(*name, *value));
        let is_csv = written.query.iter().any(|(name, _)| name.eq_ignore_ascii_case("asCsv"));
        if (is_csv || !written.csv.is_empty()) && !operation.holds.is_empty() {
            self.open.extend(&operation.holds);
            self.reasons.push("rows of CSV cannot be attributed; leave asCsv out".to_owned());
        }
        self.leave_open(operation);
        Ok(path)
    }

    /// Resolves the parameters of the path; returns the segments below the space.
    async fn segments(
        &mut self,
        operation: &Operation,
        below: &[String],
    ) -> Result<Vec<String>, Error> {
        let mut sent = Vec::with_capacity(below.len());
        for (part, segment) in operation.path.iter().zip(below) {
            let resolved = match part {
                Part::Parameter(parameter) => {
                    self.resolve(parameter, std::slice::from_ref(segment)).await?
                }
                Part::Literal(_) => None,
            };
            let resolved = resolved.and_then(|ids| ids.into_iter().next());
            sent.push(resolved.unwrap_or_else(|| segment.clone()));
        }
        Ok(sent)
    }

    /// Marks every kind as unknown.
    fn unknown(&mut self, reason: String) {
        self.reached = std::mem::take(&mut self.reached).unsure(KINDS);
        self.reasons.push(reason);
    }

    /// Marks the kinds as unknown that the answer may hold without a parameter that names them.
    fn leave_open(&mut self, operation: &Operation) {
        if self.open.is_empty() {
            return;
        }
        // The parameter that names the fewest other kinds, and things of the kind itself at best.
        let limits = |kind: &Kind| {
            let limiting = operation.query.iter().filter_map(|parameter| {
                let subject = parameter.subject.filter(|_| parameter.narrows)?;
                let determines = subject.determines();
                let rank = (determines.len(), subject.is_between());
                determines.contains(kind).then_some((rank, parameter.name))
            });
            limiting.min_by_key(|(rank, _)| *rank).map(|(_, name)| name)
        };
        let said = self.open.iter().map(|kind| match limits(kind) {
            Some(name) => format!("{} (limit it by `{name}` in the query)", kind.collection()),
            None => format!("{} (no parameter limits it)", kind.collection()),
        });
        let said = said.collect::<Vec<_>>().join(", ");
        self.reasons.push(format!("its answer may hold things of any {said}"));
        self.reached = std::mem::take(&mut self.reached).unsure(self.open.iter().copied());
    }
}
