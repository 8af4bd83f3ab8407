//! Server properties that the page shows without a request.

/// Server properties that the page shows to every visitor.
#[derive(Debug, Clone, Default)]
pub struct PageFacts {
    /// Number of tools that the settings enable.
    pub tools: usize,
    /// `true` if the settings allow tools that change Octopus.
    pub allows_changes: bool,
    /// `true` if several instances are configured.
    pub has_several_instances: bool,
    /// Use of Octopus API keys by callers.
    pub api_key: ApiKeyUse,
    /// Example questions about the sample instance. Empty for other instances.
    pub sample_questions: &'static [&'static str],
}

/// Use of Octopus API keys by callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ApiKeyUse {
    /// Requests without a key are rejected.
    #[default]
    Required,
    /// The server has a key for requests without one.
    Optional,
    /// Requests with a key are rejected.
    Rejected,
}

impl ApiKeyUse {
    /// Returns the name in the embedded page data.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Required => "required",
            Self::Optional => "optional",
            Self::Rejected => "rejected",
        }
    }
}
