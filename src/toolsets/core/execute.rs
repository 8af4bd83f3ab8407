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
    octopus::{
        self, ApiPath, ChangeRequest, ChangeResponse, RawResponse, operations,
        preview_query::PreviewQuery,
    },
    policy::Tier,
    tool::{Context, Continuation, Error, Plan, WriteTool},
    toolsets::attribution::{Attribution, RequestedRead},
};

/// Call an endpoint of the Octopus REST API that no other tool covers. API keys, users, permissions
/// and server settings are blocked.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Execute {
    /// HTTP method. All except GET change Octopus; a POST to .../previews only reads.
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
    /// JSON pointer (RFC 6901) to the part to return; reads only.
    #[schemars(example = "/Phases/2")]
    pointer: Option<String>,
    /// Items (or characters) of that part to skip (default 0).
    #[schemars(extend("default" = 0))]
    pointer_skip: Option<u64>,
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
    /// The `skip` of this page, if the endpoint has pages.
    skip: Option<u64>,
    /// The `skip` of the items that were omitted from this page.
    next_skip: Option<u64>,
    /// Arguments that return omitted parts.
    continue_at: Option<Vec<Continuation>>,
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
        let path = ExecutePath::parse(&self.path);
        let reads = path.is_ok_and(|path| self.preview_query(&path).is_some());
        if reads { Tier::Read } else { self.method.tier() }
    }

    async fn plan(&self, cx: &Context) -> Result<Plan<Executed>, Error> {
        let path = self.allowed_path(cx).await?;
        let to_send = self.path_with_query(&path)?;
        if let Some(query) = self.preview_query(&path) {
            let (answer, path) = self.read_previews(query, &path, to_send, cx).await?;
            let response = response::read_response(answer, &path, self.selects_part(), cx).await?;
            return Ok(Plan::NoChange(self.executed(&path, response)?));
        }
        let Some(method) = self.method.change_method() else {
            let written = RequestedRead {
                path: &path,
                query: self.parameters(),
                csv: self.csv_parameters(&path),
            };
            let read = Attribution::of(written, to_send, cx).await?;
            let answer =
                cx.session.fetch(&read.path).await.map_err(|error| not_found_at(error, &path))?;
            let response =
                response::read_response(answer, &read.path, self.selects_part(), cx).await?;
            read.check_response(&response.value, response.has_all_fields(), cx).await?;
            return Ok(Plan::NoChange(self.executed(&read.path, response)?));
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
        self.executed(&to_send, response)
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
        if self.selects_part() && self.tier() != Tier::Read {
            return Err(Error::Invalid(
                "only reads support `pointer` and `pointerSkip`; leave them out".to_owned(),
            ));
        }
        if let Some(pointer) = &self.pointer
            && !pointer.is_empty()
            && !pointer.starts_with('/')
        {
            return Err(Error::Argument {
                field: "pointer".to_owned(),
                reason: format!(
                    "'{}' is not a JSON pointer; it begins with '/', e.g. \"/Phases/2\"",
                    pointer.escape_debug()
                ),
            });
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

    /// Returns whether the call requests a part of the response.
    fn selects_part(&self) -> bool {
        self.pointer.as_ref().is_some_and(|pointer| !pointer.is_empty())
            || self.pointer_skip.is_some_and(|skip| skip > 0)
    }

    /// Returns the request for previews; `None` if the call is another request.
    fn preview_query(&self, path: &ExecutePath) -> Option<PreviewQuery> {
        let is_post = self.method == HttpMethod::Post;
        is_post.then(|| PreviewQuery::at(path.segments(), self.body.as_ref())).flatten()
    }

    /// Reads previews, which a POST requests, after evaluating the rules about reads on the
    /// documents that path and body name.
    async fn read_previews(
        &self,
        query: PreviewQuery,
        path: &ExecutePath,
        to_send: ApiPath,
        cx: &Context,
    ) -> Result<(RawResponse, ApiPath), Error> {
        if cx.policy.has_read_rules() {
            let (named, query) = (query.named(), self.parameters());
            let found =
                change_access::access_of(path, self.method, &query, Some(&named), cx).await?;
            change_access::check_read_rules(path, &found.access, cx).await?;
            cx.session.access_recorder().record(|recorded| recorded.merge(found.access));
        }
        let answer = cx.session.fetch_previews(&to_send, &query).await?;
        Ok((answer, to_send))
    }

    /// Returns whether the endpoint has pages: whether its operation has the parameter `skip`.
    fn has_pages(&self) -> bool {
        let Ok(path) = ExecutePath::parse(&self.path) else { return false };
        let found = operations::find("GET", path.segments());
        self.method == HttpMethod::Get
            && found.is_some_and(|found| found.operation.parameter("skip").is_some())
    }

    /// Creates the answer.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] if the response has no value at `pointer`.
    fn executed(&self, path: &ApiPath, response: Response) -> Result<Executed, Error> {
        let pointer = self.pointer.as_deref().unwrap_or_default();
        if response.value.pointer(pointer).is_none() {
            return Err(Error::Argument {
                field: "pointer".to_owned(),
                reason: response.missing_at(pointer),
            });
        }
        let is_page = self.has_pages() && !self.selects_part();
        let requested_skip =
            self.query.as_ref().and_then(|query| query.get("skip")?.text().parse().ok());
        let paging = is_page.then(|| response.paging(requested_skip.unwrap_or(0))).flatten();
        let (skip, next_skip) = paging.unzip();
        let is_read = self.tier() == Tier::Read;
        let continue_at = if is_read { response.continue_at(pointer, is_page) } else { None };
        let Response { value: response, omitted, .. } = response;
        Ok(Executed {
            success: true,
            method: self.method,
            path: path.to_string(),
            tier: match self.tier() {
                Tier::Read => ExecutedTier::Read,
                Tier::Write => ExecutedTier::Write,
                Tier::Delete => ExecutedTier::Delete,
            },
            skip,
            next_skip: next_skip.flatten(),
            continue_at,
            response,
            omitted,
        })
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
