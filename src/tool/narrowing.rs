//! What a request asks to be narrowed to. It never widens anything.

/// What a request asks to be narrowed to, with its path and its headers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Narrowing {
    /// The instance, by name.
    pub instance: Option<String>,
    /// The space that every call works in.
    pub space: Option<String>,
    /// The project that every call works on.
    pub project: Option<String>,
    /// These toolsets alone; `core` is always on.
    pub toolsets: Option<Vec<String>>,
    /// These tools alone.
    pub tools: Option<Vec<String>>,
    /// All tools but these.
    pub exclude: Vec<String>,
    /// Whether nothing may be changed.
    pub read_only: bool,
}
