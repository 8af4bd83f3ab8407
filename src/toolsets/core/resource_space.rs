//! The resource `space`.

use futures::future::join_all;
use schemars::JsonSchema;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Map, Value, json};

use crate::{
    octopus::{
        Page, Resource as Document, Space, document, environments::Environment, projects::Project,
        tenants::Tenant,
    },
    tool::{Contents, Context, Error, Resource},
};

/// A space with all fields, and the number of its projects, environments and tenants visible to the
/// caller.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct SpaceResource {
    space_name: String,
}

impl Resource for SpaceResource {
    const NAME: &'static str = "space";
    const TITLE: &'static str = "Space";
    const TEMPLATE: &'static str = "octopus://spaces/{spaceName}";

    async fn read(self, cx: &Context) -> Result<Contents, Error> {
        let space = cx.resolve_space(Some(&self.space_name)).await?;
        let (space_document, counts) = tokio::join!(document::read_space(&space), counts(&space));
        let mut space_document = space_document?;
        if let Value::Object(object) = &mut space_document {
            object.insert("counts".to_owned(), Value::Object(counts));
            object.insert("url".to_owned(), json!(space.portal().space()));
        }
        Ok(Contents::Json(space_document))
    }
}

/// Counts the documents of each kind. Omits kinds that the caller may not read.
async fn counts(space: &Space) -> Map<String, Value> {
    let kinds = [
        (Project::COLLECTION, space.list_path::<Project>().await),
        (Environment::COLLECTION, space.list_path::<Environment>().await),
        (Tenant::COLLECTION, space.list_path::<Tenant>().await),
    ];
    let counted = join_all(kinds.map(async |(kind, path)| {
        let path = path.query("skip", 0).query("take", 1);
        let page = space.session().get::<Page<IgnoredAny>>(&path).await.ok()?;
        Some((kind.to_owned(), json!(page.total_results)))
    }));
    counted.await.into_iter().flatten().collect()
}
