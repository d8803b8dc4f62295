//! Takes what the pane of a job prints and appends it to the job's log. It never stops reading: a reader that pauses makes
//! the tmux server grow by the megabyte. How long the log may become is the runner's care, as without a session.
use crate::{
    jobs::runner::open_log,
    world::process::{let_go_of_code, lift_file_limit, signals},
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{Mode, OFlags},
    io::Errno,
};
use std::{
    fs::File,
    io::{self, Write},
    os::fd::OwnedFd,
    path::Path,
    process::ExitCode,
};

/// After so long without output we make ourselves small.
const QUIET: Timespec = Timespec { tv_sec: 2, tv_nsec: 0 };

pub fn run(log: &Path, sign: &Path) -> ExitCode {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    // Whoever ends the pane ends our input as well; until then every byte counts.
    let _deaf = signals::pipe_for(&[SIGHUP, SIGINT, SIGTERM]);
    lift_file_limit();
    let mut writer = Writer { log: open_log(log).ok(), plain: Plain::default(), lost: 0 };
    let _here = introduce(sign);
    match read_all(|bytes| writer.take(bytes)) {
        Ok(()) => {
            writer.end();
            ExitCode::SUCCESS
        }
        Err(_) => ExitCode::FAILURE,
    }
}

/// Held open as long as we live. For both ways, so that nobody is waited for.
fn introduce(sign: &Path) -> Option<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let fifo = rustix::fs::open(sign, flags, Mode::empty()).ok()?;
    rustix::io::write(&fifo, b".").ok()?;
    Some(fifo)
}

fn read_all(mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let stdin = io::stdin();
    let mut buffer = vec![0; 16 * 1024];
    let mut light = false;
    loop {
        let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
        match poll(&mut fds, (!light).then_some(&QUIET)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
        light = fds[0].revents().is_empty();
        if light {
            let_go_of_code();
            continue;
        }
        match rustix::io::read(&stdin, &mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => take(&buffer[..n]),
            Err(Errno::INTR | Errno::AGAIN) => {}
            Err(e) => return Err(e.into()),
        }
    }
}

struct Writer {
    log: Option<File>,
    plain: Plain,
    /// Bytes that could not be written: the disk is full.
    lost: u64,
}

impl Writer {
    fn take(&mut self, bytes: &[u8]) {
        let text = self.plain.of(bytes);
        self.write(&text);
    }

    fn end(&mut self) {
        let rest = self.plain.rest();
        self.write(rest);
    }

    /// In one piece, where it can be: two who append do not come in between.
    fn write(&mut self, text: &[u8]) {
        let Some(log) = &mut self.log else { return };
        if self.lost > 0 {
            let mark = format!("\n[agents] log gap: {} bytes lost, no space\n", self.lost);
            if log.write_all(mark.as_bytes()).is_err() {
                self.lost += text.len() as u64;
                return;
            }
            self.lost = 0;
        }
        let mut left = text;
        while !left.is_empty() {
            match log.write(left) {
                Ok(0) => break,
                Ok(n) => left = &left[n..],
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        self.lost += left.len() as u64;
    }
}

/// Takes back what the terminal adds: one CR before every LF. So a log reads as one that was written without a terminal.
#[derive(Default)]
struct Plain {
    /// The last byte was a CR, which is not written yet.
    held: bool,
}

impl Plain {
    fn of(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len() + 1);
        for byte in bytes {
            if self.held && *byte != b'\n' {
                out.push(b'\r');
            }
            self.held = *byte == b'\r';
            if !self.held {
                out.push(*byte);
            }
        }
        out
    }

    /// What was held back when nothing follows.
    fn rest(&mut self) -> &'static [u8] {
        if std::mem::take(&mut self.held) { b"\r" } else { b"" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_reads_as_if_there_were_no_terminal() {
        let text = b"a\r\nb\r\r\nbar 10%\rbar 20%\r\r\r\n\rx\r";
        // Wherever the pieces end.
        for size in 1..text.len() {
            let mut plain = Plain::default();
            let mut out: Vec<u8> = text.chunks(size).flat_map(|piece| plain.of(piece)).collect();
            out.extend(plain.rest());
            assert_eq!(String::from_utf8_lossy(&out), "a\nb\r\nbar 10%\rbar 20%\r\r\n\rx\r", "{size}");
        }
    }

    #[test]
    fn what_is_lost_is_said_once_there_is_room() {
        // Nothing can be written to it; then something can.
        let full = File::options().write(true).open("/dev/full").ok();
        let mut writer = Writer { log: full, plain: Plain::default(), lost: 0 };
        writer.take(b"four");
        writer.take(b"more");
        assert_eq!(writer.lost, 8);
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("l");
        writer.log = open_log(&path).ok();
        writer.take(b"there\r\n");
        let text = std::fs::read_to_string(path).expect("a log");
        assert_eq!(text, "\n[agents] log gap: 8 bytes lost, no space\nthere\n");
    }
}
