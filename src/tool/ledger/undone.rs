//! Why something is not done, and what to do instead.

use crate::tool::Error;

/// Why something is not done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tool) enum Undone {
    /// The name stands for another call.
    OtherCall,
    /// It was done, and the answer is not kept any more.
    Forgotten,
    /// Another replica sends or sent it.
    Elsewhere,
    /// Whether another replica has, nobody knows.
    Unknown,
    /// More was done not long ago than can be known.
    Full,
}

impl Undone {
    fn words(self) -> &'static str {
        match self {
            Self::OtherCall => {
                "this idempotencyKey was used for another call not long ago; give a new one"
            }
            Self::Forgotten => {
                "this change was sent not long ago, and what Octopus answered is not kept any more; it \
                 is not sent again. Read what it was about, or the events of it, to see what came of \
                 it. To make it once more, call without `confirm`, and with a new idempotencyKey if any"
            }
            Self::Elsewhere => {
                "another replica of this server is making this change, or made it not long ago; its \
                 outcome is known only there, and the change is not sent again. Read the object that \
                 it changes, or its events, to see the outcome. To make the change once more, call \
                 without `confirm`, and with a new idempotencyKey if any. If that fails in the same \
                 way, the other replica stopped before it recorded the end: wait 4 minutes, then call \
                 without `confirm` again"
            }
            Self::Unknown => {
                "nothing was changed: whether another replica of this server did this already cannot \
                 be known now, since the store that they share is away; call again in a moment, or \
                 without `confirm` and without idempotencyKey to be asked anew"
            }
            Self::Full => {
                "nothing was changed: more was changed in the last 15 minutes than this server can \
                 tell apart; call again in some minutes"
            }
        }
    }
}

impl From<Undone> for Error {
    fn from(why: Undone) -> Self {
        Self::Invalid(why.words().to_owned())
    }
}
