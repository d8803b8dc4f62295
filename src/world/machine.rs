//! Memory, load and disks of the machine. What cannot be read is `None`.
use crate::model::host::{HostObs, HostRules};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What `rules` ask for, and nothing else. `folders`: whose disks count.
pub fn look<'a>(rules: &HostRules, folders: impl IntoIterator<Item = &'a Path>) -> HostObs {
    let mut host = HostObs::default();
    if rules.min_memory > 0 {
        host.memory = memory_available();
    }
    if rules.max_load > 0.0 {
        host.load = load();
    }
    if rules.min_disk > 0 {
        for folder in folders {
            if !host.disks.contains_key(folder)
                && let Some(free) = disk_free(folder)
            {
                host.disks.insert(folder.to_owned(), free);
            }
        }
    }
    host
}

/// Bytes of memory that could be had without swapping: of the machine, or of the narrowest control group that this
/// process is in.
pub fn memory_available() -> Option<u64> {
    let machine = fs::read_to_string("/proc/meminfo").ok().as_deref().and_then(available);
    let groups = fs::read_to_string("/proc/self/cgroup").ok().as_deref().and_then(group);
    let room = groups.and_then(|group| room_in(Path::new("/sys/fs/cgroup"), &group));
    machine.into_iter().chain(room).min()
}

/// Load average of the last minute, for each core.
pub fn load() -> Option<f64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    let load: f64 = text.split(' ').next()?.parse().ok()?;
    Some(load / std::thread::available_parallelism().map_or(1.0, |n| n.get() as f64))
}

/// Bytes free for us on the disk that holds `path`, or will hold it once it is made.
pub fn disk_free(path: &Path) -> Option<u64> {
    let there = path.ancestors().find(|a| a.exists())?;
    let disk = rustix::fs::statvfs(there).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// `MemAvailable` of `/proc/meminfo`.
fn available(meminfo: &str) -> Option<u64> {
    let row = meminfo.lines().find_map(|row| row.strip_prefix("MemAvailable:"))?;
    row.split_whitespace().next()?.parse::<u64>().ok().map(|kb| kb.saturating_mul(1024))
}

/// The group of version 2, relative to the mount.
fn group(cgroup: &str) -> Option<PathBuf> {
    let path = cgroup.lines().find_map(|row| row.strip_prefix("0::"))?;
    Some(PathBuf::from(path.trim_start_matches('/')))
}

/// What the group and those around it leave. Cache that nobody uses can be had.
fn room_in(mount: &Path, group: &Path) -> Option<u64> {
    let number = |dir: &Path, file: &str| fs::read_to_string(dir.join(file)).ok()?.trim().parse::<u64>().ok();
    let room = |dir: PathBuf| {
        let max = number(&dir, "memory.max")?;
        let used = number(&dir, "memory.current")?;
        let stat = fs::read_to_string(dir.join("memory.stat")).unwrap_or_default();
        let cache = stat.lines().find_map(|row| row.strip_prefix("inactive_file ")?.trim().parse::<u64>().ok());
        Some(max.saturating_sub(used.saturating_sub(cache.unwrap_or(0))))
    };
    group.ancestors().filter_map(|group| room(mount.join(group))).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_of_this_machine() {
        assert!(memory_available().is_some_and(|bytes| bytes > 1 << 20));
        assert!(load().is_some_and(|load| load >= 0.0));
        assert!(disk_free(Path::new("/")).is_some());
        assert_eq!(disk_free(Path::new("/no such/folder at all")), disk_free(Path::new("/")));
    }

    #[test]
    fn what_the_kernel_prints() {
        assert_eq!(available("MemTotal:  9 kB\nMemAvailable:     12 kB\n"), Some(12 * 1024));
        assert_eq!(available("MemTotal: 9 kB\n"), None);
        assert_eq!(group("12:cpu:/x\n0::/user.slice/a\n"), Some("user.slice/a".into()));
        assert_eq!(group("12:memory:/x\n"), None);
    }

    #[test]
    fn the_narrowest_group_counts() {
        let dir = tempfile::tempdir().unwrap();
        let put = |group: &str, max: &str, used: &str, cache: &str| {
            let place = dir.path().join(group);
            fs::create_dir_all(&place).unwrap();
            fs::write(place.join("memory.max"), max).unwrap();
            fs::write(place.join("memory.current"), used).unwrap();
            fs::write(place.join("memory.stat"), format!("anon 1\ninactive_file {cache}\n")).unwrap();
        };
        put("a/b", "max\n", "70\n", "0");
        assert_eq!(room_in(dir.path(), Path::new("a/b")), None);
        put("a", "100\n", "80\n", "30");
        assert_eq!(room_in(dir.path(), Path::new("a/b")), Some(50));
        put("a/b", "90\n", "95\n", "0");
        assert_eq!(room_in(dir.path(), Path::new("a/b")), Some(0));
    }
}
