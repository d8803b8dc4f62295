//! The sandbox of a job in words: what it keeps the job from, and what it does not. What is said is what the kernel that
//! it runs on enforces, and each line that says so has tests that try to break out of it.
use crate::model::{bounds::Bounds, name::printable};
use std::path::{Path, PathBuf};

/// One thing that can be enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fence {
    Writes,
    Processes,
    Privileges,
    Devices,
    Signals,
    Sockets,
}

impl Fence {
    pub const ALL: [Fence; 6] =
        [Fence::Writes, Fence::Processes, Fence::Privileges, Fence::Devices, Fence::Signals, Fence::Sockets];

    /// What its line begins with.
    pub fn word(self) -> &'static str {
        match self {
            Fence::Writes => "writes",
            Fence::Processes => "processes",
            Fence::Privileges => "privileges",
            Fence::Devices => "devices",
            Fence::Signals => "signals",
            Fence::Sockets => "sockets",
        }
    }

    /// The version of Landlock that has it (0: none is needed), and the first Linux with that.
    fn since(self) -> (i32, &'static str) {
        match self {
            Fence::Privileges => (0, "3.5"),
            Fence::Writes | Fence::Processes => (1, "5.13"),
            Fence::Devices => (5, "6.10"),
            Fence::Signals | Fence::Sockets => (6, "6.12"),
        }
    }

    pub fn holds(self, version: i32) -> bool {
        version >= self.since().0
    }

    fn line(self, version: i32, place: &Place) -> String {
        let what = match self {
            Fence::Writes => return place.writes(version),
            // A newer kernel lets root read environments, confined or not.
            Fence::Processes if place.root => {
                "those from outside of the step cannot be traced, nor their memory be read"
            }
            Fence::Processes => {
                "those from outside of the step cannot be traced, nor their memory or environment be read"
            }
            Fence::Privileges => "no program gets more than the job has (setuid, setgid, capabilities of files)",
            Fence::Devices => "no others can be commanded (ioctl)",
            Fence::Signals => "only to processes of the same step",
            Fence::Sockets => "of the abstract ones only those of the same step",
        };
        format!("{}: {what}", self.word())
    }
}

/// Files that a program may need to write to and that are nobody's. A folder stands for the files in it.
pub const DEVICES: [&str; 8] =
    ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty", "/dev/ptmx", "/dev/pts"];
/// The memory that programs share by name.
pub const SHARED: &str = "/dev/shm";

/// Versions of Landlock that are needed to have files moved between folders, and to keep them from being emptied.
const MOVES: i32 = 2;
const EMPTIES: i32 = 3;

/// Where one job may write.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its folder, the temporary one, and the shared memory, as far as they are there.
    pub folders: Vec<PathBuf>,
    /// The folder of the store.
    pub store: PathBuf,
    /// It runs as root.
    pub root: bool,
}

impl Place {
    fn writes(&self, version: i32) -> String {
        let folders: Vec<String> = self.folders.iter().map(|folder| shown(folder)).collect();
        let emptied = if version >= EMPTIES { "emptied, " } else { "" };
        let moves = if version >= MOVES { "" } else { "; nothing can be moved between folders (Linux 5.19 can tell)" };
        format!(
            "writes: below {}, to its log, /dev/null, tty, pts and the like; elsewhere no file can be made, changed, \
             {emptied}renamed, linked or removed, and nothing be mounted{moves}",
            folders.join(", ")
        )
    }

    /// What `version` of Landlock leaves open.
    fn open(&self, version: i32) -> Vec<String> {
        let mut open = Vec::new();
        if version == 0 {
            open.push("all the rest: this kernel has no landlock".to_owned());
        } else {
            if version < EMPTIES {
                open.push("files elsewhere can be emptied (not by Linux 6.2)".to_owned());
            }
            for fence in Fence::ALL.into_iter().filter(|fence| !fence.holds(version)) {
                open.push(format!("{} (from Linux {} on)", fence.word(), fence.since().1));
            }
            open.extend(["reading", "the network", "mode, owner and times of files"].map(str::to_owned));
            open.push("programs that answer at a socket in the file system (tmux, docker, ssh-agent)".to_owned());
            if self.folders.iter().any(|folder| self.store.starts_with(folder)) {
                let store = shown(&self.store);
                open.push(format!("other jobs: their memory in {store} lies where it may write"));
            }
        }
        if self.root && version > 0 {
            open.push("the environment of other processes".to_owned());
            open.push("what root does without files (kernel modules, clock, network, reboot)".to_owned());
        }
        open
    }
}

fn shown(path: &Path) -> String {
    printable(&path.to_string_lossy())
}

/// What `version` of Landlock enforces for a job.
pub fn told(version: i32, place: &Place) -> Bounds {
    let held = Fence::ALL.into_iter().filter(|fence| fence.holds(version));
    Bounds {
        enforced: held.map(|fence| fence.line(version, place)).collect(),
        open: place.open(version),
        limits: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> Place {
        Place { folders: vec!["/p".into(), "/t\n".into()], store: "/s".into(), root: false }
    }

    #[test]
    fn every_version_tells_each_thing_once_as_enforced_or_as_open() {
        for version in 0..=7 {
            let told = told(version, &place());
            for fence in Fence::ALL {
                let begins = |line: &&String| line.starts_with(fence.word());
                let (held, open) =
                    (told.enforced.iter().filter(begins).count(), told.open.iter().filter(begins).count());
                assert_eq!(held, usize::from(fence.holds(version)), "{version} {fence:?}");
                assert_eq!(open, usize::from(!fence.holds(version) && version > 0), "{version} {fence:?}");
            }
            assert!(told.sandbox().iter().all(|line| !line.contains('\n')));
            assert_eq!(told.header().lines().count(), told.enforced.len() + 1);
        }
        assert_eq!(told(0, &place()).sandbox().len(), 2);
        assert_eq!(told(7, &place()).sandbox().len(), 7);
    }

    #[test]
    fn what_an_older_kernel_lacks_is_said() {
        let says = |version: i32, words: &str| told(version, &place()).header().contains(words);
        assert!(says(2, "files elsewhere can be emptied") && !says(2, "emptied, "));
        assert!(says(3, "emptied, ") && !says(3, "can be emptied"));
        assert!(says(1, "moved between folders") && !says(2, "moved between folders"));
        assert!(says(5, "signals (from Linux 6.12 on)") && !says(6, "from Linux"));
        assert!(says(0, "this kernel has no landlock") && !says(1, "no landlock"));
    }

    #[test]
    fn a_store_within_reach_and_root_are_said() {
        let says = |place: &Place, words: &str| told(7, place).header().contains(words);
        assert!(!says(&place(), "other jobs") && !says(&place(), "root"));
        assert!(says(&Place { store: "/p/x".into(), ..place() }, "other jobs: their memory in /p/x"));
        assert!(says(&Place { root: true, ..place() }, "what root does"));
    }
}
