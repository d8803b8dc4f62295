//! One private place for jobs: a folder with a config and a store, and an end that leaves nothing behind.
use crate::process;
use agents::store::{
    Durability, StoreError,
    jobs::{self, JobStore},
};
use rustix::process::Signal;
use std::{
    fs::{self, File},
    io::{self, Error},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// As in the figures that we compare with.
pub const SLOTS: u32 = 4;
const LONGEST: Duration = Duration::from_secs(120);

/// Folders whose measurements are over. They stay until the end: ext4 passes over every file number that was given back
/// in the last seconds whenever a file is made, and thousands of logs that one round leaves would slow down the next.
static OVER: Mutex<Vec<tempfile::TempDir>> = Mutex::new(Vec::new());

/// Deletes what all places have left.
pub fn clear() {
    OVER.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

pub struct Place {
    /// `None`: it is being left.
    dir: Option<tempfile::TempDir>,
    root: PathBuf,
    program: PathBuf,
}

/// `[store] durability`, as people see it.
pub fn word(durability: Durability) -> &'static str {
    match durability {
        Durability::Normal => "normal",
        Durability::Full => "full",
    }
}

impl Place {
    pub fn new(program: &Path, durability: Durability) -> io::Result<Place> {
        let dir = tempfile::Builder::new().prefix("agents-bench-jobs-").tempdir()?;
        let root = dir.path().canonicalize()?;
        let place = Place { dir: Some(dir), root, program: program.to_owned() };
        let config = format!(
            "[defaults]\nsession_prefix = \"bench-\"\nlog_dir = \".agents\"\n\
             [jobs]\nslots = {SLOTS}\nkeep_finished = 1000000\nkeep_unfinished = 1000000\n\
             [store]\ndurability = \"{}\"\n",
            word(durability)
        );
        fs::write(place.path("agents.toml"), config)?;
        Ok(place)
    }

    /// With a store in it, and the limit that is measured with set by hand.
    pub fn ready(program: &Path, durability: Durability) -> io::Result<Place> {
        let place = Place::new(program, durability)?;
        place.limit(SLOTS)?;
        Ok(place)
    }

    pub fn limit(&self, slots: u32) -> io::Result<()> {
        self.run(&["jobs", "limit", &slots.to_string()]).map(drop)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The store itself, for looking: another reader costs those that write nothing.
    pub fn store(&self) -> io::Result<JobStore> {
        jobs::open(&self.path(".agents").join(jobs::FILE), Durability::Normal).map_err(told)
    }

    /// Any program, as a verb would be called: the same folder and environment.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.env("XDG_STATE_HOME", self.path("home")).env("SHELL", "/bin/sh");
        for name in ["TMUX", "AGENTS_CONFIG", "AGENTS_JOB", "AGENTS_JOB_EPOCH", "AGENTS_JOBS"] {
            command.env_remove(name);
        }
        command
    }

    pub fn verb(&self, words: &[&str]) -> Command {
        let mut command = self.command(&self.program);
        command.args(words);
        command
    }

    /// How long a verb takes.
    pub fn run(&self, words: &[&str]) -> io::Result<Duration> {
        let complaints = self.path("complaints");
        let mut command = self.verb(words);
        command.stderr(File::create(&complaints)?);
        let started = Instant::now();
        let status = command.status()?;
        let took = started.elapsed();
        if status.success() {
            return Ok(took);
        }
        let said = fs::read_to_string(&complaints).unwrap_or_default();
        Err(Error::other(format!("`agents {}`: {status}: {}", words.join(" "), said.trim())))
    }

    /// What a verb says.
    pub fn output(&self, words: &[&str]) -> io::Result<String> {
        let Output { status, stdout, stderr } =
            self.verb(words).stdout(Stdio::piped()).stderr(Stdio::piped()).output()?;
        if !status.success() {
            let said = String::from_utf8_lossy(&stderr).trim().to_owned();
            return Err(Error::other(format!("`agents {}`: {status}: {said}", words.join(" "))));
        }
        Ok(String::from_utf8_lossy(&stdout).trim().to_owned())
    }

    /// Until nothing runs and nothing may run.
    pub fn drained(&self, store: &JobStore, look: Duration) -> io::Result<()> {
        wait(LONGEST, look, || Ok(is_drained(store)?.then_some(())))
    }

    /// The same, so that whatever is measured next has the machine to itself. Nothing is held open afterwards: who finds
    /// the store in use gets ready faster.
    pub fn settled(&self) -> io::Result<()> {
        self.drained(&self.store()?, Duration::from_millis(1))?;
        std::thread::sleep(Duration::from_millis(5));
        Ok(())
    }

    /// Until the last runner has ended.
    pub fn left(&self) -> io::Result<()> {
        wait(LONGEST, Duration::from_millis(5), || Ok(process::of(&self.root).is_empty().then_some(())))
    }

    pub fn running(&self, store: &JobStore, count: usize) -> io::Result<()> {
        wait(LONGEST, Duration::from_millis(2), || {
            let running = store.running().map_err(told)?;
            Ok((running.len() == count && running.iter().all(|job| job.child.is_some())).then_some(()))
        })
    }
}

/// Few rows are looked at until the end is near.
pub fn is_drained(store: &JobStore) -> io::Result<bool> {
    if !store.lost("").map_err(told)?.is_empty() {
        return Ok(false);
    }
    Ok(store.groups().map_err(told)?.iter().all(|group| group.running == 0 && group.queued == 0))
}

pub fn told(error: StoreError) -> Error {
    Error::other(error.to_string())
}

/// Looks again and again until `what` gives something.
pub fn wait<T>(longest: Duration, look: Duration, mut what: impl FnMut() -> io::Result<Option<T>>) -> io::Result<T> {
    let end = Instant::now() + longest;
    loop {
        if let Some(found) = what()? {
            return Ok(found);
        }
        if Instant::now() >= end {
            return Err(Error::other(format!("nothing came within {} s", longest.as_secs())));
        }
        std::thread::sleep(look);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        OVER.lock().unwrap_or_else(PoisonError::into_inner).extend(self.dir.take());
        // A runner that is being killed may have started another one.
        for _ in 0..50 {
            let left = process::of(&self.root);
            if left.is_empty() {
                return;
            }
            for found in left {
                process::signal(found.pid, Signal::KILL);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}
