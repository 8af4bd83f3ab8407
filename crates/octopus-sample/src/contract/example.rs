//! Documents in every form that the contract allows.

use serde_json::{Map, Value, json};

use super::{Contract, Object, Shape};

/// What a document has in place of a field that can be absent or null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Optional {
    /// A value of its type.
    Present,
    /// `null`.
    Null,
    /// Nothing.
    Absent,
}

impl Optional {
    /// Every form.
    pub const ALL: [Self; 3] = [Self::Present, Self::Null, Self::Absent];
}

/// The form of a document; see [`Contract::example`] and [`Contract::reduce`].
#[derive(Clone, Copy, Debug)]
pub struct Form<'a> {
    /// The fields that are not required.
    pub optional: Optional,
    /// Paths of fields that are kept although they are not required, such as `Id` or `Task.Id`. A
    /// path leads through lists and maps without a sign for them.
    pub keep: &'a [&'a str],
    /// Whether a newer server sends the document: every object has a field that the contract does
    /// not have, and every word is none of the known words.
    pub is_newer: bool,
    /// Number of the alternative, for types with several: the word of a list of words, and the type
    /// of a value with one of several types. Numbers beyond the last alternative begin again.
    pub alternative: usize,
}

impl Form<'_> {
    fn keeps(&self, path: &[&str]) -> bool {
        let path = path.join(".");
        self.keep.iter().any(|kept| {
            kept.strip_prefix(path.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}

/// The field and the word that no server has.
const UNKNOWN: &str = "Unheard";
/// Number of items of each list and map.
const ITEMS: usize = 2;
/// How often a type contains itself.
const MAX_NESTED: usize = 2;

impl Contract {
    /// Builds a document of this type. Types that contain themselves are nested twice.
    #[must_use]
    pub fn example(&self, shape: &Shape, form: &Form<'_>) -> Value {
        let builder = Builder { contract: self, form };
        builder.value(shape, &mut Vec::new(), &mut Vec::new()).unwrap_or_default()
    }

    /// Brings a document of this type into a form. With [`Optional::Null`] and
    /// [`Optional::Absent`], every field that is not required and not in [`Form::keep`] becomes null
    /// or absent. With [`Form::is_newer`], every word becomes an unknown one, and every object gets
    /// an unknown field.
    #[must_use]
    pub fn reduce(&self, shape: &Shape, document: Value, form: &Form<'_>) -> Value {
        self.reduce_at(shape, document, form, &mut Vec::new())
    }

    fn reduce_at<'a>(
        &'a self,
        shape: &'a Shape,
        document: Value,
        form: &Form<'_>,
        path: &mut Vec<&'a str>,
    ) -> Value {
        match (self.resolve(shape), document) {
            (Shape::List(item), Value::Array(items)) => {
                items.into_iter().map(|value| self.reduce_at(item, value, form, path)).collect()
            }
            (Shape::Map(item), Value::Object(values)) => {
                let values = values.into_iter();
                let values =
                    values.map(|(key, value)| (key, self.reduce_at(item, value, form, path)));
                Value::Object(values.collect())
            }
            (Shape::Object(object), Value::Object(fields)) => {
                let mut reduced = Map::new();
                for (key, mut value) in fields {
                    let mut is_kept = form.optional == Optional::Present;
                    if let Some(field) = object.fields.iter().find(|field| field.name == key) {
                        path.push(field.name);
                        value = self.reduce_at(&field.shape, value, form, path);
                        is_kept |= field.is_required || form.keeps(path);
                        path.pop();
                    }
                    if is_kept {
                        reduced.insert(key, value);
                    } else if form.optional == Optional::Null {
                        reduced.insert(key, Value::Null);
                    }
                }
                if form.is_newer {
                    reduced.insert(UNKNOWN.to_owned(), unknown_value());
                }
                Value::Object(reduced)
            }
            (Shape::Words(_), Value::String(_)) if form.is_newer => json!(UNKNOWN),
            (_, document) => document,
        }
    }
}

fn unknown_value() -> Value {
    json!({ "Inner": [1, null, "x"] })
}

/// Builds one document.
struct Builder<'a> {
    contract: &'a Contract,
    form: &'a Form<'a>,
}

impl<'a> Builder<'a> {
    /// Returns a value; `None` where a type would contain itself too often. `path` are the fields
    /// and `types` the named types around it.
    fn value(
        &self,
        shape: &'a Shape,
        path: &mut Vec<&'a str>,
        types: &mut Vec<&'a str>,
    ) -> Option<Value> {
        Some(match shape {
            Shape::Text => json!(format!("text of {}", path.last().unwrap_or(&"a document"))),
            Shape::Bool => json!(true),
            Shape::Int => json!(7),
            Shape::Number => json!(0.5),
            Shape::DateTime if self.form.is_newer => json!("9999-12-31T23:59:59.9999999+00:00"),
            Shape::DateTime => json!("2026-11-02T09:00:00.000+00:00"),
            Shape::Uuid => json!("6f9619ff-8b86-4d01-b42d-00cf4fc964ff"),
            Shape::Any => self.any(),
            Shape::Words(_) if self.form.is_newer => json!(UNKNOWN),
            Shape::Words(words) => json!(words.get(self.alternative(words.len()))?),
            Shape::List(item) => {
                let items = (0..ITEMS).filter_map(|_| self.value(item, path, types));
                items.collect::<Vec<_>>().into()
            }
            Shape::Map(item) => {
                let key = |number| format!("Things-{number}");
                let items =
                    (0..ITEMS).filter_map(|n| Some((key(n), self.value(item, path, types)?)));
                Value::Object(items.collect())
            }
            Shape::OneOf(shapes) => {
                self.value(shapes.get(self.alternative(shapes.len()))?, path, types)?
            }
            Shape::Object(object) => self.object(object, path, types),
            Shape::Named(name) => {
                if types.iter().filter(|around| *around == name).count() >= MAX_NESTED {
                    return None;
                }
                types.push(name);
                let value =
                    self.contract.named(name).and_then(|shape| self.value(shape, path, types));
                types.pop();
                value?
            }
        })
    }

    fn object(
        &self,
        object: &'a Object,
        path: &mut Vec<&'a str>,
        types: &mut Vec<&'a str>,
    ) -> Value {
        let mut fields = Map::new();
        for field in &object.fields {
            path.push(field.name);
            let is_present = field.is_required
                || self.form.optional == Optional::Present
                || self.form.keeps(path);
            let value = is_present.then(|| self.value(&field.shape, path, types)).flatten();
            path.pop();
            match value {
                Some(value) => {
                    fields.insert(field.name.to_owned(), value);
                }
                None if self.form.optional == Optional::Null => {
                    fields.insert(field.name.to_owned(), Value::Null);
                }
                None => {}
            }
        }
        if self.form.is_newer {
            fields.insert(UNKNOWN.to_owned(), unknown_value());
        }
        Value::Object(fields)
    }

    fn any(&self) -> Value {
        let each = [json!("text"), json!({ "Key": [1] }), json!([{ "Key": "x" }]), json!(7)];
        each.get(self.alternative(each.len())).cloned().unwrap_or_default()
    }

    fn alternative(&self, count: usize) -> usize {
        self.form.alternative.checked_rem(count).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Edition, UnknownFields};
    use super::*;

    const FORM: Form<'_> =
        Form { optional: Optional::Present, keep: &[], is_newer: false, alternative: 0 };

    #[test]
    fn examples_conform_to_the_contract() {
        for edition in Edition::ALL {
            let contract = Contract::of(edition);
            for (name, shape) in contract.types() {
                for optional in Optional::ALL {
                    for alternative in 0..4 {
                        let form = Form { optional, alternative, ..FORM };
                        let example = contract.example(shape, &form);
                        let problems = contract.check(shape, &example, UnknownFields::Refused);
                        // A list of itself is empty where its nesting ends.
                        assert!(problems.is_empty(), "{name} {optional:?}: {problems:?} {example}");
                    }
                }
            }
        }
    }

    #[test]
    fn newer_documents_have_unknown_fields_and_words() {
        let contract = Contract::of(Edition::V2026_3);
        let task = contract.example(&Shape::Named("Task"), &Form { is_newer: true, ..FORM });
        assert_eq!((&task["State"], &task[UNKNOWN]["Inner"][1]), (&json!(UNKNOWN), &Value::Null));
        let tree = contract.example(&Shape::Named("ActivityLogTreeNode"), &FORM);
        assert!(tree["Children"][1]["Children"].as_array().unwrap().is_empty(), "{tree}");
    }

    #[test]
    fn reduces_documents_to_required_and_kept_fields() {
        let contract = Contract::of(Edition::V2026_3);
        let page = json!({ "TotalResults": 1, "Unheard": 1, "Items": [
            { "Id": "Releases-1", "Version": "1.0", "ProjectId": "Projects-1", "ReleaseNotes": "x" },
        ]});
        let releases = contract.find("GET", "/api/Spaces-1/releases").unwrap();
        let shape = releases.response.as_ref().unwrap();
        let form = Form { optional: Optional::Absent, keep: &["Items.Id"], ..FORM };
        let expected = json!({ "Items": [{ "Id": "Releases-1", "Version": "1.0" }] });
        assert_eq!(contract.reduce(shape, page.clone(), &form), expected);
        let nulls = contract.reduce(shape, page, &Form { optional: Optional::Null, ..form });
        assert_eq!(nulls["TotalResults"], Value::Null);
        assert_eq!(nulls["Items"][0]["ReleaseNotes"], Value::Null);
        assert_eq!(nulls["Items"][0]["Id"], "Releases-1");
        let task = json!({ "Id": "ServerTasks-1", "State": "Success", "Arguments": {} });
        let newer = Form { is_newer: true, ..FORM };
        let expected = json!({
            "Id": "ServerTasks-1", "State": UNKNOWN, "Arguments": {}, UNKNOWN: unknown_value(),
        });
        assert_eq!(contract.reduce(&Shape::Named("Task"), task, &newer), expected);
    }
}
