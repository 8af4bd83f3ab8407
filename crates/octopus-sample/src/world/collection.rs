//! A collection of resources, each kept as a value to look at and as text to send.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

/// One resource.
pub(crate) struct Item {
    pub(crate) id: String,
    /// The ID of its space; empty at the server level.
    pub(crate) space_id: String,
    pub(crate) body: Value,
    /// The body as JSON.
    pub(crate) json: Box<str>,
}

impl Item {
    fn new(body: Value) -> Self {
        let text = |key| body.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (id, space_id) = (text("Id"), text("SpaceId"));
        Self { id, space_id, json: body.to_string().into(), body }
    }

    /// The text under a key; empty where there is none.
    pub(crate) fn text(&self, key: &str) -> &str {
        self.body.get(key).and_then(Value::as_str).unwrap_or_default()
    }

    /// The switch under a key; off where there is none.
    pub(crate) fn flag(&self, key: &str) -> bool {
        self.body.get(key).and_then(Value::as_bool).unwrap_or_default()
    }

    /// The list under a key; empty where there is none.
    pub(crate) fn list(&self, key: &str) -> impl Iterator<Item = &Value> {
        self.body.get(key).and_then(Value::as_array).into_iter().flatten()
    }

    /// The texts of the list under a key.
    pub(crate) fn texts(&self, key: &str) -> impl Iterator<Item = &str> {
        self.list(key).filter_map(Value::as_str)
    }
}

/// Resources of one kind, in the order their list shows them. A clone shares them until one of the
/// two is changed.
#[derive(Clone, Default)]
pub(crate) struct Collection {
    shelf: Arc<Shelf>,
}

#[derive(Default)]
struct Shelf {
    items: Vec<Arc<Item>>,
    by_id: HashMap<String, usize>,
    by_project: HashMap<String, Vec<usize>>,
}

impl Collection {
    /// Keeps these resources in this order.
    pub(crate) fn new(bodies: impl IntoIterator<Item = Value>) -> Self {
        Self::indexed(bodies.into_iter().map(|body| Arc::new(Item::new(body))).collect())
    }

    /// Finds by the ID as it is at once, and by the one in lower case for any other spelling.
    fn indexed(items: Vec<Arc<Item>>) -> Self {
        let mut by_id = HashMap::with_capacity(items.len() * 2);
        let mut by_project: HashMap<String, Vec<usize>> = HashMap::new();
        for (position, item) in items.iter().enumerate() {
            by_id.insert(item.id.to_lowercase(), position);
            by_id.insert(item.id.clone(), position);
            by_project.entry(item.text("ProjectId").to_owned()).or_default().push(position);
        }
        Self { shelf: Arc::new(Shelf { items, by_id, by_project }) }
    }

    /// The same resources, ordered by a key.
    pub(crate) fn sorted_by<K: Ord>(&self, mut key: impl FnMut(&Item) -> K) -> Self {
        let mut items = self.shelf.items.clone();
        items.sort_by_cached_key(|item| key(item));
        Self::indexed(items)
    }

    /// Puts a resource in the place of the one with its ID, or else before all others, where the
    /// newest stand.
    pub(crate) fn put(&mut self, body: Value) {
        let item = Arc::new(Item::new(body));
        let mut items = self.shelf.items.clone();
        let position = self.shelf.by_id.get(&item.id).copied();
        match position.and_then(|position| items.get_mut(position)) {
            Some(place) => *place = item,
            None => items.insert(0, item),
        }
        *self = Self::indexed(items);
    }

    /// Takes away the resources that are not to be kept.
    pub(crate) fn keep(&mut self, mut is_kept: impl FnMut(&Item) -> bool) {
        let items = self.shelf.items.iter().filter(|item| is_kept(item)).cloned();
        *self = Self::indexed(items.collect());
    }

    /// The ID that comes after all with this prefix, such as `Releases-9025`.
    pub(crate) fn next_id(&self, prefix: &str) -> String {
        let numbers =
            self.iter().filter_map(|item| item.id.rsplit_once('-')?.1.parse::<u64>().ok());
        format!("{prefix}-{}", numbers.max().unwrap_or(0) + 1)
    }

    /// All of them, of every space.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Item> {
        self.shelf.items.iter().map(|item| &**item)
    }

    /// Those of one space.
    pub(crate) fn of_space<'a>(&'a self, space_id: &'a str) -> impl Iterator<Item = &'a Item> {
        self.iter().filter(move |item| item.space_id == space_id)
    }

    /// Those of one project, in the same order.
    pub(crate) fn of_project<'a>(
        &'a self,
        project: &Item,
    ) -> impl Iterator<Item = &'a Item> + use<'a> {
        let positions =
            self.shelf.by_project.get(&project.id).map(Vec::as_slice).unwrap_or_default();
        positions.iter().filter_map(|position| self.shelf.items.get(*position).map(|item| &**item))
    }

    /// The one with an ID, in any letter case.
    pub(crate) fn find(&self, id: &str) -> Option<&Item> {
        let by_id = &self.shelf.by_id;
        let position = by_id.get(id).or_else(|| by_id.get(&id.to_lowercase()))?;
        self.shelf.items.get(*position).map(|item| &**item)
    }

    /// The one of a space with an ID or a slug.
    pub(crate) fn find_in(&self, space_id: &str, id_or_slug: &str) -> Option<&Item> {
        let is_inside = |item: &&Item| item.space_id == space_id;
        let has_slug = |item: &&Item| item.text("Slug").eq_ignore_ascii_case(id_or_slug);
        self.find(id_or_slug)
            .filter(is_inside)
            .or_else(|| self.iter().find(|item| is_inside(item) && has_slug(item)))
    }
}
