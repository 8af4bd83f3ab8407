//! A session in a space: what tools hold.

use std::collections::{BTreeSet, HashMap};

use super::{
    Bounded, Error, Id, Named, Page, Path, Portal, Resource, Session, Window,
    find::{self, BATCH, Collection},
    path::batches,
    spaces,
};
use crate::text::nearest::nearest;

/// A session in a space.
#[derive(Debug, Clone)]
pub struct Space {
    session: Session,
    known: KnownSpace,
}

/// What a name of a space stands for.
#[derive(Debug, Clone)]
pub(super) struct KnownSpace {
    id: Id<spaces::Space>,
    name: String,
    slug: Option<String>,
}

impl Session {
    /// Enters a space by its name in any letter case, its slug or its ID. What a name stands for
    /// is remembered for each caller alone; callers at the same moment share one look-up.
    pub async fn space(&self, wanted: &str) -> Result<Space, Error> {
        let key = (self.whose(), wanted.trim().to_lowercase());
        let look_up = async {
            let collection = Collection { session: self, path: Path::new(["spaces"]), place: None };
            let spaces::Space { id, name, slug, .. } = collection.find(wanted).await?;
            Ok(KnownSpace { id, name, slug })
        };
        let spaces = self.client().spaces();
        self.client().metrics().looked_up("spaces", spaces.contains_key(&key));
        let known = spaces.try_get_with(key, look_up).await;
        let known = known.map_err(|error: std::sync::Arc<Error>| (*error).clone())?;
        let space = Space { session: self.clone(), known };
        self.touched().note(|touches| space.touches(touches));
        Ok(space)
    }
}

impl Space {
    /// The ID of the space.
    pub fn id(&self) -> &Id<spaces::Space> {
        &self.known.id
    }

    /// The name of the space.
    pub fn name(&self) -> &str {
        &self.known.name
    }

    /// Whether this is its name, its slug or its ID. A text that has the form of an ID is its ID
    /// or nothing: a space that somebody named "Spaces-2" is not the space with that ID.
    pub fn is_called(&self, name: &str) -> bool {
        let KnownSpace { id, name: known, slug } = &self.known;
        if let Ok(wanted) = Id::<spaces::Space>::parse(name) {
            return wanted.as_str().eq_ignore_ascii_case(id.as_str());
        }
        let names = [Some(id.as_str()), Some(known.as_str()), slug.as_deref()];
        names.into_iter().flatten().any(|known| known.eq_ignore_ascii_case(name.trim()))
    }

    /// The slug of the space, where it has one.
    pub fn slug(&self) -> Option<&str> {
        self.known.slug.as_deref()
    }

    /// The session.
    pub fn session(&self) -> &Session {
        &self.session
    }

    /// The pages of this space in the web portal.
    pub fn portal(&self) -> Portal<'_> {
        Portal::new(self.session.client().url(), &self.known.id)
    }

    /// A path in this space, in the form that every version of Octopus knows.
    pub fn path<S: ToString>(&self, segments: impl IntoIterator<Item = S>) -> Path {
        Path::new([self.known.id.as_str()]).then(segments)
    }

    /// Reads a document whose absence means that `id` is wrong.
    pub async fn read<R, T>(&self, id: &Id<R>, path: &Path) -> Result<T, Error>
    where
        R: Resource,
        T: serde::de::DeserializeOwned + Send + 'static,
    {
        self.or_not_found(id, self.session.get(path).await)
    }

    /// Reads a document of any form, as much of it as is kept. Its absence means that `id` is wrong.
    pub async fn document<R: Resource>(&self, id: &Id<R>, path: &Path) -> Result<Bounded, Error> {
        self.or_not_found(id, self.session.document(path).await)
    }

    fn or_not_found<R: Resource, T>(&self, id: &Id<R>, read: Result<T, Error>) -> Result<T, Error> {
        match read {
            Err(Error::NotFound { .. }) => Err(self.not_found(id)),
            read => read,
        }
    }

    /// That there is no document with this ID here. What the name of the space stood for is
    /// forgotten: the space may have been made anew.
    pub fn not_found<R: Resource>(&self, id: &Id<R>) -> Error {
        self.forget();
        Error::NotFound {
            noun: R::NOUN,
            wanted: id.to_string(),
            place: Some(self.known.name.clone()),
            near: Vec::new(),
        }
    }

    /// Forgets what the name of the space stood for, for every caller.
    fn forget(&self) {
        let gone = self.known.id.clone();
        let spaces = self.session.client().spaces();
        if let Err(error) = spaces.invalidate_entries_if(move |_, known| known.id == gone) {
            tracing::error!(%error, "a space is not forgotten");
        }
    }

    /// A list of the space itself is always there: where it is not, the space is gone.
    fn or_gone<T>(&self, read: Result<T, Error>) -> Result<T, Error> {
        if let Err(Error::NotFound { place: None, .. }) = &read {
            self.forget();
        }
        read
    }

    /// Reads one document.
    pub async fn get<R: Resource>(&self, id: &Id<R>) -> Result<R, Error> {
        self.read(id, &self.path([R::COLLECTION, id.as_str()])).await
    }

    /// Reads a page of a list.
    pub async fn list<R: Resource>(&self, path: Path, window: Window) -> Result<Page<R>, Error> {
        let Window { skip, take } = window;
        let path = path.with("skip", skip).with("take", take);
        self.or_gone(self.session.page(&path, window).await)
    }

    /// Finds a document by its name in any letter case, its slug or its ID.
    pub async fn find<R: Named>(&self, wanted: &str) -> Result<R, Error> {
        let found = self.or_gone(self.collection::<R>().find(wanted).await)?;
        self.note(&found);
        Ok(found)
    }

    /// Finds a document, where one is named.
    pub async fn find_some<R: Named>(&self, wanted: Option<&str>) -> Result<Option<R>, Error> {
        match wanted {
            Some(wanted) => self.find(wanted).await.map(Some),
            None => Ok(None),
        }
    }

    /// Reads the documents of a kind, up to a few thousand.
    pub async fn all<R: Named>(&self) -> Result<Vec<R>, Error> {
        self.or_gone(self.collection::<R>().walk().await).map(|(all, _)| all)
    }

    /// That none of these documents is called so.
    pub fn no_such<'a, R: Named>(
        &self,
        wanted: &str,
        documents: impl Iterator<Item = &'a R>,
    ) -> Error {
        let near: Vec<String> =
            nearest(wanted, documents.map(Named::name), 5).into_iter().map(str::to_owned).collect();
        find::missing::<R>(wanted, Some(&self.known.name), &near)
    }

    /// Finds several documents by their names, slugs or IDs, with one look-up for all.
    pub async fn find_all<R: Named + Clone>(&self, wanted: &[String]) -> Result<Vec<R>, Error> {
        let found = self.or_gone(self.collection::<R>().find_all(wanted).await)?;
        for one in &found {
            self.note(one);
        }
        Ok(found)
    }

    /// Writes down that a document is meant.
    pub(super) fn note<R: Resource>(&self, document: &R) {
        self.session.touched().note(|touches| document.touches(touches));
    }

    pub(super) fn collection<R: Named>(&self) -> Collection<'_> {
        let path = self.path([R::COLLECTION]);
        Collection { session: &self.session, path, place: Some(&self.known.name) }
    }

    /// Reads the documents with these IDs, with one request for each few hundred of them. What
    /// the caller may not see is left out: an answer is still worth giving without its names.
    pub async fn by_ids<'a, R: Resource>(
        &self,
        ids: impl IntoIterator<Item = &'a Id<R>>,
    ) -> Result<HashMap<String, R>, Error> {
        let ids: Vec<&str> =
            ids.into_iter().map(Id::as_str).collect::<BTreeSet<_>>().into_iter().collect();
        let mut documents = HashMap::new();
        for batch in batches(&ids, BATCH) {
            let path = self.path([R::COLLECTION]).with_list("ids", batch).with("take", BATCH);
            match self.session.page::<R>(&path, Window::first(BATCH)).await {
                Ok(page) => documents
                    .extend(page.items.into_iter().map(|d| (d.id().as_str().to_owned(), d))),
                Err(Error::Forbidden { .. } | Error::NotFound { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(documents)
    }
}
