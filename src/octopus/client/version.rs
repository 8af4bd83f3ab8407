//! Versions of Octopus Server.

use std::{fmt, str::FromStr};

/// A version of Octopus Server: year, release and build. Compared numerically.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OctopusVersion(pub u32, pub u32, pub u32);

impl OctopusVersion {
    /// Oldest supported version.
    pub const MIN_SUPPORTED: Self = Self(2021, 1, 0);
}

impl fmt::Display for OctopusVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(year, release, build) = self;
        match build {
            0 => write!(f, "{year}.{release}"),
            build => write!(f, "{year}.{release}.{build}"),
        }
    }
}

impl FromStr for OctopusVersion {
    type Err = ();

    /// Parses `2026.3.123` and `2026.3.123-hotfix`. `0.0.0-local`, the version of development
    /// builds, is treated as the newest.
    fn from_str(text: &str) -> Result<Self, ()> {
        let numbers = text.split(['-', '+']).next().unwrap_or_default();
        let mut parts = numbers.split('.').map(str::parse::<u32>);
        let mut next = || parts.next().unwrap_or(Ok(0)).map_err(|_| ());
        match (next()?, next()?, next()?) {
            (0, 0, 0) => Ok(Self(u32::MAX, 0, 0)),
            (year, release, build) => Ok(Self(year, release, build)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        let read = |text: &str| text.parse::<OctopusVersion>().unwrap();
        assert!(read("2025.3") < read("2025.10.1"));
        assert!(read("2022.3.5512") < read("2022.3.10000"));
        assert!(read("0.0.0-local") > read("2099.1.1"));
        assert_eq!(read("2026.3.123-hotfix.1"), OctopusVersion(2026, 3, 123));
        assert_eq!(read("2026.3.123+build"), OctopusVersion(2026, 3, 123));
        assert!("".parse::<OctopusVersion>().is_err());
        assert!("new".parse::<OctopusVersion>().is_err());
    }

    #[test]
    fn versions_read_as_they_print() {
        for text in ["2021.1", "2022.3.5512"] {
            assert_eq!(text.parse::<OctopusVersion>().unwrap().to_string(), text);
        }
    }
}
