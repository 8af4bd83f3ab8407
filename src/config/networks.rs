//! Lists of IP addresses and networks.

use std::{borrow::Cow, net::IpAddr};

use ipnet::IpNet;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use url::{Host, Url};

use super::ListSetting;

/// A list of addresses and networks: an array, or one string separated by commas.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Networks(pub Vec<IpNet>);

impl Networks {
    /// Returns whether the list contains an address. IPv4-mapped IPv6 addresses count as IPv4.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

impl<'de> Deserialize<'de> for Networks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let read = |text: &String| {
            let address = text.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
            address.or_else(|_| text.parse::<IpNet>().map(|network| network.trunc()))
        };
        let list = ListSetting::deserialize(deserializer)?;
        list.0.iter().map(read).collect::<Result<_, _>>().map(Self).map_err(|_| {
            D::Error::custom("expected addresses and networks such as `10.0.0.5` or `10.0.0.0/8`")
        })
    }
}

impl JsonSchema for Networks {
    fn schema_name() -> Cow<'static, str> {
        "Networks".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array" })
    }
}

/// Returns whether a URL points to this machine. Names below `localhost` do not count, because some
/// resolvers look them up in DNS.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recognises_loopback_urls() {
        for (url, is_own) in [
            ("http://localhost:8080/x", true),
            ("http://127.1.2.3", true),
            ("http://[::1]:1", true),
            ("http://octopus.localhost", false),
            ("http://localhost.example.com", false),
            ("http://10.0.0.1", false),
            ("data:text", false),
        ] {
            assert_eq!(is_loopback(&url.parse().unwrap()), is_own, "{url}");
        }
    }

    #[test]
    fn parses_addresses_and_networks() {
        let read = |text: &str| serde_json::from_str::<Networks>(text);
        let networks = read(r#"["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"]"#).unwrap();
        assert_eq!(read(r#""10.0.0.0/8, 192.0.2.7,2001:db8::/32""#).unwrap(), networks);
        for (address, is_in) in [
            ("10.200.3.4", true),
            ("::ffff:10.1.2.3", true),
            ("192.0.2.7", true),
            ("192.0.2.8", false),
            ("2001:db8:1::1", true),
            ("::1", false),
        ] {
            assert_eq!(networks.contains(address.parse().unwrap()), is_in, "{address}");
        }
        for wrong in [r#"["proxy.example.com"]"#, r#""10.0.0.0/33""#, r#"["10.0.0"]"#, "7"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
