//! Parser of `operations.txt` and `types.txt`.

use std::collections::BTreeMap;

use super::{Edition, Field, Object, Operation, Parameter, Shape};

/// Both files, as one edition has them.
#[derive(Default)]
pub(super) struct Document {
    pub(super) operations: Vec<Operation>,
    pub(super) types: BTreeMap<&'static str, Shape>,
    /// Entries that cannot be read, with the reason.
    pub(super) errors: Vec<String>,
}

/// Definitions of types, not parsed.
type Definitions = BTreeMap<&'static str, &'static str>;

type Parsed<T> = Result<T, String>;

impl Document {
    pub(super) fn parse(edition: Edition, operations: &'static str, types: &'static str) -> Self {
        let mut document = Self::default();
        let definitions: Definitions =
            entries(types).into_iter().filter_map(|entry| split_at_word(entry, "=")).collect();
        for (name, text) in &definitions {
            // Types with a parameter are parsed where they are used.
            if text.split(|c: char| !c.is_alphanumeric()).any(|word| word == "T") {
                continue;
            }
            match Parser::new(edition, &definitions, text).whole() {
                Ok(shape) => {
                    document.types.insert(name, shape);
                }
                Err(error) => document.errors.push(format!("{name}: {error}")),
            }
        }
        for entry in entries(operations) {
            match operation(edition, &definitions, entry) {
                Ok(found) => document.operations.extend(found),
                Err(error) => document.errors.push(format!("{entry}: {error}")),
            }
        }
        document
    }
}

/// Returns the entries of a file: a line and the indented lines below it. Comments precede them.
fn entries(text: &'static str) -> Vec<&'static str> {
    let mut entries = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let continues = |at: &usize| !rest.get(at + 1..).is_some_and(|next| next.starts_with(' '));
        let end = rest.match_indices('\n').map(|(at, _)| at).find(continues);
        let (entry, next) = rest.split_at(end.unwrap_or(rest.len()));
        rest = next.strip_prefix('\n').unwrap_or_default();
        if !entry.trim().is_empty() && !entry.starts_with('#') {
            entries.push(entry);
        }
    }
    entries
}

/// Splits a text at a word that stands alone.
fn split_at_word(text: &'static str, word: &str) -> Option<(&'static str, &'static str)> {
    let is_alone = |at: &usize| {
        let before = text.get(..*at).is_some_and(|text| text.ends_with(char::is_whitespace));
        let after = text
            .get(at + word.len()..)
            .is_some_and(|text| text.is_empty() || text.starts_with(char::is_whitespace));
        before && after
    };
    let at = text.match_indices(word).map(|(at, _)| at).find(is_alone)?;
    Some((text.get(..at)?.trim(), text.get(at + word.len()..)?.trim()))
}

/// Mark for the sources of a fact.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Both,
    Newest,
    Oldest,
    Undocumented,
}

impl Mark {
    fn split(text: &'static str) -> (Self, &'static str) {
        let marks = [('+', Self::Newest), ('-', Self::Oldest), ('~', Self::Undocumented)];
        let found =
            marks.into_iter().find_map(|(sign, mark)| Some((mark, text.strip_prefix(sign)?)));
        found.unwrap_or((Self::Both, text))
    }

    fn is_in(self, edition: Edition) -> bool {
        match self {
            Self::Both | Self::Undocumented => true,
            Self::Newest => edition == Edition::V2026_3,
            Self::Oldest => edition == Edition::V2023_4,
        }
    }
}

/// Returns the operation of an entry; `None` if the edition does not have it.
fn operation(
    edition: Edition,
    definitions: &Definitions,
    entry: &'static str,
) -> Parsed<Option<Operation>> {
    let (request, response) = split_at_word(entry, "=").ok_or("no `=`")?;
    let (request, body) = match split_at_word(request, "<") {
        Some((request, body)) => (request, Some(body)),
        None => (request, None),
    };
    let (request, query) = split_at_word(request, "?").unwrap_or((request, ""));
    let (mark, request) = Mark::split(request);
    if !mark.is_in(edition) {
        return Ok(None);
    }
    let words: Vec<&'static str> = request.split_whitespace().collect();
    let [method, scope, path] = words.as_slice() else {
        return Err("no method, scope and path".to_owned());
    };
    let is_in_space = match *scope {
        "space" => true,
        "system" => false,
        other => return Err(format!("unknown scope {other}")),
    };
    let mut parameters = Vec::new();
    for word in query.split_whitespace() {
        parameters.extend(parameter(edition, definitions, word)?);
    }
    let (status, response) = response_of(edition, response)?;
    let shape = |text: &'static str| Parser::new(edition, definitions, text).whole();
    Ok(Some(Operation {
        method,
        is_in_space,
        path,
        query: parameters,
        body: body.map(shape).transpose()?,
        status,
        response: response.map(shape).transpose()?,
        is_undocumented: mark == Mark::Undocumented,
    }))
}

/// Returns the parameter of a word such as `+skip*:int`.
fn parameter(
    edition: Edition,
    definitions: &Definitions,
    word: &'static str,
) -> Parsed<Option<Parameter>> {
    let (mark, word) = Mark::split(word);
    let (name, shape) = match word.split_once(':') {
        Some((name, text)) => (name, Parser::new(edition, definitions, text).whole()?),
        None => (word, Shape::Text),
    };
    let (name, is_required) = match name.strip_suffix('*') {
        Some(name) => (name, true),
        None => (name, false),
    };
    let is_undocumented = mark == Mark::Undocumented;
    let found = Parameter { name, is_required, shape, is_undocumented };
    Ok(mark.is_in(edition).then_some(found))
}

/// Splits the statuses from the type of a response, such as `-200 +201 Release`.
fn response_of(edition: Edition, text: &'static str) -> Parsed<(u16, Option<&'static str>)> {
    let mut status = None;
    let mut rest = text;
    loop {
        let (word, next) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        let (mark, number) = Mark::split(word);
        let Ok(number) = number.parse::<u16>() else { break };
        if mark.is_in(edition) {
            status = Some(number);
        }
        rest = next.trim_start();
    }
    let status = status.ok_or_else(|| format!("no status in `{text}`"))?;
    Ok((status, (!rest.is_empty()).then_some(rest)))
}

/// Recursive descent over the text of a type.
struct Parser<'d> {
    edition: Edition,
    definitions: &'d Definitions,
    rest: &'static str,
    /// The type behind `T`.
    argument: Option<Shape>,
}

impl<'d> Parser<'d> {
    fn new(edition: Edition, definitions: &'d Definitions, text: &'static str) -> Self {
        Self { edition, definitions, rest: text, argument: None }
    }

    /// Parses the whole text.
    fn whole(mut self) -> Parsed<Shape> {
        let shape = self.union()?;
        self.skip_space();
        if self.rest.is_empty() { Ok(shape) } else { Err(format!("unexpected `{}`", self.rest)) }
    }

    fn union(&mut self) -> Parsed<Shape> {
        let mut shapes = vec![self.shape()?];
        while self.take('/') {
            shapes.push(self.shape()?);
        }
        Ok(match shapes.pop() {
            Some(shape) if shapes.is_empty() => shape,
            last => Shape::OneOf(shapes.into_iter().chain(last).collect()),
        })
    }

    fn shape(&mut self) -> Parsed<Shape> {
        if self.take('[') {
            let item = self.union()?;
            return self.expect(']').map(|()| Shape::List(Box::new(item)));
        }
        if self.take('{') {
            if self.rest.starts_with(char::is_whitespace) {
                return self.object().map(Shape::Object);
            }
            let value = self.union()?;
            return self.expect('}').map(|()| Shape::Map(Box::new(value)));
        }
        let word = self.word()?;
        if self.take('|') {
            return self.words(word).map(Shape::Words);
        }
        if self.take('<') {
            let argument = self.union()?;
            self.expect('>')?;
            return self.generic(word, argument);
        }
        Ok(match word {
            "text" => Shape::Text,
            "bool" => Shape::Bool,
            "int" => Shape::Int,
            "number" => Shape::Number,
            "datetime" => Shape::DateTime,
            "uuid" => Shape::Uuid,
            "any" => Shape::Any,
            "T" => self.argument.clone().ok_or("`T` outside of a type with a parameter")?,
            name => Shape::Named(name),
        })
    }

    /// Parses the words after the first and its `|`. A single word is written `Queued|`.
    fn words(&mut self, first: &'static str) -> Parsed<Vec<&'static str>> {
        let mut words = vec![first];
        self.skip_space();
        while self.rest.starts_with(|c: char| c.is_alphanumeric() || "+-~".contains(c)) {
            let mark = self.mark();
            let word = self.word()?;
            if mark.is_in(self.edition) {
                words.push(word);
            }
            if !self.take('|') {
                break;
            }
        }
        Ok(words)
    }

    /// Parses the definition of a type with a parameter.
    fn generic(&self, name: &'static str, argument: Shape) -> Parsed<Shape> {
        let text = self.definitions.get(name).ok_or_else(|| format!("unknown type `{name}`"))?;
        let mut parser = Parser::new(self.edition, self.definitions, text);
        parser.argument = Some(argument);
        parser.whole()
    }

    /// Parses the fields after `{`.
    fn object(&mut self) -> Parsed<Object> {
        let mut object = Object::default();
        while !self.take('}') {
            let mark = self.mark();
            let name = self.word()?;
            if name == "..." {
                object.is_open = true;
            } else if let Some(included) = name.strip_prefix("..") {
                let text = self.definitions.get(included);
                let text = text.ok_or_else(|| format!("unknown type `{included}`"))?;
                match Parser::new(self.edition, self.definitions, text).whole()? {
                    Shape::Object(other) => object.fields.extend(other.fields),
                    _ => return Err(format!("`{included}` is not an object")),
                }
            } else {
                let is_required = self.take('*');
                self.skip_space();
                let is_text = self.rest.starts_with([',', '}']);
                let shape = if is_text { Shape::Text } else { self.union()? };
                if mark.is_in(self.edition) {
                    object.fields.push(Field { name, is_required, shape });
                }
            }
            if !self.take(',') {
                self.expect('}')?;
                break;
            }
        }
        Ok(object)
    }

    fn mark(&mut self) -> Mark {
        self.skip_space();
        let (mark, rest) = Mark::split(self.rest);
        self.rest = rest;
        mark
    }

    fn word(&mut self) -> Parsed<&'static str> {
        self.skip_space();
        let is_end = |c: char| !(c.is_alphanumeric() || "_.".contains(c));
        let (word, rest) = self.rest.split_at(self.rest.find(is_end).unwrap_or(self.rest.len()));
        if word.is_empty() {
            return Err(format!("expected a word at `{}`", self.rest));
        }
        self.rest = rest;
        Ok(word)
    }

    /// Skips this character and returns whether it is next.
    fn take(&mut self, wanted: char) -> bool {
        let found = self.rest.trim_start().strip_prefix(wanted);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn expect(&mut self, wanted: char) -> Parsed<()> {
        if self.take(wanted) { Ok(()) } else { Err(format!("no `{wanted}` at `{}`", self.rest)) }
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &'static str) -> Parsed<Shape> {
        let definitions = Definitions::from([
            ("Base", "{ Id* }"),
            ("Page", "{ ..Base, Items [T],\n  Total int }"),
        ]);
        Parser::new(Edition::V2026_3, &definitions, text).whole()
    }

    #[test]
    fn parses_each_kind_of_type() {
        let field = |name, is_required, shape| Field { name, is_required, shape };
        let id = || field("Id", true, Shape::Text);
        let rows = [
            ("[{bool}]", Shape::List(Box::new(Shape::Map(Box::new(Shape::Bool))))),
            ("A|-B|+C", Shape::Words(vec!["A", "C"])),
            ("A|", Shape::Words(vec!["A"])),
            ("text / Base", Shape::OneOf(vec![Shape::Text, Shape::Named("Base")])),
            (
                "{ ..Base, A* A|B, +B\n  datetime, -C, D, ... }",
                Shape::Object(Object {
                    fields: vec![
                        id(),
                        field("A", true, Shape::Words(vec!["A", "B"])),
                        field("B", false, Shape::DateTime),
                        field("D", false, Shape::Text),
                    ],
                    is_open: true,
                }),
            ),
            (
                "Page<uuid>",
                Shape::Object(Object {
                    fields: vec![
                        id(),
                        field("Items", false, Shape::List(Box::new(Shape::Uuid))),
                        field("Total", false, Shape::Int),
                    ],
                    is_open: false,
                }),
            ),
        ];
        for (text, expected) in rows {
            assert_eq!(parse(text), Ok(expected), "{text}");
        }
        for text in ["", "[text", "{ A text", "Page<text", "T", "{ ..Nothing }", "text text"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn splits_entries_and_statuses() {
        let found = entries("# comment\n\nA = { B,\n  C }\nD = text\n");
        assert_eq!(found, ["A = { B,\n  C }", "D = text"]);
        assert_eq!(split_at_word("A <= B =\n C", "="), Some(("A <= B", "C")));
        let rows = [(Edition::V2023_4, 200), (Edition::V2026_3, 201)];
        for (edition, status) in rows {
            assert_eq!(response_of(edition, "-200 +201 { Id }"), Ok((status, Some("{ Id }"))));
            assert_eq!(response_of(edition, "204"), Ok((204, None)));
        }
    }
}
