//! Restricts calls to the pinned space and project, and to the spaces that the caller is granted.

use std::collections::BTreeSet;

use rmcp::model::JsonObject;
use serde_json::{Value, json};

use crate::{
    octopus::{self, Id, Space, projects::Project},
    tool::{
        Context, Error,
        arguments::pinned::{is_pinned, project_argument},
    },
};

impl Context {
    /// Returns the pinned space, or the space in the arguments of the call.
    ///
    /// # Errors
    ///
    /// Returns an error if the call names another space than the pinned space, or if the grants of
    /// the caller do not include the space.
    pub async fn resolve_space(&self, given: Option<&str>) -> Result<Space, Error> {
        let requested = self.scope.request.space.as_deref();
        let mut names = [self.pinned_space.as_deref(), requested, given].into_iter().flatten();
        let Some(first) = names.next() else {
            return Err(Error::Argument {
                field: "space".to_owned(),
                reason: "this argument is required: the name, slug or ID of a space; \
                         list_spaces lists them"
                    .to_owned(),
            });
        };
        let space = self.find_granted_space(first).await?;
        for other in names.filter(|other| !other.trim().eq_ignore_ascii_case(first)) {
            let is_another = match self.session.space(other).await {
                Ok(found) => found.id() != space.id(),
                Err(octopus::Error::NotFound { .. }) => true,
                Err(error) => return Err(error.into()),
            };
            if is_another {
                let scope = match &self.instance.space {
                    Some(_) => "server",
                    None => "request",
                };
                return Err(Error::Invalid(format!(
                    "this {scope} is limited to the space '{}'",
                    space.name()
                )));
            }
        }
        Ok(space)
    }

    async fn find_granted_space(&self, names: &str) -> Result<Space, Error> {
        let found = self.session.space(names).await;
        let Some(granted) = &self.caller.grants.spaces else { return Ok(found?) };
        match found {
            Ok(space) if is_granted(granted, &space) => Ok(space),
            // Unknown spaces get the same error, so that it does not reveal the existence of a
            // space.
            Ok(_) | Err(octopus::Error::NotFound { .. }) => {
                let granted: Vec<&str> = granted.iter().map(String::as_str).collect();
                Err(Error::Invalid(format!(
                    "your grants do not include the space '{}'; granted: {}",
                    names.trim().escape_debug(),
                    granted.join(", ")
                )))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Returns whether the caller is granted a space with one of these names.
    pub fn grants_space(&self, names: &[Option<&str>]) -> bool {
        self.caller.grants.spaces.as_ref().is_none_or(|granted| {
            let mut names = names.iter().flatten();
            names.any(|name| granted.iter().any(|one| one.trim().eq_ignore_ascii_case(name)))
        })
    }

    /// Returns the pinned project.
    pub fn pinned_project(&self) -> Option<&str> {
        self.scope.request.project.as_deref()
    }

    /// Checks that an object belongs to the pinned project, if there is one. Objects without a
    /// project do not belong to it.
    ///
    /// # Errors
    ///
    /// Returns [`Error::Invalid`] if the object belongs to another project or to none.
    pub async fn ensure_project_in_scope(
        &self,
        space: &Space,
        project: Option<&Id<Project>>,
    ) -> Result<(), Error> {
        let Some(pinned) = self.pinned_project() else { return Ok(()) };
        let pinned: Project = space.find(pinned).await?;
        if project == Some(&pinned.id) {
            return Ok(());
        }
        Err(Error::Invalid(format!(
            "this does not belong to the project '{}', which this request is limited to; connect \
             to a URL without a project to read it",
            pinned.name
        )))
    }

    /// Replaces the project argument with the pinned project. Rejects calls that name another
    /// project.
    pub(in crate::tool) async fn apply_pinned_arguments(
        &self,
        mut arguments: JsonObject,
        schema: &JsonObject,
    ) -> Result<JsonObject, Error> {
        let Some(pinned) = self.pinned_project() else { return Ok(arguments) };
        let project = project_argument(schema);
        if let Some((name, _)) = project
            && let Some(given) = arguments.remove(name)
        {
            self.ensure_same_project(name, &given, pinned).await?;
        }
        let is_pinned_name =
            |name: &&String| *name != "space" && is_pinned(name, self.access.pinned());
        if let Some(name) = arguments.keys().find(is_pinned_name) {
            return Err(Error::Invalid(format!(
                "`{name}` is not accepted, because calls are limited to the project '{pinned}'"
            )));
        }
        if let Some((name, is_list)) = project {
            let pinned = if is_list { json!([pinned]) } else { json!(pinned) };
            arguments.insert(name.to_owned(), pinned);
        }
        Ok(arguments)
    }

    async fn ensure_same_project(
        &self,
        name: &str,
        given: &Value,
        pinned: &str,
    ) -> Result<(), Error> {
        let given = match given {
            Value::Array(one) => one.as_slice(),
            one => std::slice::from_ref(one),
        };
        let given: BTreeSet<&str> = given.iter().filter_map(Value::as_str).map(str::trim).collect();
        let others = given.into_iter().filter(|given| !given.eq_ignore_ascii_case(pinned));
        for other in others {
            let space = self.resolve_space(None).await?;
            let pinned: Project = space.find(pinned).await?;
            let is_same = match space.find::<Project>(other).await {
                Ok(found) => found.id == pinned.id,
                Err(octopus::Error::NotFound { .. }) => false,
                Err(error) => return Err(error.into()),
            };
            if !is_same {
                return Err(Error::Invalid(format!(
                    "`{name}`: this request is limited to the project '{}'; omit the argument, or \
                     connect to a URL without a project",
                    pinned.name
                )));
            }
        }
        Ok(())
    }
}

fn is_granted(granted: &BTreeSet<String>, space: &Space) -> bool {
    granted.iter().any(|name| space.matches(name))
}
