//! The log of a job: the children write straight into it, so that they need nobody of ours. What it may not become is
//! longer than its cap: then its middle is left out.
//!
//! That is done behind the writer's back. It appends (`O_APPEND`), so a file that became shorter is simply written on.
//! What it writes in the very moment between our look at the end and the cut is lost as well.
use super::{agent_log::AgentLog, progress::Follow};
use crate::{jobs::pulse::Watch, model::time::Boot, world::clock};
use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Write},
    os::{
        fd::BorrowedFd,
        unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt},
    },
    path::{Path, PathBuf},
    time::Duration,
};

/// Between two looks at a log that grows; while none does, nobody looks.
const LOOK: Duration = Duration::from_secs(1);
/// The same once it is half full.
const LOOK_CLOSELY: Duration = Duration::from_millis(250);
/// Of its newest part, at most this is kept when it is cut.
const TAIL: u64 = 1 << 20;

/// Opens it to append to (0600), with its folder (0700). A link at its place is refused.
pub fn open(path: &Path) -> io::Result<File> {
    let open = || {
        let nofollow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0);
        OpenOptions::new().read(true).append(true).create(true).mode(0o600).custom_flags(nofollow).open(path)
    };
    open().or_else(|error| {
        let Some(dir) = path.parent().filter(|_| error.kind() == io::ErrorKind::NotFound) else { return Err(error) };
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        open()
    })
}

/// Looks after the size of a log, and sleeps while it does not grow.
pub struct Cap {
    path: PathBuf,
    file: File,
    cap: u64,
    state: State,
    length: u64,
    dropped: u64,
    /// What is said in it of the job's progress.
    pub progress: Follow,
    /// What the job's agent says in it.
    pub agent: Option<AgentLog>,
}

enum State {
    /// Until somebody writes.
    Quiet(Watch),
    Growing {
        look_at: Boot,
    },
}

impl Cap {
    pub fn of(path: &Path, file: &File, cap: u64) -> io::Result<Cap> {
        let state = State::Growing { look_at: clock::boot().after(LOOK) };
        let file = file.try_clone()?;
        // What is there was written by an earlier attempt.
        let progress = Follow::from(file.metadata()?.len());
        Ok(Cap { path: path.to_owned(), file, cap, state, length: 0, dropped: 0, progress, agent: None })
    }

    pub fn fd(&self) -> Option<BorrowedFd<'_>> {
        match &self.state {
            State::Quiet(watch) => watch.fd(),
            State::Growing { .. } => None,
        }
    }

    /// When to call [`Cap::look`], if nothing is to be read before.
    pub fn deadline(&self) -> Option<Boot> {
        match &self.state {
            State::Quiet(watch) if watch.fd().is_some() => None,
            // Without a watch of the kernel it is looked at all the time, but rarely.
            State::Quiet(_) => Some(clock::boot().after(LOOK * 10)),
            State::Growing { look_at } => Some(*look_at),
        }
    }

    /// To be called whenever somebody is awake.
    pub fn look(&mut self) {
        let wrote = match &self.state {
            State::Growing { look_at } if clock::boot() < *look_at => return,
            State::Growing { .. } => false,
            State::Quiet(watch) => {
                let news = watch.fd().is_none() || watch.wait(Some(Duration::ZERO)).unwrap_or(true);
                if !news {
                    return;
                }
                true
            }
        };
        let before = self.length;
        self.check();
        if wrote || self.length != before {
            let closely = self.length > self.cap / 2 || self.agent.as_ref().is_some_and(AgentLog::listens);
            let pause = if closely { LOOK_CLOSELY } else { LOOK };
            self.state = State::Growing { look_at: clock::boot().after(pause) };
        } else {
            self.state = State::Quiet(Watch::growth(&self.path));
            // What was written before the watch was there is not told.
            let quiet = self.length;
            self.check();
            if self.length != quiet {
                self.state = State::Growing { look_at: clock::boot().after(LOOK) };
            }
        }
    }

    /// Somebody begins to write who says much.
    pub fn look_soon(&mut self) {
        self.state = State::Growing { look_at: clock::boot().after(LOOK_CLOSELY) };
    }

    /// Cuts it if it is too long. Best effort: a log that cannot be cut is no reason to end a job.
    pub fn check(&mut self) {
        self.check_length(false);
    }

    /// The same when nobody writes any more.
    pub fn check_end(&mut self) {
        self.check_length(true);
    }

    fn check_length(&mut self, last: bool) {
        self.length = self.file.metadata().map_or(self.length, |meta| meta.len());
        self.progress.read(&self.file, self.length, last);
        if let Some(agent) = &mut self.agent {
            agent.read(&self.file, self.length);
        }
        if self.length > self.cap && self.cut().is_ok() {
            self.length = self.file.metadata().map_or(self.length, |meta| meta.len());
        }
    }

    fn cut(&mut self) -> io::Result<()> {
        let head = self.cap - self.cap / 4;
        let tail = TAIL.min(self.cap / 8);
        let from = self.length.saturating_sub(tail).max(head);
        let mut newest = vec![0; usize::try_from(self.length - from).unwrap_or(0)];
        let read = self.file.read_at(&mut newest, from)?;
        newest.truncate(read);
        self.dropped += from - head;
        self.file.set_len(head)?;
        // One write, so that the child's own lines do not come in between.
        let mark =
            format!("\n[agents] log gap: about {} bytes left out, the log may hold {}\n", self.dropped, self.cap);
        let text = [mark.as_bytes(), &newest].concat();
        self.progress.moved(self.length, head + text.len() as u64);
        if let Some(agent) = &mut self.agent {
            agent.moved(self.length, head + text.len() as u64);
        }
        self.file.write_all(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_keeps_its_beginning_and_its_end_and_says_what_is_missing() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("logs/jobs/j1.log");
        let mut file = open(&path).expect("a log");
        let mut cap = Cap::of(&path, &file, 8000).expect("a cap");
        file.write_all(b"first line\n").expect("written");
        cap.check();
        for number in 0..2000 {
            writeln!(file, "line {number}").expect("written");
            if number % 100 == 0 {
                cap.check();
            }
        }
        cap.check();
        writeln!(file, "last line").expect("written");
        let text = std::fs::read_to_string(&path).expect("read");
        assert!(text.len() < 8100, "{}", text.len());
        assert!(text.starts_with("first line\nline 0\n") && text.ends_with("line 1999\nlast line\n"), "{text}");
        assert_eq!(text.matches("[agents] log gap: about").count(), 1);
    }

    #[test]
    fn a_line_of_progress_that_is_half_written_when_the_log_is_cut_is_read_whole() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("l");
        let mut file = open(&path).expect("a log");
        file.write_all(b"::progress 1/9 of an earlier attempt\n").expect("written");
        let mut cap = Cap::of(&path, &file, 8000).expect("a cap");
        file.write_all(format!("{}::progress 2/", "line\n".repeat(2000)).as_bytes()).expect("written");
        cap.check();
        assert!(cap.length < 8000 && cap.progress.news().is_none());
        file.write_all(b"9 linking\n").expect("written");
        cap.check();
        assert_eq!(cap.progress.news().map(|progress| progress.words()), Some("2/9 linking".into()));
    }

    #[test]
    fn a_link_is_not_followed() {
        let dir = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink("/dev/null", dir.path().join("l")).expect("a link");
        open(&dir.path().join("l")).expect_err("refused");
    }
}
