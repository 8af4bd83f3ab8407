//! Deterministic pseudo-random numbers.

/// Pseudo-random numbers that depend on the seed only.
pub(super) struct Random {
    state: u64,
}

impl Random {
    /// Creates a generator with a text as seed.
    pub(super) fn of(seed: &str) -> Self {
        let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        Self { state: seed.bytes().fold(0xcbf2_9ce4_8422_2325, fold) }
    }

    /// Returns a number below `limit`; zero for a limit of zero.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.next_u64().checked_rem(limit).unwrap_or(0)
    }

    /// Returns milliseconds below `limit`.
    pub(super) fn time(&mut self, limit: i64) -> i64 {
        i64::try_from(self.below(u64::try_from(limit).unwrap_or(0))).unwrap_or(0)
    }

    /// Returns one of the elements.
    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let limit = u64::try_from(from.len()).unwrap_or(0);
        from.get(usize::try_from(self.below(limit)).unwrap_or(0))
    }

    // SplitMix64, <https://prng.di.unimi.it/splitmix64.c>.
    fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// Returns hexadecimal digits derived from a text.
pub(super) fn token(text: &str, length: usize) -> String {
    let mut random = Random::of(text);
    let digits = std::iter::repeat_with(|| format!("{:016x}", random.next_u64()));
    let mut token: String = digits.take(length.div_ceil(16)).collect();
    token.truncate(length);
    token
}

/// Returns a UUID derived from a text.
pub(super) fn uuid(text: &str) -> String {
    let digits = token(text, 32);
    let part = |range: std::ops::Range<usize>| digits.get(range).unwrap_or_default().to_owned();
    [
        part(0..8),
        part(8..12),
        format!("4{}", part(13..16)),
        format!("a{}", part(17..20)),
        part(20..32),
    ]
    .join("-")
}
