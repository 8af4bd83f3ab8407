//! Prompted variables of an execution, and the values that the call gives.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::Value;

use super::TargetPreviews;
use crate::{
    approval::ChangePreview,
    octopus::previews::{ControlKind, Element},
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
    /// The kinds of values in the previews. They can differ by environment and tenant.
    kinds: Vec<ControlKind>,
}

/// Maximum number of options in an error message.
const MAX_OPTIONS: usize = 30;

impl Prompt {
    /// Checks a value against every kind of the prompt. Returns the value in the form of Octopus.
    ///
    /// # Errors
    ///
    /// Returns the reason, with the allowed values. It omits the given value, which may be a
    /// secret.
    fn check(&self, name: &str, value: &str) -> Result<String, String> {
        let mut sent = value.to_owned();
        // An empty value selects the default.
        if value.is_empty() {
            return Ok(sent);
        }
        for kind in &self.kinds {
            match kind {
                ControlKind::Text => {}
                ControlKind::Checkbox => {
                    sent = match value.trim().to_lowercase().as_str() {
                        "true" => "True".to_owned(),
                        "false" => "False".to_owned(),
                        _ => {
                            return Err(format!(
                                "'{name}' is a checkbox; expected 'True' or 'False'"
                            ));
                        }
                    };
                }
                ControlKind::Select(options) => {
                    if !options.iter().any(|(option, _)| option == value) {
                        return Err(format!(
                            "the value of '{name}' is not one of its options; expected {}",
                            describe_options(options)
                        ));
                    }
                }
            }
        }
        Ok(sent)
    }
}

fn describe_options(options: &[(String, String)]) -> String {
    let shown = options.iter().take(MAX_OPTIONS).map(|(value, label)| {
        if label.is_empty() || label == value {
            format!("'{value}'")
        } else {
            format!("'{value}' ({label})")
        }
    });
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if let Some(more @ 1..) = options.len().checked_sub(MAX_OPTIONS) {
        let _ = write!(text, " and {more} more");
    }
    text
}

impl PromptedVariables {
    /// Matches the prompts of the previews with the values of the call. Without previews, Octopus
    /// checks the values.
    ///
    /// # Errors
    ///
    /// [`Error::Argument`] for `field` if a required value is missing, a value has no prompt, or a
    /// value is not one of the options of its prompt.
    pub(in crate::toolsets) fn new(
        field: &str,
        previews: &TargetPreviews,
        given: &BTreeMap<String, String>,
    ) -> Result<Self, Error> {
        let Some(previews) = previews.all() else {
            let given = given.iter().map(|(name, value)| {
                let value = Some(value.clone());
                (name.clone(), Prompt { label: None, is_required: false, value, kinds: Vec::new() })
            });
            return Ok(Self(given.collect()));
        };
        let form_elements = previews.flat_map(|preview| {
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
            let prompt = Prompt { label, is_required, value: None, kinds: Vec::new() };
            let known: &mut Prompt = prompts.entry(name).or_insert(prompt);
            known.is_required |= is_required;
            let kind = control.value_kind();
            if !known.kinds.contains(&kind) {
                known.kinds.push(kind);
            }
        }
        let wrong = |reason: String| Error::Argument { field: field.to_owned(), reason };
        for (name, value) in given {
            let is_match = |(known, prompt): &(&String, &mut Prompt)| {
                let is = |text: &str| text.to_lowercase() == name.to_lowercase();
                is(known) || prompt.label.as_deref().is_some_and(is)
            };
            let Some((known, prompt)) = prompts.iter_mut().find(is_match) else {
                let near = nearest(name, prompts.keys().map(String::as_str), 3);
                return Err(wrong(match near.as_slice() {
                    [] if prompts.is_empty() => "no variable is prompted".to_owned(),
                    [] => format!("prompt '{name}' not found; available: {}", names(&prompts)),
                    near => {
                        format!("prompt '{name}' not found; did you mean '{}'?", near.join("', '"))
                    }
                }));
            };
            prompt.value = Some(prompt.check(known, value).map_err(wrong)?);
        }
        let is_missing = |prompt: &Prompt| {
            prompt.is_required && prompt.value.as_deref().is_none_or(str::is_empty)
        };
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
