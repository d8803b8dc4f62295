//! Going on with a log as it grows: woken by inotify, surviving rotation and truncation.
use super::{
    failure::{Failure, Report},
    out::Out,
};
use rustix::{
    event::{PollFd, PollFlags, poll},
    fs::inotify::{self, CreateFlags, WatchFlags},
    time::Timespec,
};
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    os::{fd::OwnedFd, unix::fs::MetadataExt},
    path::{Path, PathBuf},
};

/// Looks anyway after this long: some file systems tell nothing.
const AT_LEAST_EVERY: Timespec = Timespec { tv_sec: 2, tv_nsec: 0 };

/// Gets new bytes, in order, and prints what they mean.
pub type Take<'a> = dyn FnMut(&[u8], &mut Out) -> Result<(), Failure> + 'a;

pub struct Follow {
    path: PathBuf,
    events: OwnedFd,
}

impl Follow {
    /// Watches the folder, because the file itself is renamed by a rotation.
    pub fn new(path: &Path) -> io::Result<Follow> {
        let events = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
        let dir = path.parent().unwrap_or(Path::new("."));
        let what = WatchFlags::MODIFY | WatchFlags::CREATE | WatchFlags::MOVED_FROM | WatchFlags::MOVED_TO;
        inotify::add_watch(&events, dir, what)?;
        Ok(Follow { path: path.to_owned(), events })
    }

    /// Gives what is written behind byte `from` of the current part, until the reader of our output goes away.
    pub fn run(&mut self, from: u64, out: &mut Out, take: &mut Take<'_>) -> Report {
        let mut current: Option<File> = None;
        let mut at = from;
        loop {
            if current.is_none()
                && let Ok(mut file) = File::open(&self.path)
            {
                let size = file.metadata().map(|m| m.len()).unwrap_or(0);
                at = if size < at { 0 } else { at };
                let _ = file.seek(SeekFrom::Start(at));
                current = Some(file);
            }
            if let Some(file) = &mut current {
                at += drain(file, out, take).map_err(|e| self.failure(e))?;
                if self.replaced(file) {
                    // The new part is there, so the old one is complete.
                    drain(file, out, take).map_err(|e| self.failure(e))?;
                    current = None;
                    at = 0;
                    continue;
                } else if file.metadata().is_ok_and(|m| m.len() < at) {
                    let _ = file.seek(SeekFrom::Start(0));
                    at = 0;
                    continue;
                }
            }
            out.flush()?;
            self.wait()?;
        }
    }

    fn failure(&self, trouble: Trouble) -> Failure {
        match trouble {
            Trouble::Read(e) => Failure::new(1, format!("`{}` cannot be read: {e}", self.path.display())),
            Trouble::Write(failure) => failure,
        }
    }

    /// Does the path name another file by now?
    fn replaced(&self, file: &File) -> bool {
        match (std::fs::metadata(&self.path), file.metadata()) {
            (Ok(there), Ok(ours)) => (there.dev(), there.ino()) != (ours.dev(), ours.ino()),
            _ => false,
        }
    }

    /// Until something happens in the folder, or our reader is gone.
    pub fn wait(&mut self) -> Result<(), Failure> {
        let stdout = io::stdout();
        let mut fds = [PollFd::new(&self.events, PollFlags::IN), PollFd::new(&stdout, PollFlags::empty())];
        let _ = poll(&mut fds, Some(&AT_LEAST_EVERY));
        if !fds[1].revents().is_empty() {
            return Err(Failure::Closed);
        }
        let mut buffer = [0_u8; 4096];
        while rustix::io::read(&self.events, &mut buffer).is_ok_and(|n| n > 0) {}
        Ok(())
    }
}

enum Trouble {
    Read(io::Error),
    Write(Failure),
}

fn drain(file: &mut File, out: &mut Out, take: &mut Take<'_>) -> Result<u64, Trouble> {
    let mut buffer = [0_u8; 64 * 1024];
    let mut total = 0;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(total),
            Ok(n) => {
                total += n as u64;
                take(&buffer[..n], out).map_err(Trouble::Write)?;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(Trouble::Read(e)),
        }
    }
}
