//! Lists: pages with links, and the bare arrays of `/all`.

use serde_json::{Map, Value};

use super::call::Call;
use super::database::Item;
use super::response::ApiResponse;

/// `take` of the link to all items: the largest 32-bit integer.
const ALL: usize = 2_147_483_647;

/// Page format of a list.
pub(super) struct Pages {
    /// Name of the resource type, such as `Project`.
    pub(super) item_type: &'static str,
    /// Default of `take`; 30 for nearly all lists.
    pub(super) take: usize,
    /// Parameter names in the template link.
    pub(super) parameters: &'static str,
}

impl Pages {
    /// Creates a format with 30 items per page.
    pub(super) const fn of(item_type: &'static str, parameters: &'static str) -> Self {
        Self { item_type, take: 30, parameters }
    }

    /// Returns the requested page of the matching items.
    pub(super) fn page<'a>(
        &self,
        call: &Call<'_>,
        items: impl Iterator<Item = &'a Item>,
    ) -> ApiResponse {
        let items: Vec<&Item> = items.collect();
        let (skip, take) = self.window(call);
        let shown = items.iter().skip(skip).take(take).map(|item| &*item.json);
        self.render(call, items.len(), shown, "")
    }

    /// Returns `skip` and `take`, or their defaults.
    pub(super) fn window(&self, call: &Call<'_>) -> (usize, usize) {
        let skip = call.query.number("skip").unwrap_or(0);
        (skip, call.query.number("take").unwrap_or(self.take))
    }

    /// Returns a page of items that are already cut to `skip` and `take`. `extra` is inserted
    /// before the links.
    pub(super) fn render<T: AsRef<str>>(
        &self,
        call: &Call<'_>,
        total: usize,
        shown: impl Iterator<Item = T>,
        extra: &str,
    ) -> ApiResponse {
        let (skip, take) = self.window(call);
        let pages = total.checked_div(take).map_or(1, |_| total.div_ceil(take)).max(1);
        let mut text = format!(
            "{{\"ItemType\":\"{}\",\"TotalResults\":{total},\"ItemsPerPage\":{take},\
             \"NumberOfPages\":{pages},\"LastPageNumber\":{},\"Items\":[",
            self.item_type,
            pages - 1
        );
        join(&mut text, shown);
        text.push_str("],");
        text.push_str(extra);
        text.push_str("\"Links\":");
        text.push_str(&self.links(call, total, pages, skip, take));
        text.push('}');
        ApiResponse::json(text)
    }

    fn links(
        &self,
        call: &Call<'_>,
        total: usize,
        pages: usize,
        skip: usize,
        take: usize,
    ) -> String {
        let path = &call.path;
        let filters = call.query.filters();
        let to = |skip: usize, take: usize| format!("{path}?{filters}skip={skip}&take={take}");
        let mut links = Map::new();
        let mut add = |name: &str, target: String| {
            links.insert(name.to_owned(), Value::String(target));
        };
        add("Self", to(skip, take));
        add("Template", format!("{path}{{?{}}}", self.parameters));
        add("Page.All", to(0, ALL));
        add("Page.Current", to(skip, take));
        if skip > 0 {
            add("Page.Previous", to(skip.saturating_sub(take), take));
        }
        if take > 0 && skip.saturating_add(take) < total {
            add("Page.Next", to(skip + take, take));
        }
        add("Page.Last", to((pages - 1).saturating_mul(take), take));
        Value::Object(links).to_string()
    }
}

/// Returns the bare array of an `/all` path.
pub(super) fn all<'a>(items: impl Iterator<Item = &'a Item>) -> ApiResponse {
    let mut text = String::from("[");
    join(&mut text, items.map(|item| &*item.json));
    text.push(']');
    ApiResponse::json(text)
}

fn join<T: AsRef<str>>(text: &mut String, items: impl Iterator<Item = T>) {
    for (position, item) in items.enumerate() {
        if position > 0 {
            text.push(',');
        }
        text.push_str(item.as_ref());
    }
}
