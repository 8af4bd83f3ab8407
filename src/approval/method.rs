//! Approval methods.

/// Approval method of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApprovalMethod {
    /// A person approves through the client (MCP elicitation).
    Person,
    /// The call is repeated with the code from the preview.
    Code,
    /// The call has `confirm: true`, and the settings accept it.
    Argument,
    /// The settings require no approval.
    None,
}

impl ApprovalMethod {
    /// Returns the method's name for audit records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Code => "code",
            Self::Argument => "argument",
            Self::None => "nobody",
        }
    }
}
