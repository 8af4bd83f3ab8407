//! Parses URLs of the web portal that users paste, without sending a request.

use url::Url;

use super::{
    deployments::Deployment,
    resource::{Id, Resource},
    spaces,
    tasks::Task,
};

/// Resource that a web portal URL identifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PortalUrl {
    /// The space; every such URL contains it.
    pub space: Id<spaces::SpaceResource>,
    /// The deployment in the URL, if any.
    pub deployment: Option<Id<Deployment>>,
    /// The task in the URL, if any.
    pub task: Option<Id<Task>>,
    /// Resource type of the page: `deployment`, `release`, `task`, `project` or `tenant`.
    pub resource_type: Option<&'static str>,
}

/// Maximum length of a URL in bytes.
const MAX_LEN: usize = 2048;

impl PortalUrl {
    /// Returns whether this is a URL of the instance at `instance`, to any page.
    pub fn is_at_instance(text: &str, instance: &Url) -> bool {
        let url = Some(text.trim()).filter(|text| text.len() <= MAX_LEN);
        let url = url.and_then(|text| Url::parse(text).ok());
        url.filter(|url| matches!(url.scheme(), "http" | "https"))
            .is_some_and(|url| route_segments(&url, instance).is_some())
    }

    /// Parses a URL of the instance at `instance`.
    ///
    /// # Errors
    ///
    /// Problem with the URL.
    pub fn parse(text: &str, instance: &Url) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Err("the URL is empty; copy it from the address bar of the browser".to_owned());
        }
        if text.len() > MAX_LEN {
            return Err(format!("the URL is longer than {MAX_LEN} bytes"));
        }
        let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let Some(url) = url else {
            return Err(
                "not an http or https URL; copy the complete URL from the browser, including \
                        https://"
                    .to_owned(),
            );
        };
        let segments = route_segments(&url, instance).ok_or_else(|| {
            format!(
                "the URL belongs to {}, but this instance is at {}",
                host_and_base_path(&url),
                host_and_base_path(instance)
            )
        })?;
        let space = segments.iter().map(String::as_str).find_map(numeric_id).ok_or_else(|| {
            "the URL contains no space ID; portal URLs look like \
             https://host/app#/Spaces-1/tasks/ServerTasks-1"
                .to_owned()
        })?;
        Ok(Self {
            space,
            deployment: segments_after(&segments, "deployments").find_map(numeric_id),
            task: segments_after(&segments, "tasks").find_map(numeric_id),
            resource_type: resource_type(&segments),
        })
    }
}

/// Returns the segments of the route after the `#`, or of the path without one. `None` if
/// the URL does not belong to the instance.
fn route_segments(url: &Url, instance: &Url) -> Option<Vec<String>> {
    let same = url.host_str().is_some_and(|host| Some(host) == instance.host_str())
        && url.port() == instance.port();
    let mut path = url.path_segments()?.filter(|segment| !segment.is_empty());
    let mut directory = instance.path_segments()?.filter(|segment| !segment.is_empty());
    let is_below = directory
        .all(|expected| path.next().is_some_and(|given| given.eq_ignore_ascii_case(expected)));
    if !same || !is_below {
        return None;
    }
    let owned = |segment: &str| segment.to_owned();
    let route = url.fragment().and_then(|fragment| fragment.split(['?', '#']).next());
    let route: Vec<String> =
        route.unwrap_or_default().split('/').filter(|part| !part.is_empty()).map(owned).collect();
    Some(if route.is_empty() { path.map(owned).collect() } else { route })
}

/// Returns the segments that follow a segment `word`.
fn segments_after<'a>(segments: &'a [String], word: &'static str) -> impl Iterator<Item = &'a str> {
    let pairs = segments.iter().zip(segments.iter().skip(1));
    pairs
        .filter(move |(before, _)| before.eq_ignore_ascii_case(word))
        .map(|(_, after)| after.as_str())
}

/// Parses an ID with a number after the prefix.
fn numeric_id<R: Resource>(segment: &str) -> Option<Id<R>> {
    let id = Id::<R>::parse(segment).ok()?;
    let number = id.as_str().get(R::ID_PREFIX.len()..)?;
    number.bytes().all(|byte| byte.is_ascii_digit()).then_some(id)
}

fn resource_type(segments: &[String]) -> Option<&'static str> {
    let has = |word: &str| segments.iter().any(|segment| segment.eq_ignore_ascii_case(word));
    let deployment = segments_after(segments, "deployments").find_map(numeric_id::<Deployment>);
    let rows = [
        (deployment.is_some(), "deployment"),
        (segments_after(segments, "releases").next().is_some(), "release"),
        (has("tasks"), "task"),
        (has("projects"), "project"),
        (has("tenants"), "tenant"),
    ];
    rows.into_iter().find(|(is, _)| *is).map(|(_, kind)| kind)
}

/// Returns host, port and base path, for messages.
fn host_and_base_path(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    let port = url.port().map_or_else(String::new, |port| format!(":{port}"));
    let directory = url.path().split("/app").next().unwrap_or_default().trim_end_matches('/');
    format!("{host}{port}{directory}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str, instance: &str) -> Result<String, String> {
        let url = PortalUrl::parse(text, &instance.parse().unwrap())?;
        let deployment = url.deployment.as_ref().map_or("-", Id::as_str).to_owned();
        let task = url.task.as_ref().map_or("-", Id::as_str).to_owned();
        Ok(format!("{} {deployment} {task} {}", url.space, url.resource_type.unwrap_or("-")))
    }

    #[test]
    fn parses_portal_urls() {
        let project = "Spaces-1/projects/parcel-tracking-api/deployments";
        let rows = [
            ("app#/Spaces-1/tasks/ServerTasks-9", "Spaces-1 - ServerTasks-9 task"),
            ("app#/Spaces-1/tasks/ServerTasks-9?taskTab=log", "Spaces-1 - ServerTasks-9 task"),
            ("app#/spaces-1/Tasks/servertasks-9/", "Spaces-1 - ServerTasks-9 task"),
            ("app/#/Spaces-1/tasks/ServerTasks-9/more", "Spaces-1 - ServerTasks-9 task"),
            ("app/Spaces-1/tasks/ServerTasks-9", "Spaces-1 - ServerTasks-9 task"),
            ("app#/Spaces-22/deployments/Deployments-7", "Spaces-22 Deployments-7 - deployment"),
            (
                &format!("app#/{project}/releases/1.0.0/deployments/Deployments-7"),
                "Spaces-1 Deployments-7 - deployment",
            ),
            (&format!("app#/{project}/releases/1.5.0"), "Spaces-1 - - release"),
            ("app#/Spaces-1/projects/x/overview", "Spaces-1 - - project"),
            ("app#/Spaces-1/tenants/Tenants-1", "Spaces-1 - - tenant"),
            ("app#/Spaces-1", "Spaces-1 - - -"),
            ("app#/Spaces-1/tasks/ServerTasks-9x", "Spaces-1 - - task"),
            ("app#/Spaces-1/tasks/Deployments-9", "Spaces-1 - - task"),
        ];
        for (path, expected) in rows {
            for instance in ["https://o.example", "https://o.example/octopus/", "http://[::1]:80/x"]
            {
                let text = format!(" {}/{path}\n", instance.trim_end_matches('/'));
                assert_eq!(read(&text, instance).as_deref(), Ok(expected), "{text}");
            }
        }
    }

    #[test]
    fn rejects_other_urls_with_reason() {
        let rows = [
            ("", "empty"),
            ("ServerTasks-9", "not an http or https URL"),
            ("/app#/Spaces-1/tasks/ServerTasks-9", "not an http or https URL"),
            ("octopus://spaces/Default/tasks/ServerTasks-9", "not an http or https URL"),
            ("javascript:alert(1)#/Spaces-1", "not an http or https URL"),
            ("https://o.example/octopus/app#/tasks/ServerTasks-9", "contains no space ID"),
            ("https://o.example/octopus/app#/Spaces-x/tasks/ServerTasks-9", "contains no space ID"),
            ("https://p.example/octopus/app#/Spaces-1", "p.example/octopus, but this instance"),
            (
                "https://o.example@p.example/octopus/app#/Spaces-1",
                "instance is at o.example/octopus",
            ),
            ("https://o.example:8443/octopus/app#/Spaces-1", "belongs to o.example:8443/octopus"),
            ("https://o.example/app#/Spaces-1", "belongs to o.example, but"),
            ("https://o.example/octopuses/app#/Spaces-1", "instance is at o.example/octopus"),
            ("https://o.example.p.example/octopus/app#/Spaces-1", "o.example.p.example"),
        ];
        for (text, expected) in rows {
            let error = read(text, "https://o.example/octopus").unwrap_err();
            assert!(error.contains(expected), "{text}: {error}");
        }
        let long = format!("https://o.example/octopus/app#/Spaces-1/{}", "x".repeat(MAX_LEN));
        assert!(read(&long, "https://o.example/octopus").unwrap_err().contains("longer"));
    }

    proptest! {
        #[test]
        fn any_text_is_parsed_or_rejected(text in "\\PC{0,80}|https://o.example/app#\\PC{0,80}") {
            let instance = "https://o.example".parse().unwrap();
            if let Ok(url) = PortalUrl::parse(&text, &instance) {
                prop_assert!(url.space.as_str().starts_with("Spaces-"));
            }
        }
    }
}
