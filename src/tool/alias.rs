//! Aliases: names that earlier versions of the official Octopus server used. They are not listed,
//! but calls with them work.

/// Another name of a tool.
#[derive(Debug, Clone, Copy)]
pub struct Alias {
    /// The alias.
    pub name: &'static str,
    /// The argument that selects this tool, if several tools share the alias.
    pub with: Option<&'static str>,
}

impl Alias {
    /// Creates an alias that belongs to one tool.
    pub const fn of(name: &'static str) -> Self {
        Self { name, with: None }
    }

    /// Creates an alias that selects this tool if the call has this argument.
    pub const fn with(name: &'static str, argument: &'static str) -> Self {
        Self { name, with: Some(argument) }
    }
}
