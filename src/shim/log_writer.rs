//! Takes what a pane prints and appends it to the session's log. It never stops reading: a reader that pauses makes
//! the tmux server grow by the megabyte.
use super::{
    record::{self, LaunchRecord},
    rotation::Log,
    signals,
};
use crate::{
    model::time::Wall,
    world::{
        clock,
        process::{ProcId, let_go_of_code},
    },
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};
use std::{io, os::unix::fs::OpenOptionsExt, path::Path};

/// How often the path is compared with the open file, and how often a full disk is looked at again.
const LOOK_MS: u64 = 1000;
/// After so long without output we make ourselves small.
const QUIET_S: i64 = 2;

pub(super) fn run(run_dir: &Path) -> u8 {
    // Whoever ends the pane ends our input as well; until then every byte counts.
    let _deaf =
        signals::pipe_for(&[signal_hook::consts::SIGHUP, signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM]);
    let record = match LaunchRecord::read(run_dir) {
        Ok(record) => record,
        Err(e) => {
            eprintln!("agents: {}: {e}", run_dir.display());
            return 126;
        }
    };
    let mut writer = Writer { record: &record, run_dir, log: None, gap: None, looked: 0 };
    writer.look();
    introduce(run_dir);
    match writer.run() {
        Ok(()) => 0,
        Err(_) => 1,
    }
}

/// Even if the disk is full: reading is what matters to the program that waits for us. Who we are is for the engine.
fn introduce(run_dir: &Path) {
    let path = run_dir.join(record::PIPED);
    let marker = std::fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path);
    let me = ProcId::own().and_then(|own| serde_json::to_vec(&own).ok());
    if let (Ok(mut file), Some(me)) = (marker, me) {
        let _ = io::Write::write_all(&mut file, &me);
    }
}

struct Writer<'a> {
    record: &'a LaunchRecord,
    run_dir: &'a Path,
    log: Option<Log>,
    gap: Option<Gap>,
    /// Boottime of the last look at the path.
    looked: u64,
}

struct Gap {
    bytes: u64,
    from: Wall,
    why: String,
}

impl Writer<'_> {
    fn run(&mut self) -> io::Result<()> {
        let stdin = io::stdin();
        let mut buffer = vec![0; 16 * 1024];
        let mut light = false;
        loop {
            let seconds = |s| Timespec { tv_sec: s, tv_nsec: 0 };
            let pause = if self.gap.is_some() { Some(seconds(1)) } else { (!light).then(|| seconds(QUIET_S)) };
            let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
            match poll(&mut fds, pause.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
            let ready = !fds[0].revents().is_empty();
            light = !ready && self.gap.is_none();
            if light {
                let_go_of_code();
                continue;
            }
            self.look();
            if !ready {
                continue;
            }
            match rustix::io::read(&stdin, &mut buffer) {
                Ok(0) => {
                    self.close_gap(true);
                    return Ok(());
                }
                Ok(n) => self.append(&buffer[..n]),
                Err(Errno::INTR | Errno::AGAIN) => {}
                Err(e) => return Err(e.into()),
            }
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        if self.gap.is_none()
            && let Some(log) = &mut self.log
        {
            let (done, result) = log.write(bytes);
            if let Err(e) = result {
                self.lose(bytes.len() - done, &e);
            }
        } else if let Some(gap) = &mut self.gap {
            gap.bytes += bytes.len() as u64;
            // A log that does not grow would say that nothing was printed.
            self.log.iter().for_each(Log::touch);
        }
    }

    fn lose(&mut self, bytes: usize, error: &io::Error) {
        let why = if error.kind() == io::ErrorKind::StorageFull { "no space".to_owned() } else { error.to_string() };
        let gap = self.gap.get_or_insert_with(|| Gap { bytes: 0, from: clock::wall(), why });
        gap.bytes += bytes as u64;
        // A log that does not grow would say that nothing was printed.
        self.log.iter().for_each(Log::touch);
    }

    /// Opens the log, again if it was moved, and ends a gap when there is space. At most once a second.
    fn look(&mut self) {
        let now = clock::boot().0;
        if self.looked != 0 && now < self.looked + LOOK_MS {
            return;
        }
        self.looked = now.max(1);
        if !self.log.as_mut().is_some_and(Log::is_in_place) {
            match Log::open(&self.record.log, self.record.log_max_bytes) {
                Ok(log) => self.log = Some(log),
                Err(e) => {
                    self.log = None;
                    self.lose(0, &e);
                }
            }
        }
        self.close_gap(false);
    }

    fn close_gap(&mut self, at_end: bool) {
        let (Some(gap), Some(log)) = (&self.gap, &mut self.log) else { return };
        if !at_end && gap.why == "no space" && !has_space(&self.record.log) {
            return;
        }
        let now = clock::wall();
        let words = format!("{} bytes lost, {}, {}..{}", gap.bytes, gap.why, gap.from.rfc3339(), now.rfc3339());
        if gap.bytes == 0 || log.write(format!("\r\n[agents] log gap: {words}\r\n").as_bytes()).1.is_ok() {
            if gap.bytes > 0 {
                let _ = record::write_atomically(&self.run_dir.join(record::GAP), words.as_bytes());
            }
            self.gap = None;
        }
    }
}

/// At least 5 % free, so that logs do not take the last byte again at once.
fn has_space(path: &Path) -> bool {
    let dir = path.parent().unwrap_or(Path::new("/"));
    rustix::fs::statvfs(dir).is_ok_and(|fs| fs.f_bavail.saturating_mul(20) >= fs.f_blocks)
}
