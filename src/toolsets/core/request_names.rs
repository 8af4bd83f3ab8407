//! Finds the projects, environments and tenants that path and body of an `execute` request name.

use serde_json::{Map, Value};

pub(super) use crate::toolsets::attribution::{is_known_id, is_unresolved, split_list};
use crate::{
    access::ExecutePath,
    octopus::{
        AccessSet, Named, ResourceKind, Space, environments::Environment, projects::Project,
        tenants::Tenant,
    },
    tool::Error,
};

/// The kinds of documents that a request can name.
pub(super) const KINDS: [ResourceKind; 3] =
    [ResourceKind::Project, ResourceKind::Environment, ResourceKind::Tenant];

/// Maximum number of names of one request that are looked up. Each takes a request to Octopus.
const MAX_LOOKUPS: usize = 20;

/// A document that a request names by name, slug or ID.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NamedReference {
    pub(super) kind: ResourceKind,
    pub(super) name: String,
}

/// Returns the documents that the path names by slug. IDs in the path are read elsewhere.
pub(super) fn names_in_path(path: &ExecutePath) -> Vec<NamedReference> {
    let below: Vec<(&str, &str)> = path.below_space().collect();
    let kind = |word: &str| KINDS.into_iter().find(|kind| kind.collection() == word);
    let pairs = below.iter().zip(below.iter().skip(1));
    let named = pairs.filter(|(_, (_, segment))| !is_known_id(segment));
    named
        .filter_map(|((word, _), (_, segment))| {
            Some(NamedReference { kind: kind(word)?, name: (*segment).to_owned() })
        })
        .collect()
}

/// Body keys that name documents of a kind, in lower case. Octopus ignores their letter case.
const NAME_KEYS: [(ResourceKind, &[&str]); 3] = [
    (
        ResourceKind::Project,
        &["projectid", "projectids", "projectname", "projectidorname", "projectidorslug"],
    ),
    (
        ResourceKind::Environment,
        &[
            "environmentid",
            "environmentids",
            "environmentname",
            "environmentnames",
            "environmentidorname",
            "environmentidsornames",
        ],
    ),
    (ResourceKind::Tenant, &["tenantid", "tenantids", "tenantname", "tenantnames", "tenants"]),
];

/// Body keys whose IDs belong to a project or environment, e.g. a release ID.
pub(super) const INDIRECT_KEYS: [&str; 10] = [
    "releaseid",
    "runbookid",
    "runbooksnapshotid",
    "deploymentid",
    "channelid",
    "taskid",
    "machineid",
    "machineids",
    "specificmachineids",
    "excludedmachineids",
];

/// Returns the kind of documents that a body key (in lower case) names.
pub(super) fn kind_of(key: &str) -> Option<ResourceKind> {
    let is = |keys: &[&str]| keys.contains(&key);
    let own = KINDS.into_iter().find(|kind| kind.collection().strip_suffix('s') == Some(key));
    own.or_else(|| NAME_KEYS.into_iter().find_map(|(kind, keys)| is(keys).then_some(kind)))
}

/// Returns the documents that the body names. Adds the documents that it gives by ID to
/// `access_set`.
pub(super) fn names_in_body(
    body: Option<&Value>,
    access_set: &mut AccessSet,
) -> Vec<NamedReference> {
    let mut named = Vec::new();
    let Some(Value::Object(body)) = body else { return named };
    for (key, value) in body.iter().chain(task_arguments(body)) {
        let key = key.to_lowercase();
        if INDIRECT_KEYS.contains(&key.as_str()) {
            texts(value).for_each(|text| access_set.add_id(text));
        }
        if key == "tenanttags" && texts(value).next().is_some() {
            *access_set = std::mem::take(access_set).with_incomplete([ResourceKind::Tenant]);
        }
        if let Some(kind) = kind_of(&key) {
            for text in texts(value) {
                let is_id = is_known_id(text);
                if is_id {
                    access_set.add_id(text);
                }
                // Fields for names accept IDs too, and the ID may be the name of another document.
                if !is_id || !(key.ends_with("id") || key.ends_with("ids")) {
                    named.push(NamedReference { kind, name: text.to_owned() });
                }
            }
        }
    }
    named
}

/// Returns the fields of `Arguments` in the body of a task.
pub(super) fn task_arguments(body: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    let arguments = body.iter().filter(|(key, _)| key.eq_ignore_ascii_case("arguments"));
    arguments.filter_map(|(_, value)| value.as_object()).flatten()
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let one = std::iter::once(value);
    let many = value.as_array().into_iter().flatten();
    one.chain(many).filter_map(Value::as_str).filter(|text| !text.trim().is_empty())
}

/// Looks up named documents and adds them to `access_set`.
///
/// A document that is not found, or is beyond [`MAX_LOOKUPS`], makes its kind unknown.
pub(super) async fn look_up(
    space: Option<&Space>,
    mut named: Vec<NamedReference>,
    access_set: &mut AccessSet,
) -> Result<(), Error> {
    named.sort();
    named.dedup();
    for (index, NamedReference { kind, name }) in named.into_iter().enumerate() {
        if index >= MAX_LOOKUPS || !find_by_kind(space, kind, &name, access_set).await? {
            *access_set = std::mem::take(access_set).with_incomplete([kind]);
        }
    }
    Ok(())
}

/// Looks up a document in the space and adds it to `access_set`. Returns whether it was found.
async fn find_by_kind(
    space: Option<&Space>,
    kind: ResourceKind,
    name: &str,
    access_set: &mut AccessSet,
) -> Result<bool, Error> {
    let Some(space) = space else { return Ok(false) };
    match kind {
        ResourceKind::Project => find_named::<Project>(space, name, access_set).await,
        ResourceKind::Environment => find_named::<Environment>(space, name, access_set).await,
        ResourceKind::Tenant => find_named::<Tenant>(space, name, access_set).await,
        ResourceKind::Space => Ok(false),
    }
}

async fn find_named<R: Named>(
    space: &Space,
    name: &str,
    access_set: &mut AccessSet,
) -> Result<bool, Error> {
    match space.find_unambiguous::<R>(name).await {
        Ok(found) => {
            found.record_access(access_set);
            Ok(true)
        }
        Err(error) if is_unresolved(&error) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
