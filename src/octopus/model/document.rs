//! Complete documents, and parts of documents, that are passed on without naming their fields.

use serde_json::{Map, Value, json};

use super::{
    resource::{Id, Resource},
    space::Space,
    spaces,
};
use crate::octopus::client::{
    error::Error,
    json::{bounded::BoundedJson, sensitive},
    path::ApiPath,
};

/// Reads a complete document in answer form (see [`plain`]).
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
/// an unknown `wanted`.
pub async fn read_named(
    space: &Space,
    noun: &'static str,
    wanted: &str,
    path: &ApiPath,
) -> Result<Value, Error> {
    match space.session().document(path).await {
        Err(Error::NotFound { .. }) => Err(Error::NotFound {
            noun,
            wanted: wanted.to_owned(),
            place: Some(space.name().to_owned()),
            near: Vec::new(),
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

/// Converts a value to answer form: keys in camel case, without `Links`, `null` fields and
/// sensitive values.
pub fn to_answer_form(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(to_answer_form).collect(),
        Value::Object(mut object) => {
            sensitive::redact(&mut object);
            object
                .into_iter()
                .filter(|(key, value)| key != "Links" && !value.is_null())
                .map(|(key, value)| (to_camel_case(&key), to_answer_form(value)))
                .collect::<Map<_, _>>()
                .into()
        }
        value => value,
    }
}

/// Returns a document with its original keys, without `Links` and sensitive values.
pub fn without_sensitive(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(without_sensitive).collect(),
        Value::Object(mut object) => {
            sensitive::redact(&mut object);
            object
                .into_iter()
                .filter(|(key, _)| key != "Links")
                .map(|(key, value)| (key, without_sensitive(value)))
                .collect::<Map<_, _>>()
                .into()
        }
        value => value,
    }
}

/// Converts a key to camel case. Keys that are IDs or user-defined names stay unchanged.
pub fn to_camel_case(key: &str) -> String {
    let mut letters = key.chars();
    match letters.next() {
        Some(first) if key.chars().all(|c| c.is_ascii_alphanumeric()) => {
            first.to_ascii_lowercase().to_string() + letters.as_str()
        }
        _ => key.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn converts_to_answer_form() {
        assert_eq!(
            to_answer_form(
                json!([{ "PackageId": "Web", "Links": {}, "WorkItems": [{ "Id": 1, "Links": {} }],
                "Branch": null, "Projects-1": "x" }])
            ),
            json!([{ "packageId": "Web", "workItems": [{ "id": 1 }], "Projects-1": "x" }])
        );
    }
}
