//! Documents, and parts of them, that are passed on whole: nothing in them is named here.

use serde_json::{Map, Value, json};

use super::{Bounded, Error, Id, Path, Resource, Space, sensitive, spaces};

/// Reads a document whole, in the form of our answers.
pub async fn whole<R: Resource>(space: &Space, id: &Id<R>) -> Result<Value, Error> {
    whole_at(space, id, &space.path([R::COLLECTION, id.as_str()])).await
}

/// Reads a document whole that is not found in its collection. Its absence means that `id` is
/// wrong.
pub async fn whole_at<R: Resource>(space: &Space, id: &Id<R>, path: &Path) -> Result<Value, Error> {
    space.document(id, path).await.map(shown)
}

/// Reads the document of the space itself.
pub async fn space(space: &Space) -> Result<Value, Error> {
    let path = Path::new([spaces::Space::COLLECTION, space.id().as_str()]);
    space.document(space.id(), &path).await.map(shown)
}

/// Reads a document whole that has no ID of its own in its address. Its absence means that there
/// is none with this name.
pub async fn named(
    space: &Space,
    noun: &'static str,
    wanted: &str,
    path: &Path,
) -> Result<Value, Error> {
    match space.session().document(path).await {
        Err(Error::NotFound { .. }) => Err(Error::NotFound {
            noun,
            wanted: wanted.to_owned(),
            place: Some(space.name().to_owned()),
            near: Vec::new(),
        }),
        read => read.map(shown),
    }
}

/// A document in the form of our answers. One that is not kept whole says what is missing.
fn shown(document: Bounded) -> Value {
    let mut value = plain(document.value);
    if !document.omitted.is_nothing()
        && let Value::Object(object) = &mut value
    {
        object.insert("omitted".to_owned(), json!(document.omitted));
    }
    value
}

/// A part of a document in the form of our answers: keys in camel case, no `Links`, nothing that
/// is `null`, no sensitive values.
pub fn plain(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(plain).collect(),
        Value::Object(mut object) => {
            sensitive::hide(&mut object);
            object
                .into_iter()
                .filter(|(key, value)| key != "Links" && !value.is_null())
                .map(|(key, value)| (camel(&key), plain(value)))
                .collect::<Map<_, _>>()
                .into()
        }
        value => value,
    }
}

/// A document under the keys that Octopus gives it, without `Links` and sensitive values.
pub fn raw(value: Value) -> Value {
    match value {
        Value::Array(items) => items.into_iter().map(raw).collect(),
        Value::Object(mut object) => {
            sensitive::hide(&mut object);
            object
                .into_iter()
                .filter(|(key, _)| key != "Links")
                .map(|(key, value)| (key, raw(value)))
                .collect::<Map<_, _>>()
                .into()
        }
        value => value,
    }
}

/// A key in camel case. Keys that are IDs or names of people's own things stay as they are.
pub fn camel(key: &str) -> String {
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
    fn parts_become_plain() {
        assert_eq!(
            plain(
                json!([{ "PackageId": "Web", "Links": {}, "WorkItems": [{ "Id": 1, "Links": {} }],
                "Branch": null, "Projects-1": "x" }])
            ),
            json!([{ "packageId": "Web", "workItems": [{ "id": 1 }], "Projects-1": "x" }])
        );
    }
}
