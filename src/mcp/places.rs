//! Whether the space that a request names is one that its caller can work in.

use std::time::Duration;

use moka::sync::Cache;

use super::NotServed;
use crate::{
    octopus::{self, Fingerprint, Instance, Session, Window, spaces},
    tool::Reach,
};

/// How long a request waits to learn that. What takes longer is told by the call.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many spaces are named to a caller who asked for one that is not there.
const NAMED: u32 = 30;

/// How many spaces are remembered that are not there, and for how long: short enough that a space
/// which was made just now is soon found.
const MOST_ABSENT: u64 = 10_000;
const ABSENT_FOR: Duration = Duration::from_secs(10);

/// Spaces that callers asked for and that are not there for them, and what they were told. It is
/// remembered for each caller alone, so that who asks again does not make Octopus search again.
#[derive(Debug, Clone)]
pub struct Absent(Cache<Fingerprint, NotServed>);

impl Default for Absent {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(MOST_ABSENT).time_to_live(ABSENT_FOR).build())
    }
}

impl Absent {
    /// Refuses a request that names a space which its caller does not see. What a name stands for
    /// is remembered for each caller, so this asks Octopus once in a while; and where Octopus does
    /// not say, the call finds out.
    pub(super) async fn check(&self, reach: &Reach, instance: &Instance) -> Result<(), NotServed> {
        let Some(wanted) = reach.narrowing.space.as_deref() else { return Ok(()) };
        let asked = asked(reach, instance, wanted);
        if let Some(told) = self.0.get(&asked) {
            return Err(told);
        }
        let looked = look(reach, instance, wanted).await;
        if let Err(told) = &looked {
            self.0.insert(asked, told.clone());
        }
        looked
    }
}

/// Tells who asks for which space from every other, with what decides on the answer.
fn asked(reach: &Reach, instance: &Instance, wanted: &str) -> Fingerprint {
    let who = &reach.caller.who;
    let caller = reach.caller.fingerprint();
    let granted = format!("{:?} {:?}", who.groups, who.grants.spaces);
    let wanted = wanted.trim().to_lowercase();
    let parts = [granted.as_bytes(), instance.name.as_bytes(), wanted.as_bytes()];
    Fingerprint::of(std::iter::once(caller.as_bytes().as_slice()).chain(parts))
}

async fn look(reach: &Reach, instance: &Instance, wanted: &str) -> Result<(), NotServed> {
    let look = async {
        let session = reach.session(instance, None).await.ok()?;
        let fixed = match instance.space.as_deref() {
            Some(fixed) => Some(session.space(fixed).await.ok()?),
            None => None,
        };
        let granted = reach.caller.who.grants.spaces.as_ref();
        match session.space(wanted).await {
            Ok(space) => {
                let is_other = fixed.as_ref().is_some_and(|fixed| fixed.id() != space.id());
                let is_granted =
                    granted.is_none_or(|granted| granted.iter().any(|one| space.is_called(one)));
                if is_granted && !is_other { None } else { Some(session) }
            }
            Err(octopus::Error::NotFound { .. }) => Some(session),
            Err(_) => None,
        }
    };
    // Not found, or another than the one that the settings fix.
    let Ok(Some(session)) = tokio::time::timeout(PATIENCE, look).await else { return Ok(()) };
    let names = match tokio::time::timeout(PATIENCE, names(reach, instance, &session)).await {
        Ok(names) if !names.is_empty() => format!("; there are: {}", names.join(", ")),
        _ => String::new(),
    };
    Err(NotServed::Missing(format!(
        "the instance '{}' has no space '{}' for you{names}",
        instance.name,
        wanted.escape_debug()
    )))
}

/// The spaces that the caller can work in.
async fn names(reach: &Reach, instance: &Instance, session: &Session) -> Vec<String> {
    if let Some(fixed) = &instance.space {
        return vec![fixed.clone()];
    }
    if let Some(granted) = &reach.caller.who.grants.spaces {
        return granted.iter().cloned().collect();
    }
    let page = spaces::list(session, None, Window { skip: 0, take: NAMED }).await;
    let spaces = page.map(|page| page.items).unwrap_or_default();
    spaces.into_iter().map(|space| space.slug.unwrap_or(space.name)).collect()
}
