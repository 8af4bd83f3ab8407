//! HTTP layer: applies faults, checks the credential, calls the routes.

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::NestedPathRejection;
use axum::extract::{NestedPath, Request, State};
use axum::response::Response;
use axum::routing::any;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, DATE, HOST, USER_AGENT};
use http::{HeaderName, HeaderValue, Method, StatusCode, Uri};

use super::clock::{self, NOW};
use super::credential::{credential, without_key};
use super::fault::{self, Fault};
use super::journal::JournalEntry;
use super::newer_fields;
use super::query::{Query, decoded};
use super::request_body::RequestBody;
use super::response::{ApiError, ApiResponse, ApiResult, Content};
use super::routes::{self, RouteRequest};
use super::strictness::ArrivedRequest;
use super::tokens;
use super::users::User;
use super::version::Feature;
use super::{Instance, Sample};

/// Builds the router. One handler serves all paths, because Octopus matches paths ignoring case.
pub(super) fn router(sample: Sample) -> Router {
    // Routes instead of a fallback: only routes get [`NestedPath`], the virtual directory.
    Router::new().route("/", any(handle)).route("/{*path}", any(handle)).with_state(sample)
}

async fn handle(
    State(sample): State<Sample>,
    nested: Result<NestedPath, NestedPathRejection>,
    request: Request,
) -> Response {
    let instance = &*sample.instance;
    let (parts, body) = request.into_parts();
    let input = RequestBody::read(&parts.method, body).await;
    let query = Query::of(&parts.uri);
    let user = credential(&parts.headers, &query, &instance.tokens);
    let directory = nested.as_ref().map_or("", |nested| nested.as_str()).trim_end_matches('/');
    let path = format!("{directory}{}", parts.uri.path());

    let number = instance.journal.add(JournalEntry {
        method: parts.method.to_string(),
        path: path.clone(),
        query: parts.uri.query().map(without_key),
        user: user.as_ref().ok().and_then(|user| instance.database().user_name(user.id)),
        user_agent: parts
            .headers
            .get(USER_AGENT)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned),
        body: input.to_journal().map(tokens::without_subject),
        status: None,
    });
    let host = parts.headers.get(HOST).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let address = format!("http://{host}{directory}");
    let fault = instance.faults.next_fault(&parts.method, &path).await;
    let is_lost = fault.as_ref().is_some_and(Fault::is_lost);
    let mut response = if let Some(response) = fault.and_then(Fault::response) {
        response
    } else if let Some(answer) = tokens::answer(instance, &parts, &address, &input) {
        respond(instance, &parts.method, directory, answer)
    } else {
        let version = instance.version();
        let arrived = ArrivedRequest {
            version: &version,
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            input: &input,
        };
        let refused =
            user.as_ref().ok().and_then(|_| instance.strictness.check_request(&arrived).err());
        let mut answer = match refused {
            Some(error) => ApiResponse::from(error),
            None => answer(instance, &parts.method, &parts.uri, query, &user, &input),
        };
        if let Content::Whole(bytes) = &mut answer.content {
            let method = parts.method.as_str();
            let whole = std::mem::take(bytes);
            *bytes = newer_fields::remove(&version, method, parts.uri.path(), whole);
            instance.strictness.check_response(&arrived, answer.status.as_u16(), bytes);
        }
        respond(instance, &parts.method, directory, answer)
    };
    // Faults can set another date.
    if let Ok(date) = HeaderValue::from_str(&clock::http_date(NOW)) {
        response.headers_mut().entry(DATE).or_insert(date);
    }
    instance.journal.set_status(number, response.status().as_u16());
    if is_lost {
        *response.body_mut() = fault::nothing();
    }
    response
}

fn answer(
    instance: &Instance,
    method: &Method,
    uri: &Uri,
    query: Query,
    user: &Result<&'static User, ApiError>,
    input: &RequestBody,
) -> ApiResponse {
    let segments: Vec<String> =
        uri.path().split('/').map(decoded).filter(|s| !s.is_empty()).collect();
    let version = instance.version();
    let incoming = RouteRequest { version: &version, method, segments: &segments, user, input };
    let answered: ApiResult = if matches!(*method, Method::GET | Method::HEAD) {
        routes::answer(&incoming, query, &instance.database(), None)
    } else {
        instance.change(|database, draft| routes::answer(&incoming, query, database, Some(draft)))
    };
    answered.unwrap_or_else(|error| {
        // Route words are matched in lower case; error messages show them as they arrived.
        let error = match error {
            ApiError::NotFound(resource) => {
                let arrived = segments.iter().rev().find(|s| s.eq_ignore_ascii_case(&resource));
                ApiError::NotFound(arrived.cloned().unwrap_or(resource))
            }
            other => other,
        };
        ApiResponse::from(error)
    })
}

fn respond(instance: &Instance, method: &Method, directory: &str, answer: ApiResponse) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    if instance.version().has(Feature::RateLimits) && answer.status != StatusCode::UNAUTHORIZED {
        let name = HeaderName::from_static;
        headers.insert(name("octopus-ratelimit-policy"), HeaderValue::from_static("l=200;rpm=600"));
        headers.insert(name("octopus-ratelimit"), HeaderValue::from_static("r=199;t=1"));
    }
    let head = method == Method::HEAD;
    match answer.content {
        Content::Whole(bytes) => {
            let bytes = below(directory, bytes);
            headers.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
            if !head {
                *response.body_mut() = Body::from(bytes);
            }
        }
        // hyper removes the body of a `HEAD` response; its length is unknown here.
        Content::Stream(body) => *response.body_mut() = body,
    }
    response
}

/// Prefixes every link with the virtual directory.
fn below(directory: &str, bytes: Bytes) -> Bytes {
    match str::from_utf8(&bytes) {
        Ok(text) if !directory.is_empty() => Bytes::from(
            text.replace(":\"/api", &format!(":\"{directory}/api"))
                .replace(":\"/app", &format!(":\"{directory}/app")),
        ),
        _ => bytes,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http_body_util::BodyExt;
    use serde_json::Value;
    use tower::ServiceExt;

    use super::super::keys;
    use super::*;

    async fn get_with(router: Router, path: &str, key: &str) -> (StatusCode, String) {
        let request = Request::get(path).header("X-Octopus-ApiKey", key).body(Body::empty());
        let response = router.oneshot(request.unwrap()).await.unwrap();
        let status = response.status();
        let bytes = response.into_body().collect().await.map(http_body_util::Collected::to_bytes);
        (status, String::from_utf8(bytes.unwrap_or_default().to_vec()).unwrap())
    }

    async fn get(sample: &Sample, path: &str) -> (StatusCode, Value) {
        let (status, body) = get_with(sample.router(), path, keys::ADMIN).await;
        (status, serde_json::from_str(&body).unwrap_or(Value::Null))
    }

    #[tokio::test]
    async fn permissions_limit_each_key() {
        let rows = [
            (keys::ADMIN, "/api/Spaces-22/projects", 200, "Stock Ledger"),
            (keys::DEFAULT_SPACE_ONLY, "/api/Spaces-1/projects", 200, "Route Planner"),
            (keys::DEFAULT_SPACE_ONLY, "/api/Spaces-22/projects", 404, "'Spaces-22' was not found"),
            (keys::WAREHOUSE_SPACE_ONLY, "/api/spaces/default", 404, "'default' was not found"),
            (keys::WAREHOUSE_SPACE_ONLY, "/api/spaces/all", 200, "Warehouse Systems"),
            (keys::WITHOUT_TASK_VIEW, "/api/tasks", 403, "Missing permission: TaskView"),
            (
                keys::WITHOUT_VARIABLE_VIEW,
                "/api/Spaces-1/tenants/Tenants-1/variables",
                403,
                "Missing permission: VariableView",
            ),
            ("API-WRONG", "/api/users/me", 401, "The API key you provided was not valid"),
            ("", "/api/Spaces-1/nothing", 401, "not valid"),
            (keys::ADMIN, "/api/Spaces-1/Nothing", 404, "The resource you requested"),
            (keys::ADMIN, "/api/tasks/ServerTasks-99999", 404, "'ServerTasks-99999' was not found"),
            (keys::ADMIN, "/api/SPACES-1/PROJECTS/Route-Planner", 200, "Projects-2"),
        ];
        let sample = Sample::new();
        for (key, path, status, part) in rows {
            let (found, body) = get_with(sample.router(), path, key).await;
            assert_eq!(found.as_u16(), status, "{path} {body}");
            assert!(body.contains(part), "{path} {body}");
        }
    }

    #[tokio::test]
    async fn pages_contain_all_items_once() {
        let sample = Sample::new();
        for path in ["releases", "deployments", "tasks", "projects", "environments", "tenants"] {
            let (_, all) = get(&sample, &format!("/api/Spaces-1/{path}?take=2147483647")).await;
            let total = all["TotalResults"].as_u64().unwrap();
            assert_eq!(all["Items"].as_array().unwrap().len() as u64, total, "{path}");
            let mut next = Some(format!("/api/Spaces-1/{path}?take=7"));
            let mut ids = Vec::new();
            while let Some(path) = next {
                let (_, page) = get(&sample, &path).await;
                assert_eq!(page["NumberOfPages"].as_u64().unwrap(), total.div_ceil(7), "{path}");
                ids.extend(page["Items"].as_array().unwrap().iter().map(|item| item["Id"].clone()));
                next = page["Links"]["Page.Next"].as_str().map(str::to_owned);
            }
            let expected = all["Items"].as_array().unwrap().iter().map(|item| item["Id"].clone());
            assert!(expected.eq(ids), "{path}");
        }
    }

    #[tokio::test]
    async fn older_versions_lack_newer_paths() {
        let live =
            "/api/Spaces-1/projects/Projects-3/environments/Environments-3/untenanted/livestatus";
        let rows = [
            ("2025.3.100", live, 200),
            ("2025.2.9999", live, 404),
            ("2021.2.4488", "/api/spaces/Spaces-1/projects", 404),
            ("2021.2.4488", "/api/Spaces-1/projects", 200),
            ("2025.1.1", "/api/Spaces-1/tenants/Tenants-1/commonvariables", 404),
            ("0.0.0-local", live, 200),
        ];
        for (version, path, status) in rows {
            let sample = Sample::with_version(version);
            assert_eq!(get(&sample, path).await.0.as_u16(), status, "{version} {path}");
            assert_eq!(get(&sample, "/api").await.1["Version"], version);
        }
    }

    #[tokio::test]
    async fn one_task_log_exceeds_ten_megabytes() {
        let sample = Sample::new();
        let path = "/api/tasks/ServerTasks-90032/raw";
        let (status, log) = get_with(sample.router(), path, keys::ADMIN).await;
        assert_eq!(status, StatusCode::OK);
        assert!(log.len() > 10 * 1024 * 1024, "{}", log.len());
        assert!(log.contains("quota for storage"));
        let path = "/api/tasks/ServerTasks-90032/details?verbose=true&tail=20";
        let (_, details) = get_with(sample.router(), path, keys::ADMIN).await;
        assert!(details.len() < 60_000, "{}", details.len());
    }

    #[tokio::test]
    async fn links_contain_the_virtual_directory() {
        let router = Router::new().nest("/octopus", Sample::new().router());
        let (_, body) = get_with(router.clone(), "/octopus/api/spaces/Spaces-1", keys::ADMIN).await;
        assert!(body.contains("\"Self\":\"/octopus/api/spaces/Spaces-1\""), "{body}");
        assert!(body.contains("\"Web\":\"/octopus/app#/Spaces-1\""), "{body}");
        assert_eq!(get_with(router, "/octopus/api", "").await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn journal_contains_aborted_requests() {
        let sample = Sample::new();
        sample.faults().add(Fault::on("/projects").delay(Duration::from_mins(1)));
        let request = get(&sample, "/api/Spaces-1/projects");
        assert!(tokio::time::timeout(Duration::from_millis(20), request).await.is_err());
        let statuses = sample.journal().into_iter().map(|entry| entry.status);
        assert!(statuses.eq([None]));
    }

    #[tokio::test]
    async fn faults_apply_limited_times_and_are_journaled() {
        let sample = Sample::new();
        sample.faults().add(Fault::on("/Projects").status(503).header("Retry-After", "1").times(2));
        sample.faults().add(Fault::on("/tenants").delay(Duration::from_millis(5)));
        sample.faults().add(Fault::on("/releases").cut_off().times(1));
        let paths = ["projects", "projects", "projects", "tenants", "releases"];
        let mut statuses = Vec::new();
        for path in paths {
            let path = format!("/api/Spaces-1/{path}?apikey={}&take=1", keys::ADMIN);
            statuses.push(get_with(sample.router(), &path, keys::ADMIN).await.0.as_u16());
        }
        assert_eq!(statuses, [503, 503, 200, 200, 200]);
        let journal = sample.journal();
        assert!(journal.iter().map(|entry| entry.status).eq(statuses.into_iter().map(Some)));
        assert!(journal.iter().all(|entry| entry.query.as_deref() == Some("take=1")));
        assert!(journal.iter().all(|entry| entry.user.as_deref() == Some("octopus.admin")));
        sample.clear_journal();
        assert!(sample.journal().is_empty());
    }
}
