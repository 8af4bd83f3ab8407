//! Lists: pages with links, and the bare arrays of `/all`.

use serde_json::{Map, Value};

use super::answer::Answer;
use super::call::Call;
use super::world::Item;

/// "Take everything": the largest 32-bit number.
const ALL: usize = 2_147_483_647;

/// How a list pages.
pub(super) struct Pages {
    /// The name of the resource type, such as `Project`.
    pub(super) item_type: &'static str,
    /// How many a page holds when `take` is not given; 30 nearly everywhere.
    pub(super) take: usize,
    /// The names of the parameters, as the template link shows them.
    pub(super) parameters: &'static str,
}

impl Pages {
    /// Pages of thirty.
    pub(super) const fn of(item_type: &'static str, parameters: &'static str) -> Self {
        Self { item_type, take: 30, parameters }
    }

    /// The page that was asked for, out of all items that match.
    pub(super) fn page<'a>(
        &self,
        call: &Call<'_>,
        items: impl Iterator<Item = &'a Item>,
    ) -> Answer {
        let items: Vec<&Item> = items.collect();
        let (skip, take) = self.window(call);
        let shown = items.iter().skip(skip).take(take).map(|item| &*item.json);
        self.written(call, items.len(), shown, "")
    }

    /// `skip` and `take`, with the defaults filled in.
    pub(super) fn window(&self, call: &Call<'_>) -> (usize, usize) {
        let skip = call.query.number("skip").unwrap_or(0);
        (skip, call.query.number("take").unwrap_or(self.take))
    }

    /// A page of items that are already cut to the window; `extra` goes before the links.
    pub(super) fn written<T: AsRef<str>>(
        &self,
        call: &Call<'_>,
        total: usize,
        shown: impl Iterator<Item = T>,
        extra: &str,
    ) -> Answer {
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
        Answer::json(text)
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

/// The bare array of an `/all` path.
pub(super) fn all<'a>(items: impl Iterator<Item = &'a Item>) -> Answer {
    let mut text = String::from("[");
    join(&mut text, items.map(|item| &*item.json));
    text.push(']');
    Answer::json(text)
}

fn join<T: AsRef<str>>(text: &mut String, items: impl Iterator<Item = T>) {
    for (position, item) in items.enumerate() {
        if position > 0 {
            text.push(',');
        }
        text.push_str(item.as_ref());
    }
}
