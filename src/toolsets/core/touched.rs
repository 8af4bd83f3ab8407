//! What a request of `execute` touches, as far as its path and body say so.

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

/// What a request does, as far as it is known.
pub(super) struct Reach {
    /// What it does.
    pub(super) deed: Deed,
    /// What it touches. What cannot be known is unsure.
    pub(super) touches: Touches,
    /// When it begins, where that is not at once.
    pub(super) begins: Option<Moment>,
}

/// How far a change reaches.
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
    // What a body says beside the thing that the path names may mean nothing to Octopus.
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

/// Judges what a change shows as a read: the document that it changes, and for previews and checks
/// everything that they may answer with.
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
    let reason = "what the answer shows is unknown; read it with a tool or a GET".to_owned();
    cx.judge_reach(&mut reached, &[reason]).await
}

/// Where a release goes that is made, which its body says too little of: any channel of the project
/// may be meant.
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

/// When a request begins what it makes: a trigger does so whenever it likes.
fn begins(collection: &str, verb: Verb, body: Option<&Value>) -> Option<Moment> {
    if collection.contains("trigger") && verb != Verb::Delete {
        return Some(Moment::Unknown);
    }
    let Some(Value::Object(body)) = body else { return None };
    let times = body.iter().chain(inner(body));
    let is_begin = |key: &str| ["queuetime", "runat"].contains(&key.to_lowercase().as_str());
    let mut times = times.filter(|(key, value)| is_begin(key) && !value.is_null());
    let (_, first) = times.next()?;
    // Two of them, or one that does not read: nobody knows which counts.
    let read = first.as_str().and_then(|text| text.trim().parse().ok());
    Some(read.filter(|_| times.next().is_none()).map_or(Moment::Unknown, Moment::At))
}

/// The collections in which what is made says in its body where it goes.
const MADE: [&str; 3] = ["releases", "deployments", "runbookruns"];

/// The kinds of which everything is known that a request to a collection touches: where it runs
/// somewhere, that place; a release, its project; a thing itself, that thing.
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

/// Enters the space of a change and adds it to what the change touches. The path names it, or else
/// the body. A body that names another space is refused, because it is unknown which of the two
/// counts. If only the body names a space, Octopus may ignore that, so the space is unknown as well.
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
                        "it names the space \"{other}\", and the change is made in {} ({}); name \
                         one space, in the path and the body",
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
