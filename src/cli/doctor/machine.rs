//! The machine, whatever the fleet.
use super::{Finding, tools};
use crate::{model::zones::bundled_release, world::clock};
use rustix::process::{Resource, getrlimit};
use std::{env, fs, path::PathBuf};

/// Oldest tmux that the fleet is tested with.
const TMUX: (u32, u32) = (3, 2);
/// Time zone rules change several times a year.
const ZONES_OLD_YEARS: i32 = 2;

/// `units`: agents and services of the fleet.
pub fn check(units: usize) -> Vec<Finding> {
    vec![tmux(), git(), descriptors(units), terminals(units), locale(), zones()]
}

fn tmux() -> Finding {
    let hint = "install tmux 3.2 or newer";
    match tools::first_line("tmux", &["-V"]) {
        Ok(text) if tools::version(&text).is_some_and(|v| v < TMUX) => {
            Finding::fail("tmux", format!("{text} is too old"), hint)
        }
        Ok(text) => Finding::ok("tmux", text),
        Err(error) => Finding::fail("tmux", error, hint),
    }
}

fn git() -> Finding {
    match tools::first_line("git", &["--version"]) {
        Ok(text) => Finding::ok("git", text),
        Err(error) => Finding::warn("git", error, "hand-offs and phases need git to fetch: install it"),
    }
}

fn descriptors(units: usize) -> Finding {
    let wanted = 10 * units as u64 + 64;
    match getrlimit(Resource::Nofile).current {
        Some(have) if have < wanted => Finding::warn(
            "open files",
            format!("the limit is {have}, this fleet may need {wanted}"),
            format!("`ulimit -n {wanted}` before `agents up`"),
        ),
        Some(have) => Finding::ok("open files", format!("limit {have}, {wanted} needed")),
        None => Finding::ok("open files", "no limit"),
    }
}

fn terminals(units: usize) -> Finding {
    let number = |file: &str| fs::read_to_string(file).ok().and_then(|t| t.trim().parse::<u64>().ok());
    let dir = "/proc/sys/kernel/pty";
    let (max, used) = (number(&format!("{dir}/max")), number(&format!("{dir}/nr")));
    let wanted = units as u64 + 8;
    match (max, used) {
        _ if fs::metadata("/dev/ptmx").is_err() => {
            Finding::fail("terminals", "there is no /dev/ptmx", "mount devpts: tmux needs pseudo terminals")
        }
        (Some(max), Some(used)) if max.saturating_sub(used) < wanted => Finding::fail(
            "terminals",
            format!("{} of {max} are free, this fleet needs {wanted}", max.saturating_sub(used)),
            "raise kernel.pty.max",
        ),
        (Some(max), Some(used)) => Finding::ok("terminals", format!("{} free", max - used)),
        _ => Finding::ok("terminals", "/dev/ptmx is there"),
    }
}

fn locale() -> Finding {
    let set = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|k| env::var(k).ok().filter(|v| !v.is_empty()));
    let hint = "`export LANG=C.UTF-8`: agents may print garbage without it";
    match set {
        Some(value) if value.to_uppercase().replace('-', "").contains("UTF8") => Finding::ok("locale", value),
        Some(value) => Finding::warn("locale", format!("`{value}` is not UTF-8"), hint),
        None => Finding::warn("locale", "no locale is set", hint),
    }
}

/// Limits say "resets at 7pm": wrong zone rules mean wrong holds.
fn zones() -> Finding {
    let now = clock::now();
    let this_year = now.wall.format_local("%Y").parse().unwrap_or(0);
    let local = now.zones.local(now.utc_offset_s).and_then(|zone| zone.iana_name().map(str::to_owned));
    rules_in_force(now.zones.rules().and_then(|r| r.system.as_ref()), local.as_deref(), this_year)
}

fn rules_in_force(system: Option<&(PathBuf, Option<String>)>, local: Option<&str>, this_year: i32) -> Finding {
    let ours = bundled_release();
    let (release, text) = match system {
        Some((dir, Some(theirs))) if theirs.as_str() > ours => {
            (theirs.as_str(), format!("rules {theirs} of {}, newer than the built-in {ours}", dir.display()))
        }
        Some((_, Some(theirs))) if theirs == ours => (ours, format!("built-in rules {ours}, as the system's")),
        Some((_, Some(theirs))) => (ours, format!("built-in rules {ours}, newer than the system's {theirs}")),
        Some((_, None)) => (ours, format!("built-in rules {ours}; the system's are of unknown age")),
        None => (ours, format!("built-in rules {ours}; the system has none")),
    };
    let text = format!("{text}; local zone: {}", local.unwrap_or("without a name"));
    let year = release.get(..4).and_then(|y| y.parse().ok()).unwrap_or(this_year);
    if this_year - year >= ZONES_OLD_YEARS {
        Finding::warn("time zones", text, "update the tzdata package")
    } else {
        Finding::ok("time zones", text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::Level;

    #[test]
    fn the_rules_of_time_zones_and_their_age_are_told() {
        let ours = bundled_release();
        let year: i32 = ours[..4].parse().unwrap();
        let told = |theirs: &str, this_year| {
            let system = ("/zones".into(), Some(theirs.to_owned()));
            let finding = rules_in_force(Some(&system), Some("Europe/Berlin"), this_year);
            (finding.level, finding.text)
        };
        let (level, text) = told("2020a", year + 1);
        assert_eq!(level, Level::Ok);
        assert_eq!(text, format!("built-in rules {ours}, newer than the system's 2020a; local zone: Europe/Berlin"));
        let (level, text) = told("2098b", 2099);
        assert_eq!(level, Level::Ok);
        assert!(text.starts_with(&format!("rules 2098b of /zones, newer than the built-in {ours};")), "{text}");
        assert_eq!(told("2020a", year + 2).0, Level::Warn);
        assert!(rules_in_force(None, None, year).text.ends_with("the system has none; local zone: without a name"));
    }
}
