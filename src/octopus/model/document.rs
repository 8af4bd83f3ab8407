//! Complete documents and parts of documents, returned without typed fields.

use serde_json::{Value, json};

use super::{
    resource::{Id, Resource},
    space::Space,
    spaces,
};
use crate::octopus::client::{error::Error, json::bounded::BoundedJson, path::ApiPath};

pub use crate::octopus::client::json::forms::{to_answer_form, to_camel_case, without_sensitive};

/// Reads a complete document in answer form (see [`to_answer_form`]).
pub async fn read<R: Resource>(space: &Space, id: &Id<R>) -> Result<Value, Error> {
    read_at(space, id, &space.path([R::COLLECTION, id.as_str()])).await
}

/// Reads a complete document at a path outside its collection. A 404 becomes the error for an
/// unknown `id`.
pub async fn read_at<R: Resource>(
    space: &Space,
    id: &Id<R>,
    path: &ApiPath,
) -> Result<Value, Error> {
    space.document(id, path).await.map(answer_form)
}

/// Reads the document of the space itself.
pub async fn read_space(space: &Space) -> Result<Value, Error> {
    let path = ApiPath::new([spaces::SpaceResource::COLLECTION, space.id().as_str()]);
    space.document(space.id(), &path).await.map(answer_form)
}

/// Reads a complete document that is addressed by name instead of ID. A 404 becomes the error for
/// an unknown `query`.
pub async fn read_named(
    space: &Space,
    noun: &'static str,
    query: &str,
    path: &ApiPath,
) -> Result<Value, Error> {
    match space.session().document(path).await {
        Err(Error::NotFound { .. }) => Err(Error::NotFound {
            noun,
            query: query.to_owned(),
            location: Some(space.name().to_owned()),
            suggestions: Vec::new(),
        }),
        read => read.map(answer_form),
    }
}

/// Converts a document to answer form. An incomplete document gets the field `omitted` with the
/// counts.
fn answer_form(document: BoundedJson) -> Value {
    let mut value = to_answer_form(document.value);
    if !document.omitted.is_empty()
        && let Value::Object(object) = &mut value
    {
        object.insert("omitted".to_owned(), json!(document.omitted));
    }
    value
}
