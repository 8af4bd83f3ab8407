//! Prompted variables of an execution, and the values that the call gives.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    approval::ChangePreview,
    octopus::previews::{Element, Preview},
    text::nearest::nearest,
    tool::Error,
};

/// The prompted variables of an execution, by name.
#[derive(Debug)]
pub(in crate::toolsets) struct PromptedVariables(BTreeMap<String, Prompt>);

#[derive(Debug)]
struct Prompt {
    label: Option<String>,
    is_required: bool,
    value: Option<String>,
}

impl PromptedVariables {
    /// Matches the prompts of the previews with the values of the call. Without previews, Octopus
    /// checks the values.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for `field` if a required value is missing or a value has no prompt.
    pub(in crate::toolsets) fn new(
        field: &str,
        previews: Option<&[Preview]>,
        given: &BTreeMap<String, String>,
    ) -> Result<Self, Error> {
        let Some(previews) = previews else {
            let given = given.iter().map(|(name, value)| {
                let value = Some(value.clone());
                (name.clone(), Prompt { label: None, is_required: false, value })
            });
            return Ok(Self(given.collect()));
        };
        let form_elements = previews.iter().flat_map(|preview| {
            let form = &preview.form;
            form.elements.iter().map(move |element| (element, form.values.get(&element.name)))
        });
        let is_variable = |(element, _): &(&Element, Option<&Value>)| {
            element.control.kind.as_deref().is_none_or(|kind| kind == "VariableValue")
        };
        let mut prompts = BTreeMap::new();
        for (Element { name, control, is_value_required }, value) in
            form_elements.filter(is_variable)
        {
            let is_set = value.is_some_and(|value| !value.is_null() && value != "");
            let is_required = *is_value_required && !is_set;
            let name = control.name.clone().unwrap_or_else(|| name.clone());
            let label = control.label.clone().filter(|label| *label != name && !label.is_empty());
            let prompt = Prompt { label, is_required, value: None };
            let known: &mut Prompt = prompts.entry(name).or_insert(prompt);
            known.is_required |= is_required;
        }
        let wrong = |reason: String| Error::Argument { field: field.to_owned(), reason };
        for (name, value) in given {
            let is_match = |(known, prompt): &(&String, &mut Prompt)| {
                let is = |text: &str| text.to_lowercase() == name.to_lowercase();
                is(known) || prompt.label.as_deref().is_some_and(is)
            };
            let Some((_, prompt)) = prompts.iter_mut().find(is_match) else {
                let near = nearest(name, prompts.keys().map(String::as_str), 3);
                return Err(wrong(match near.as_slice() {
                    [] if prompts.is_empty() => "no variable is prompted".to_owned(),
                    [] => format!("prompt '{name}' not found; available: {}", names(&prompts)),
                    near => {
                        format!("prompt '{name}' not found; did you mean '{}'?", near.join("', '"))
                    }
                }));
            };
            prompt.value = Some(value.clone());
        }
        let is_missing = |prompt: &Prompt| prompt.is_required && prompt.value.is_none();
        let missing: BTreeMap<&String, &Prompt> =
            prompts.iter().filter(|(_, prompt)| is_missing(prompt)).collect();
        if !missing.is_empty() {
            return Err(wrong(format!("values are required for {}", names(&missing))));
        }
        Ok(Self(prompts))
    }

    /// Adds the prompts to the preview. Values are hidden, because Octopus does not always mark
    /// secrets.
    pub(in crate::toolsets) fn add_to_preview(&self, preview: ChangePreview) -> ChangePreview {
        let shown: Vec<String> = self
            .0
            .iter()
            .map(|(name, prompt)| match prompt.value {
                Some(_) => format!("{name} (given, hidden)"),
                None => format!("{name} (default)"),
            })
            .collect();
        preview.list_line("Prompted variables", &shown)
    }

    /// Returns the values for the body of the request, or `None` if the call gives none.
    pub(in crate::toolsets) fn values(&self) -> Option<Value> {
        let values: serde_json::Map<String, Value> = self
            .0
            .iter()
            .filter_map(|(name, prompt)| Some((name.clone(), prompt.value.clone()?.into())))
            .collect();
        (!values.is_empty()).then_some(Value::Object(values))
    }
}

fn names<K: AsRef<str>, P: std::borrow::Borrow<Prompt>>(prompts: &BTreeMap<K, P>) -> String {
    let shown: Vec<String> = prompts
        .iter()
        .map(|(name, prompt)| match &prompt.borrow().label {
            Some(label) => format!("'{}' ({label})", name.as_ref()),
            None => format!("'{}'", name.as_ref()),
        })
        .collect();
    shown.join(", ")
}
