//! Types of JSON documents and of query parameters.

/// A type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A string.
    Text,
    /// A boolean.
    Bool,
    /// An integer.
    Int,
    /// A number.
    Number,
    /// A string with a date and time in ISO 8601, such as `2026-11-02T09:00:00.000+00:00`.
    DateTime,
    /// A string with a UUID.
    Uuid,
    /// Any value, because the sources do not describe it.
    Any,
    /// One of these words. Newer servers add words.
    Words(Vec<&'static str>),
    /// A list with items of one type.
    List(Box<Shape>),
    /// An object with any keys and values of one type.
    Map(Box<Shape>),
    /// One of these types.
    OneOf(Vec<Shape>),
    /// An object with these fields.
    Object(Object),
    /// The type with this name; see [`super::Contract::resolve`].
    Named(&'static str),
}

/// An object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object {
    /// The fields.
    pub fields: Vec<Field>,
    /// Whether other fields exist, because the sources do not list those of each variant.
    pub is_open: bool,
}

/// A field of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// The name.
    pub name: &'static str,
    /// Whether the field is always present and not null. Other fields can be absent or null.
    pub is_required: bool,
    /// The type of a value that is not null.
    pub shape: Shape,
}

impl Shape {
    /// Calls a function with this type and every type in it. Types behind names are not visited.
    pub fn visit<'a>(&'a self, look: &mut impl FnMut(&'a Self)) {
        look(self);
        match self {
            Self::List(item) | Self::Map(item) => item.visit(look),
            Self::OneOf(shapes) => shapes.iter().for_each(|shape| shape.visit(look)),
            Self::Object(object) => object.fields.iter().for_each(|field| field.shape.visit(look)),
            _ => {}
        }
    }
}
