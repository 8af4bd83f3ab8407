//! Form of the IDs of Octopus: a prefix and a number, such as `Projects-1`.

/// Splits an ID into its prefix and the digits of its number. Returns `None` for other texts.
pub(in crate::octopus) fn split_id(text: &str) -> Option<(&str, &str)> {
    let (prefix, number) = text.rsplit_once('-')?;
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    (is_number && !prefix.is_empty()).then_some((prefix, number))
}

/// Returns whether a text is an ID with this prefix, in any letter case.
pub(in crate::octopus) fn has_prefix(text: &str, prefix: &str) -> bool {
    split_id(text).is_some_and(|(given, _)| given.eq_ignore_ascii_case(prefix))
}
