//! Other names of a tool: earlier versions of Octopus's own server had them. They are not listed,
//! and always answer.

/// Another name of a tool.
#[derive(Debug, Clone, Copy)]
pub struct Alias {
    /// The name.
    pub name: &'static str,
    /// The argument with which the name means this tool, where it stood for several.
    pub with: Option<&'static str>,
}

impl Alias {
    /// A name that means this tool.
    pub const fn of(name: &'static str) -> Self {
        Self { name, with: None }
    }

    /// A name that means this tool where the call has this argument.
    pub const fn with(name: &'static str, argument: &'static str) -> Self {
        Self { name, with: Some(argument) }
    }
}
