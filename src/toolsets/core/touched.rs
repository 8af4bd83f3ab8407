//! What a request of `execute` touches, as far as its path and body say so.

use serde_json::{Map, Value};

use crate::{
    octopus::{
        self, About, Error as OctopusError, Kind, Named, Space, Touches, environments::Environment,
        projects::Project, tenants::Tenant,
    },
    rules::Deed,
    tool::{ApiPath, Context, Error, Verb},
};

const KINDS: [Kind; 3] = [Kind::Project, Kind::Environment, Kind::Tenant];

/// What a change touches, and what it does. What cannot be known is unsure.
pub(super) async fn by(
    path: &ApiPath,
    verb: Verb,
    body: Option<&Value>,
    cx: &Context,
) -> Result<(Deed, Touches), Error> {
    let first = path.below_space().next().map_or("", |(word, _)| word);
    let deed = match verb {
        Verb::Get => Deed::Read,
        Verb::Delete => Deed::Delete,
        _ if first == "releases" => Deed::Release,
        _ => Deed::Run,
    };
    let mut touches = Touches::default();
    if cx.rules.are_none() {
        return Ok((deed, touches.unsure(KINDS).unsure([Kind::Space])));
    }
    let mut unsure: Vec<Kind> = Vec::new();
    path.below_space().for_each(|(_, segment)| touches.add_id(segment));
    let space = space(path, cx, &mut touches).await?;
    let mut named = named_by_path(path);
    named.extend(named_by_body(body, &mut touches));
    for Called { kind, name } in named {
        if !find(space.as_ref(), kind, &name, &mut touches).await? {
            unsure.push(kind);
        }
    }
    octopus::follow(&cx.session, &mut touches).await?;
    octopus::name(&cx.session, &mut touches, About::Names).await?;
    unsure.extend(KINDS.into_iter().filter(|kind| !is_certain(first, *kind, &touches)));
    if touches.of(Kind::Space).is_empty() {
        unsure.push(Kind::Space);
    }
    Ok((deed, touches.unsure(unsure)))
}

/// Whether what a request to a collection touches of a kind is all known: where it runs somewhere,
/// that place; a release, its project; a thing itself, that thing.
fn is_certain(collection: &str, kind: Kind, touches: &Touches) -> bool {
    let has = |kind: Kind| !touches.of(kind).is_empty();
    match collection {
        "releases" => has(Kind::Project),
        "deployments" | "runbookruns" | "tasks" | "interruptions" => {
            has(Kind::Project) && has(Kind::Environment)
        }
        "projects" => kind == Kind::Project && has(kind),
        "environments" | "machines" => kind == Kind::Environment && has(kind),
        "tenants" => kind == Kind::Tenant && has(kind),
        _ => false,
    }
}

/// Enters the space that the path names, and writes it down.
async fn space(
    path: &ApiPath,
    cx: &Context,
    touches: &mut Touches,
) -> Result<Option<Space>, Error> {
    let Some(wanted) = path.space() else { return Ok(None) };
    match cx.session.unrecorded().space(wanted).await {
        Ok(space) => {
            space.touches(touches);
            Ok(Some(space))
        }
        Err(error) if is_nothing(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Something that is called by a name, a slug or an ID.
struct Called {
    kind: Kind,
    name: String,
}

fn is_id(text: &str) -> bool {
    let mut touches = Touches::default();
    touches.add_id(text);
    touches != Touches::default()
}

/// What the path calls by a slug.
fn named_by_path(path: &ApiPath) -> Vec<Called> {
    let below: Vec<(&str, &str)> = path.below_space().collect();
    let kind = |word: &str| KINDS.into_iter().find(|kind| kind.collection() == word);
    let pairs = below.iter().zip(below.iter().skip(1));
    let named = pairs.filter(|(_, (_, segment))| !is_id(segment));
    named
        .filter_map(|((word, _), (_, segment))| {
            Some(Called { kind: kind(word)?, name: (*segment).to_owned() })
        })
        .collect()
}

/// What the keys of a body are about. Octopus reads them in any letter case.
const KEYS: [(Kind, &[&str]); 3] = [
    (
        Kind::Project,
        &["projectid", "projectids", "projectname", "projectidorname", "projectidorslug"],
    ),
    (
        Kind::Environment,
        &[
            "environmentid",
            "environmentids",
            "environmentname",
            "environmentnames",
            "environmentidorname",
            "environmentidsornames",
        ],
    ),
    (Kind::Tenant, &["tenantid", "tenantids", "tenantname", "tenantnames", "tenants"]),
];

/// What leads to the project of a thing that is made.
const LEADS: [&str; 6] =
    ["releaseid", "runbookid", "runbooksnapshotid", "deploymentid", "channelid", "taskid"];

fn named_by_body(body: Option<&Value>, touches: &mut Touches) -> Vec<Called> {
    let mut named = Vec::new();
    let Some(Value::Object(body)) = body else { return named };
    for (key, value) in body.iter().chain(inner(body)) {
        let key = key.to_lowercase();
        if LEADS.contains(&key.as_str()) {
            texts(value).for_each(|text| touches.add_id(text));
        }
        if key == "tenanttags" && texts(value).next().is_some() {
            *touches = std::mem::take(touches).unsure([Kind::Tenant]);
        }
        for (kind, keys) in KEYS {
            if keys.contains(&key.as_str()) {
                for text in texts(value) {
                    if is_id(text) {
                        touches.add_id(text);
                    } else {
                        named.push(Called { kind, name: text.to_owned() });
                    }
                }
            }
        }
    }
    named
}

/// What stands in the arguments of a task.
fn inner(body: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    let arguments = body.iter().filter(|(key, _)| key.eq_ignore_ascii_case("arguments"));
    arguments.filter_map(|(_, value)| value.as_object()).flatten()
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let one = std::iter::once(value);
    let many = value.as_array().into_iter().flatten();
    one.chain(many).filter_map(Value::as_str).filter(|text| !text.trim().is_empty())
}

/// Looks something up in the space. Whether it is there.
async fn find(
    space: Option<&Space>,
    kind: Kind,
    name: &str,
    touches: &mut Touches,
) -> Result<bool, Error> {
    let Some(space) = space else { return Ok(false) };
    match kind {
        Kind::Project => is_found::<Project>(space, name, touches).await,
        Kind::Environment => is_found::<Environment>(space, name, touches).await,
        Kind::Tenant => is_found::<Tenant>(space, name, touches).await,
        Kind::Space => Ok(false),
    }
}

async fn is_found<R: Named>(
    space: &Space,
    name: &str,
    touches: &mut Touches,
) -> Result<bool, Error> {
    match space.find::<R>(name).await {
        Ok(found) => {
            found.touches(touches);
            Ok(true)
        }
        Err(error) if is_nothing(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// That there is no such thing for this caller, as far as can be told.
fn is_nothing(error: &OctopusError) -> bool {
    matches!(
        error,
        OctopusError::NotFound { .. }
            | OctopusError::Forbidden { .. }
            | OctopusError::Ambiguous { .. }
            | OctopusError::MalformedId { .. }
    )
}
