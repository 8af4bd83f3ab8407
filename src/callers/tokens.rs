//! Static bearer tokens, known to the server by their SHA-256 hash.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::Arc,
    time::Duration,
};

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use subtle::{ConditionallySelectable, ConstantTimeEq};

use super::{
    Grants, Refused, Way, Who,
    tokens_file::{self, CheckToken},
};
use crate::config::{self, Config, Followed};

/// The prefix of every token. It lets secret scanners recognize a leaked token.
pub(super) const PREFIX: &str = "omcp_";
/// The number of random bytes in a token.
const RANDOM: usize = 32;
/// Tokens longer than this are rejected without hashing. Generated tokens have 69 bytes.
const LONGEST: usize = 256;

type Hash = [u8; 32];

/// The static tokens: those in the settings and those in the tokens file.
#[derive(Debug)]
pub struct Tokens {
    written: Table,
    file: Option<Followed<Arc<Table>>>,
    /// How long the last good content of the tokens file stays in use while the file is unreadable.
    stale_for: Duration,
}

/// Token hashes and the identities that belong to them. Both lists have the same order.
#[derive(Debug, Default)]
pub(super) struct Table {
    hashes: Vec<Hash>,
    callers: Vec<Arc<Who>>,
}

impl Table {
    pub(super) fn of(tokens: &BTreeMap<String, config::Token>) -> Self {
        let known = tokens.iter().filter_map(|(name, token)| Some((token.hash()?, name, token)));
        let known = known.map(|(hash, name, token)| (hash, Arc::new(who(name, token))));
        let (hashes, callers) = known.unzip();
        Self { hashes, callers }
    }

    fn find(&self, presented: &Hash) -> Option<Arc<Who>> {
        self.callers.get(position(self.hashes.iter(), presented)?).cloned()
    }
}

/// Returns the index of a hash. Compares every hash over its full length, so the duration reveals
/// neither whether nor where the hash was found.
fn position<'a>(hashes: impl Iterator<Item = &'a Hash>, presented: &Hash) -> Option<usize> {
    let mut found = u64::MAX;
    for (place, hash) in (0_u64..).zip(hashes) {
        found.conditional_assign(&place, hash.ct_eq(presented));
    }
    usize::try_from(found).ok().filter(|_| found != u64::MAX)
}

fn who(name: &str, token: &config::Token) -> Who {
    let some = |list: &config::List| {
        let words: BTreeSet<String> = list.0.iter().cloned().collect();
        (!words.is_empty()).then_some(words)
    };
    Who {
        way: Way::Token,
        name: name.to_owned(),
        subject: name.to_owned(),
        issuer: None,
        client: token.owner.clone(),
        groups: Arc::new(token.groups.0.iter().cloned().collect()),
        grants: Grants {
            scope: token.scope.into(),
            toolsets: some(&token.toolsets),
            instances: some(&token.instances),
            spaces: some(&token.spaces),
        },
        is_scoped: false,
        expires: token.expires.map(|expiry| expiry.0),
    }
}

impl Tokens {
    /// Loads the tokens in the settings and in the tokens file. Validates tokens in the file like
    /// those in the settings.
    pub fn from_config(config: &Config, check: CheckToken) -> Result<Self, String> {
        let auth = &config.auth;
        let file = auth.tokens_file.as_deref();
        let file = file.map(|path| tokens_file::follow(path, config, check)).transpose();
        let file = file.map_err(|error| format!("auth.tokens_file: {error}"))?;
        Ok(Self { written: Table::of(&auth.tokens), file, stale_for: auth.tokens_stale_for.0 })
    }

    /// Looks up a token in the tokens file, unless the content of the file is too old.
    fn in_file(&self, presented: &Hash) -> Option<Arc<Who>> {
        let (table, stale) = self.file.as_ref()?.now();
        table.find(presented).filter(|_| stale <= self.stale_for)
    }

    /// Returns the identity that a token authenticates.
    pub fn who(&self, token: &str, now: Timestamp) -> Result<Arc<Who>, Refused> {
        const UNKNOWN: Refused = Refused::Invalid("the token is not known to this server");
        if token.len() > LONGEST {
            return Err(UNKNOWN);
        }
        let presented: Hash = Sha256::digest(token).into();
        let in_file = || self.in_file(&presented);
        let who = self.written.find(&presented).or_else(in_file).ok_or(UNKNOWN)?;
        if who.expires.is_some_and(|expires| expires <= now) {
            return Err(Refused::Invalid(
                "the token has expired; ask the server administrator for a new one",
            ));
        }
        Ok(who)
    }
}

/// Generates a token. Returns the token and its hexadecimal SHA-256 hash for the settings.
pub fn new_token() -> Result<(String, String), String> {
    let mut random = [0; RANDOM];
    getrandom::fill(&mut random)
        .map_err(|error| format!("no random numbers available: {error}"))?;
    let hex = |bytes: &[u8]| {
        bytes.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    };
    let token = format!("{PREFIX}{}", hex(&random));
    let hash = hex(&Sha256::digest(&token));
    Ok((token, hash))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[test]
    fn every_hash_is_compared_wherever_the_right_one_stands() {
        let hashes: Vec<Hash> = (0..50).map(|n| Sha256::digest([n]).into()).collect();
        for presented in [0, 1, 25, 49, 200] {
            let compared = Cell::new(0);
            let counted = hashes.iter().inspect(|_| compared.set(compared.get() + 1));
            let found = position(counted, &Sha256::digest([presented]).into());
            assert_eq!(found, (presented < 50).then_some(usize::from(presented)));
            assert_eq!(compared.get(), 50);
        }
        assert_eq!(position([].iter(), &[0; 32]), None);
    }

    #[test]
    fn a_new_token_has_its_prefix_and_is_found_by_its_hash() {
        let (token, hash) = new_token().unwrap();
        let (other, _) = new_token().unwrap();
        assert_ne!(token, other);
        assert!(token.starts_with(PREFIX) && token.len() == PREFIX.len() + 64, "{}", token.len());
        let settings = config::Token { sha256: hash, ..config::Token::default() };
        let auth = config::Auth {
            tokens: BTreeMap::from([("build-agent".to_owned(), settings)]),
            ..config::Auth::default()
        };
        let config = Config { auth, ..Config::default() };
        let tokens = Tokens::from_config(&config, |_| Ok(())).unwrap();
        assert_eq!(tokens.who(&token, Timestamp::now()).unwrap().name, "build-agent");
        for wrong in [other.as_str(), "", PREFIX, &token[..token.len() - 1], &"a".repeat(10_000)] {
            assert!(tokens.who(wrong, Timestamp::now()).is_err());
        }
    }
}
