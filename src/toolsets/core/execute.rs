//! `execute`: sends any other request of the Octopus REST API.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    change_access,
    response::{self, Omitted, Response},
};
use crate::{
    access::{ExecutePath, HttpMethod},
    approval::ChangePreview,
    octopus::{self, ApiPath, ChangeRequest, ChangeResponse},
    policy::Tier,
    tool::{Context, Error, Plan, WriteTool},
    toolsets::attribution::{Attribution, RequestedRead},
};

/// Call an endpoint of the Octopus REST API that no other tool covers. API keys, users, permissions
/// and server settings are blocked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Execute {
    /// HTTP method. All except GET change Octopus.
    method: HttpMethod,
    /// Path without query, e.g. "/api/Spaces-1/projects".
    path: String,
    /// Query parameters by name.
    #[schemars(with = "Option<BTreeMap<String, String>>", example = serde_json::json!({ "take": "10" }))]
    query: Option<BTreeMap<String, Scalar>>,
    /// JSON body for POST, PUT and PATCH.
    body: Option<Value>,
    /// Return CSV; GET only, if the endpoint supports it.
    #[schemars(extend("default" = false))]
    as_csv: Option<bool>,
}

/// The value of a query parameter. Numbers and booleans are sent as their JSON text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Scalar {
    Text(String),
    Number(serde_json::Number),
    Bool(bool),
}

impl Scalar {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Bool(truth) => truth.to_string(),
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Executed {
    success: bool,
    method: HttpMethod,
    /// Path and query as sent to Octopus.
    path: String,
    tier: ExecutedTier,
    /// The `skip` of this page, if the response is a page of a list.
    skip: Option<u64>,
    /// The `skip` of the items that were omitted from this page.
    next_skip: Option<u64>,
    /// Response of Octopus without its Links.
    response: Value,
    /// Counts of the parts that a very large response lost.
    omitted: Option<Omitted>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
enum ExecutedTier {
    Read,
    Write,
    Delete,
}

impl WriteTool for Execute {
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
        let path = self.allowed_path(cx).await?;
        let to_send = self.path_with_query(&path)?;
        let Some(method) = self.method.change_method() else {
            let written = RequestedRead {
                path: &path,
                query: self.parameters(),
                csv: self.csv_parameters(&path),
            };
            let read = Attribution::of(written, to_send, cx).await?;
            let answer =
                cx.session.fetch(&read.path).await.map_err(|error| not_found_at(error, &path))?;
            let response = response::read_response(answer, &read.path, cx).await?;
            read.check_response(&response.value, response.has_all_fields(), cx).await?;
            return Ok(Plan::NoChange(self.executed(&read.path, response)));
        };
        let change_request =
            ChangeRequest { method, path: to_send.clone(), body: self.body.clone() };
        let (action, title) = match self.method {
            HttpMethod::Delete => ("deletion", "Delete this from Octopus? It cannot be undone."),
            _ => ("API call", "Send this to Octopus?"),
        };
        let sent = to_send.to_string();
        let (path_text, query) = sent.split_once('?').unwrap_or((&sent, ""));
        let change_access = change_access::access_of(
            &path,
            self.method,
            &self.parameters(),
            self.body.as_ref(),
            cx,
        )
        .await?;
        change_access::check_read_rules(&path, &change_access.access, cx).await?;
        let mut preview = ChangePreview::new(action, title, change_request)
            .with_policy_action(change_access.action)
            .with_access_set(change_access.access)
            .with_begin(change_access.starts)
            .line("Method", method.to_string())
            .caller_text("Path", Some(path_text))
            .caller_text("Query", (!query.is_empty()).then_some(query));
        if let Some(document) = self.changed_document(&path, cx).await? {
            preview = show_document(preview, &document, self.method);
        }
        Ok(Plan::Change(
            preview.caller_text("Body", self.body.as_ref().map(response::escaped_body)),
        ))
    }

    async fn report(self, reply: ChangeResponse, cx: &Context) -> Result<Executed, Error> {
        let to_send = self.path_with_query(&ExecutePath::parse(&self.path)?)?;
        let response = response::read_reply(reply, cx).await?;
        Ok(self.executed(&to_send, response))
    }
}

impl Execute {
    /// Returns the parsed path if settings, grants and the pinned space allow the request.
    ///
    /// # Errors
    ///
    /// Returns the reason if the path is invalid, blocked or outside of the caller's spaces, or if
    /// arguments do not match the method.
    async fn allowed_path(&self, cx: &Context) -> Result<ExecutePath, Error> {
        let path = ExecutePath::parse(&self.path)?;
        let method = self.method;
        let bodiless = matches!(method, HttpMethod::Get | HttpMethod::Delete);
        if bodiless && self.body.is_some() {
            return Err(Error::Invalid("GET and DELETE have no body; leave out `body`".to_owned()));
        }
        if self.as_csv == Some(true) && method != HttpMethod::Get {
            return Err(Error::Invalid("only GET supports asCsv; leave it out".to_owned()));
        }
        if self.body.as_ref().is_some_and(response::contains_redaction) {
            return Err(Error::Invalid(
                "the body contains a '[redacted' placeholder of this server; sending it would replace the \
                 secret with the placeholder"
                    .to_owned(),
            ));
        }
        path.ensure_allowed(method, self.body.as_ref(), &cx.access)?;
        if cx.access.pinned().space || cx.caller.grants.spaces.is_some() {
            let named = path.space().filter(|_| !cx.access.pinned().space);
            let space = match (named, &cx.caller.grants.spaces) {
                (None, Some(granted)) if !cx.access.pinned().space => {
                    // Paths outside of spaces are allowed with any granted space.
                    cx.resolve_space(granted.first().map(String::as_str)).await?
                }
                (named, _) => cx.resolve_space(named).await?,
            };
            let keys = self.query.iter().flat_map(BTreeMap::keys);
            path.ensure_in_space(space.id().as_str(), method, keys, self.body.as_ref())?;
        }
        Ok(path)
    }

    /// Adds the query to the path.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for `query` if a name is blank, names a credential or repeats `asCsv`.
    fn path_with_query(&self, path: &ExecutePath) -> Result<ApiPath, Error> {
        let mut to_send = path.to_path();
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
                return refuse("a parameter name is blank");
            }
            if is_plain(name, "apikey") || is_plain(name, "accesstoken") {
                return refuse(
                    "credentials are not accepted as parameters; requests use the caller's credential",
                );
            }
            if is_csv && ["format", "asCsv"].iter().any(|other| is_plain(name, other)) {
                return refuse("this parameter duplicates asCsv; give one of the two");
            }
            to_send = to_send.query(name.clone(), value.text());
        }
        Ok(self
            .csv_parameters(path)
            .into_iter()
            .fold(to_send, |path, (name, value)| path.query(name, value)))
    }

    /// Returns the query parameters as the caller sent them.
    fn parameters(&self) -> Vec<(String, String)> {
        self.query.iter().flatten().map(|(key, value)| (key.clone(), value.text())).collect()
    }

    /// Returns the parameters that request CSV. The audit log needs an additional parameter.
    fn csv_parameters(&self, path: &ExecutePath) -> Vec<(&'static str, &'static str)> {
        let own = path.ends_with("events").then_some(("asCsv", "true"));
        let is_csv = self.as_csv == Some(true);
        [("format", "csv")].into_iter().chain(own).filter(|_| is_csv).collect()
    }

    /// Reads the document that the change modifies or deletes. Returns `None` if it cannot be read.
    ///
    /// # Errors
    ///
    /// Returns failures of Octopus, and "not found" if the change deletes a missing document.
    async fn changed_document(
        &self,
        path: &ExecutePath,
        cx: &Context,
    ) -> Result<Option<Value>, Error> {
        let is_readable =
            |path: &ExecutePath| path.ensure_allowed(HttpMethod::Get, None, &cx.access).is_ok();
        let Some(subject) = path.subject(self.method).filter(is_readable) else { return Ok(None) };
        match cx.session.comparable_document(&subject.to_path()).await {
            Ok(document) => Ok(Some(document).filter(Value::is_object)),
            Err(error @ octopus::Error::NotFound { .. }) if self.method == HttpMethod::Delete => {
                Err(not_found_at(error, &subject))
            }
            Err(
                octopus::Error::NotFound { .. }
                | octopus::Error::Forbidden { .. }
                | octopus::Error::Rejected { .. }
                | octopus::Error::UnexpectedResponse { .. },
            ) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn executed(&self, path: &ApiPath, response: Response) -> Executed {
        let requested_skip =
            self.query.as_ref().and_then(|query| query.get("skip")?.text().parse().ok());
        let (skip, next_skip) = response.paging(requested_skip.unwrap_or(0)).unzip();
        let Response { value: response, omitted } = response;
        Executed {
            success: true,
            method: self.method,
            path: path.to_string(),
            tier: match self.method.tier() {
                Tier::Read => ExecutedTier::Read,
                Tier::Write => ExecutedTier::Write,
                Tier::Delete => ExecutedTier::Delete,
            },
            skip,
            next_skip: next_skip.flatten(),
            response,
            omitted,
        }
    }
}

/// Adds the path to a "not found" error, which does not name it.
fn not_found_at(error: octopus::Error, path: &ExecutePath) -> Error {
    Error::Octopus(match error {
        octopus::Error::NotFound { .. } => octopus::Error::NotFound {
            noun: "resource",
            query: path.to_path().to_string(),
            location: None,
            suggestions: Vec::new(),
        },
        error => error,
    })
}

/// Adds the changed document to the preview, and its state to the required state.
fn show_document(preview: ChangePreview, document: &Value, method: HttpMethod) -> ChangePreview {
    let text =
        |key: &str| document.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    let display_name =
        ["Name", "Version", "Filename", "Description"].iter().find_map(|key| text(key));
    let about = match method {
        HttpMethod::Delete => "Deletes",
        HttpMethod::Post => "Acts on",
        _ => "Changes",
    };
    let name = match (display_name, text("Id")) {
        (Some(name), Some(id)) => Some(format!("{name} ({id})")),
        (name, id) => name.or(id).map(str::to_owned),
    };
    let state = match method {
        // A running process changes on its own, so only stable fields are compared.
        HttpMethod::Post => ["Id", "Name", "State"]
            .iter()
            .map(|key| document.get(*key).cloned().unwrap_or_default())
            .collect(),
        _ => document.clone(),
    };
    preview
        .line_if(about, name)
        .line_if("State", text("State"))
        .line_if("Last modified", text("LastModifiedOn"))
        .required_state(state)
}
