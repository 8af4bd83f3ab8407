//! Selects the key that may have signed a token.

use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse},
};
use serde::Deserialize;
use serde_json::Value;

/// The maximum number of keys in a set. Larger sets are rejected.
const MAX_KEYS: usize = 100;

/// A public key and the algorithms that it can verify.
#[derive(Debug, Clone)]
pub(super) struct VerificationKey {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    key: DecodingKey,
}

/// Reason why no key was found for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyLookupError {
    /// No key matches the token.
    Unknown,
    /// The token has no key ID, and several keys match.
    Ambiguous,
}

/// Parses a key set (RFC 7517, RFC 7518, RFC 8037). Skips unusable keys. Symmetric keys are
/// unusable, because anyone who can read the set could sign tokens with them.
pub(super) fn parse_key_set(document: &[u8]) -> Result<Vec<VerificationKey>, String> {
    // Not `JwkSet`, which rejects the whole set if one of its keys is invalid.
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Value>,
    }
    let set: Set = serde_json::from_slice(document)
        .map_err(|_| "the response is not a JSON Web Key Set".to_owned())?;
    if set.keys.len() > MAX_KEYS {
        return Err(format!("the key set has more than {MAX_KEYS} keys"));
    }
    let keys: Vec<VerificationKey> = set.keys.into_iter().filter_map(verification_key).collect();
    if keys.is_empty() { Err("the key set has no usable signing key".to_owned()) } else { Ok(keys) }
}

/// Returns the usable form of a JSON Web Key, or `None` if it cannot verify signatures of tokens.
fn verification_key(mut jwk: Value) -> Option<VerificationKey> {
    let members = jwk.as_object_mut()?;
    // Certificates are not used, so an invalid `x5c` must not make `Jwk` reject the key.
    members.retain(|name, _| !name.starts_with("x5"));
    // RFC 9864 names the algorithm `Ed25519`, which `KeyAlgorithm` does not support.
    if let Some(alg) = members.get_mut("alg").filter(|alg| *alg == "Ed25519") {
        *alg = Value::from("EdDSA");
    }
    let jwk: Jwk = serde_json::from_value(jwk).ok()?;
    let is_for_signing = jwk
        .common
        .public_key_use
        .as_ref()
        .is_none_or(|purpose| *purpose == PublicKeyUse::Signature);
    let ops = jwk.common.key_operations.as_ref();
    let can_verify = ops.is_none_or(|ops| ops.contains(&KeyOperations::Verify));
    if !is_for_signing || !can_verify {
        return None;
    }
    let algorithms: &[Algorithm] = match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => AlgorithmFamily::Rsa.algorithms(),
        AlgorithmParameters::EllipticCurve(key) => match key.curve {
            EllipticCurve::P256 => &[Algorithm::ES256],
            EllipticCurve::P384 => &[Algorithm::ES384],
            _ => return None,
        },
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => {
            &[Algorithm::EdDSA]
        }
        _ => return None,
    };
    let declared = jwk.common.key_algorithm;
    let algorithms: Vec<Algorithm> = algorithms
        .iter()
        .copied()
        .filter(|algorithm| declared.is_none_or(|alg| alg == KeyAlgorithm::from(*algorithm)))
        .collect();
    if algorithms.is_empty() {
        return None;
    }
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    Some(VerificationKey { id: jwk.common.key_id, algorithms, key })
}

/// Returns the key for a token with this key ID and algorithm.
pub(super) fn find_key(
    keys: &[VerificationKey],
    id: Option<&str>,
    algorithm: Algorithm,
) -> Result<DecodingKey, KeyLookupError> {
    let matches_token = |key: &&VerificationKey| {
        key.algorithms.contains(&algorithm) && id.is_none_or(|id| key.id.as_deref() == Some(id))
    };
    let mut matching = keys.iter().filter(matches_token);
    match (matching.next(), matching.next()) {
        (None, _) => Err(KeyLookupError::Unknown),
        (Some(key), None) => Ok(key.key.clone()),
        (Some(_), Some(_)) => Err(KeyLookupError::Ambiguous),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const X: &str = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4";
    const Y: &str = "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM";

    fn kept_key_ids(keys: &Value) -> Vec<String> {
        let set = json!({ "keys": keys }).to_string();
        let keys = parse_key_set(set.as_bytes()).unwrap_or_default();
        keys.into_iter().map(|key| key.id.unwrap()).collect()
    }

    #[test]
    fn keeps_only_public_signature_keys() {
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
            (json!({ "kty": "OKP", "crv": "P-256" }), false),
            (json!({ "crv": "Ed25519" }), false),
            (json!({ "x5c": "not a list" }), true),
            (json!({ "kty": "OKP", "crv": "Ed25519", "alg": "Ed25519" }), true),
        ] {
            let mut key = ec.clone();
            key["kid"] = json!("1");
            for (name, value) in change.as_object().unwrap() {
                key[name] = value.clone();
            }
            assert_eq!(kept_key_ids(&json!([key])).len(), usize::from(is_kept), "{change}");
        }
    }

    #[test]
    fn skips_invalid_keys_and_keeps_the_others() {
        let good = json!({ "kty": "EC", "crv": "P-256", "x": X, "y": Y, "kid": "good" });
        assert_eq!(
            kept_key_ids(&json!([7, {}, { "kty": 1 }, good, { "kty": "RSA", "kid": "x" }])),
            ["good"]
        );
        for wrong in ["", "[]", "{}", r#"{"keys":7}"#, r#"{"keys":[]}"#] {
            assert!(parse_key_set(wrong.as_bytes()).is_err(), "{wrong}");
        }
        let many = json!({ "keys": vec![good; MAX_KEYS + 1] }).to_string();
        assert!(parse_key_set(many.as_bytes()).is_err());
    }

    #[test]
    fn finds_key_by_id_or_if_it_is_the_only_match() {
        let key =
            |id: &str, crv: &str| json!({ "kty": "EC", "crv": crv, "x": X, "y": Y, "kid": id });
        let set = json!({ "keys": [key("a", "P-256"), key("b", "P-256"), key("c", "P-384")] });
        let keys = parse_key_set(set.to_string().as_bytes()).unwrap();
        let find = |id, algorithm| find_key(&keys, id, algorithm).err();
        assert_eq!(find(Some("a"), Algorithm::ES256), None);
        assert_eq!(find(Some("a"), Algorithm::ES384), Some(KeyLookupError::Unknown));
        assert_eq!(find(Some("a"), Algorithm::HS256), Some(KeyLookupError::Unknown));
        assert_eq!(find(Some("d"), Algorithm::ES256), Some(KeyLookupError::Unknown));
        assert_eq!(find(None, Algorithm::ES256), Some(KeyLookupError::Ambiguous));
        assert_eq!(find(None, Algorithm::ES384), None);
    }
}
