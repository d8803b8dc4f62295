//! What this machine can hold a job to: `agents run --sandbox`, `--mem`, `--procs`.
use super::Finding;
use crate::{
    jobs::fences::Fence,
    world::{cgroup::handed_on, process::landlock_version},
};

pub fn check() -> Vec<Finding> {
    vec![sandbox(landlock_version()), limits(handed_on().as_deref())]
}

fn sandbox(version: i32) -> Finding {
    let words = |held: bool| {
        let words = Fence::ALL.iter().filter(|fence| fence.holds(version) == held).map(|fence| fence.word());
        words.collect::<Vec<_>>().join(", ")
    };
    let (held, open) = (words(true), words(false));
    match version {
        0 => Finding::warn(
            "sandbox",
            format!("this kernel has no landlock: `agents run --sandbox` limits {held} and nothing else"),
            "Linux 5.13 or newer, with `landlock` in its boot parameter `lsm=`",
        ),
        _ if open.is_empty() => Finding::ok("sandbox", format!("landlock {version} limits {held}")),
        _ => Finding::warn(
            "sandbox",
            format!("landlock {version} limits {held}, and not {open}"),
            "Linux 6.12 or newer limits all of it",
        ),
    }
}

/// `handed_on`: what control groups of ours can count; `None`: there are none.
fn limits(handed_on: Option<&[String]>) -> Finding {
    let has = |name: &str| handed_on.is_some_and(|list| list.iter().any(|has| has == name));
    if has("memory") && has("pids") {
        return Finding::ok("job limits", "control groups count the memory and processes of a job");
    }
    let why = match handed_on {
        None => "no control group can be made here",
        Some(_) => "control groups here do not count memory and processes",
    };
    Finding::warn(
        "job limits",
        format!("{why}: `--mem` limits each process of a job, and `--procs` is counted now and then"),
        "`systemd-run --user --scope $SHELL` gives jobs such groups where systemd looks after your session",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::Level;

    #[test]
    fn what_holds_and_what_does_not_is_told() {
        assert_eq!(sandbox(7).level, Level::Ok);
        assert_eq!(sandbox(7).text, "landlock 7 limits writes, processes, privileges, devices, signals, sockets");
        assert_eq!(sandbox(1).level, Level::Warn);
        assert!(sandbox(1).text.ends_with("limits writes, processes, privileges, and not devices, signals, sockets"));
        assert!(sandbox(0).text.contains("no landlock: `agents run --sandbox` limits privileges and nothing else"));
        let all = ["cpu", "memory", "pids"].map(str::to_owned);
        assert_eq!(limits(Some(&all)).level, Level::Ok);
        assert!(limits(Some(&all[..2])).text.starts_with("control groups here do not count"));
        assert!(limits(None).text.starts_with("no control group can be made here"));
    }
}
