//! The supervisor's own log: one line for each event, `[agents HH:MM:SS] text`, on stdout or in its file.
use crate::model::{event::Event, time::Wall};
use std::{
    fs::{File, OpenOptions},
    io::Write,
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
    time::Duration,
};

/// The log starts anew at this size; one older part is kept.
const MAX: u64 = 10 * 1024 * 1024;

/// Where events go besides the store.
pub struct Journal {
    file: Option<(PathBuf, File, u64)>,
    stdout: bool,
    /// Kept for the caller of a verb.
    pub told: Vec<Event>,
    keep: bool,
    beat: Option<File>,
}

impl Journal {
    /// The supervisor: appends to its log file; in the foreground it prints as well.
    pub fn watchdog(log: &Path, foreground: bool) -> Journal {
        let mut journal = Journal { file: None, stdout: foreground, told: Vec::new(), keep: false, beat: None };
        journal.open(log);
        journal
    }

    /// A verb: its caller is told, and the supervisor's log keeps what happened.
    pub fn verb(log: &Path) -> Journal {
        let mut journal = Journal { file: None, stdout: false, told: Vec::new(), keep: true, beat: None };
        journal.open(log);
        journal
    }

    /// A rehearsal: nothing is written.
    pub fn nowhere() -> Journal {
        Journal { file: None, stdout: false, told: Vec::new(), keep: true, beat: None }
    }

    /// What it wrote to was removed.
    pub fn reopen(&mut self, log: &Path) {
        self.beat = None;
        self.open(log);
    }

    fn open(&mut self, log: &Path) {
        let nofollow = rustix::fs::OFlags::NOFOLLOW.bits() as i32;
        let file = OpenOptions::new().create(true).append(true).mode(0o600).custom_flags(nofollow).open(log);
        self.file = file.ok().map(|file| {
            let size = file.metadata().map(|m| m.len()).unwrap_or(0);
            (log.to_owned(), file, size)
        });
    }

    pub fn event(&mut self, event: &Event) {
        self.line(event.at, &event.text);
        if self.keep {
            self.told.push(event.clone());
        }
    }

    pub fn line(&mut self, at: Wall, text: &str) {
        let line = crate::view::log_line(at, text);
        if self.stdout {
            let mut out = std::io::stdout().lock();
            let _ = writeln!(out, "{line}").and_then(|()| out.flush());
        }
        let mut full = None;
        if let Some((path, file, size)) = &mut self.file {
            // A full disk costs lines of this log, nothing else; the events are in the store.
            let _ = writeln!(file, "{line}");
            *size += line.len() as u64 + 1;
            if *size > MAX {
                full = Some(path.clone());
            }
        }
        if let Some(path) = full {
            let mut older = path.clone().into_os_string();
            older.push(".1");
            let _ = std::fs::rename(&path, older);
            self.open(&path);
        }
    }

    /// Notes that a tick is complete, where `status` finds it. No lock, no sync.
    pub fn beat(&mut self, path: &Path, at: Wall, took: Duration) {
        if self.beat.is_none() {
            self.beat = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path).ok();
        }
        if let Some(file) = &self.beat {
            let text = format!("{:>20} {:>12.3}\n", at.0, took.as_secs_f64() * 1000.0);
            let _ = file.write_all_at(text.as_bytes(), 0);
        }
    }
}

/// Time and length (ms) of the last tick.
pub fn last_beat(path: &Path) -> Option<(Wall, f64)> {
    let text = std::fs::read_to_string(path).ok()?;
    let mut words = text.split_whitespace();
    Some((Wall(words.next()?.parse().ok()?), words.next()?.parse().ok()?))
}
