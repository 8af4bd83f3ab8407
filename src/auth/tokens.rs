//! Static bearer tokens. The server stores only their SHA-256 hashes.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use data_encoding::HEXLOWER;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use subtle::{ConditionallySelectable, ConstantTimeEq};

use super::{
    AuthError, AuthMethod, AuthSetupError, Grants, Identity,
    tokens_file::{self, CheckToken},
};
use crate::config::{self, Config, WatchedFile};

/// The prefix of every token. It lets secret scanners recognize a leaked token.
pub(super) const TOKEN_PREFIX: &str = "omcp_";
/// The number of random bytes in a token.
const RANDOM_BYTES: usize = 32;
/// Tokens longer than this are rejected without hashing. Generated tokens have 69 bytes.
const MAX_TOKEN_LENGTH: usize = 256;

type TokenHash = [u8; 32];

/// The static tokens in the settings and in the tokens file.
#[derive(Debug)]
pub struct StaticTokens {
    configured: TokenTable,
    file: Option<WatchedFile<Arc<TokenTable>>>,
    /// Maximum age of the last valid content of the tokens file while the file is unreadable.
    stale_for: Duration,
}

/// Token hashes and the identities that belong to them. Both lists have the same order.
#[derive(Debug, Default)]
pub(super) struct TokenTable {
    hashes: Vec<TokenHash>,
    identities: Vec<Arc<Identity>>,
}

impl TokenTable {
    pub(super) fn from_settings(tokens: &BTreeMap<String, config::TokenSettings>) -> Self {
        let entries = tokens.iter().filter_map(|(name, token)| Some((token.hash()?, name, token)));
        let entries =
            entries.map(|(hash, name, token)| (hash, Arc::new(token_identity(name, token))));
        let (hashes, callers) = entries.unzip();
        Self { hashes, identities: callers }
    }

    fn named(&self, name: &str) -> Option<Arc<Identity>> {
        self.identities.iter().find(|identity| identity.name == name).cloned()
    }

    fn find(&self, presented: &TokenHash) -> Option<Arc<Identity>> {
        self.identities.get(constant_time_position(self.hashes.iter(), presented)?).cloned()
    }
}

/// Returns the index of a hash. Compares every hash over its full length, so the duration reveals
/// neither a match nor its position.
fn constant_time_position<'a>(
    hashes: impl Iterator<Item = &'a TokenHash>,
    presented: &TokenHash,
) -> Option<usize> {
    let mut found = u64::MAX;
    for (index, hash) in (0_u64..).zip(hashes) {
        found.conditional_assign(&index, hash.ct_eq(presented));
    }
    usize::try_from(found).ok().filter(|_| found != u64::MAX)
}

fn token_identity(name: &str, token: &config::TokenSettings) -> Identity {
    let non_empty = |list: &config::ListSetting| {
        let entries: BTreeSet<String> = list.0.iter().cloned().collect();
        (!entries.is_empty()).then_some(entries)
    };
    Identity {
        method: AuthMethod::Token,
        name: name.to_owned(),
        subject: name.to_owned(),
        issuer: None,
        client: None,
        owner: token.owner.clone(),
        groups: Arc::new(token.groups.0.iter().cloned().collect()),
        grants: Grants {
            scope: token.scope,
            toolsets: non_empty(&token.toolsets),
            instances: non_empty(&token.instances),
            spaces: non_empty(&token.spaces),
        },
        is_scoped: false,
        expires: token.expires.map(|expiry| expiry.0),
    }
}

impl StaticTokens {
    /// Loads the tokens in the settings, which are already validated, and watches the tokens file.
    /// `check` validates the entries of the file.
    ///
    /// # Errors
    ///
    /// Returns an error that names `auth.tokens_file` if the file cannot be read or is invalid.
    pub fn from_config(config: &Config, check: CheckToken) -> Result<Self, AuthSetupError> {
        let auth = &config.auth;
        let file = auth.tokens_file.as_deref();
        let file = file.map(|path| tokens_file::watch(path, config, check)).transpose();
        let file = file.map_err(AuthSetupError::TokensFile)?;
        Ok(Self {
            configured: TokenTable::from_settings(&auth.tokens),
            file,
            stale_for: auth.tokens_stale_for.0,
        })
    }

    /// Loads the tokens in the settings only.
    pub fn without_file(config: &Config) -> Self {
        Self {
            configured: TokenTable::from_settings(&config.auth.tokens),
            file: None,
            stale_for: config.auth.tokens_stale_for.0,
        }
    }

    /// Looks up a token in the tokens file, unless the content of the file is too old.
    fn find_in_file(&self, presented: &TokenHash) -> Option<Arc<Identity>> {
        let (table, stale) = self.file.as_ref()?.current();
        table.find(presented).filter(|_| stale <= self.stale_for)
    }

    /// Returns the identity of the token with this name; `None` if there is no such token.
    pub fn identity(&self, name: &str) -> Option<Arc<Identity>> {
        let in_file = || self.file.as_ref()?.current().0.named(name);
        self.configured.named(name).or_else(in_file)
    }

    /// Returns the identity that a token authenticates.
    ///
    /// # Errors
    ///
    /// Returns [`AuthError::Invalid`] if the token is unknown or expired.
    pub fn authenticate(&self, token: &str, now: Timestamp) -> Result<Arc<Identity>, AuthError> {
        const UNKNOWN: AuthError = AuthError::Invalid("the token is not known to this server");
        if token.len() > MAX_TOKEN_LENGTH {
            return Err(UNKNOWN);
        }
        let presented: TokenHash = Sha256::digest(token).into();
        let in_file = || self.find_in_file(&presented);
        let identity = self.configured.find(&presented).or_else(in_file).ok_or(UNKNOWN)?;
        if identity.expires.is_some_and(|expires| expires <= now) {
            return Err(AuthError::Invalid(
                "the token has expired; ask the server administrator for a new one",
            ));
        }
        Ok(identity)
    }
}

/// Generates a token. Returns the token and its hexadecimal SHA-256 hash for the settings.
///
/// # Errors
///
/// Returns an error if the system provides no random numbers.
pub fn generate_token() -> Result<(String, String), AuthSetupError> {
    let mut random = [0; RANDOM_BYTES];
    getrandom::fill(&mut random)?;
    let token = format!("{TOKEN_PREFIX}{}", HEXLOWER.encode(&random));
    let hash = HEXLOWER.encode(&Sha256::digest(&token));
    Ok((token, hash))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn compares_every_hash_regardless_of_match_position() {
        let hashes: Vec<TokenHash> = (0..50).map(|n| Sha256::digest([n]).into()).collect();
        for presented in [0, 1, 25, 49, 200] {
            let compared = Cell::new(0);
            let counted = hashes.iter().inspect(|_| compared.set(compared.get() + 1));
            let found = constant_time_position(counted, &Sha256::digest([presented]).into());
            assert_eq!(found, (presented < 50).then_some(usize::from(presented)));
            assert_eq!(compared.get(), 50);
        }
        assert_eq!(constant_time_position([].iter(), &[0; 32]), None);
    }

    #[test]
    fn generated_token_has_prefix_and_is_found_by_hash() {
        let (token, hash) = generate_token().unwrap();
        let (other, _) = generate_token().unwrap();
        assert_ne!(token, other);
        assert!(
            token.starts_with(TOKEN_PREFIX) && token.len() == TOKEN_PREFIX.len() + 64,
            "{}",
            token.len()
        );
        let settings = config::TokenSettings { sha256: hash, ..config::TokenSettings::default() };
        let auth = config::AuthSettings {
            tokens: BTreeMap::from([("build-agent".to_owned(), settings)]),
            ..config::AuthSettings::default()
        };
        let config = Config { auth, ..Config::default() };
        let tokens = StaticTokens::from_config(&config, |_| Ok(())).unwrap();
        assert_eq!(tokens.authenticate(&token, Timestamp::now()).unwrap().name, "build-agent");
        for wrong in
            [other.as_str(), "", TOKEN_PREFIX, &token[..token.len() - 1], &"a".repeat(10_000)]
        {
            assert!(tokens.authenticate(wrong, Timestamp::now()).is_err());
        }
    }
}
