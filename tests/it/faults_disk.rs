//! A disk that is full: at the first start, and while the fleet runs. In a mount namespace of its own, with a tmpfs as the
//! fleet's `log_dir`; skipped where none can be made.
use crate::fleet::Fleet;
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};

const INSIDE: &str = "AGENTS_TEST_INSIDE";
const TWO: &str = "[[agent]]\nname = \"a\"\n[[agent]]\nname = \"b\"\n";

/// Whether this is the inner run, in a mount namespace of its own. The outer one makes it, and waits for it.
fn inside(test: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let flags = if rustix::process::geteuid().is_root() { "-m" } else { "-rm" };
    let dir = tempfile::tempdir().expect("a folder");
    let mount = Command::new("unshare").args([flags, "mount", "-t", "tmpfs", "none"]).arg(dir.path()).output();
    if !mount.is_ok_and(|o| o.status.success()) {
        eprintln!("skipped: no tmpfs can be mounted here");
        return false;
    }
    let mut again = Command::new("unshare");
    again.arg(flags).arg(std::env::current_exe().expect("this test")).args(["--exact", test, "--nocapture"]);
    let out = again.env(INSIDE, "1").output().expect("a test");
    let text = format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert!(out.status.success() && text.contains("1 passed"), "{text}");
    false
}

/// A small disk. Made before the fleet whose `log_dir` it becomes, so that it outlives it.
struct Disk {
    dir: tempfile::TempDir,
}

impl Disk {
    fn new(size: &str) -> Disk {
        let dir = tempfile::tempdir().expect("a folder");
        let options = format!("size={size},mode=700");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "none"]).arg(dir.path()).status();
        assert!(mount.expect("mount").success());
        Disk { dir }
    }

    fn fleet(&self, toml: &str) -> Fleet {
        // So small a disk is too full from the beginning.
        let f = Fleet::new(&format!("[host]\nmin_disk = 0\n{toml}"));
        std::os::unix::fs::symlink(self.dir.path(), f.project.join(".agents")).expect("a link");
        f
    }

    fn filler(&self) -> PathBuf {
        self.dir.path().join("filler")
    }

    /// All but `free` KiB are taken.
    fn fill(&self, free: u64) {
        let mut file = fs::File::options().create(true).append(true).open(self.filler()).expect("a file");
        while file.write_all(&[7; 4096]).is_ok() {}
        while file.write_all(&[7]).is_ok() {}
        let size = file.metadata().expect("a size").len();
        file.set_len(size.saturating_sub(free * 1024)).expect("some space");
    }

    fn clear(&self) {
        fs::remove_file(self.filler()).expect("the filler");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.dir.path()).status();
    }
}

#[test]
fn a_first_start_on_a_full_disk_is_an_error_and_leaves_nothing_half() {
    if !inside("faults_disk::a_first_start_on_a_full_disk_is_an_error_and_leaves_nothing_half") {
        return;
    }
    for free in [0, 4, 8, 24, 40, 64, 96] {
        let disk = Disk::new("4m");
        let f = disk.fleet(TWO);
        disk.fill(free);
        for line in [&["up"][..], &["up", "a"], &["up", "watchdog"], &["watchdog", "--once"]] {
            let said = f.agents(line);
            assert_eq!(said.code, 1, "{free} KiB, {line:?}: {said:?}");
            assert!(said.err.to_lowercase().contains("no space left"), "{free} KiB: {said:?}");
        }
        assert_eq!((f.state("a"), f.status()["watchdog"]["running"].clone()), ("stopped".into(), false.into()));
        assert_eq!(f.processes().len(), 0, "{free} KiB: nothing runs");
        let half: Vec<String> =
            names(disk.dir.path()).into_iter().filter(|n| n.contains(".new") || n.contains(".tmux.conf")).collect();
        assert!(half.is_empty(), "{free} KiB: {half:?}");
        disk.clear();
        f.up();
        f.wait("with room both run", |f| f.starts("a") == 1 && f.starts("b") == 1 && f.state("a") == "idle");
        f.agents(&["down"]).ok();
        assert_eq!((f.starts("a"), f.starts("b")), (1, 1));
    }
}

/// A watchdog that says it was started does watch.
#[test]
fn a_watchdog_that_cannot_save_at_its_start_is_an_error() {
    if !inside("faults_disk::a_watchdog_that_cannot_save_at_its_start_is_an_error") {
        return;
    }
    let disk = Disk::new("8m");
    let f = disk.fleet(TWO);
    f.agents(&["up", "a", "b"]).ok();
    f.wait("both run", |f| f.starts("a") == 1 && f.starts("b") == 1);
    disk.fill(0);
    let said = f.agents(&["up", "watchdog"]);
    assert!(said.code == 1 && said.err.contains("no space left") && !said.out.contains("starting"), "{said:?}");
    assert!(f.alive("a"), "what is known is still told");
    disk.clear();
    f.up();
    f.ticks(3);
    assert_eq!((f.starts("a"), f.starts("b")), (1, 1));
}

#[test]
fn a_disk_that_fills_up_holds_what_has_to_be_saved_and_the_fleet_goes_on() {
    if !inside("faults_disk::a_disk_that_fills_up_holds_what_has_to_be_saved_and_the_fleet_goes_on") {
        return;
    }
    let disk = Disk::new("8m");
    let f = disk.fleet(&format!("[alert]\ncommand = [\"sh\", \"-c\", \"cat >>{{root}}/alerts\"]\n{TWO}"));
    f.script("a", "busy 1000");
    f.up();
    f.wait("both run", |f| f.starts("a") == 1 && f.starts("b") == 1 && f.state("a") == "working");
    let watchdog = f.watchdog();
    assert_eq!(f.agents(&["send", "a", "one", "--timeout", "0s"]).code, 0);
    disk.fill(0);
    f.tell("a", "idle");
    let alerts = || fs::read_to_string(f.root().join("alerts")).unwrap_or_default();
    f.kill("b");
    f.wait("it is alerted", |_| alerts().contains("nothing is typed or ended until it can be saved"));
    f.wait("what died is restarted", |f| f.starts("b") == 2);
    for line in [&["send", "a", "two"][..], &["pause", "a"], &["down", "a"]] {
        let said = f.agents(line);
        assert!(said.code == 1 && said.err.contains("no space left"), "{line:?}: {said:?}");
    }
    f.ticks(5);
    assert_eq!((f.lines("a").len(), f.watchdog()), (0, watchdog), "nothing is typed meanwhile");
    assert_eq!(alerts().matches("no space left").count(), 1, "said once");
    disk.clear();
    f.wait("what waited is typed", |f| f.lines("a") == ["one"]);
    f.wait("it is said", |f| f.said("the store can be written again") == 1);
    f.agents(&["restart", "watchdog"]).ok();
    f.ticks(4);
    assert_eq!((f.starts("a"), f.starts("b"), f.lines("a").len()), (1, 2, 1), "{}", f.log());
}

fn names(dir: &Path) -> Vec<String> {
    let mut all = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let size = entry.metadata().map(|m| m.len()).unwrap_or(0);
        all.push(format!("{name}:{size}"));
        if entry.path().is_dir() {
            all.extend(names(&entry.path()).into_iter().map(|n| format!("{name}/{n}")));
        }
    }
    all
}
