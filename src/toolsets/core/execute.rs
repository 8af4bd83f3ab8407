//! `execute`: any other request of the API.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    response::{self, Omitted, Response},
    touched,
};
use crate::{
    octopus::{self, Order, Path, Reply},
    tool::{ApiPath, Change, Context, Error, Plan, Proposal, Tier, Verb},
    toolsets::attribution::{Attribution, Written},
};

/// Call an endpoint of the Octopus REST API that no other tool covers. Keys, users, rights and
/// server settings are closed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Execute {
    /// The method.
    method: Verb,
    /// Like /api/Spaces-1/projects, without a query.
    path: String,
    /// Like skip and take.
    #[schemars(with = "Option<BTreeMap<String, String>>")]
    query: Option<BTreeMap<String, Scalar>>,
    /// Any JSON.
    body: Option<Value>,
    /// CSV, where there is.
    as_csv: Option<bool>,
}

/// The value of a parameter. Numbers and truths are taken for how they are written.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Number(serde_json::Number),
    Truth(bool),
}

impl Scalar {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Truth(truth) => truth.to_string(),
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Executed {
    success: bool,
    method: Verb,
    /// The path and query as they were sent.
    path: String,
    tier: Does,
    /// Where the page begins, of an answer that is one.
    skip: Option<u64>,
    /// Where to go on, of a page that was cut.
    next_skip: Option<u64>,
    /// What Octopus answered, without its Links.
    response: Value,
    /// What is not in `response`, where Octopus answered much more than can be shown.
    omitted: Option<Omitted>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum Does {
    Read,
    Write,
    Delete,
}

impl Change for Execute {
    const NAME: &'static str = "execute";
    const TITLE: &'static str = "Call the Octopus REST API";
    const TAKES_MAX_BYTES: bool = true;
    const TIER: Tier = Tier::Delete;
    const LEAST: Tier = Tier::Read;

    type Output = Executed;

    fn tier(&self) -> Tier {
        self.method.tier()
    }

    async fn plan(&self, cx: &Context) -> Result<Plan<Executed>, Error> {
        let path = self.allowed(cx).await?;
        let to_send = self.to_send(&path)?;
        let Some(method) = self.method.change() else {
            let written = Written { path: &path, query: self.parameters(), csv: self.csv(&path) };
            let read = Attribution::of(written, to_send, cx).await?;
            let answer = cx.session.fetch(&read.path).await.map_err(|error| named(error, &path))?;
            let response = response::shown(answer, &read.path, cx).await?;
            read.judge(&response.value, response.has_all_fields(), cx).await?;
            return Ok(Plan::Nothing(self.executed(&read.path, response)));
        };
        let order = Order { method, path: to_send.clone(), body: self.body.clone() };
        let (action, question) = match self.method {
            Verb::Delete => ("deletion", "Delete this from Octopus? It cannot be undone."),
            _ => ("API call", "Send this to Octopus?"),
        };
        let sent = to_send.to_string();
        let (place, query) = sent.split_once('?').unwrap_or((&sent, ""));
        let reach =
            touched::by(&path, self.method, &self.parameters(), self.body.as_ref(), cx).await?;
        touched::judge_as_read(&path, &reach.touches, cx).await?;
        let mut proposal = Proposal::new(action, question, order)
            .doing(reach.deed)
            .touching(reach.touches)
            .beginning(reach.begins)
            .fact("Method", method.to_string())
            .wrote("Path", Some(place))
            .wrote("Query", (!query.is_empty()).then_some(query));
        if let Some(document) = self.subject(&path, cx).await? {
            proposal = shown(proposal, &document, self.method);
        }
        Ok(Plan::Change(proposal.wrote("Body", self.body.as_ref().map(response::visible))))
    }

    async fn report(self, reply: Reply, cx: &Context) -> Result<Executed, Error> {
        let to_send = self.to_send(&ApiPath::parse(&self.path)?)?;
        let response = response::replied(reply, cx).await?;
        Ok(self.executed(&to_send, response))
    }
}

impl Execute {
    /// The path, where everything lets it pass.
    async fn allowed(&self, cx: &Context) -> Result<ApiPath, Error> {
        let path = ApiPath::parse(&self.path)?;
        let method = self.method;
        let bodiless = matches!(method, Verb::Get | Verb::Delete);
        if bodiless && self.body.is_some() {
            return Err(Error::Invalid("GET and DELETE take no body; leave `body` out".to_owned()));
        }
        if self.as_csv == Some(true) && method != Verb::Get {
            return Err(Error::Invalid("only a GET can ask for CSV; leave asCsv out".to_owned()));
        }
        if self.body.as_ref().is_some_and(response::holds_redacted) {
            return Err(Error::Invalid(
                "the body holds a '[redacted' that stands for a secret which this server took out; \
                 sending it would put these words in the place of the secret"
                    .to_owned(),
            ));
        }
        path.allow(method, self.body.as_ref(), &cx.policy)?;
        if cx.policy.fixed().space || cx.caller.grants.spaces.is_some() {
            let named = path.space().filter(|_| !cx.policy.fixed().space);
            let space = match (named, &cx.caller.grants.spaces) {
                (None, Some(granted)) if !cx.policy.fixed().space => {
                    // What is of no space may be read with whichever is granted.
                    cx.space(granted.first().map(String::as_str)).await?
                }
                (named, _) => cx.space(named).await?,
            };
            let keys = self.query.iter().flat_map(BTreeMap::keys);
            path.within(space.id().as_str(), method, keys, self.body.as_ref())?;
        }
        Ok(path)
    }

    fn to_send(&self, path: &ApiPath) -> Result<Path, Error> {
        let mut to_send = path.to_send();
        let is_plain = |name: &str, wanted: &str| {
            let letters = name.chars().filter(char::is_ascii_alphanumeric);
            letters.collect::<String>().eq_ignore_ascii_case(wanted)
        };
        let refuse = |reason: &str| {
            Err(Error::Argument { field: "query".to_owned(), reason: reason.to_owned() })
        };
        let is_csv = self.as_csv == Some(true);
        for (name, value) in self.query.iter().flatten() {
            if name.trim().is_empty() {
                return refuse("a parameter has no name");
            }
            if is_plain(name, "apikey") || is_plain(name, "accesstoken") {
                return refuse("requests are made with the caller's own credential alone");
            }
            if is_csv && ["format", "asCsv"].iter().any(|other| is_plain(name, other)) {
                return refuse("asCsv says this already; give one of the two");
            }
            to_send = to_send.with(name.clone(), value.text());
        }
        Ok(self.csv(path).into_iter().fold(to_send, |path, (name, value)| path.with(name, value)))
    }

    /// The parameters of the query, as they were written.
    fn parameters(&self) -> Vec<(String, String)> {
        self.query.iter().flatten().map(|(key, value)| (key.clone(), value.text())).collect()
    }

    /// The parameters that ask for CSV. The audit log has one of its own.
    fn csv(&self, path: &ApiPath) -> Vec<(&'static str, &'static str)> {
        let own = path.ends_with("events").then_some(("asCsv", "true"));
        let is_csv = self.as_csv == Some(true);
        [("format", "csv")].into_iter().chain(own).filter(|_| is_csv).collect()
    }

    /// The document that a change is about, where it can be read.
    async fn subject(&self, path: &ApiPath, cx: &Context) -> Result<Option<Value>, Error> {
        let open = |path: &ApiPath| path.allow(Verb::Get, None, &cx.policy).is_ok();
        let Some(subject) = path.subject(self.method).filter(open) else { return Ok(None) };
        match cx.session.state(&subject.to_send()).await {
            Ok(document) => Ok(Some(document).filter(Value::is_object)),
            Err(error @ octopus::Error::NotFound { .. }) if self.method == Verb::Delete => {
                Err(named(error, &subject))
            }
            Err(
                octopus::Error::NotFound { .. }
                | octopus::Error::Forbidden { .. }
                | octopus::Error::Rejected { .. }
                | octopus::Error::Unexpected { .. },
            ) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn executed(&self, path: &Path, response: Response) -> Executed {
        let asked = self.query.as_ref().and_then(|query| query.get("skip")?.text().parse().ok());
        let (skip, next_skip) = response.paging(asked.unwrap_or(0)).unzip();
        let Response { value: response, omitted } = response;
        Executed {
            success: true,
            method: self.method,
            path: path.to_string(),
            tier: match self.method.tier() {
                Tier::Read => Does::Read,
                Tier::Write => Does::Write,
                Tier::Delete => Does::Delete,
            },
            skip,
            next_skip: next_skip.flatten(),
            response,
            omitted,
        }
    }
}

/// A 404 does not say what was looked for.
fn named(error: octopus::Error, path: &ApiPath) -> Error {
    Error::Octopus(match error {
        octopus::Error::NotFound { .. } => octopus::Error::NotFound {
            noun: "resource",
            wanted: path.to_send().to_string(),
            place: None,
            near: Vec::new(),
        },
        error => error,
    })
}

/// Adds what a person should know of the document that is changed, and holds it to that.
fn shown(proposal: Proposal, document: &Value, method: Verb) -> Proposal {
    let text =
        |key: &str| document.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let is_called = ["Name", "Version", "Filename", "Description"].iter().find_map(|key| text(key));
    let about = match method {
        Verb::Delete => "Deletes",
        Verb::Post => "Acts on",
        _ => "Changes",
    };
    let name = match (is_called, text("Id")) {
        (Some(name), Some(id)) => Some(format!("{name} ({id})")),
        (name, id) => name.or(id).map(str::to_owned),
    };
    let state = match method {
        // What goes on by itself would never be as it was shown.
        Verb::Post => ["Id", "Name", "State"]
            .iter()
            .map(|key| document.get(*key).cloned().unwrap_or_default())
            .collect(),
        _ => document.clone(),
    };
    proposal
        .fact_if(about, name)
        .fact_if("State", text("State"))
        .fact_if("Last modified", text("LastModifiedOn"))
        .state(state)
}
