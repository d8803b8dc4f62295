//! Control groups, version 2: a group of its own for the processes of a job, where the system lets us make one. There
//! memory and processes are counted together, and all of them end at once.
//!
//! The group is made in the first folder, from our own upwards, that we may write to and that hands on what is to be
//! limited. It is named `agents.PID-START.NAME` for the process that made it, so that one that was left behind is known.
use super::process::ProcId;
use rustix::fs::{Access, access};
use std::{
    fs::{self, OpenOptions},
    io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
};

const OURS: &str = "agents.";

/// What a group is to limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Bytes, of all its processes together.
    pub memory: Option<u64>,
    /// Threads count, too.
    pub pids: Option<u32>,
}

#[derive(Debug)]
pub struct Cgroup {
    dir: PathBuf,
}

impl Cgroup {
    /// `None`: there is no place for it, or none that can limit what is wanted.
    pub fn make(name: &str, wanted: Wanted) -> Option<Cgroup> {
        let me = ProcId::own()?;
        let full = format!("{OURS}{}-{}.{name}", me.pid, me.start);
        places().iter().find_map(|place| make_in(place, &full, wanted).ok())
    }

    /// The group of this name that the process is in, whoever made it.
    pub fn of(pid: u32, name: &str) -> Option<Cgroup> {
        let dir = dir_of(&fs::read_to_string(format!("/proc/{pid}/cgroup")).ok()?)?;
        let is_it = |dir: &&Path| maker(dir).is_some_and(|(_, rest)| rest == name);
        dir.ancestors().find(is_it).map(|dir| Cgroup { dir: dir.to_owned() })
    }

    /// What a process writes `0` to that is to be in it.
    pub fn door(&self) -> io::Result<OwnedFd> {
        Ok(OpenOptions::new().write(true).open(self.dir.join("cgroup.procs"))?.into())
    }

    pub fn members(&self) -> Vec<u32> {
        let text = fs::read_to_string(self.dir.join("cgroup.procs")).unwrap_or_default();
        text.lines().filter_map(|line| line.parse().ok()).collect()
    }

    /// KILL for everyone in it, at once and without a way out. Linux 5.14.
    pub fn kill(&self) -> bool {
        fs::write(self.dir.join("cgroup.kill"), "1").is_ok()
    }

    /// The kernel ended processes of it because it had no more memory.
    pub fn ran_out_of_memory(&self) -> bool {
        let text = fs::read_to_string(self.dir.join("memory.events")).unwrap_or_default();
        let count = |line: &str| line.strip_prefix("oom_kill ").and_then(|n| n.parse::<u64>().ok());
        text.lines().find_map(count).is_some_and(|count| count > 0)
    }

    /// Best effort: one with processes in it stays.
    pub fn remove(&self) {
        let _ = fs::remove_dir(&self.dir);
    }
}

/// Which controllers the best place hands on; `None`: we can make no group.
pub fn handed_on() -> Option<Vec<String>> {
    let lists: Vec<Vec<String>> = places().iter().map(|place| controllers(place)).collect();
    let wanted = |list: &&Vec<String>| ["memory", "pids"].iter().all(|name| list.iter().any(|has| has == name));
    lists.iter().find(wanted).or(lists.first()).cloned()
}

/// Folders in which we may make groups and move into them, from our own upwards. None above a group of ours: what a job
/// starts stays within its limits.
fn places() -> Vec<PathBuf> {
    let own = fs::read_to_string("/proc/self/cgroup").ok().and_then(|text| dir_of(&text));
    let Some((mount, _)) = mount() else { return Vec::new() };
    let mut places = Vec::new();
    for dir in own.iter().flat_map(|own| own.ancestors()).take_while(|dir| dir.starts_with(&mount)) {
        if access(dir, Access::WRITE_OK).is_ok() && access(dir.join("cgroup.procs"), Access::WRITE_OK).is_ok() {
            places.push(dir.to_owned());
        }
        if maker(dir).is_some() {
            break;
        }
    }
    places
}

/// Where the hierarchy is mounted, and which of its folders stands there.
fn mount() -> Option<(PathBuf, String)> {
    mounted(&fs::read_to_string("/proc/self/mountinfo").ok()?)
}

/// From `/proc/self/mountinfo`.
fn mounted(text: &str) -> Option<(PathBuf, String)> {
    text.lines().find_map(|line| {
        let (what, kind) = line.split_once(" - ")?;
        let mut fields = what.split(' ').skip(3);
        let (root, at) = (fields.next()?, fields.next()?);
        // A name with a blank in it is written with an escape, and not looked at.
        (kind.starts_with("cgroup2 ") && !at.contains('\\')).then(|| (PathBuf::from(at), root.to_owned()))
    })
}

/// The folder of the group in a text such as `/proc/PID/cgroup`.
fn dir_of(text: &str) -> Option<PathBuf> {
    let (mount, root) = mount()?;
    below(&mount, &root, text)
}

fn below(mount: &Path, root: &str, text: &str) -> Option<PathBuf> {
    let path = text.lines().find_map(|line| line.strip_prefix("0::"))?;
    let rest = path.strip_prefix(root.trim_end_matches('/'))?.trim_start_matches('/');
    let usable = !path.ends_with(" (deleted)") && !rest.split('/').any(|part| part == "..");
    usable.then(|| if rest.is_empty() { mount.to_owned() } else { mount.join(rest) })
}

/// Of a group of ours: who made it, and its name.
fn maker(dir: &Path) -> Option<(ProcId, &str)> {
    let (who, name) = dir.file_name()?.to_str()?.strip_prefix(OURS)?.split_once('.')?;
    let (pid, start) = who.split_once('-')?;
    Some((ProcId { pid: pid.parse().ok()?, start: start.parse().ok()? }, name))
}

fn controllers(dir: &Path) -> Vec<String> {
    let text = fs::read_to_string(dir.join("cgroup.subtree_control")).unwrap_or_default();
    text.split_whitespace().map(str::to_owned).collect()
}

fn make_in(place: &Path, name: &str, wanted: Wanted) -> io::Result<Cgroup> {
    let has = controllers(place);
    let needs = [(wanted.memory.is_some(), "memory"), (wanted.pids.is_some(), "pids")];
    if needs.iter().any(|(needed, name)| *needed && !has.iter().any(|has| has == name)) {
        return Err(io::ErrorKind::Unsupported.into());
    }
    remove_left(place);
    let group = Cgroup { dir: place.join(name) };
    fs::create_dir(&group.dir)?;
    limit(&group, wanted).inspect_err(|_| group.remove())?;
    Ok(group)
}

fn limit(group: &Cgroup, wanted: Wanted) -> io::Result<()> {
    let write = |name: &str, value: &str| fs::write(group.dir.join(name), value);
    if let Some(bytes) = wanted.memory {
        write("memory.max", &bytes.to_string())?;
        // Else it would only become slow.
        let _ = write("memory.swap.max", "0");
        // Not one process of it, and the others wait for that one.
        let _ = write("memory.oom.group", "1");
    }
    if let Some(count) = wanted.pids {
        write("pids.max", &count.to_string())?;
    }
    // Can it be entered?
    group.door().map(drop)
}

/// Groups whose maker is gone, and with it all that was in them.
fn remove_left(place: &Path) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let path = entry.path();
        if maker(&path).is_some_and(|(maker, _)| !maker.is_alive()) {
            let _ = fs::remove_dir(&path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hierarchy_is_found_wherever_it_is_mounted() {
        let v1 = "30 24 0:26 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n";
        let hybrid = format!("{v1}31 24 0:27 / /sys/fs/cgroup/unified rw,relatime shared:5 - cgroup2 cgroup2 rw\n");
        assert_eq!(mounted(v1), None);
        let (at, root) = mounted(&hybrid).unwrap();
        let own = "9:pids:/x\n0::/user.slice/a.scope\n";
        assert_eq!(below(&at, &root, own), Some("/sys/fs/cgroup/unified/user.slice/a.scope".into()));
        assert_eq!(below(&at, &root, "0::/\n"), Some(at.clone()));
        assert_eq!(below(&at, "/user.slice", own), Some("/sys/fs/cgroup/unified/a.scope".into()));
        for not_there in ["9:pids:/x\n", "0::/a (deleted)\n", "0::/../b\n"] {
            assert_eq!(below(&at, &root, not_there), None, "{not_there}");
        }
        assert_eq!(below(&at, "/other", own), None);
    }

    #[test]
    fn a_group_of_ours_is_known_by_its_name() {
        let maker_of =
            |name: &str| maker(Path::new("/c").join(name).as_path()).map(|(id, n)| (id.pid, id.start, n.to_owned()));
        assert_eq!(maker_of("agents.7-42.j3"), Some((7, 42, "j3".to_owned())));
        for other in ["agents.slice", "agents.7.j3", "agents.x-1.j3", "user.slice", "7-42.j3"] {
            assert_eq!(maker_of(other), None, "{other}");
        }
    }

    /// A folder of files in place of the kernel's.
    #[test]
    fn what_is_limited_is_written_and_what_ran_out_is_read() {
        let place = tempfile::tempdir().unwrap();
        let wanted = Wanted { memory: Some(1 << 30), pids: Some(20) };
        fs::write(place.path().join("cgroup.subtree_control"), "cpu memory\n").unwrap();
        assert!(make_in(place.path(), "agents.1-1.j1", wanted).is_err(), "it does not hand on pids");
        assert!(!place.path().join("agents.1-1.j1").exists());
        let group = Cgroup { dir: place.path().join("g") };
        fs::create_dir(&group.dir).unwrap();
        assert!(limit(&group, wanted).is_err(), "it cannot be entered");
        fs::write(group.dir.join("cgroup.procs"), "12\n34\n").unwrap();
        limit(&group, wanted).unwrap();
        let read = |name: &str| fs::read_to_string(group.dir.join(name)).unwrap();
        assert_eq!(
            (read("memory.max"), read("pids.max"), read("memory.swap.max")),
            ("1073741824".into(), "20".into(), "0".into())
        );
        assert_eq!(group.members(), [12, 34]);
        assert!(!group.ran_out_of_memory());
        fs::write(group.dir.join("memory.events"), "low 0\noom 3\noom_kill 2\noom_group_kill 1\n").unwrap();
        assert!(group.ran_out_of_memory());
    }

    #[test]
    fn a_group_is_entered_found_and_ended_at_once() {
        let Some(group) = Cgroup::make("j7", Wanted::default()) else {
            eprintln!("skipped: no control group can be made here (/sys/fs/cgroup is not ours to write to)");
            return;
        };
        let mut command = std::process::Command::new("sh");
        command.args(["-c", "sleep 1000 & wait"]);
        let limits = super::super::process::Limits { group: Some(group.door().unwrap()), ..Default::default() };
        let mut child = super::super::process::in_own_session(&mut command, limits).spawn().unwrap();
        assert_eq!(Cgroup::of(child.id(), "j7").map(|found| found.dir), Some(group.dir.clone()));
        assert!(Cgroup::of(child.id(), "j8").is_none() && Cgroup::of(std::process::id(), "j7").is_none());
        assert!(group.members().contains(&child.id()));
        assert!(group.kill());
        assert!(!child.wait().unwrap().success());
        let until = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while group.dir.exists() && std::time::Instant::now() < until {
            group.remove();
            std::thread::yield_now();
        }
        assert!(!group.dir.exists());
    }

    #[test]
    fn what_a_killed_maker_left_is_removed_and_what_lives_is_not() {
        let place = tempfile::tempdir().unwrap();
        let me = ProcId::own().unwrap();
        let (left, mine) =
            (format!("agents.{}-{}.j1", me.pid, me.start - 1), format!("agents.{}-{}.j2", me.pid, me.start));
        for name in [&left, &mine, "agents.slice", "other"] {
            fs::create_dir(place.path().join(name)).unwrap();
        }
        remove_left(place.path());
        let there = |name: &str| place.path().join(name).exists();
        assert!(!there(&left) && there(&mine) && there("agents.slice") && there("other"));
    }
}
