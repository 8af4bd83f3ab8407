//! Selects the key that may have signed a token.

use std::fmt;

use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;

/// The maximum number of keys in a set. Larger sets are rejected.
const MOST: usize = 100;

/// A public key and the algorithms that it can verify.
#[derive(Clone)]
#[expect(clippy::struct_field_names, reason = "a key has an ID, algorithms and itself")]
pub(super) struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

/// Why no key was found for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NoKey {
    /// No known key matches the token.
    Unknown,
    /// The token has no key ID, and several keys match.
    Several,
}

/// A key in a key set (RFC 7517, RFC 7518, RFC 8037).
#[derive(Deserialize)]
struct Written {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    key_ops: Option<Vec<String>>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

/// Parses a key set. Skips unusable keys. Symmetric keys are unusable, because anyone who can read
/// the set could sign tokens with them.
pub(super) fn read(document: &[u8]) -> Result<Vec<Key>, String> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Value>,
    }
    let set: Set = serde_json::from_slice(document)
        .map_err(|_| "the response is not a JSON Web Key Set".to_owned())?;
    if set.keys.len() > MOST {
        return Err(format!("the key set has more than {MOST} keys"));
    }
    let written = set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok());
    let keys: Vec<Key> = written.filter_map(|written| key(&written)).collect();
    if keys.is_empty() { Err("the key set has no usable signing key".to_owned()) } else { Ok(keys) }
}

fn key(written: &Written) -> Option<Key> {
    let is_for_signing = written.purpose.as_deref().is_none_or(|purpose| purpose == "sig");
    let ops = written.key_ops.as_ref();
    let can_verify = ops.is_none_or(|ops| ops.iter().any(|op| op == "verify"));
    if !is_for_signing || !can_verify {
        return None;
    }
    let (x, y) = (written.x.as_deref(), written.y.as_deref());
    let (algorithms, key): (&[Algorithm], _) = match (&*written.kty, written.crv.as_deref()) {
        ("RSA", _) => (
            &[
                Algorithm::RS256,
                Algorithm::RS384,
                Algorithm::RS512,
                Algorithm::PS256,
                Algorithm::PS384,
                Algorithm::PS512,
            ],
            DecodingKey::from_rsa_components(written.n.as_deref()?, written.e.as_deref()?),
        ),
        ("EC", Some("P-256")) => (&[Algorithm::ES256], DecodingKey::from_ec_components(x?, y?)),
        ("EC", Some("P-384")) => (&[Algorithm::ES384], DecodingKey::from_ec_components(x?, y?)),
        ("OKP", Some("Ed25519")) => (&[Algorithm::EdDSA], DecodingKey::from_ed_components(x?)),
        _ => return None,
    };
    let named = |algorithm: &Algorithm| {
        let name = format!("{algorithm:?}");
        written.alg.as_ref().is_none_or(|alg| *alg == name || (alg == "Ed25519" && name == "EdDSA"))
    };
    let algorithms: Vec<Algorithm> = algorithms.iter().copied().filter(named).collect();
    if algorithms.is_empty() {
        return None;
    }
    Some(Key { id: written.kid.clone(), algorithms, key: key.ok()? })
}

/// Returns the key for a token with this key ID and algorithm.
pub(super) fn find(
    keys: &[Key],
    id: Option<&str>,
    algorithm: Algorithm,
) -> Result<DecodingKey, NoKey> {
    let fits = |key: &&Key| {
        key.algorithms.contains(&algorithm) && id.is_none_or(|id| key.id.as_deref() == Some(id))
    };
    let mut fitting = keys.iter().filter(fits);
    match (fitting.next(), fitting.next()) {
        (None, _) => Err(NoKey::Unknown),
        (Some(key), None) => Ok(key.key.clone()),
        (Some(_), Some(_)) => Err(NoKey::Several),
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?}, {:?})", self.id, self.algorithms)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const X: &str = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4";
    const Y: &str = "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM";

    fn ids(keys: &Value) -> Vec<String> {
        let set = json!({ "keys": keys }).to_string();
        let keys = read(set.as_bytes()).unwrap_or_default();
        keys.into_iter().map(|key| key.id.unwrap()).collect()
    }

    #[test]
    fn only_public_keys_for_signatures_are_kept() {
        let ec = json!({ "kty": "EC", "crv": "P-256", "x": X, "y": Y });
        for (change, is_kept) in [
            (json!({}), true),
            (json!({ "use": "sig" }), true),
            (json!({ "use": "enc" }), false),
            (json!({ "key_ops": ["verify"] }), true),
            (json!({ "key_ops": ["deriveKey"] }), false),
            (json!({ "alg": "ES256" }), true),
            (json!({ "alg": "ES384" }), false),
            (json!({ "alg": "ECDH-ES" }), false),
            (json!({ "alg": "HS256" }), false),
            (json!({ "crv": "P-521" }), false),
            (json!({ "x": null }), false),
            (json!({ "kty": "oct", "k": "c2VjcmV0", "alg": "HS256" }), false),
            (json!({ "kty": "oct", "k": "c2VjcmV0", "alg": "ES256" }), false),
            (json!({ "kty": "RSA" }), false),
            (json!({ "kty": "OKP", "crv": "Ed25519", "y": null }), true),
            (json!({ "kty": "OKP", "crv": "X25519" }), false),
            (json!({ "kty": "OKP", "crv": "Ed25519", "alg": "Ed25519" }), true),
        ] {
            let mut key = ec.clone();
            key["kid"] = json!("1");
            for (name, value) in change.as_object().unwrap() {
                key[name] = value.clone();
            }
            assert_eq!(ids(&json!([key])).len(), usize::from(is_kept), "{change}");
        }
    }

    #[test]
    fn one_bad_key_does_not_spoil_the_others() {
        let good = json!({ "kty": "EC", "crv": "P-256", "x": X, "y": Y, "kid": "good" });
        assert_eq!(
            ids(&json!([7, {}, { "kty": 1 }, good, { "kty": "RSA", "kid": "x" }])),
            ["good"]
        );
        for wrong in ["", "[]", "{}", r#"{"keys":7}"#, r#"{"keys":[]}"#] {
            assert!(read(wrong.as_bytes()).is_err(), "{wrong}");
        }
        let many = json!({ "keys": vec![good; MOST + 1] }).to_string();
        assert!(read(many.as_bytes()).is_err());
    }

    #[test]
    fn a_key_is_found_by_its_id_or_where_it_is_the_only_one() {
        let key =
            |id: &str, crv: &str| json!({ "kty": "EC", "crv": crv, "x": X, "y": Y, "kid": id });
        let set = json!({ "keys": [key("a", "P-256"), key("b", "P-256"), key("c", "P-384")] });
        let keys = read(set.to_string().as_bytes()).unwrap();
        let find = |id, algorithm| find(&keys, id, algorithm).err();
        assert_eq!(find(Some("a"), Algorithm::ES256), None);
        assert_eq!(find(Some("a"), Algorithm::ES384), Some(NoKey::Unknown));
        assert_eq!(find(Some("a"), Algorithm::HS256), Some(NoKey::Unknown));
        assert_eq!(find(Some("d"), Algorithm::ES256), Some(NoKey::Unknown));
        assert_eq!(find(None, Algorithm::ES256), Some(NoKey::Several));
        assert_eq!(find(None, Algorithm::ES384), None);
    }
}
