//! What wakes a runner: signals as readable pipes. Nothing of it is periodic.
use crate::{
    model::time::Boot,
    world::{
        clock,
        process::{reap, signals},
    },
};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::Errno,
};
use std::{
    io,
    os::fd::{BorrowedFd, OwnedFd},
};

pub struct Ears {
    /// A child changed.
    child: OwnedFd,
    /// The store has something for the job.
    look: OwnedFd,
    /// End: the machine goes down, or somebody ended us by hand.
    down: OwnedFd,
    /// The same, unless we sit at a terminal.
    hang_up: OwnedFd,
    seated: bool,
}

/// What was heard.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heard {
    pub look: bool,
    pub down: bool,
}

impl Ears {
    pub fn open() -> io::Result<Ears> {
        use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1};
        let ears = Ears {
            child: signals::pipe_for(&[SIGCHLD])?,
            look: signals::pipe_for(&[SIGUSR1])?,
            down: signals::pipe_for(&[SIGTERM, SIGINT, SIGQUIT])?,
            hang_up: signals::pipe_for(&[SIGHUP])?,
            seated: false,
        };
        signals::unblock();
        Ok(ears)
    }

    /// [`Ears::wait`] of a runner that has no process of a job: whoever ends below it was started by it, or has lost its
    /// parent, and nobody asks how it ended.
    pub fn rest(&self, others: &[BorrowedFd], until: Option<Boot>) -> Heard {
        let heard = self.wait(others, until);
        while matches!(reap(), Ok(Some(_))) {}
        heard
    }

    /// We are in a terminal's session: when that closes, the kernel tells whoever is in the foreground, and that may be us
    /// ([`super::keys`]). That one is seen elsewhere, and must not end the next job, which has nothing to do with it.
    pub fn sit(&mut self) {
        self.seated = true;
    }

    /// Waits for a signal, for `others` to be readable, or for `until`.
    pub fn wait(&self, others: &[BorrowedFd], until: Option<Boot>) -> Heard {
        let left = until.map(|until| until.since(clock::boot()));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        let mut fds: Vec<PollFd> =
            [&self.child, &self.look, &self.down, &self.hang_up].map(|fd| PollFd::new(fd, PollFlags::IN)).into();
        fds.extend(others.iter().map(|fd| PollFd::new(fd, PollFlags::IN)));
        match poll(&mut fds, left.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            // Out of memory: not at full speed.
            Err(_) => std::thread::sleep(std::time::Duration::from_millis(20)),
        }
        signals::came(&self.child);
        let hung_up = signals::came(&self.hang_up) && !self.seated;
        Heard { look: signals::came(&self.look), down: signals::came(&self.down) || hung_up }
    }
}
