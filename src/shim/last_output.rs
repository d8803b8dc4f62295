//! Sees to it that what the program printed last is read before the pane goes.
use crate::{model::time::Boot, world::clock};
use std::{
    fs::Metadata,
    os::{fd::AsFd, unix::fs::MetadataExt},
    path::PathBuf,
    time::Duration,
};

/// A stopped or wedged tmux server does not keep us longer.
const LONGEST: Duration = Duration::from_secs(2);

/// Lets go of the terminal and waits until its other side has closed it, having read everything.
///
/// tmux destroys a pane when its process ends (SIGCHLD) and nothing is left to read (FIONREAD). But the kernel hands
/// what was printed to the other side from a worker thread: on a busy machine the process is gone first, FIONREAD says
/// 0 and the last words are lost. At the end of file, which is what letting go gives, the kernel waits for its worker.
pub(super) fn hand_over() {
    let until = clock::boot().after(LONGEST);
    let Some(terminal) = Terminal::of_ours() else { return };
    let Ok(null) = std::fs::OpenOptions::new().read(true).write(true).open("/dev/null") else { return };
    for to_null in [rustix::stdio::dup2_stdin, rustix::stdio::dup2_stdout, rustix::stdio::dup2_stderr] {
        let _ = to_null(null.as_fd());
    }
    terminal.wait_for_close(until);
}

/// The terminal's entry in `/dev/pts`, which goes when the side of tmux is closed.
struct Terminal {
    path: PathBuf,
    entry: Metadata,
}

impl Terminal {
    /// `None`: our input is no terminal, or its other side is closed already.
    fn of_ours() -> Option<Terminal> {
        let name = rustix::termios::ttyname(std::io::stdin(), Vec::new()).ok()?;
        let path = PathBuf::from(name.into_string().ok()?);
        let entry = std::fs::metadata(&path).ok()?;
        Some(Terminal { path, entry })
    }

    fn wait_for_close(&self, until: Boot) {
        let mut pause = Duration::from_micros(500);
        while self.is_open() && clock::boot() < until {
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }

    /// The number may belong to another terminal at once; its entry is then a younger one.
    fn is_open(&self) -> bool {
        std::fs::metadata(&self.path).is_ok_and(|now| {
            (now.ino(), now.rdev(), now.ctime(), now.ctime_nsec())
                == (self.entry.ino(), self.entry.rdev(), self.entry.ctime(), self.entry.ctime_nsec())
        })
    }
}
