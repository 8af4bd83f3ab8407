//! Deterministic pseudo-random sample values and lines, generated from templates.

/// Deterministic pseudo-random generator (`SplitMix64`).
pub(super) struct SampleGenerator(pub(super) u64);

impl SampleGenerator {
    pub(super) fn number_below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }

    pub(super) fn choose<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.number_below(of.len())]
    }

    fn random_string(&mut self, from: &[u8], length: usize) -> String {
        (0..length).map(|_| char::from(from[self.number_below(from.len())])).collect()
    }

    /// Fills the placeholders in braces of a template. Removes each `·`, which splits samples so
    /// that secret scanners do not report them. Replaces `⏎` by a line break.
    pub(super) fn fill(&mut self, shape: &str) -> String {
        let shape = shape.replace('·', "").replace('⏎', "\n");
        let mut filled = String::new();
        let mut rest = shape.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let word = after
                .split_once('}')
                .and_then(|(word, more)| Some((self.placeholder(word)?, more)));
            if let Some((word, more)) = word {
                filled.push_str(&word);
                rest = more;
            } else {
                filled.push('{');
                rest = after;
            }
        }
        filled + rest
    }

    fn placeholder(&mut self, word: &str) -> Option<String> {
        let named = match word {
            "guid" => Some([8, 4, 4, 4, 12].map(|n| self.random_string(HEX, n)).join("-")),
            "name" => Some(self.choose(NAMES).to_owned()),
            "word" => Some(self.choose(WORDS).to_owned()),
            "Type" => Some(self.choose(TYPES).to_owned()),
            "env" => Some(self.choose(ENVIRONMENTS).to_owned()),
            "time" => Some(format!(
                "{:02}:{:02}:{:02}",
                self.number_below(24),
                self.number_below(60),
                self.number_below(60)
            )),
            "date" => Some(format!(
                "2026-{:02}-{:02}",
                1 + self.number_below(12),
                1 + self.number_below(28)
            )),
            "version" => Some(format!(
                "{}.{}.{}",
                self.number_below(9),
                self.number_below(40),
                self.number_below(9999)
            )),
            "n" => Some(self.number_below(100_000).to_string()),
            "level" => {
                Some(self.choose(&["Info    ", "Verbose ", "Warning ", "Error   "]).to_owned())
            }
            _ => None,
        };
        let alphabet = match word.chars().next()? {
            'A' => ALNUM,
            'H' => &ALNUM[..36],
            'h' => HEX,
            'd' => &ALNUM[26..36],
            'l' => LOWER,
            'b' => BASE64,
            'u' => URL64,
            'p' => STRONG,
            _ => return named,
        };
        named.or_else(|| {
            let length = word.get(1..)?.parse().ok()?;
            // Generated keys and passwords contain a digit and neither begin nor end with a sign.
            let ends = self.random_string(alphabet.get(..16).unwrap_or(alphabet), 2);
            let inside = self.random_string(alphabet, usize::max(length, 3) - 3);
            Some(format!("{}{inside}{}{}", &ends[..1], self.number_below(10), &ends[1..]))
        })
    }
}

const ALNUM: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijklmnopqrstuvwxyz";
const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
const HEX: &[u8] = b"0123456789abcdef";
const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const URL64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const STRONG: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789!$*-_.";

const NAMES: &[&str] = &[
    "parcel-tracking",
    "depot-portal",
    "route-planner",
    "driver-app",
    "stock-ledger",
    "web",
    "billing-worker",
    "gateway",
    "identity",
    "notifications",
    "reports",
    "scheduler",
];
const WORDS: &[&str] = &[
    "orders",
    "shipments",
    "token-refresh",
    "password-policy",
    "key-rotation",
    "secrets",
    "labels",
    "credentials",
    "session",
    "inventory",
    "authorization",
    "cache",
    "settings",
    "invoices",
];
const TYPES: &[&str] = &[
    "TokenStore",
    "PasswordHasher",
    "KeyVaultClient",
    "OrderService",
    "SecretReader",
    "ApiKeyFilter",
    "SessionCache",
    "CredentialProvider",
    "RouteTable",
    "AuthorizationHandler",
];
const ENVIRONMENTS: &[&str] = &["Development", "Test", "Staging", "Production", "Production EU"];
