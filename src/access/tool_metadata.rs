//! Aliases: names that earlier versions of the official Octopus server used. They are not listed,
//! but calls with them work.

/// Another name of a tool.
#[derive(Debug, Clone, Copy)]
pub struct Alias {
    /// The alias.
    pub name: &'static str,
    /// The argument that selects this tool, if several tools share the alias.
    pub required_argument: Option<&'static str>,
}

impl Alias {
    /// Creates an alias that belongs to one tool.
    pub const fn new(name: &'static str) -> Self {
        Self { name, required_argument: None }
    }

    /// Creates an alias that selects this tool if the call has this argument.
    pub const fn with_argument(name: &'static str, argument: &'static str) -> Self {
        Self { name, required_argument: Some(argument) }
    }
}
