//! The machine, whatever the fleet.
use super::{Finding, tools};
use rustix::process::{Resource, getrlimit};
use std::{env, fs};

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
    let dir = "/usr/share/zoneinfo";
    let hint = "install the tzdata package";
    let version = fs::read_to_string(format!("{dir}/tzdata.zi"))
        .ok()
        .and_then(|t| t.lines().next().and_then(|l| l.strip_prefix("# version ")).map(str::to_owned))
        .or_else(|| fs::read_to_string(format!("{dir}/+VERSION")).ok().map(|t| t.trim().to_owned()));
    let this_year = crate::world::clock::now().wall.format_local("%Y").parse::<i32>().unwrap_or(0);
    match version {
        Some(version) => {
            let year = version.get(..4).and_then(|y| y.parse::<i32>().ok()).unwrap_or(this_year);
            if this_year - year >= ZONES_OLD_YEARS {
                Finding::warn("time zones", format!("the rules are of {version}"), "update the tzdata package")
            } else {
                Finding::ok("time zones", format!("rules of {version}"))
            }
        }
        None if fs::metadata(dir).is_ok() => Finding::ok("time zones", "the system's rules, of unknown age"),
        None => Finding::warn("time zones", "the system has no time zone rules", hint),
    }
}
