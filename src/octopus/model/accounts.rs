//! Accounts: credentials for cloud providers and machines.
#![expect(missing_docs, reason = "fields mirror the Octopus REST API")]

use std::fmt;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use serde_with::{As, DefaultOnNull};

use super::{
    resource::{Id, Named, Resource},
    scope::ResourceScope,
};

/// Fields of an account that the tools read.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Account {
    pub id: Id<Account>,
    pub name: String,
    pub slug: Option<String>,
    #[serde(default, with = "As::<DefaultOnNull>")]
    pub description: String,
    /// Type as Octopus spells it, see [`AccountType`]. Unknown types are returned unchanged.
    pub account_type: Option<String>,
    #[serde(flatten)]
    pub scope: ResourceScope,
    #[serde(flatten)]
    rest: OtherFields,
}

/// All other fields of an account. Some hold secrets, so callers reach them only through
/// [`Account::displayable_fields`].
#[derive(Clone, Deserialize)]
#[serde(transparent)]
struct OtherFields(Map<String, Value>);

impl fmt::Debug for OtherFields {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Fields that may be displayed, by account type, besides the fields that all account types have.
/// Fields missing from this list are never returned.
pub const DISPLAYABLE_FIELDS: &[(&str, &[&str])] = &[
    (
        "AzureSubscription",
        &[
            "SubscriptionNumber",
            "CertificateThumbprint",
            "AzureEnvironment",
            "ServiceManagementEndpointBaseUri",
            "ServiceManagementEndpointSuffix",
        ],
    ),
    (
        "AzureServicePrincipal",
        &[
            "SubscriptionNumber",
            "ClientId",
            "TenantId",
            "AzureEnvironment",
            "ResourceManagementEndpointBaseUri",
            "ActiveDirectoryEndpointBaseUri",
        ],
    ),
    (
        "AzureOidc",
        &[
            "SubscriptionNumber",
            "ClientId",
            "TenantId",
            "AzureEnvironment",
            "TenantedSubjectGeneration",
            "ResourceManagementEndpointBaseUri",
            "ActiveDirectoryEndpointBaseUri",
            "DeploymentSubjectKeys",
            "HealthCheckSubjectKeys",
            "AccountTestSubjectKeys",
            "Audience",
            "CustomClaims",
        ],
    ),
    ("SshKeyPair", &["Username"]),
    ("UsernamePassword", &["Username"]),
    ("AmazonWebServicesAccount", &["AccessKey", "Region"]),
    (
        "AmazonWebServicesOidcAccount",
        &[
            "RoleArn",
            "SessionDuration",
            "Region",
            "DeploymentSubjectKeys",
            "HealthCheckSubjectKeys",
            "AccountTestSubjectKeys",
            "Audience",
            "CustomClaims",
        ],
    ),
    ("AmazonWebServicesRoleAccount", &["RoleArn", "SessionDuration", "Region"]),
    (
        "GoogleCloudOidcAccount",
        &[
            "DeploymentSubjectKeys",
            "HealthCheckSubjectKeys",
            "AccountTestSubjectKeys",
            "Audience",
            "CustomClaims",
        ],
    ),
    (
        "GenericOidcAccount",
        &[
            "TenantedSubjectGeneration",
            "DeploymentSubjectKeys",
            "HealthCheckSubjectKeys",
            "AccountTestSubjectKeys",
            "Audience",
            "CustomClaims",
        ],
    ),
];

impl Account {
    /// Returns the type-specific fields that may be displayed (see [`DISPLAYABLE_FIELDS`]).
    pub fn displayable_fields(&self) -> Map<String, Value> {
        let kind = self.account_type.as_deref().unwrap_or_default();
        let keys = DISPLAYABLE_FIELDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(kind));
        let keys = keys.into_iter().flat_map(|(_, keys)| keys.iter());
        let shown = keys.filter_map(|key| Some(((*key).to_owned(), self.rest.0.get(*key)?)));
        // Octopus represents each sensitive value as an object with this key, whatever the field's
        // name.
        let harmless = shown.filter(|(_, value)| value.get("HasValue").is_none());
        harmless.map(|(key, value)| (key, value.clone())).collect()
    }
}

impl Resource for Account {
    const NOUN: &'static str = "account";
    const ID_PREFIX: &'static str = "Accounts-";
    const COLLECTION: &'static str = "accounts";

    fn id(&self) -> &Id<Self> {
        &self.id
    }
}

impl Named for Account {
    fn name(&self) -> &str {
        &self.name
    }

    fn slug(&self) -> Option<&str> {
        self.slug.as_deref()
    }
}

/// Account types as Octopus spells them.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
pub enum AccountType {
    None,
    UsernamePassword,
    Token,
    SshKeyPair,
    AzureSubscription,
    AzureServicePrincipal,
    AzureManagementCertificate,
    AzureOidc,
    AmazonWebServicesAccount,
    AmazonWebServicesRoleAccount,
    AmazonWebServicesOidcAccount,
    GoogleCloudAccount,
    GoogleCloudOidcAccount,
    GenericOidcAccount,
}
