//! A collection of resources, each kept as a value to look at and as text to send.

use std::collections::HashMap;

use serde_json::Value;

/// One resource.
pub(in crate::sample) struct Item {
    pub(in crate::sample) id: String,
    /// The ID of its space; empty at the server level.
    pub(in crate::sample) space_id: String,
    pub(in crate::sample) body: Value,
    /// The body as JSON.
    pub(in crate::sample) json: Box<str>,
}

impl Item {
    fn new(body: Value) -> Self {
        let text = |key| body.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (id, space_id) = (text("Id"), text("SpaceId"));
        Self { id, space_id, json: body.to_string().into(), body }
    }

    /// The text under a key; empty where there is none.
    pub(in crate::sample) fn text(&self, key: &str) -> &str {
        self.body.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// The switch under a key; off where there is none.
    pub(in crate::sample) fn flag(&self, key: &str) -> bool {
        self.body.get(key).and_then(Value::as_bool).unwrap_or_default()
    }

    /// The list under a key; empty where there is none.
    pub(in crate::sample) fn list(&self, key: &str) -> impl Iterator<Item = &Value> {
        self.body.get(key).and_then(Value::as_array).into_iter().flatten()
    }

    /// The texts of the list under a key.
    pub(in crate::sample) fn texts(&self, key: &str) -> impl Iterator<Item = &str> {
        self.list(key).filter_map(Value::as_str)
    }
}

/// Resources of one kind, in the order their list shows them.
#[derive(Default)]
pub(in crate::sample) struct Collection {
    items: Vec<Item>,
    by_id: HashMap<String, usize>,
    by_project: HashMap<String, Vec<usize>>,
}

impl Collection {
    /// Keeps these resources in this order.
    pub(in crate::sample) fn new(bodies: impl IntoIterator<Item = Value>) -> Self {
        Self::indexed(bodies.into_iter().map(Item::new).collect())
    }

    /// Finds by the ID as it is at once, and by the one in lower case for any other spelling.
    fn indexed(items: Vec<Item>) -> Self {
        let mut by_id = HashMap::with_capacity(items.len() * 2);
        let mut by_project: HashMap<String, Vec<usize>> = HashMap::new();
        for (position, item) in items.iter().enumerate() {
            by_id.insert(item.id.to_lowercase(), position);
            by_id.insert(item.id.clone(), position);
            by_project.entry(item.text("ProjectId").to_owned()).or_default().push(position);
        }
        Self { items, by_id, by_project }
    }

    /// The same resources, ordered by a key.
    pub(in crate::sample) fn sorted_by<K: Ord>(self, key: impl FnMut(&Item) -> K) -> Self {
        let mut items = self.items;
        items.sort_by_cached_key(key);
        Self::indexed(items)
    }

    /// All of them, of every space.
    pub(in crate::sample) fn iter(&self) -> impl Iterator<Item = &Item> {
        self.items.iter()
    }

    /// Those of one space.
    pub(in crate::sample) fn of_space<'a>(
        &'a self,
        space_id: &'a str,
    ) -> impl Iterator<Item = &'a Item> {
        self.items.iter().filter(move |item| item.space_id == space_id)
    }

    /// Those of one project, in the same order.
    pub(in crate::sample) fn of_project<'a>(
        &'a self,
        project: &Item,
    ) -> impl Iterator<Item = &'a Item> + use<'a> {
        let positions = self.by_project.get(&project.id).map(Vec::as_slice).unwrap_or_default();
        positions.iter().filter_map(|position| self.items.get(*position))
    }

    /// The one with an ID, in any letter case.
    pub(in crate::sample) fn find(&self, id: &str) -> Option<&Item> {
        let position = match self.by_id.get(id) {
            Some(position) => position,
            None => self.by_id.get(&id.to_lowercase())?,
        };
        self.items.get(*position)
    }

    /// The one of a space with an ID or a slug.
    pub(in crate::sample) fn find_in(&self, space_id: &str, id_or_slug: &str) -> Option<&Item> {
        let is_inside = |item: &&Item| item.space_id == space_id;
        let has_slug = |item: &&Item| item.text("Slug").eq_ignore_ascii_case(id_or_slug);
        self.find(id_or_slug)
            .filter(is_inside)
            .or_else(|| self.items.iter().find(|item| is_inside(item) && has_slug(item)))
    }
}
