//! Certificates. Their private data and passwords are never read.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use serde::Deserialize;
use serde_with::{As, DefaultOnNull};

use super::{
    resource::{Id, Named, Resource},
    scope::ResourceScope,
};

/// Fields of a certificate that the tools read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Certificate {
    pub id: Id<Certificate>,
    pub name: String,
    pub notes: Option<String>,
    pub thumbprint: Option<String>,
    pub subject_distinguished_name: Option<String>,
    pub subject_common_name: Option<String>,
    pub subject_organization: Option<String>,
    pub issuer_distinguished_name: Option<String>,
    pub issuer_common_name: Option<String>,
    pub issuer_organization: Option<String>,
    pub not_before: Option<String>,
    pub not_after: Option<String>,
    pub is_expired: Option<bool>,
    pub version: Option<i64>,
    pub serial_number: Option<String>,
    pub signature_algorithm_name: Option<String>,
    pub certificate_data_format: Option<String>,
    /// Time at which it was archived.
    pub archived: Option<String>,
    pub replaced_by: Option<Id<Certificate>>,
    pub self_signed: Option<bool>,
    pub self_signed_certificate_curve: Option<String>,
    pub has_private_key: Option<bool>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub subject_alternative_names: Vec<String>,
    #[serde(flatten)]
    pub scope: ResourceScope,
}

impl Resource for Certificate {
    const NOUN: &'static str = "certificate";
    const ID_PREFIX: &'static str = "Certificates-";
    const COLLECTION: &'static str = "certificates";

    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

impl Named for Certificate {
    fn name(&self) -> &str {
        &self.name
    }

    fn slug(&self) -> Option<&str> {
        None
    }
}
