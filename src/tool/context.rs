//! What a tool is given besides its arguments.

use std::sync::Arc;

use super::{Consent, Error, Gate, Policy};
use crate::{
    callers::Who,
    octopus::{self, Instance, Session, Space, Window},
};

/// What a tool is given besides its arguments.
#[derive(Debug, Clone)]
pub struct Context {
    /// Octopus, as the caller may reach it.
    pub session: Session,
    /// The instance that the session reaches.
    pub instance: Arc<Instance>,
    /// Who calls.
    pub caller: Arc<Who>,
    /// What the request may see and do.
    pub policy: Policy,
    /// How large answers may be.
    pub limits: Limits,
    /// The space that the settings or the request fix.
    pub fixed_space: Option<String>,
    /// Where to say how far the call is.
    pub progress: Progress,
    /// What every change must pass.
    pub gate: Arc<Gate>,
    /// What the client can do and has done about consent.
    pub consent: Consent,
}

/// How large answers may be.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of an answer, where the call does not ask for more.
    pub answer: usize,
    /// Bytes of an answer at most.
    pub answer_cap: usize,
    /// Items of a list, where the call does not say.
    pub take: u32,
    /// Items of a list at most.
    pub take_cap: u32,
}

/// Tells a waiting client how far a long call is. Telling costs nothing where nobody listens.
#[derive(Debug, Clone, Default)]
pub struct Progress(Option<tokio::sync::mpsc::Sender<(u64, String)>>);

impl Progress {
    /// Progress that is sent here.
    pub fn new(sender: tokio::sync::mpsc::Sender<(u64, String)>) -> Self {
        Self(Some(sender))
    }

    /// Says how far the call is: an amount that only grows, and what it means. A client that
    /// does not keep up misses some.
    pub fn report(&self, amount: u64, message: impl FnOnce() -> String) {
        if let Some(sender) = &self.0 {
            let _ = sender.try_send((amount, message()));
        }
    }
}

impl Context {
    /// Enters the space that the call names, or the one that the settings fix. Where both are
    /// there, they must mean the same one.
    pub async fn space(&self, given: Option<&str>) -> Result<Space, Error> {
        let (fixed, given) = match (self.fixed_space.as_deref(), given) {
            (Some(fixed), given) => (fixed, given),
            (None, Some(given)) => return Ok(self.session.space(given).await?),
            (None, None) => {
                return Err(Error::Argument {
                    field: "space".to_owned(),
                    reason: "this argument is required: the name, slug or ID of a space; \
                             list_spaces shows them"
                        .to_owned(),
                });
            }
        };
        let space = self.session.space(fixed).await?;
        if let Some(given) = given.filter(|given| !given.trim().eq_ignore_ascii_case(fixed)) {
            let is_another = match self.session.space(given).await {
                Ok(meant) => meant.id() != space.id(),
                Err(octopus::Error::NotFound { .. }) => true,
                Err(error) => return Err(error.into()),
            };
            if is_another {
                let name = space.name();
                return Err(Error::Invalid(format!(
                    "this server works in the space '{name}' alone"
                )));
            }
        }
        Ok(space)
    }

    /// The part of a list that a call asks for, within the limits.
    pub fn window(&self, skip: Option<u32>, take: Option<u32>) -> Result<Window, Error> {
        if take == Some(0) {
            return Err(Error::Argument {
                field: "take".to_owned(),
                reason: "at least 1 must be taken".to_owned(),
            });
        }
        let take = take.unwrap_or(self.limits.take).min(self.limits.take_cap);
        Ok(Window { skip: skip.unwrap_or(0), take })
    }
}
