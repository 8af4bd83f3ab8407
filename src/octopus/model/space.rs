//! Sessions in one space, and look-ups of its documents.

use std::collections::HashMap;

use super::{
    by_ids::{self, ById},
    lookup::{self, Collection},
    resource::{Id, Named, Resource},
    spaces,
};
use crate::{
    octopus::client::{
        access_set::{AccessSet, AccessedResource, ResourceKind},
        caches::CachedSpace,
        error::Error,
        json::bounded::BoundedJson,
        page::{Page, PageRange},
        path::ApiPath,
        session::Session,
        version::OctopusVersion,
    },
    text::nearest::nearest,
};

/// A session in one space.
#[derive(Debug, Clone)]
pub struct Space {
    session: Session,
    id: Id<spaces::SpaceResource>,
    name: String,
    slug: Option<String>,
}

impl Session {
    /// Opens a space by its name in any letter case, its slug or its ID. The result is cached for
    /// each caller; concurrent calls share one look-up.
    pub async fn space(&self, query: &str) -> Result<Space, Error> {
        let key = (self.fingerprint(), query.trim().to_lowercase());
        let look_up = async {
            let collection = Collection::new(self, ApiPath::new(["spaces"]), None);
            let spaces::SpaceResource { id, name, slug, .. } = collection.find(query).await?;
            Ok(CachedSpace { id: id.into_string(), name, slug })
        };
        let spaces = &self.client().caches().spaces;
        self.client().metrics().record_cache_lookup("spaces", spaces.contains_key(&key));
        let cached = spaces.try_get_with(key, look_up).await;
        let CachedSpace { id, name, slug } =
            cached.map_err(|error: std::sync::Arc<Error>| (*error).clone())?;
        let space = Space { session: self.clone(), id: Id::from_octopus(id), name, slug };
        self.access_recorder().record(|access_set| space.record_access(access_set));
        Ok(space)
    }
}

impl Space {
    /// Returns the ID of the space.
    pub fn id(&self) -> &Id<spaces::SpaceResource> {
        &self.id
    }

    /// Returns the name of the space.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether `name` is the name, slug or ID of the space. A text in the form of an ID is
    /// compared with the ID only, so a space named "Spaces-2" does not match the ID "Spaces-2".
    pub fn matches(&self, name: &str) -> bool {
        let Self { id, name: own_name, slug, .. } = self;
        if let Ok(query) = Id::<spaces::SpaceResource>::parse(name) {
            return query.as_str().eq_ignore_ascii_case(id.as_str());
        }
        let names = [Some(id.as_str()), Some(own_name.as_str()), slug.as_deref()];
        names.into_iter().flatten().any(|own| own.eq_ignore_ascii_case(name.trim()))
    }

    /// Returns the slug of the space, if it has one.
    pub fn slug(&self) -> Option<&str> {
        self.slug.as_deref()
    }

    /// Returns the session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// Creates a path in this space, in the form that every version of Octopus supports.
    pub fn path<S: ToString>(&self, segments: impl IntoIterator<Item = S>) -> ApiPath {
        ApiPath::new([self.id.as_str()]).join(segments)
    }

    /// Reads a document. A 404 becomes the error for an unknown `id`.
    pub async fn read<R, T>(&self, id: &Id<R>, path: &ApiPath) -> Result<T, Error>
    where
        R: Resource,
        T: serde::de::DeserializeOwned + Send + 'static,
    {
        self.map_not_found(id, self.session.get(path).await)
    }

    /// Reads a document of any form within
    /// [`JsonBounds::DOCUMENT`](crate::octopus::JsonBounds::DOCUMENT). A 404 becomes the error for
    /// an unknown `id`.
    pub async fn document<R: Resource>(
        &self,
        id: &Id<R>,
        path: &ApiPath,
    ) -> Result<BoundedJson, Error> {
        self.map_not_found(id, self.session.document(path).await)
    }

    fn map_not_found<R: Resource, T>(
        &self,
        id: &Id<R>,
        read: Result<T, Error>,
    ) -> Result<T, Error> {
        match read {
            Err(Error::NotFound { .. }) => Err(self.id_not_found(id)),
            read => read,
        }
    }

    /// Creates the error for an unknown ID. Also invalidates the cached identity of the space,
    /// because the space may have been recreated.
    pub fn id_not_found<R: Resource>(&self, id: &Id<R>) -> Error {
        self.invalidate_cache();
        Error::NotFound {
            noun: R::NOUN,
            query: id.to_string(),
            location: Some(self.name.clone()),
            suggestions: Vec::new(),
        }
    }

    /// Invalidates the cached identity of the space for every caller.
    fn invalidate_cache(&self) {
        let id = self.id.as_str().to_owned();
        let spaces = &self.session.client().caches().spaces;
        if let Err(error) = spaces.invalidate_entries_if(move |_, space| space.id == id) {
            tracing::error!(%error, "failed to invalidate the space cache");
        }
    }

    /// Invalidates the cached identity if a list of the space is missing: lists always exist, so
    /// the space was deleted, or the instance was replaced by another version.
    fn forget_if_missing<T>(&self, read: Result<T, Error>) -> Result<T, Error> {
        if let Err(Error::NotFound { location: None, .. }) = &read {
            self.invalidate_cache();
            let caller = self.session.fingerprint();
            let lists = &self.session.client().caches().v2_lists;
            if let Err(error) = lists.invalidate_entries_if(move |(of, _), _| *of == caller) {
                tracing::error!(%error, "failed to invalidate the cache of known lists");
            }
        }
        read
    }

    /// Reads one document by ID.
    pub async fn get<R: Resource>(&self, id: &Id<R>) -> Result<R, Error> {
        if !self.has_v2::<R>().await {
            return self.read(id, &self.path([R::COLLECTION, id.as_str()])).await;
        }
        let mut found = self.by_ids([id]).await?;
        found.remove(id.as_str()).ok_or_else(|| self.id_not_found(id))
    }

    /// Returns the path of the list of all documents of a type: `{collection}/v2` where the
    /// instance has it, otherwise `{collection}`.
    pub async fn list_path<R: Resource>(&self) -> ApiPath {
        let path = self.path([R::COLLECTION]);
        if self.has_v2::<R>().await { path.join([V2]) } else { path }
    }

    /// Returns whether documents of a type have the list `{collection}/v2` in this instance.
    async fn has_v2<R: Resource>(&self) -> bool {
        match R::V2_SINCE {
            // Boxed because the future is large, and each caller would embed it.
            Some(since) => Box::pin(self.knows_v2_list(R::COLLECTION, since)).await,
            None => false,
        }
    }

    /// Returns whether the instance has the list `{collection}/v2`, which no version before `since`
    /// has. No source names the first version, so the list itself is requested. The result is
    /// cached for each caller.
    async fn knows_v2_list(&self, collection: &'static str, since: OctopusVersion) -> bool {
        if self.session.version().await.is_ok_and(|version| version < since) {
            return false;
        }
        let look_up = async {
            // `skip` and `take` are required.
            let path = self.path([collection, V2]).query("skip", 0).query("take", 1);
            match self.session.page::<serde_json::Value>(&path, PageRange::first(1)).await {
                Ok(_) => Ok(true),
                // Older versions look for a document with the ID or slug "v2".
                Err(
                    Error::NotFound { .. }
                    | Error::Rejected { .. }
                    | Error::UnexpectedResponse { .. },
                ) => Ok(false),
                Err(error) => Err(error),
            }
        };
        let key = (self.session.fingerprint(), collection);
        let found = self.session.client().caches().v2_lists.try_get_with(key, look_up).await;
        found.unwrap_or(false)
    }

    /// Reads a page of a list.
    pub async fn list<R: Resource>(
        &self,
        path: ApiPath,
        window: PageRange,
    ) -> Result<Page<R>, Error> {
        let PageRange { skip, take } = window;
        let path = path.query("skip", skip).query("take", take);
        self.forget_if_missing(self.session.page(&path, window).await)
    }

    /// Finds a document by its name in any letter case, its slug or its ID, and records the access.
    pub async fn find<R: Named>(&self, query: &str) -> Result<R, Error> {
        let found = self.forget_if_missing(self.collection::<R>().await.find(query).await)?;
        self.record_document(&found);
        Ok(found)
    }

    /// Finds a document if a name, slug or ID is given.
    pub async fn find_optional<R: Named>(&self, query: Option<&str>) -> Result<Option<R>, Error> {
        match query {
            Some(query) => self.find(query).await.map(Some),
            None => Ok(None),
        }
    }

    /// Reads all documents of a type, up to a few thousand.
    pub async fn all<R: Named>(&self) -> Result<Vec<R>, Error> {
        let scan = self.collection::<R>().await.scan().await;
        self.forget_if_missing(scan).map(|all| all.documents)
    }

    /// Creates the error for a name that matches none of these documents, with suggestions.
    pub fn name_not_found<'a, R: Named>(
        &self,
        query: &str,
        documents: impl Iterator<Item = &'a R>,
    ) -> Error {
        let near: Vec<String> =
            nearest(query, documents.map(Named::name), 5).into_iter().map(str::to_owned).collect();
        lookup::name_not_found::<R>(query, Some(&self.name), &near)
    }

    /// Finds several documents by their names, slugs or IDs with one look-up, and records the
    /// access.
    pub async fn find_all<R: Named + Clone>(&self, query: &[String]) -> Result<Vec<R>, Error> {
        let found = self.forget_if_missing(self.collection::<R>().await.find_all(query).await)?;
        for one in &found {
            self.record_document(one);
        }
        Ok(found)
    }

    /// Adds this space to an access set.
    pub fn record_access(&self, access_set: &mut AccessSet) {
        let entry = AccessedResource {
            id: self.id().to_string(),
            name: Some(self.name().to_owned()),
            slug: self.slug().map(str::to_owned),
            ..AccessedResource::default()
        };
        access_set.add(ResourceKind::Space, entry);
    }

    /// Adds a document to the call's access set.
    pub(in crate::octopus) fn record_document<R: Resource>(&self, document: &R) {
        self.session.access_recorder().record(|access_set| document.record_access(access_set));
    }

    pub(in crate::octopus) async fn collection<R: Named>(&self) -> Collection<'_> {
        Collection {
            session: &self.session,
            path: self.list_path::<R>().await,
            reads_ids_from_list: self.has_v2::<R>().await,
            space_name: Some(&self.name),
        }
    }

    /// Reads the documents with these IDs, a few hundred per request. Documents that the caller
    /// cannot see are omitted, because answers are useful without their names.
    pub async fn by_ids<'a, R: Resource>(
        &self,
        ids: impl IntoIterator<Item = &'a Id<R>>,
    ) -> Result<HashMap<String, R>, Error> {
        self.read_by_ids(ids).await.map(|read| read.documents)
    }

    /// Reads the same documents as [`Self::by_ids`], and returns the IDs that were not read. For
    /// documents of a list without the filter `ids`.
    pub async fn read_by_ids<'a, R: Resource>(
        &self,
        ids: impl IntoIterator<Item = &'a Id<R>>,
    ) -> Result<ById<R>, Error> {
        let list = self.list_path::<R>().await;
        // Boxed because the future is large, and each caller would embed it.
        Box::pin(by_ids::read(&self.session, &list, &self.path([R::COLLECTION]), ids)).await
    }
}

/// Last segment of the path of a list's second form.
const V2: &str = "v2";
