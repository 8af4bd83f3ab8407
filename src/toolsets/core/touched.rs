//! Determines what an `execute` change accesses, from its path, query and body, for policy rules.

use serde_json::Value;

use super::{
    named::{KINDS, inner, is_nothing, look_up, named_by_body, named_by_path},
    unread,
};
use crate::{
    octopus::{self, About, Id, Kind, Space, Touches, projects::Project, releases},
    rules::{Deed, Moment},
    tool::{ApiPath, Context, Error, Verb},
    toolsets::executions::Automatic,
};

/// The action, access set and start time of a change, as far as they are known.
pub(super) struct Reach {
    /// The action.
    pub(super) deed: Deed,
    /// The documents that it accesses. Kinds that cannot be determined are marked as unknown.
    pub(super) touches: Touches,
    /// Start time, if the change does not start immediately.
    pub(super) begins: Option<Moment>,
}

/// Determines what a change accesses.
///
/// # Errors
///
/// [`Error::Argument`] if path and body name different spaces, and failures of Octopus.
pub(super) async fn by(
    path: &ApiPath,
    verb: Verb,
    query: &[(String, String)],
    body: Option<&Value>,
    cx: &Context,
) -> Result<Reach, Error> {
    let below: Vec<&str> = path.below_space().map(|(word, _)| word).collect();
    let first = below.first().copied().unwrap_or_default();
    let mut deed = match verb {
        Verb::Get => Deed::Read,
        Verb::Delete => Deed::Delete,
        _ if first == "releases" => Deed::Release,
        _ => Deed::Run,
    };
    let begins = begins(first, verb, body);
    if cx.rules.are_none() {
        let touches = Touches::default().unsure(KINDS).unsure([Kind::Space]);
        return Ok(Reach { deed, touches, begins });
    }
    let mut touches = Touches::default();
    path.below_space().for_each(|(_, segment)| touches.add_id(segment));
    let space = space(path, body, cx, &mut touches).await?;
    look_up(space.as_ref(), named_by_path(path), &mut touches).await?;
    octopus::follow(&cx.session, &mut touches).await?;
    // For a document that the path names, Octopus may ignore places in the body.
    let makes = verb == Verb::Post && (below.len() == 1 || below.get(1) == Some(&"create"));
    let by_path = certain(first, &touches);
    let named = named_by_body(body, &mut touches);
    unread::body(body, &mut touches);
    let parameters = query.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    unread::query(parameters, &mut touches);
    look_up(space.as_ref(), named, &mut touches).await?;
    octopus::follow(&cx.session, &mut touches).await?;
    octopus::name(&cx.session, &mut touches, About::Names).await?;
    let certain = if makes && MADE.contains(&first) { certain(first, &touches) } else { by_path };
    let unsure = KINDS.into_iter().filter(|kind| !certain.contains(kind));
    let nowhere = touches.of(Kind::Space).is_empty().then_some(Kind::Space);
    touches = touches.unsure(unsure).unsure(nowhere);
    if makes && first == "releases" {
        (deed, touches) = released(space.as_ref(), touches).await?;
    }
    Ok(Reach { deed, touches, begins })
}

/// Applies the rules about reads to what the response of a change shows.
///
/// A change returns the document that it changes. Previews and validations may return documents of any place,
/// so unknown kinds stay unknown for them.
///
/// # Errors
///
/// [`Error::Denied`] if a rule denies the read.
pub(super) async fn judge_as_read(
    path: &ApiPath,
    touches: &Touches,
    cx: &Context,
) -> Result<(), Error> {
    if !cx.rules.are_about_reads() {
        return Ok(());
    }
    let mut reached = touches.clone();
    if !["previews", "preview", "validate"].iter().any(|word| path.ends_with(word)) {
        for kind in KINDS.into_iter().chain([Kind::Space]) {
            reached = reached.sure(kind);
        }
    }
    let reason = "the response may show any document; read it with a tool or a GET".to_owned();
    cx.judge_reach(&mut reached, &[reason]).await
}

/// Adds the automatic deployments of a new release. The body may name any channel, so those of all channels
/// of the project count.
async fn released(space: Option<&Space>, touches: Touches) -> Result<(Deed, Touches), Error> {
    let unknown = |touches: Touches| Ok((Deed::Run, touches.unsure(KINDS)));
    let ([project], Some(space)) = (touches.of(Kind::Project), space) else {
        return unknown(touches);
    };
    let Ok(id) = Id::<Project>::parse(&project.id) else { return unknown(touches) };
    let read = async {
        let project = space.get::<Project>(&id).await?;
        let channels = releases::channels_of(space, &id).await?;
        Automatic::of(space, &project, &channels).await
    };
    match read.await {
        Ok(automatic) => Ok((automatic.deed(), automatic.touch(touches))),
        Err(error) if is_nothing(&error) => unknown(touches),
        Err(error) => Err(error.into()),
    }
}

/// Returns when the created execution starts, from the body. The start time of a trigger is unknown.
fn begins(collection: &str, verb: Verb, body: Option<&Value>) -> Option<Moment> {
    if collection.contains("trigger") && verb != Verb::Delete {
        return Some(Moment::Unknown);
    }
    let Some(Value::Object(body)) = body else { return None };
    let times = body.iter().chain(inner(body));
    let is_begin = |key: &str| ["queuetime", "runat"].contains(&key.to_lowercase().as_str());
    let mut times = times.filter(|(key, value)| is_begin(key) && !value.is_null());
    let (_, first) = times.next()?;
    // With two times or an invalid one, the start time is unknown.
    let read = first.as_str().and_then(|text| text.trim().parse().ok());
    Some(read.filter(|_| times.next().is_none()).map_or(Moment::Unknown, Moment::At))
}

/// Collections whose new documents name their targets in the body.
const MADE: [&str; 3] = ["releases", "deployments", "runbookruns"];

/// Returns the kinds that are completely known for a request to a collection.
///
/// An execution is known by its project and environment, a release by its project, and a document by itself.
fn certain(collection: &str, touches: &Touches) -> Vec<Kind> {
    let has = |kind: &Kind| !touches.of(*kind).is_empty();
    let all_if = |needed: &[Kind]| if needed.iter().all(has) { KINDS.to_vec() } else { Vec::new() };
    let only = |kind: Kind| if has(&kind) { vec![kind] } else { Vec::new() };
    match collection {
        "releases" => all_if(&[Kind::Project]),
        "deployments" | "runbookruns" | "tasks" | "interruptions" => {
            all_if(&[Kind::Project, Kind::Environment])
        }
        "projects" => only(Kind::Project),
        "environments" | "machines" => only(Kind::Environment),
        "tenants" => only(Kind::Tenant),
        _ => Vec::new(),
    }
}

/// Enters the space of a change, named by the path or else by the body, and adds it to `touches`.
///
/// If only the body names a space, Octopus may ignore it, so the space is marked as unknown as well.
///
/// # Errors
///
/// [`Error::Argument`] if the body names a space other than the path, because it is unknown which one Octopus
/// uses.
async fn space(
    path: &ApiPath,
    body: Option<&Value>,
    cx: &Context,
    touches: &mut Touches,
) -> Result<Option<Space>, Error> {
    let in_body = body.map(unread::spaces).unwrap_or_default();
    let Some(wanted) = path.space().or(in_body.first().copied()) else { return Ok(None) };
    match cx.session.unrecorded().space(wanted).await {
        Ok(space) => {
            let mut entered = Touches::default();
            space.touches(&mut entered);
            let is_other = |other: &&str| !unread::is_entered(other, &entered);
            if let Some(other) = in_body.into_iter().find(is_other) {
                return Err(Error::Argument {
                    field: "body".to_owned(),
                    reason: format!(
                        "the body names space \"{other}\", but the change is made in {} ({}); name \
                         the same space in path and body",
                        space.name(),
                        space.id()
                    ),
                });
            }
            touches.extend(entered);
            let unknown = path.space().is_none().then_some(Kind::Space);
            *touches = std::mem::take(touches).unsure(unknown);
            Ok(Some(space))
        }
        Err(error) if is_nothing(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
