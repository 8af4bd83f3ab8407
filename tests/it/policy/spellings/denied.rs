//! The resources of the sample instance that the rules of these tests deny.

use octopus_mcp::octopus::ResourceKind;
use serde_json::{Value, json};

/// A resource that a rule denies.
#[derive(Debug, Clone, Copy)]
pub struct DeniedResource {
    /// The key of the rule that matches it.
    matcher: &'static str,
    pub name: &'static str,
    pub slug: &'static str,
    pub id: &'static str,
    /// The ID of another resource of its kind.
    pub allowed_id: &'static str,
    /// The ID and the slug of its space.
    pub space: (&'static str, &'static str),
}

impl DeniedResource {
    pub const PROJECT: Self = Self {
        matcher: "projects",
        name: "Parcel Tracking API",
        slug: "parcel-tracking-api",
        id: "Projects-1",
        allowed_id: "Projects-4",
        space: ("Spaces-1", "default"),
    };
    pub const ENVIRONMENT: Self = Self {
        matcher: "environments",
        name: "Production",
        slug: "production",
        id: "Environments-3",
        allowed_id: "Environments-2",
        space: ("Spaces-1", "default"),
    };
    pub const TENANT: Self = Self {
        matcher: "tenants",
        name: "Brightwater Couriers",
        slug: "brightwater-couriers",
        id: "Tenants-1",
        allowed_id: "Tenants-2",
        space: ("Spaces-1", "default"),
    };
    pub const SPACE: Self = Self {
        matcher: "spaces",
        name: "Warehouse Systems",
        slug: "warehouse-systems",
        id: "Spaces-22",
        allowed_id: "Spaces-1",
        space: ("Spaces-22", "warehouse-systems"),
    };

    /// Returns a rule about the resource.
    pub fn rule(&self, effect: &str, tiers: &[&str]) -> Value {
        json!({ "name": "r", "effect": effect, "tiers": tiers, (self.matcher): [self.name] })
    }

    /// Returns the name of its kind, as document keys have it: `Project`.
    pub fn noun(&self) -> &'static str {
        self.id.split_once("s-").unwrap().0
    }

    pub fn kind(&self) -> ResourceKind {
        match self.matcher {
            "projects" => ResourceKind::Project,
            "environments" => ResourceKind::Environment,
            "tenants" => ResourceKind::Tenant,
            _ => ResourceKind::Space,
        }
    }

    pub fn is_space(&self) -> bool {
        self.noun() == "Space"
    }
}
