//! A collection of resources, each stored as a JSON value and as JSON text.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

/// One resource.
pub(crate) struct Item {
    pub(crate) id: String,
    /// ID of its space; empty at the server level.
    pub(crate) space_id: String,
    pub(crate) body: Value,
    /// The body as JSON text.
    pub(crate) json: Box<str>,
}

impl Item {
    fn new(body: Value) -> Self {
        let text = |key| body.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (id, space_id) = (text("Id"), text("SpaceId"));
        Self { id, space_id, json: body.to_string().into(), body }
    }

    /// Returns the text under a key; empty if it is missing.
    pub(crate) fn text(&self, key: &str) -> &str {
        self.body.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns the flag under a key; `false` if it is missing.
    pub(crate) fn flag(&self, key: &str) -> bool {
        self.body.get(key).and_then(Value::as_bool).unwrap_or_default()
    }

    /// Returns the list under a key; empty if it is missing.
    pub(crate) fn list(&self, key: &str) -> impl Iterator<Item = &Value> {
        self.body.get(key).and_then(Value::as_array).into_iter().flatten()
    }

    /// Returns the texts of the list under a key.
    pub(crate) fn texts(&self, key: &str) -> impl Iterator<Item = &str> {
        self.list(key).filter_map(Value::as_str)
    }
}

/// Resources of one type, in list order. Clones share them until one is changed (copy on write).
#[derive(Clone, Default)]
pub(crate) struct Collection {
    resources: Arc<Resources>,
}

#[derive(Default)]
struct Resources {
    items: Vec<Arc<Item>>,
    by_id: HashMap<String, usize>,
    by_project: HashMap<String, Vec<usize>>,
}

impl Collection {
    /// Creates a collection of these resources in this order.
    pub(crate) fn new(bodies: impl IntoIterator<Item = Value>) -> Self {
        Self::indexed(bodies.into_iter().map(|body| Arc::new(Item::new(body))).collect())
    }

    /// Indexes IDs as they are and in lower case, so that lookups ignore case.
    fn indexed(items: Vec<Arc<Item>>) -> Self {
        let mut by_id = HashMap::with_capacity(items.len() * 2);
        let mut by_project: HashMap<String, Vec<usize>> = HashMap::new();
        for (position, item) in items.iter().enumerate() {
            by_id.insert(item.id.to_lowercase(), position);
            by_id.insert(item.id.clone(), position);
            by_project.entry(item.text("ProjectId").to_owned()).or_default().push(position);
        }
        Self { resources: Arc::new(Resources { items, by_id, by_project }) }
    }

    /// Returns the same resources, sorted by a key.
    pub(crate) fn sorted_by<K: Ord>(&self, mut key: impl FnMut(&Item) -> K) -> Self {
        let mut items = self.resources.items.clone();
        items.sort_by_cached_key(|item| key(item));
        Self::indexed(items)
    }

    /// Replaces the resource with the same ID, or inserts the resource at the front, where the
    /// newest are.
    pub(crate) fn put(&mut self, body: Value) {
        let item = Arc::new(Item::new(body));
        let mut items = self.resources.items.clone();
        let position = self.resources.by_id.get(&item.id).copied();
        match position.and_then(|position| items.get_mut(position)) {
            Some(place) => *place = item,
            None => items.insert(0, item),
        }
        *self = Self::indexed(items);
    }

    /// Removes the resources for which `is_kept` returns `false`.
    pub(crate) fn keep(&mut self, mut is_kept: impl FnMut(&Item) -> bool) {
        let items = self.resources.items.iter().filter(|item| is_kept(item)).cloned();
        *self = Self::indexed(items.collect());
    }

    /// Returns the next free ID with this prefix, such as `Releases-9025`.
    pub(crate) fn next_id(&self, prefix: &str) -> String {
        let numbers =
            self.iter().filter_map(|item| item.id.rsplit_once('-')?.1.parse::<u64>().ok());
        format!("{prefix}-{}", numbers.max().unwrap_or(0) + 1)
    }

    /// Returns all resources of all spaces.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Item> {
        self.resources.items.iter().map(|item| &**item)
    }

    /// Returns the resources of one space.
    pub(crate) fn of_space<'a>(&'a self, space_id: &'a str) -> impl Iterator<Item = &'a Item> {
        self.iter().filter(move |item| item.space_id == space_id)
    }

    /// Returns the resources of one project, in the same order.
    pub(crate) fn of_project<'a>(
        &'a self,
        project: &Item,
    ) -> impl Iterator<Item = &'a Item> + use<'a> {
        let positions =
            self.resources.by_project.get(&project.id).map(Vec::as_slice).unwrap_or_default();
        positions
            .iter()
            .filter_map(|position| self.resources.items.get(*position).map(|item| &**item))
    }

    /// Returns the resource with an ID, ignoring case.
    pub(crate) fn find(&self, id: &str) -> Option<&Item> {
        let by_id = &self.resources.by_id;
        let position = by_id.get(id).or_else(|| by_id.get(&id.to_lowercase()))?;
        self.resources.items.get(*position).map(|item| &**item)
    }

    /// Returns the resource of a space with an ID or slug, ignoring case.
    pub(crate) fn find_in(&self, space_id: &str, id_or_slug: &str) -> Option<&Item> {
        let is_inside = |item: &&Item| item.space_id == space_id;
        let has_slug = |item: &&Item| item.text("Slug").eq_ignore_ascii_case(id_or_slug);
        self.find(id_or_slug)
            .filter(is_inside)
            .or_else(|| self.iter().find(|item| is_inside(item) && has_slug(item)))
    }
}
