//! Long output that is written while the rest of it is being made, as far as its reader takes it at once: a list is read
//! from the store as it is at one moment, and nobody is to keep that moment open by not reading on.
use super::{failure::Failure, out::Out};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{FileType, fstat},
    stdio::stdout,
};
use std::io;

/// So much is made before it is written.
const PIECE: usize = 64 * 1024;
/// So much a pipe that takes anything takes whole.
const SMALL: usize = 4096;

pub struct Pour<'a> {
    out: &'a mut Out,
    /// Bytes that may be written without waiting, where something may.
    most: usize,
    /// Of the text, from its beginning.
    written: usize,
    /// How long the text is when it is looked at again.
    due: usize,
    failed: Option<io::Error>,
}

impl<'a> Pour<'a> {
    pub fn into(out: &'a mut Out) -> Result<Pour<'a>, Failure> {
        out.flush()?;
        let kind = fstat(stdout()).map_or(FileType::Unknown, |stat| FileType::from_raw_mode(stat.st_mode));
        let may_wait = out.terminal || matches!(kind, FileType::Fifo | FileType::Socket);
        let most = if may_wait { SMALL } else { PIECE };
        Ok(Pour { out, most, written: 0, due: PIECE, failed: None })
    }

    /// Some more of it has been made. What was written is taken out of it when all is.
    pub fn some(&mut self, text: &mut Vec<u8>) {
        if text.len() < self.due {
            return;
        }
        while self.failed.is_none() && self.written < text.len() && takes_some() {
            let end = text.len().min(self.written + self.most);
            match rustix::io::write(stdout(), &text[self.written..end]) {
                Ok(count) => self.written += count,
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::AGAIN) => break,
                Err(e) => self.failed = Some(e.into()),
            }
        }
        if self.written == text.len() {
            text.clear();
            self.written = 0;
        }
        self.due = text.len() + PIECE;
    }

    /// The rest of it, as long as that takes.
    pub fn all(self, text: &[u8]) -> Result<(), Failure> {
        match self.failed {
            Some(error) => Err(error.into()),
            None => self.out.raw(&text[self.written..]),
        }
    }
}

/// Also where its reader went away: the next write tells.
fn takes_some() -> bool {
    let stdout = stdout();
    let mut fds = [PollFd::new(&stdout, PollFlags::OUT)];
    matches!(poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })), Ok(1..))
}
